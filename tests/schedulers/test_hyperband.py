"""Hyperband: brackets in the proportions of its table, each halved from another rung on."""

from collections import Counter

from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers import Promotion
from tuner.schedulers.hyperband import HyperbandScheduler


def test_trials_are_spread_over_the_brackets_in_the_proportions_of_the_table():
    scheduler = HyperbandScheduler(TrainSettings(90, 10), eta=3)
    # Rungs 10 and 30: s = 2, 1, 0, of ceil(3/3 * 9), ceil(3/2 * 3) and ceil(3/1 * 1) trials.
    assert Counter(scheduler.bracket(trial) for trial in range(170)) == {0: 90, 1: 50, 2: 30}
    assert scheduler.bracket(0) == 0


def test_a_trials_bracket_depends_on_its_number_alone():
    forth, back = (HyperbandScheduler(TrainSettings(90, 10)) for _ in range(2))
    assert [forth.bracket(n) for n in range(40)] == [back.bracket(n) for n in reversed(range(40))][::-1]


def test_the_first_rung_of_a_bracket_is_later_the_less_it_halves():
    scheduler = HyperbandScheduler(TrainSettings(90, 10), eta=3)
    first = {bracket: next(n for n in range(40) if scheduler.bracket(n) == bracket) for bracket in range(3)}
    assert [scheduler.next_stop(first[bracket], 0) for bracket in range(3)] == [10, 30, None]


def test_only_trials_of_one_bracket_are_compared():
    scheduler = HyperbandScheduler(TrainSettings(90, 10), eta=3)
    halved = [n for n in range(60) if scheduler.bracket(n) == 0][:3]
    for place, trial in enumerate(halved):
        assert scheduler.report(trial, 10, [float(place)]) is Decision.PAUSE
        scheduler.on_finished(trial, TrialState.PAUSED)
    found = scheduler.next_resume(True)
    assert isinstance(found, Promotion) and found.trial == halved[0]
    whole = next(n for n in range(60) if scheduler.bracket(n) == 2)
    assert scheduler.report(whole, 10, [99.0]) is Decision.CONTINUE
