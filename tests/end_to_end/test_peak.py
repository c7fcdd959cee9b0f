"""The best checkpoint survives every way in which a trial can live, and is what is exported.

A model whose score peaks at step 40 and falls from there on; ``TUNER_PEAK_WHOLE=1`` runs all schedulers in all ways.
"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import tuner
from tests.conftest import MODELS
from tests.data.models import peak
from tuner.driver.progress import NullDisplay
from tuner.events import read_all
from tuner.export import choose_checkpoint
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.tf]

SCHEDULERS = {
    "none": "none",
    "median": "{name: median, startup_trials: 1}",
    "asha": "asha",
    "asha_stopping": "asha_stopping",
    "hyperband": "{name: hyperband, min_steps: 10}",
    "pbt": "{name: pbt, population: 2, every: 30}",
}
WHOLE = "TUNER_PEAK_WHOLE" in os.environ


def space(space_file, scheduler="asha", sleep=0.0, trials=3, **parts):
    parts.setdefault("objective", "{metric: score, goal: maximize, of: best}")
    return space_file(
        f"height: {{type: float, low: 0.5, high: 0.9}}\nsleep: {sleep}",
        search=f"{{sampler: random, scheduler: {SCHEDULERS[scheduler]}, trials: {trials}}}",
        train="{max_steps: 120, evaluate_every: 10}",
        model=MODELS / "peak.py",
        **parts,
    )


def assert_the_peak_is_kept(sweep):
    """Compare the checkpoint that an export takes, its weights, and what the sweep says, with the formula."""
    import tensorflow as tf

    result = sweep.result()
    assert verify_sweep(sweep.dir, result).differences == []
    best = result.best
    begins = int(best.record.tags.get("tuner.forked_at", 0))  # of a copy, evaluated anew with its own parameters
    expected = max(40, begins)
    score = float(peak.score(best.params, expected))
    assert best.value == pytest.approx(score, abs=1e-6)
    choice = choose_checkpoint(sweep.dir, best)
    assert (choice.step, choice.value, choice.note, choice.differs) == (expected, best.value, "", "")
    held = tf.train.load_variable(f"{best.trial_dir}/model.ckpt-{choice.step}", "global_step")
    assert held == expected
    return best


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_with_each_scheduler(tf, space_file, root, scheduler):
    sweep = tuner.Sweep.from_file(space(space_file, scheduler), root)
    sweep.session(RunOptions(backend="inline", export=False), NullDisplay()).run()
    assert_the_peak_is_kept(sweep)


@pytest.mark.parametrize("scheduler", SCHEDULERS if WHOLE else ["asha"])
def test_after_ctrl_c_and_resume(tf, space_file, root, scheduler):
    class StopLater(NullDisplay):
        stopped = False

        def update(self, progress):
            if not self.stopped and any(trial.step >= 90 for trial in progress.running):
                self.stopped = True
                sweep.dir.stop_file.touch()

    sweep = tuner.Sweep.from_file(space(space_file, scheduler, sleep=0.01), root)
    first = sweep.session(RunOptions(backend="inline", export=False), StopLater()).run()
    assert first.end is None
    sweep.session(RunOptions(backend="inline", export=False), NullDisplay()).run()
    assert_the_peak_is_kept(sweep)


def evaluated(sweep, trial):
    return [e.step for e in read_all(sweep.dir.trial(trial).path) if e.folder]


@pytest.mark.parametrize("backend", ["local", "ray"] if WHOLE else ["local"])
@pytest.mark.parametrize("scheduler", SCHEDULERS if WHOLE else ["asha"])
def test_after_kill_9_and_resume_the_model_on_the_run_answers_with_the_score_that_was_judged(
    tf, space_file, root, tmp_path, scheduler, backend
):
    file = space(space_file, scheduler, sleep=0.02)
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--backend", backend]
    sweep = tuner.Sweep.from_file(file, root)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as driver:
        deadline = time.monotonic() + 120
        while not any(max(evaluated(sweep, trial), default=0) >= 60 for trial in range(3)):
            assert driver.poll() is None and time.monotonic() < deadline, driver.stdout.read()
            time.sleep(0.05)
        driver.send_signal(signal.SIGKILL)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    best = assert_the_peak_is_kept(tuner.Sweep.open("tiny", root))
    assert f"exporting the best model: trial {best.number} at step 40" in done.stderr
    assert "(exported:" not in done.stdout  # it is what was judged
    shown = subprocess.run(
        [sys.executable, "-m", "tuner", "best", "tiny", "--root", str(root), "--format", "json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    row = json.loads(shown.stdout)
    assert (row["step"], row["exported_step"]) == (40, 40)
    assert tags_of(root, best.run_id)["tuner.exported_step"] == "40"
    out = subprocess.run(
        [sys.executable, "-m", "tuner", "export", "tiny", str(tmp_path / "out"), "--root", str(root)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert out.returncode == 0, out.stderr
    served = tf.saved_model.load(str(tmp_path / "out")).signatures["serving_default"]
    answer = {name: float(found[0]) for name, found in served(x=tf.zeros([1, 1])).items()}
    assert answer == {"score": pytest.approx(best.value, abs=1e-6), "step": 40}


def tags_of(root, run_id):
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}").get_run(run_id).data.tags
