"""How many evaluations take as long as a start, from the seconds of trials."""

import pytest

from tuner.schedulers.freeze_thaw.start_cost import MOST, StartCost


def cost(start_s, evaluation_s, trials=((1, 3.0), (1, 3.2), (2, 9.0), (1, 14.0)), noise=()):
    """Return what is told of trials with so many starts and evaluations, some of them slower by so many times."""
    found = StartCost()
    for trial, (starts, evaluations) in enumerate(trials):
        slower = noise[trial] if noise else 1.0
        starting = starts * (start_s + evaluation_s * slower)
        found.add(trial, starting + (evaluations - starts) * evaluation_s * slower, starting, evaluations, starts)
    return found.evaluations()


@pytest.mark.parametrize(
    ("start_s", "evaluation_s", "told"),
    [(0.0, 5.0, 0.0), (0.5, 5.0, 0.0), (1.25, 5.0, 0.25), (5.0, 5.0, 1.0), (8.0, 5.0, 2.0), (90.0, 0.1, MOST)],
)
def test_a_start_is_told_in_evaluations_as_a_power_of_two(start_s, evaluation_s, told):
    assert cost(start_s, evaluation_s) == told
    assert cost(start_s, evaluation_s, noise=(1.1, 0.9, 1.0, 6.0)) in (told, told / 2)  # one was slow throughout


def test_nothing_is_told_of_few_trials_or_of_such_as_were_mostly_start():
    assert cost(5.0, 5.0, trials=((1, 3.0),) * 3) is None
    assert cost(5.0, 5.0, trials=((1, 1.0), (2, 3.0), (1, 0.0), (0, 0.0), (1, 1.9))) is None


def test_the_last_of_what_is_told_of_a_trial_counts():
    found = StartCost()
    for starting in (8.0, 2.0):
        for trial in range(4):
            found.add(trial, seconds=starting + 4.0, starting=starting, evaluations=3.0, starts=1)
    assert found.evaluations() == 0.0
    found.add(0, seconds=9.0, starting=4.0, evaluations=3.0, starts=2)  # mostly start
    assert found.evaluations() is None
