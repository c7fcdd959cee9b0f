"""The command line as people and scripts use it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest


def tuner(*arguments, **kwargs):
    command = [sys.executable, "-m", "tuner", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)


def test_help_loads_neither_tensorflow_nor_mlflow_nor_optuna():
    code = (
        "import sys; sys.argv = ['tuner', '--help']\nfrom tuner.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = ('tensorflow', 'mlflow', 'optuna', 'pandas', 'numpy', 'pydantic', 'ruamel')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"
    for name in ("run", "resume", "stop", "list", "show", "logs", "best", "check", "verify", "init"):
        assert name in done.stdout


def test_the_version_is_shown():
    from tuner._version import __version__

    assert tuner("--version").stdout == f"tuner {__version__}\n"


def test_public_names_and_all_agree():
    import tuner as package

    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package._HOMES) | {"__version__"} == set(package.__all__)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["show", "nothing"], "no sweep 'nothing'"),
        (["logs", "housing:7"], "no sweep 'housing'"),
        (["verify", "housing:7"], "found the trial 'housing:7', expected a sweep (type: tuner verify housing;"),
        (["best", "../x"], "cannot name a sweep"),
        (["run", "{space}", "--set", "train.max_stepz=3"], "unknown key 'max_stepz' (did you mean 'max_steps'?)"),
        (["run", "{space}", "--timeout", "soon"], "--timeout: expected a duration"),
        (["run", "{space}", "--tag", "tuner.x=1"], "begins with a name that is taken"),
        (["run", "{space}", "--tag", "x"], "expected KEY=VALUE"),
        (
            ["run", "{space}", "--tag", "a@b=1"],
            "--tag: MLflow takes no tag with the key 'a@b', expected letters, digits",
        ),
        (["run", "{space}", "--backend", "moon"], "unknown backend 'moon'"),
        (["run", __file__], "is a Python file, expected a search space file (YAML)"),
    ],
)
def test_a_mistake_is_a_line_without_a_traceback_and_status_2(arguments, expected, space_file, tmp_path):
    done = tuner(*[str(a).format(space=space_file()) for a in arguments], cwd=tmp_path)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_import_prints_a_search_space_on_stdout_and_notes_on_stderr():
    done = tuner("import", Path(__file__).parents[1] / "importers" / "files" / "ai_platform.yaml")
    assert done.returncode == 0
    assert "\nlearning_rate" not in done.stdout and "  learning_rate: {type: float" in done.stdout
    assert "note: trainingInput.scaleTier is not used" in done.stderr
    assert "--from housing_1" in done.stderr


def test_import_of_what_it_does_not_know_names_what_it_knows(space_file):
    done = tuner("import", space_file())
    assert done.returncode == 2 and done.stdout == ""
    assert "is no search space of: AI Platform" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("import nothing_of_that_name", "does not import: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("def model_fn(features, labels, mode, params): ...", "has no function train_input_fn(params)"),
        ("def modelfn(): ...", "has none of model_fn, estimator_fn, keras_model_fn"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_before_any_trial_and_takes_no_name(
    model, expected, space_file, root, tmp_path
):
    file = tmp_path / "model.py"
    file.write_text(model)
    done = tuner("run", space_file(model=file), "--root", root)
    assert done.returncode == 2
    assert expected in done.stderr
    assert json.loads(tuner("list", "--root", root, "--format", "json").stdout) == []


@pytest.mark.slow
def test_run_show_best_list_logs_and_verify_agree(space_file, root):
    done = tuner("run", space_file(), "--root", root, "--trials", 2, "--workers", 1, "--seed", 4)
    assert done.returncode == 0, done.stderr
    rows = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    assert [set(row) for row in rows] == [
        {"trial", "state", "reason", "params", "values", "step", "seconds", "run_id", "trial_dir"}
    ] * 2
    best = json.loads(tuner("best", "tiny", "--root", root, "--format", "json").stdout)
    wanted = min(rows, key=lambda row: row["values"]["rmse"])
    assert best == {**wanted, "exported_step": best["exported_step"]}
    assert best["exported_step"] in (20, 40, 60)
    table = list(csv.DictReader(io.StringIO(tuner("show", "tiny", "--root", root, "--format", "csv").stdout)))
    assert [float(row["values.rmse"]) for row in table] == [row["values"]["rmse"] for row in rows]
    (sweep,) = json.loads(tuner("list", "--root", root, "--format", "json").stdout)
    assert (sweep["sweep"], sweep["state"], sweep["complete"]) == ("tiny", "finished", 2)
    assert "Saving dict for global step 60" in tuner("logs", "tiny:1", "--root", root).stdout
    verified = tuner("verify", "tiny", "--root", root)
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "status", "everybody"),
    [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, False), (signal.SIGTERM, 143, True)],
)
def test_a_signal_stops_trials_at_checkpoints_and_resume_ends_as_if_there_was_none(
    signum, status, everybody, space_file, root
):
    parameters = "learning_rate: {type: float, low: 0.001, high: 0.1}\nsleep: 0.02"
    file = space_file(parameters, train="{max_steps: 200, evaluate_every: 20}", search="{sampler: random, trials: 2}")
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--workers", "1"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    journal = root / "mlruns/sweeps/tiny/curves.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_text().count('"evaluation"') > 2):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    others = psutil.Process(driver.pid).children(recursive=True) if everybody else []
    for process in others:  # as systemd and Slurm do
        process.send_signal(signum)
    driver.send_signal(signum)
    _, errors = driver.communicate(timeout=60)
    assert driver.returncode == status, errors
    assert "tuner resume tiny" in errors
    assert len(others) == (3 if everybody else 0)  # the warm parent, its trial, the recorder
    rows = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    assert [(row["state"], row["reason"]) for row in rows] == [("INTERRUPTED", "the sweep was stopped")]
    assert [row["step"] > 0 and row["step"] % 20 for row in rows] == [0]
    sweep_dir = root / "mlruns/sweeps/tiny"
    assert json.loads((sweep_dir / "trials/0000/result.json").read_text())["ending"] == "stopped"
    assert int((sweep_dir / "curves.sent").read_text()) == (sweep_dir / "curves.jsonl").stat().st_size
    assert tuner("resume", "tiny", "--root", root, "--workers", 1).returncode == 0
    calm = space_file(
        parameters, train="{max_steps: 200, evaluate_every: 20}", search="{sampler: random, trials: 2}", name="calm"
    )
    assert tuner("run", calm, "--root", root, "--workers", 1).returncode == 0
    names = ("tiny", "calm")
    disturbed, undisturbed = (json.loads(tuner("show", n, "--root", root, "--format", "json").stdout) for n in names)
    keys = ("trial", "state", "params", "values", "step")
    assert [[row[k] for k in keys] for row in disturbed] == [[row[k] for k in keys] for row in undisturbed]
    assert tuner("verify", "tiny", "--root", root).returncode == 0


@pytest.mark.slow
def test_stop_asks_a_running_sweep_to_stop_and_a_second_driver_is_refused(space_file, root):
    parameters = "learning_rate: 0.01\nsleep: 0.05"
    file = space_file(parameters, train="{max_steps: 4000, evaluate_every: 20}")
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--workers", "1"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    journal = root / "mlruns/sweeps/tiny/curves.jsonl"
    while not (journal.exists() and '"evaluation"' in journal.read_text()):
        time.sleep(0.1)
    second = tuner("run", file, "--root", root)
    assert second.returncode == 2
    assert f"is being worked on by process {driver.pid}" in second.stderr
    assert tuner("stop", "tiny", "--root", root).returncode == 0
    driver.communicate(timeout=60)
    assert driver.returncode == 130
    nothing = tuner("stop", "tiny", "--root", root)
    assert nothing.returncode == 2
    assert "is not running" in nothing.stderr


@pytest.mark.slow
def test_what_init_writes_checks_and_runs(tmp_path, root):
    assert tuner("init", tmp_path / "mine").returncode == 0
    again = tuner("init", tmp_path / "mine")
    assert again.returncode == 2
    checked = tuner("check", tmp_path / "mine/search_space.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "tags of the evaluation: loss, rmse" in checked.stdout
    done = tuner(
        "run", tmp_path / "mine/search_space.yaml", "--root", root, "--trials", 2, "--set", "train.max_steps=200"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["housing", "housing_keras", "housing_wide_deep", "digits"])
def test_each_search_space_that_ships_checks(name):
    done = tuner("check", Path(__file__).parents[2] / "search_spaces" / f"{name}.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ok\n")


@pytest.mark.slow
def test_check_names_an_objective_that_the_model_never_writes(space_file):
    done = tuner("check", space_file(objective="{metric: rmsee, goal: minimize}"))
    assert done.returncode == 2
    assert "'rmsee' never came; tags that are there: loss, rmse; did you mean 'rmse'?" in done.stderr


def test_a_folder_that_cannot_be_written_to_is_refused_before_work_starts(space_file, tmp_path):
    (tmp_path / "file").write_text("")
    done = tuner("run", space_file(), "--root", tmp_path / "file")
    assert done.returncode == 2
    assert "choose another --root" in done.stderr
    assert os.listdir(tmp_path / "..")


@pytest.mark.slow
def test_a_trial_and_then_the_sweep_are_deleted_with_their_runs(space_file, root):
    file = space_file(search="{sampler: random, trials: 2}")
    assert tuner("run", file, "--root", root).returncode == 0
    folder = root / "mlruns" / "sweeps" / "tiny"
    dry = tuner("delete", "tiny:1", "--dry-run", "--root", root)
    assert "would delete trial 1 of tiny: 1 MLflow run," in dry.stdout
    assert (folder / "trials" / "0001").exists()
    assert tuner("delete", "tiny:1", "--root", root).returncode == 0
    assert not (folder / "trials" / "0001").exists()
    shown = json.loads(tuner("show", "tiny", "--format", "json", "--root", root).stdout)
    assert [trial["trial"] for trial in shown] == [0]
    assert tuner("verify", "tiny", "--root", root).returncode == 0
    again = tuner("run", file, "--trials", "3", "--root", root)
    assert again.returncode == 0
    shown = json.loads(tuner("show", "tiny", "--format", "json", "--root", root).stdout)
    assert [trial["trial"] for trial in shown] == [0, 2]
    missing = tuner("delete", "tiny:9", "--root", root)
    assert missing.returncode == 2 and "has no trial 9" in missing.stderr
    assert tuner("delete", "tiny", "--root", root).returncode == 0
    assert not folder.exists()
    assert tuner("show", "tiny", "--root", root).returncode == 2
    # The name is free again, and what was deleted stays deleted.
    assert tuner("run", file, "--trials", "1", "--root", root).returncode == 0
    assert tuner("verify", "tiny", "--root", root).returncode == 0


@pytest.mark.slow
def test_a_trial_run_again_equals_its_record_and_a_record_that_was_changed_is_noticed(space_file, root):
    search = "{sampler: random, scheduler: {name: asha, eta: 2}, trials: 3, seed: 1}"
    assert tuner("run", space_file(search=search), "--root", root, "--workers", 1).returncode == 0
    rows = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    before = sorted((path, path.stat().st_mtime_ns) for path in (root / "mlruns" / "sweeps").rglob("*"))
    for state in ("COMPLETE", "PRUNED"):  # one that paused on its way, and one that was never promoted
        number = next(row["trial"] for row in rows if row["state"] == state)
        done = tuner("rerun", "tiny", "--trial", number, "--root", root)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all equal to the last bit" in done.stdout
    assert sorted((path, path.stat().st_mtime_ns) for path in (root / "mlruns" / "sweeps").rglob("*")) == before
    job = root / "mlruns" / "sweeps" / "tiny" / "trials" / "0000" / "job.json"
    data = json.loads(job.read_text())
    job.write_text(json.dumps({**data, "seed": data["seed"] + 1}))
    done = tuner("rerun", "tiny", "--trial", 0, "--root", root)
    assert done.returncode == 1 and "recorded" in done.stdout
    assert tuner("rerun", "tiny", "--trial", 9, "--root", root).returncode == 2
