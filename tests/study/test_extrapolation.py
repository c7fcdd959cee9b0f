"""What trials that ended early would have come to: one value for each, by which samplers rank all alike."""

import math

import optuna
import pytest

from tuner.domain.objective import Aggregation, Goal, Objective
from tuner.domain.spec import Named
from tuner.space import Float, Space
from tuner.study.extrapolation import Extrapolation
from tuner.study.frozen_trial import ATTRIBUTE
from tuner.study.samplers import make_sampler


def test_a_short_curve_changes_as_those_that_went_on_in_the_median():
    ahead = Extrapolation(Objective("loss"))
    for trial, curve in enumerate([{1: 9.0, 2: 7.0, 3: 6.0}, {1: 8.0, 2: 7.0}, {1: 8.0, 2: 3.0}, {1: 5.0}]):
        ahead.see(trial, curve)
    assert [ahead.value(trial) for trial in range(4)] == [6.0, 6.0, 2.0, 2.0]  # -2 in the median, then -1
    ahead.see(3, {1: 5.0, 2: 5.0})
    assert ahead.value(3) == 4.0


@pytest.mark.parametrize(
    "of, value", [(Aggregation("best"), 4.0), (Aggregation("mean", 2), 5.0), (Aggregation("last"), 6.0)]
)
def test_the_objectives_own_rule_counts(of, value):
    ahead = Extrapolation(Objective("loss", Goal.MINIMIZE, of))
    ahead.see(0, {1: 7.0, 2: 4.0, 3: 6.0})
    assert ahead.value(0) == value


def test_a_curve_that_ends_in_no_number_has_no_value_and_spoils_no_other():
    ahead = Extrapolation(Objective("loss"))
    ahead.see(0, {1: 7.0, 2: math.nan})
    ahead.see(1, {1: 7.0, 2: 5.0})
    ahead.see(2, {1: 3.0})
    assert [ahead.value(trial) for trial in (0, 1, 2, 9)] == [None, 5.0, 1.0, None]


def seen_by_tpe(trials):
    """Return number, state and value of trials as TPE sees them."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler())
    space = Space((Float("x", 0.0, 1.0),))
    for state, curve, ours in trials:
        trial = study.ask({"x": optuna.distributions.FloatDistribution(0.0, 1.0)})
        for step, value in curve.items():
            trial.report(value, step)
        if ours is not None:
            trial.set_user_attr(ATTRIBUTE, {"state": ours})
        if state is not optuna.trial.TrialState.RUNNING:
            value = list(curve.values())[-1] if state is optuna.trial.TrialState.COMPLETE else None
            study.tell(trial, value, state=state)
    sampler = make_sampler(Named("tpe"), space, 0, objective=Objective("loss"))
    return [(t.state.name, t.value) for t in sampler._seen(study)._get_trials(deepcopy=False)]


def test_tpe_ranks_paused_and_pruned_trials_by_their_value_among_the_complete_ones():
    """Optuna's own view puts the worst complete trial above the best pruned one."""
    state = optuna.trial.TrialState
    assert seen_by_tpe(
        [
            (state.COMPLETE, {1: 9.0, 2: 8.0}, None),
            (state.PRUNED, {1: 5.0}, None),
            (state.RUNNING, {1: 3.0}, "PAUSED"),
            (state.RUNNING, {1: 4.0}, "RUNNING"),
            (state.PRUNED, {}, None),
        ]
    ) == [("COMPLETE", 8.0), ("COMPLETE", 4.0), ("COMPLETE", 2.0), ("RUNNING", None), ("PRUNED", None)]
