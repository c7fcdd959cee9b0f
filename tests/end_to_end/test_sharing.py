"""Several drivers work on one sweep, whose study is on a database."""

import json
import os
import signal
import subprocess
import sys
import time

import mlflow
import pytest

import tuner
from tests.services.postgres import free_port, postgres
from tests.spaces import SIMULATED
from tuner.cli.ending import ending_lines
from tuner.config.manifest import read_manifest
from tuner.domain.trial import TrialState
from tuner.driver.stop_criteria import StopReason
from tuner.files.run_ids import RunIds
from tuner.operations.verify import verify_sweep
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.sweep import RunOutcome

pytestmark = [pytest.mark.slow, pytest.mark.service]

TRIALS = 12


@pytest.fixture(scope="module")
def server():
    with postgres() as url:
        yield url


def start(file, root, url, **env):
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--workers", "1"]
    command += ["--storage", url]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
    )


def rows(root, name):
    shown = subprocess.run(
        [sys.executable, "-m", "tuner", "show", name, "--root", str(root), "--format", "json"],
        capture_output=True,
        text=True,
    )
    return json.loads(shown.stdout) if shown.returncode == 0 and shown.stdout else []


def wait_until(condition, drivers, timeout_s=300):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        assert any(driver.poll() is None for driver in drivers), [d.communicate()[1][-2000:] for d in drivers]
        time.sleep(0.2)


def run_three_and_kill_one(file, name, root, url, restart=False, **env):
    """Start three drivers at once on a new study, kill one in the middle of a trial, and wait for the others.

    Args:
        restart: Whether the database is away meanwhile, for longer than it takes to notice.
    """
    drivers = [start(file, root, url, **env) for _ in range(3)]
    log = root / "mlruns/sweeps" / name / "curves.jsonl"
    wait_until(lambda: log.exists() and log.read_text().count('"COMPLETE"') >= 2, drivers)
    if restart:
        url.stop()
        time.sleep(4)
        url.start()
    drivers[1].send_signal(signal.SIGKILL)
    drivers[1].communicate()
    for driver in (drivers[0], drivers[2]):
        _, errors = driver.communicate(timeout=400)
        assert driver.returncode == 0, errors[-3000:]
        if restart:
            said = [line for line in errors.splitlines() if line.startswith("the study's database is")]
            assert [line.split(":")[0] for line in said] == [
                "the study's database is away, trials go on meanwhile",
                "the study's database is back",
            ]
    return tuner.Sweep.open(name, root)


def check(sweep, uri=None):
    result = sweep.result()
    assert [trial.number for trial in result.trials] == list(range(TRIALS))
    assert {trial.state for trial in result.trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert verify_sweep(sweep.dir, result).differences == []
    recorded = MlflowReader(sweep.dir, uri)
    sweep_id = read_manifest(sweep.dir).sweep_id
    runs = recorded.runs_of_trials(sweep_id)
    assert {number: len(found) for number, found in runs.items()} == dict.fromkeys(range(TRIALS), 1)
    drivers = {trial.record.driver for trial in result.trials}
    assert len(drivers) >= 2
    return result


SLOW = "learning_rate: {type: float, low: 0.001, high: 0.1, log: true}\nsleep: 0.03"


@pytest.mark.parametrize(
    ("name", "scheduler", "restart"), [("median", "median", True), ("asha", "{name: asha, eta: 2}", False)]
)
def test_three_drivers_share_a_new_study_and_the_living_take_over_from_the_dead(
    server, space_file, root, name, scheduler, restart
):
    """Also if the database is started anew while they are at work: they wait for it."""
    search = f"{{sampler: tpe, scheduler: {scheduler}, trials: {TRIALS}, seed: 1}}"
    sweep = run_three_and_kill_one(space_file(SLOW, search=search, name=name), name, root, server, restart)
    result = check(sweep)
    assert all(sorted(t.record.curve) == [20, 40, 60] for t in result.trials if t.state is TrialState.COMPLETE)
    # Without a password in what is kept, and never more than the total in a further call.
    assert read_manifest(sweep.dir).storage_url == server
    again = start(space_file(SLOW, search=search, name=name), root, server)
    _, errors = again.communicate(timeout=200)
    assert again.returncode == 0, errors
    assert len(sweep.result().trials) == TRIALS


def test_records_go_to_a_tracking_server_whose_store_is_on_postgresql(server, space_file, root, tmp_path):
    port = free_port()
    store = f"{server.rpartition('/')[0]}/mlflow"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", store, "--artifacts-destination", str(tmp_path / "artifacts")]
    env = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    tracking = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, start_new_session=True, cwd=tmp_path
    )
    uri = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{uri}/health"), [tracking])
        search = f"{{sampler: random, trials: {TRIALS}}}"
        file = space_file(SLOW, search=search, name="remote")
        sweep = run_three_and_kill_one(file, "remote", root, server, MLFLOW_TRACKING_URI=uri)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_URI", uri)
            check(sweep, uri)
            experiment = RunIds(sweep.dir.runs_file).experiment
            assert mlflow.MlflowClient(uri).get_experiment(experiment).name == "remote"
            outcome = RunOutcome(sweep.result(), StopReason("3 of 3 trials"), 0)
            assert list(ending_lines(outcome))[-1].startswith(f"trials: {uri}/#/experiments/{experiment}/runs?")
    finally:
        os.killpg(tracking.pid, signal.SIGKILL)
        tracking.wait()


