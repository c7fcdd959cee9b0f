"""Which checkpoint of a trial is exported."""

import pytest

from tests.export.trials import trial
from tuner.domain.objective import Goal
from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput
from tuner.export.checkpoint_choice import choose_checkpoint


@pytest.mark.parametrize(
    ("goal", "curve", "expected"),
    [
        (Goal.MINIMIZE, {10: 2.0, 20: 1.0, 30: 1.5}, 20),
        (Goal.MAXIMIZE, {10: 2.0, 20: 1.0, 30: 1.5}, 10),
        (Goal.MINIMIZE, {10: 1.0, 20: 1.0, 30: float("nan")}, 10),
    ],
)
def test_the_best_checkpoint_by_the_objective_is_chosen_not_the_last(sweep_dir, goal, curve, expected):
    choice = choose_checkpoint(sweep_dir, trial(sweep_dir, curve, [10, 20, 30], goal))
    assert (choice.step, choice.value, choice.note) == (expected, curve[expected], "")


@pytest.mark.parametrize(
    ("of", "there", "step", "differs"),
    [
        ("best", [10, 20, 30], 20, ""),
        ("best", [10, 30], 30, "its rmse 1 is of step 20; step 30 has 1.5"),
        ("last", [10, 20, 30], 20, "its rmse 1.5 is of step 30; step 20 has 1"),
        ("last", [10, 30], 30, ""),
        ("mean", [10, 20, 30], 20, "its rmse 1.25 is the mean of its last 2 evaluations; step 20 has 1"),
    ],
)
def test_what_is_exported_is_what_was_judged_or_it_is_said(sweep_dir, of, there, step, differs):
    choice = choose_checkpoint(sweep_dir, trial(sweep_dir, {10: 2.0, 20: 1.0, 30: 1.5}, there, of=of))
    assert (choice.step, choice.differs) == (step, differs)


def test_a_checkpoint_that_breaks_a_constraint_is_exported_only_if_all_do(sweep_dir):
    curve, sizes = {10: 2.0, 20: 1.0, 30: 1.5}, {10: 4.0, 20: 9.0, 30: 5.0}
    choice = choose_checkpoint(sweep_dir, trial(sweep_dir, curve, [10, 20, 30], of="best", others={"size": sizes}))
    assert (choice.step, choice.differs) == (30, "its rmse 1 is of step 20; step 30 has 1.5")


def test_where_the_best_checkpoint_is_gone_the_best_that_is_there_is_taken_and_said(sweep_dir):
    choice = choose_checkpoint(sweep_dir, trial(sweep_dir, {10: 1.0, 20: 2.0, 30: 3.0}, [20, 30]))
    assert choice.step == 20
    assert "at step 10, is gone" in choice.note


@pytest.mark.parametrize(
    ("curve", "there", "state", "expected"),
    [
        ({}, [10], TrialState.FAIL, "was never evaluated"),
        ({10: 1.0}, [], TrialState.COMPLETE, "has no checkpoint of a step that was evaluated"),
        ({10: 1.0}, [10], TrialState.RUNNING, "is RUNNING"),
    ],
)
def test_a_trial_that_cannot_be_exported_is_refused(sweep_dir, curve, there, state, expected):
    with pytest.raises(InvalidInput, match=expected):
        choose_checkpoint(sweep_dir, trial(sweep_dir, curve, there, state=state))
