"""Files of a trial that were damaged while nobody was at work: its newest checkpoint, its event file."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tuner
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.objective import Objective
from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Evaluation, TrialRecord, TrialState
from tuner.driver.outcomes import outcome_of_end
from tuner.driver.running_trial import RunningTrial
from tuner.files import checkpoints
from tuner.operations.verify import verify_sweep

TRAIN = "{max_steps: 120, evaluate_every: 20}"


def interrupted(file, root):
    """Run a sweep of one trial until it was evaluated three times, and stop it; return the trial's folder."""
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--workers", "1"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    log = root / "mlruns/sweeps" / file.stem / "curves.jsonl"
    deadline = time.monotonic() + 300
    while not (log.exists() and log.read_text().count('"evaluation"') > 2):
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.communicate()[1]
        time.sleep(0.05)
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=300)
    assert driver.returncode == 130, errors
    return root / "mlruns/sweeps" / file.stem / "trials/0000"


def flip(file: Path, offset: int) -> None:
    content = bytearray(file.read_bytes())
    content[offset] ^= 0xFF
    file.write_bytes(content)


@pytest.fixture
def file(space_file):
    def write(name):
        parameters = "learning_rate: 0.01\nsleep: 0.02"
        return space_file(parameters, train=TRAIN, search="{sampler: random, trials: 1}", name=name)

    return write


def resumed(name, root):
    sweep = tuner.Sweep.open(name, root)
    result = sweep.run(workers=1)
    assert verify_sweep(sweep.dir, result).differences == []
    (trial,) = result.trials
    assert trial.state is TrialState.COMPLETE
    return trial


@pytest.mark.slow
def test_a_trial_whose_newest_files_are_damaged_ends_as_one_whose_are_whole(file, root):
    """A damaged checkpoint: back to the one before it. A damaged evaluation: made again."""
    trial_dir = interrupted(file("checkpoint"), root)
    newest = checkpoints.newest_step(trial_dir)
    data = trial_dir / f"model.ckpt-{newest}.data-00000-of-00001"
    flip(data, data.stat().st_size // 2)
    back = resumed("checkpoint", root)
    assert list(trial_dir.glob(f"damaged.model.ckpt-{newest}.*"))

    trial_dir = interrupted(file("events"), root)
    (events,) = (trial_dir / "eval").glob("*tfevents*")
    flip(events, events.stat().st_size - 20)
    again = resumed("events", root)
    assert "is damaged at byte" in again.record.tags["tuner.event_damage"]

    undisturbed = tuner.Sweep.from_file(file("whole"), root).run(workers=1).best
    assert back.record.curve == again.record.curve == undisturbed.record.curve
    assert sorted(undisturbed.record.curve) == [20, 40, 60, 80, 100, 120]


@pytest.mark.parametrize(("failures", "state"), [(0, TrialState.RUNNING), (1, TrialState.FAIL)])
def test_a_trial_whose_last_evaluation_cannot_be_read_is_taken_up_again_and_then_fails(failures, state):
    record = TrialRecord(3, TrialState.RUNNING, {}, failures=failures)
    running = RunningTrial(record, Job(3, 1, {}, 0, TrainSettings(60, 20)), 0.0, [Objective("rmse")])
    running.report(Evaluation(40, 0.0, "eval", {"rmse": 1.0}))
    result = JobResult(JobStatus.FINISHED, 1, step=60)
    assert outcome_of_end(running, result, [], "fail", retries=1).state is TrialState.COMPLETE
    outcome = outcome_of_end(running, result, ["eval/events is damaged at byte 9: checksum"], "fail", retries=1)
    assert outcome.state is state
    assert outcome.reason == "its last evaluation is lost: eval/events is damaged at byte 9: checksum"


@pytest.mark.slow
def test_a_damage_is_said_in_the_log_of_the_sweep_and_on_the_trials_run(file, root):
    trial_dir = interrupted(file("events"), root)
    (events,) = (trial_dir / "eval").glob("*tfevents*")
    flip(events, events.stat().st_size - 20)
    done = subprocess.run(
        [sys.executable, "-m", "tuner", "resume", "events", "--root", str(root)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"eval/{events.name} is damaged at byte" in done.stderr
    verified = subprocess.run(
        [sys.executable, "-m", "tuner", "verify", "events", "--root", str(root)], capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stdout
    assert "is damaged at byte" in verified.stdout + verified.stderr
    shown = subprocess.run(
        [sys.executable, "-m", "tuner", "show", "events", "--root", str(root), "--format", "json"],
        capture_output=True,
        text=True,
    )
    assert json.loads(shown.stdout)[0]["state"] == "COMPLETE"