def answers(url):
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://tuner@127.0.0.1:1/none", "cannot be used"),
        ("postgresql://tuner:secret@127.0.0.1:1/none", "tuner:***@127.0.0.1"),
        ("nonsense", "is no database URL"),
        ("oracle://here/there", "needs a driver that is not installed"),
    ],
)
def test_a_storage_that_cannot_be_used_is_refused_before_any_work(url, expected, space_file, root):
    driver = start(space_file(), root, url)
    _, errors = driver.communicate(timeout=100)
    assert driver.returncode in (1, 2)
    assert expected in errors
    assert "Traceback" not in errors
    assert "secret" not in errors


def test_tables_of_another_version_of_optuna_are_refused_with_the_remedy(server, space_file, root):
    import sqlalchemy

    file = space_file(search="{sampler: random, trials: 1}", name="version")
    driver = start(file, root, server)
    _, errors = driver.communicate(timeout=200)
    assert driver.returncode == 0, errors
    engine = sqlalchemy.create_engine(server)
    with engine.begin() as connection:
        before = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9999.0.0'")
    try:
        driver = start(file, root, server)
        _, errors = driver.communicate(timeout=200)
        assert driver.returncode == 2
        assert "another version of Optuna" in errors
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{before}'")
        engine.dispose()


def test_a_sweep_keeps_its_storage_and_a_journal_is_not_exchanged_for_a_database(server, space_file, root):
    file = space_file(search="{sampler: random, trials: 1}", name="own")
    assert subprocess.run([sys.executable, "-m", "tuner", "run", str(file), "--root", str(root)]).returncode == 0
    driver = start(file, root, server)
    _, errors = driver.communicate(timeout=200)
    assert driver.returncode == 2
    assert "keeps its study in a journal in its folder" in errors


def test_the_password_of_a_storage_that_is_learned_from_is_written_nowhere(server, root):
    import optuna

    with_password = server.replace("tuner@", "tuner:s3cret@")
    study = optuna.create_study(study_name="old", storage=server, direction="minimize")
    rates = optuna.distributions.FloatDistribution(1e-4, 1.0, log=True)
    units = optuna.distributions.IntDistribution(16, 256)
    for rate in (0.1, 0.2):
        params, distributions = {"rate": rate, "units": 20}, {"rate": rates, "units": units}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=rate))
    file = root / "sim.yaml"
    file.write_text(SIMULATED.replace("sampler: random", "sampler: tpe").replace(", record: false", ""))
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--backend", "simulated"]
    for trials in ("2", "3"):
        with_source = [*command, "--trials", trials, "--from", f"{with_password}#old"]
        done = subprocess.run(with_source, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "***@127.0.0.1" in done.stderr and "#old: 2 of 2 complete trials used" in done.stderr
        assert "s3cret" not in done.stderr + done.stdout
    assert b"#old: 2 of 2 complete trials used" in (root / "mlruns/sweeps/sim/curves.jsonl").read_bytes()
    assert [file for file in root.rglob("*") if file.is_file() and b"s3cret" in file.read_bytes()] == []
    missing = subprocess.run([*command, "--name", "b", "--from", f"{with_password}#x"], capture_output=True, text=True)
    assert missing.returncode == 2
    assert "#STUDY with one of its studies: " in missing.stderr and "s3cret" not in missing.stderr
