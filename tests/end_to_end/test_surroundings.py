"""What is around a sweep fails it: a disk that is full or read-only, a locked store, a moved folder."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tuner
from tuner.domain.trial import TrialState
from tuner.driver.disk import CheckpointLimit
from tuner.driver.progress import NullDisplay
from tuner.files import checkpoints
from tuner.files.paths import SweepDir
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow

TINY = Path(__file__).parents[1] / "data" / "models" / "tiny.py"


def run(file, root, **limits):
    sweep = tuner.Sweep.from_file(file, root)
    lines = []

    class Lines(NullDisplay):
        def line(self, line):
            lines.append(line)

    return sweep.session(RunOptions(**limits), Lines()).run(), lines, sweep


def in_namespace(script):
    """Run a shell script in a mount namespace of its own, where it may mount what it likes."""
    probe = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(
            f"faults of the disk are not tested: run the tests as root, where mount namespaces are allowed: {probe.stderr.strip()}"
        )
    return subprocess.run(
        ["unshare", "--mount", "bash", "-c", script], capture_output=True, text=True, timeout=500, env=os.environ
    )


def test_a_disk_that_is_full_ends_the_sweep_in_clear_words_and_it_resumes(space_file, tmp_path, database):
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    file = space_file(search="{sampler: random, trials: 8}")
    shutil.copy(database, tmp_path / "empty.db")
    python = f"{sys.executable} -m tuner"
    done = in_namespace(
        f"ROOT={mounted}; mount -t tmpfs -o size=2m t $ROOT; cp {tmp_path}/empty.db $ROOT/mlflow.db\n"
        f"{python} run {file} --root $ROOT >{tmp_path}/first 2>&1; echo $?\n"
        f"mount -o remount,size=80m $ROOT\n"
        f"{python} resume tiny --root $ROOT >{tmp_path}/second 2>&1; echo $?\n"
        f"{python} verify tiny --root $ROOT; echo $?; {python} show tiny --root $ROOT --format json\n"
    )
    first, second = (tmp_path / "first").read_text(), (tmp_path / "second").read_text()
    statuses = done.stdout.splitlines()
    assert statuses[0] == "2", first
    assert "the disk is full" in first
    assert "tuner resume tiny" in first
    assert "Traceback" not in first
    assert statuses[1] == "0", second
    assert statuses[3] == "0", (statuses, second)
    assert [trial["state"] for trial in json.loads("\n".join(statuses[4:]))] == ["COMPLETE"] * 8


def test_a_root_on_a_read_only_file_system_is_read_and_not_run(space_file, tmp_path, database):
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    shutil.copy(database, tmp_path / "empty.db")
    python, file = f"{sys.executable} -m tuner", space_file()
    commands = ["show tiny", "best tiny", "list", "verify tiny", "rerun tiny --trial 0", f"run {file}", "resume tiny"]
    done = in_namespace(
        f"ROOT={mounted}; mount -t tmpfs -o size=80m t $ROOT; cp {tmp_path}/empty.db $ROOT/mlflow.db\n"
        f"{python} run {file} --root $ROOT --trials 1 >/dev/null 2>&1\n"
        "mount -o remount,ro $ROOT\n"
        + "".join(f'{python} {command} --root $ROOT 2>&1; echo "= $?"\n' for command in commands)
    )
    parts = done.stdout.split("= ")
    said = dict(zip(commands, [parts[0], *(part.split("\n", 1)[1] for part in parts[1:-1])], strict=True))
    statuses = {c: int(part.split("\n")[0]) for c, part in zip(commands, parts[1:], strict=True)}
    assert [statuses[command] for command in commands[:5]] == [0] * 5, said
    for command in commands[5:]:
        assert statuses[command] in (1, 2), said[command]
        assert "ead-only file system" in said[command], said[command]
        assert "fault of tuner" not in said[command]


def test_a_store_that_somebody_has_locked_delays_no_trial_and_gets_everything(space_file, root):
    holder = sqlite3.connect(root / "mlflow.db", isolation_level=None, check_same_thread=False)
    run(space_file(), root, trials=1)
    holder.execute("BEGIN EXCLUSIVE")
    command = [sys.executable, "-m", "tuner", "run", str(space_file()), "--root", str(root)]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    trials = root / "mlruns" / "sweeps" / "tiny" / "trials"
    while driver.poll() is None and not (trials / "0002" / "result.json").exists():
        time.sleep(0.1)
    assert (trials / "0002" / "result.json").exists(), driver.communicate()
    holder.execute("COMMIT")
    _, errors = driver.communicate(timeout=200)
    assert driver.returncode == 0, errors
    sweep = tuner.Sweep.open("tiny", root)
    report = verify_sweep(sweep.dir, sweep.result())
    assert (report.trials, report.differences) == (3, [])


def test_an_interrupt_while_mlflow_takes_the_last_records_is_obeyed_and_nothing_is_lost(space_file, root):
    holder = sqlite3.connect(root / "mlflow.db", isolation_level=None, check_same_thread=False)
    run(space_file(), root, trials=1)
    holder.execute("BEGIN EXCLUSIVE")
    command = [sys.executable, "-m", "tuner", "run", str(space_file()), "--root", str(root), "--trials", "2"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    records = root / "mlruns" / "sweeps" / "tiny" / "curves.jsonl"
    while driver.poll() is None and records.read_text().count('"record":"end"') < 2:
        time.sleep(0.1)
    asked = time.monotonic()
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=200)
    assert time.monotonic() - asked < 20, errors  # it would wait for a minute
    assert driver.returncode == 130, errors
    assert "finished: 2 of 2 trials" in errors
    assert (
        "do it with: tuner resume tiny" in errors.rstrip().splitlines()[-1]
        and "MLflow has not taken everything" in errors
    )
    holder.execute("COMMIT")
    assert subprocess.run([*command[:3], "resume", "tiny", "--root", str(root)], capture_output=True).returncode == 0
    sweep = tuner.Sweep.open("tiny", root)
    report = verify_sweep(sweep.dir, sweep.result())
    assert (report.trials, report.differences) == (2, [])


def test_a_trial_that_wants_more_memory_than_it_may_have_fails_alone(space_file, root):
    parameters = "learning_rate: 0.01\nfault: {type: categorical, choices: [memory, none]}"
    search = "{sampler: random, trials: 2, retries: 0, enqueue: [{fault: memory}, {fault: none}]}"
    ran, _, _ = run(space_file(parameters=parameters, search=search), root, workers=1)
    assert [t.state for t in ran.result.trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert "MemoryError" in ran.result.trials[0].record.reason


def test_a_second_interrupt_ends_everything_at_once_and_nothing_is_left_running(space_file, root):
    file = space_file(parameters="learning_rate: 0.01\nfault: hang")
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root)]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    log = root / "mlruns" / "sweeps" / "tiny" / "trials" / "0000" / "log.txt"
    while driver.poll() is None and not (log.exists() and "began" in log.read_text()):
        time.sleep(0.1)
    driver.send_signal(signal.SIGINT)
    said = ""
    while "stopping" not in said:
        said = driver.stderr.readline()
        assert said, "it has ended"
    again = "asked again (Ctrl-C), at once\n"
    assert (
        said.startswith("stopping: ")
        and "next checkpoint" in said
        and "by a kill in 30 s" in said
        and said.endswith(again)
    )
    assert driver.poll() is None  # a trial that hangs is given time to come to its checkpoint
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=60)
    assert driver.returncode == 130, errors
    states = [trial.state for trial in tuner.Sweep.open("tiny", root).result().trials]
    assert set(states) == {TrialState.INTERRUPTED}
    left = subprocess.run(["pgrep", "-f", str(root)], capture_output=True, text=True).stdout
    assert left == ""


def test_a_root_that_was_moved_goes_on_and_its_artefacts_are_found(space_file, root, tmp_path):
    import mlflow

    run(space_file(), root, trials=1)
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    root.rename(moved)
    ran, _, sweep = run(space_file(), moved, trials=2)
    assert [t.state for t in ran.result.trials] == [TrialState.COMPLETE] * 2
    assert verify_sweep(sweep.dir, ran.result).differences == []
    client = mlflow.MlflowClient(f"sqlite:///{moved / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("tiny")
    assert experiment.artifact_location == (moved / "mlruns").as_uri()
    runs = client.search_runs([experiment.experiment_id])
    assert all(r.info.artifact_uri.startswith((moved / "mlruns").as_uri() + "/") for r in runs)
    parent = next(r for r in runs if "mlflow.parentRunId" not in r.data.tags)
    assert [f.path for f in client.list_artifacts(parent.info.run_id) if f.path == "search_space.yaml"]


def test_a_project_that_was_moved_with_its_model_is_the_same_search_space(space_file, root, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    shutil.copy(TINY, here / "tiny.py")
    run(space_file(model=here / "tiny.py"), root, trials=1)
    here.rename(there)
    ran, lines, _ = run(space_file(model=there / "tiny.py"), root, trials=2)
    assert len(ran.result.trials) == 2
    assert any("model.folder" in line for line in lines)


def test_checkpoints_stay_below_their_limit_and_every_trial_keeps_one(space_file, root):
    run(space_file(name="free"), root)
    trials = root / "mlruns" / "sweeps" / "free" / "trials"
    one = checkpoints.size(trials / "0000")
    assert one > 0
    search = f"{{sampler: random, trials: 6, max_checkpoint_bytes: {one * 4}}}"
    ran, _, sweep = run(space_file(search=search, name="small"), root, workers=1)
    folders = [sweep.dir.trial(t.number).path for t in ran.result.trials]
    kept = [checkpoints.steps(folder) for folder in folders]
    assert sum(map(checkpoints.size, folders)) <= one * 4
    assert all(kept)
    for trial, steps in zip(ran.result.trials, kept, strict=True):
        best = min(trial.record.curve, key=trial.record.curve.get)
        assert best in steps
        assert checkpoints.newest_step(sweep.dir.trial(trial.number).path) in steps


def test_a_limit_that_cannot_be_kept_is_said_once_and_no_only_copy_goes(space_file, root):
    search = "{sampler: random, trials: 3, max_checkpoint_bytes: 100}"
    ran, lines, sweep = run(space_file(search=search), root, workers=1)
    assert len([line for line in lines if "more than max_checkpoint_bytes" in line]) == 1
    assert all(checkpoints.steps(sweep.dir.trial(t.number).path) for t in ran.result.trials)


def test_the_worst_trials_give_up_their_checkpoints_first(tmp_path):
    sweep_dir = SweepDir(tmp_path / "sweeps" / "made" / "up")
    limit = CheckpointLimit(sweep_dir, limit=900)
    for trial, loss in enumerate([0.3, 0.1, 0.2]):
        folder = sweep_dir.trial(trial).path
        folder.mkdir(parents=True)
        for step in (10, 20):
            (folder / f"model.ckpt-{step}.index").write_bytes(b"1")
            (folder / f"model.ckpt-{step}.data-00000-of-00001").write_bytes(b"1" * 199)
        limit.count_finished(trial, loss, ranked=[10, 20])
    assert limit.enforce((), ()) == ""
    assert [checkpoints.steps(sweep_dir.trial(trial).path) for trial in range(3)] == [[10], [10, 20], [10]]
    assert checkpoints.newest_step(sweep_dir.trial(0).path) == 10


def test_a_trial_that_waits_is_looked_at_once_until_it_has_run_again(tmp_path, monkeypatch):
    sweep_dir = SweepDir(tmp_path / "sweeps" / "made" / "up")
    limit = CheckpointLimit(sweep_dir, limit=1000)
    looked, size = [], dict.fromkeys(range(4), 100)

    def look(folder):
        looked.append(int(folder.name))
        return size[int(folder.name)]

    monkeypatch.setattr(checkpoints, "size", look)
    for _ in range(3):
        assert limit.enforce([0], [1, 2, 3]) == ""
    assert sorted(looked) == [0, 0, 0, 1, 2, 3]
    looked.clear()
    size[1] = 900
    assert "more than max_checkpoint_bytes" in limit.enforce([1], [2, 3])
    limit.enforce([], [1, 2, 3])
    limit.enforce([], [1, 2, 3])
    assert looked == [1, 1]
