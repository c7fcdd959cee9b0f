"""Objectives that are no scalar of the event files, or no finite number: what is said, ranked and verified."""

import json
import subprocess
import sys

import pytest

import tuner
from tests.conftest import MODELS
from tests.displays import Lines
from tuner.domain.trial import TrialState
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions


@pytest.fixture
def run(space_file, root):
    def start(kinds, search, constraints=""):
        points = ", ".join(f"{{what: '{kind}'}}" for kind in kinds)
        file = space_file(
            parameters=f"what: {{type: categorical, choices: {list(kinds)}}}\nend: 20",
            objective="{metric: score}",
            train="{max_steps: 20, evaluate_every: 10}",
            search=f"{{sampler: random, trials: {len(kinds)}, max_consecutive_failures: 9, {search}, enqueue: [{points}]}}",
            model=MODELS / "odd.py",
            name="odd",
        )
        file.write_text(file.read_text() + constraints)
        sweep = tuner.Sweep.from_file(file, root)
        outcome = sweep.session(RunOptions(workers=1), Lines()).run()
        assert verify_sweep(sweep.dir, outcome.result).differences == []
        return outcome.result.trials, outcome.result, sweep

    return start


@pytest.mark.slow
def test_what_is_no_number_is_said_and_loses_against_every_number_and_verify_agrees(run, root):
    trials, result, _ = run(["number", "float16", "vector", "-inf", "inf", "first_inf"], "nan: worst")
    complete, failed = TrialState.COMPLETE, TrialState.FAIL
    assert [trial.state for trial in trials] == [complete, failed, failed, complete, complete, complete]
    assert "'score' was evaluated, as float16, which" in trials[1].record.reason
    assert "tf.cast(value, tf.float32)" in trials[1].record.reason
    assert "'score' was evaluated, as float32 of shape [2], which" in trials[2].record.reason
    assert trials[3].record.reason == "the objective score is -inf, which counts as NaN does"
    assert trials[3].values == {"score": float("-inf")}  # as it was recorded; none is changed
    assert result.best.number == 0
    assert [trial.number for trial in result.front] == [0, 5]
    assert trials[3].ranked_steps == [10, 20] and trials[5].ranked_steps == [20, 10]
    shown = subprocess.run(
        [sys.executable, "-m", "tuner", "show", "odd", "--root", str(root), "--format", "json", "--sort", "value"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    assert [row["trial"] for row in json.loads(shown.stdout, parse_constant=refuse)][:2] == [0, 5]


@pytest.mark.slow
def test_a_trial_whose_constraint_never_came_is_no_difference(run):
    (trial, *others), _, _ = run(["number", "inf"], "nan: fail", "constraints: {nowhere: {max: 2}}\n")
    assert trial.state is TrialState.FAIL and others == []
    assert "the constraint 'nowhere' never came; tags that are there: loss, one, score" in trial.record.reason
