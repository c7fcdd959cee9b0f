"""Trainers as they are found: what they do to their folder and how they train, under every kind of scheduler."""

from collections import Counter
from pathlib import Path

import pytest

import tuner
from tests.displays import Lines
from tuner.domain.trial import TrialState
from tuner.events import read_all
from tuner.operations.delete import plan_deletion
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.tf]

TRAINERS = Path(__file__).parents[1] / "data" / "trainers"
CLEARING = ("clears", "clears_trial", "moves")
GOOD = (*CLEARING, "loops", "fixed")  # by their rates
BAD = ("trains_then_evaluates", "swallows", "fixed", "loops", "clears")
SCHEDULERS = {
    "none": "none",
    "median": "{name: median, startup_trials: 1, warmup_steps: 0}",
    "asha": "{name: asha, eta: 2}",
    "pbt": "{name: pbt, population: 10, every: 20, quantile: 0.5}",
}


@pytest.fixture
def sweep(tmp_path, root):
    """Run a sweep whose trials have the habits in turn, first with good rates, then with bad ones."""

    def run(scheduler, trials):
        points = [f"{{habit: {habit}, rate: {rate}}}" for rate, of in ((0.03, GOOD), (0.001, BAD)) for habit in of]
        file = tmp_path / f"{scheduler}.yaml"
        file.write_text(
            "objective: {metric: loss}\nparameters:\n  rate: {type: float, low: 0.001, high: 0.05, log: true}\n"
            f"  habit: {{type: categorical, choices: [{', '.join(dict.fromkeys((*GOOD, *BAD)))}]}}\n"
            "train: {max_steps: 60, evaluate_every: 20}\nrecord: {plots: false}\nsearch:\n"
            f"  {{sampler: random, scheduler: {SCHEDULERS[scheduler]}, trials: {trials}, seed: 1, workers: 2,\n"
            f"  enqueue: [{', '.join(points)}]}}\n"
        )
        command = ("python", str(TRAINERS / "habits.py"), "--job-dir={trial_dir}/model")
        swept = tuner.Sweep.from_file(file, root, command=command)
        lines = Lines()
        return swept, swept.session(RunOptions(), lines).run(), lines.lines

    return run


def doubled(trial_dir):
    """Return what the event files of a trial's evaluations have twice for a step."""
    found = read_all(Path(trial_dir), anywhere=True)
    seen = Counter((e.folder, e.step, tag) for e in found if e.folder.endswith("eval") for tag in e.scalars)
    return [key for key, count in seen.items() if count > 1]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_trainer_of_any_habit_is_recorded_truly_under_any_scheduler(sweep, scheduler):
    swept, ran, lines = sweep(scheduler, {"none": 8, "pbt": 14}.get(scheduler, 10))
    assert ran.exit_status == 0, lines
    assert verify_sweep(swept.dir, ran.result).differences == []
    again, failed = set(), []
    for trial in ran.result.trials:
        if trial.params["habit"] == "fixed":
            failed.append(trial.record.reason)
            continue
        assert doubled(trial.trial_dir) == []
        steps, record = sorted(trial.record.curve), trial.record
        first = int(record.tags.get("tuner.forked_at", 20))
        assert steps == list(range(first, max(steps) + 1, 20))
        assert (max(steps) == 60) == (trial.state is TrialState.COMPLETE)
        log = swept.dir.trial(trial.number).log_file.read_text()
        assert log.count(": resumed at step ") == record.attempts - 1
        if record.attempts > 1 or first > 20:
            again.add(trial.params["habit"])
        if trial.params["habit"] == "swallows" and trial.state is TrialState.COMPLETE:
            assert record.reason.startswith("its log ends with ValueError: the table has no column 'price' (line ")
    fixed = swept.dir.path / "fixed"
    assert sorted(reason.split(":")[0] for reason in failed) == [
        f"it was to train in {fixed}, where trial 4 has trained, and would go on from that one's checkpoint",
        "the objective 'loss' never came",
    ]
    assert any(f"its Estimator trained in {fixed}" in reason for reason in failed)
    assert [line for line in plan_deletion(swept.dir).kept if "trial 4 trained there" in line]
    states = Counter(trial.state for trial in ran.result.trials)
    if scheduler in ("asha", "pbt"):
        assert again >= {*CLEARING, "loops"}
        assert any("were put back, and training goes on from there" in line for line in lines)
    else:
        assert states[TrialState.COMPLETE] >= {"none": 6, "median": 1}[scheduler]
        assert (states[TrialState.PRUNED] > 0) == (scheduler == "median")
