"""What a deletion takes out of MLflow, and what it leaves there and says."""

import shlex
import subprocess
import sys

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.errors import RecorderError, StoreError, SweepLocked
from tuner.files.run_ids import RunIds
from tuner.operations.delete import plan_deletion
from tuner.recorders.mlflow.models import model_tags
from tuner.sweep import RunOptions


@pytest.fixture
def sweep(root):
    """A sweep in whose store each trial has a run and an exported model, and so has the sweep."""
    (root / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(root / "sim.yaml", root)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    client = client_of(root)
    experiment = client.create_experiment("sim", (root / "mlruns").as_uri())
    runs = RunIds(sweep.dir.runs_file)
    for number in (None, 0, 1):
        run_id = client.create_run(experiment).info.run_id
        runs.remember(run_id, number)
        tags = model_tags(sweep.dir, 1 if number is None else number, 90)
        client.create_logged_model(experiment, f"model_{number}", run_id, tags)
    client.create_logged_model(experiment, "by_hand", run_id, {"mine": "yes"})
    return sweep


def client_of(root):
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")


def names(root):
    client = client_of(root)
    experiment = client.get_experiment_by_name("sim").experiment_id
    return {model.name: model for model in client.search_logged_models([experiment])}


def test_a_trial_goes_with_its_models_and_a_sweep_with_all_that_tuner_exported(sweep, root):
    dry = plan_deletion(sweep.dir, 1)
    assert "trial 1 of sim: 1 MLflow run, 2 exported models, and " in dry.lines[0]
    assert names(root).keys() == {"model_None", "model_0", "model_1", "by_hand"}
    dry.carry_out()
    assert names(root).keys() == {"model_0", "by_hand"}
    whole = plan_deletion(sweep.dir)
    # The run of the trial that was deleted is not there any more.
    assert "sweep sim: 2 MLflow runs, 1 exported model, and " in whole.lines[0]
    whole.carry_out()
    assert names(root).keys() == {"by_hand"}
    assert not sweep.dir.path.exists()


def test_a_sweep_that_is_worked_on_is_refused_before_anything_is_said(sweep):
    code = "import sys; from pathlib import Path; from tuner.study import DriverLock\n"
    code += f"with DriverLock(Path({str(sweep.dir.driver_file)!r})): print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    for trial in (None, 1):
        with pytest.raises(SweepLocked, match=f"is being worked on by process {holder.pid} "):
            plan_deletion(sweep.dir, trial)
    holder.communicate(timeout=60)
    plan_deletion(sweep.dir)


def test_a_registered_version_stays_and_the_line_that_says_so_has_the_command_that_deletes_it(sweep, root):
    client = client_of(root)
    model = names(root)["model_0"]
    client.create_registered_model("houses")
    client.create_model_version("houses", model.artifact_location, model.source_run_id, model_id=model.model_id)
    client.set_registered_model_alias("houses", "champion", "1")
    deletion = plan_deletion(sweep.dir)
    assert "3 MLflow runs, 2 exported models" in deletion.lines[0]
    (line,) = deletion.kept
    assert line.startswith("version 1 (champion) of the registered model houses, of trial 0 at step 90: ")
    deletion.carry_out()
    assert names(root).keys() == {"model_0", "by_hand"}
    _, *arguments = shlex.split(line.partition("delete it with: ")[2])
    subprocess.run([sys.executable, *arguments], check=True, timeout=120)
    assert names(root).keys() == {"by_hand"}
    assert client.search_model_versions("name = 'houses'") == []


def test_a_store_that_is_away_is_an_error_in_a_line_and_nothing_is_deleted(sweep, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RecorderError, match=r"MLflow at http://127\.0\.0\.1:9 does not answer: connection refused"):
        plan_deletion(sweep.dir)
    assert sweep.dir.path.exists()


def test_a_trial_of_a_sweep_whose_driver_was_killed_within_a_line_of_its_journal_can_be_deleted(sweep):
    before = [trial.number for trial in sweep.result().trials]
    with sweep.dir.journal_file.open("ab") as stream:
        stream.write(b'{"op_code": 5, "worker')
    plan_deletion(sweep.dir, 1).carry_out()
    assert [trial.number for trial in sweep.result().trials] == [number for number in before if number != 1]


def test_a_sweep_whose_database_is_gone_can_be_deleted_and_none_is_made(root, tmp_path):
    (root / "sim.yaml").write_text(SIMULATED)
    database = tmp_path / "study.db"
    sweep = tuner.Sweep.from_file(root / "sim.yaml", root, storage_url=f"sqlite:///{database}")
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    database.unlink()
    with pytest.raises(StoreError, match="which is not there"):
        sweep.result().trials  # noqa: B018
    plan_deletion(sweep.dir).carry_out()
    assert not sweep.dir.path.exists()
    assert not database.exists()
