"""Successive halving that stops a trial at a rung."""

from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Decision
from tuner.schedulers.asha_stopping import StoppingAshaScheduler


def test_stopping_at_rungs_by_front_lets_a_trial_pass_that_is_best_in_something():
    by_first, by_front = (StoppingAshaScheduler(TrainSettings(9, 1), eta=2, rank=r) for r in ("first", "nondominated"))
    for scheduler in (by_first, by_front):
        assert scheduler.report(0, 1, [0.1, 0.9]) is Decision.CONTINUE
        assert scheduler.report(1, 1, [0.2, 1.0]) is Decision.STOP
        scheduler.report(2, 1, [0.15, 0.95])
    assert by_first.report(3, 1, [0.9, 0.1]) is Decision.STOP
    assert by_front.report(3, 1, [0.9, 0.1]) is Decision.CONTINUE
