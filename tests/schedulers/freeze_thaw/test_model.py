"""What trials are taken to come to, by what they have shown at the rungs."""

import math

import numpy as np
import pytest

from tuner.schedulers.freeze_thaw.cube import Cube
from tuner.schedulers.freeze_thaw.model import CurveModel, Trial
from tuner.space import Float, Space

CUBE = Cube(Space((Float("one", 0.0, 1.0), Float("two", 0.0, 1.0))))
RUNGS = (1, 3, 9)


def trial(point, *losses, failed=False):
    """Return a trial with losses at the first rungs."""
    return Trial(np.array(point), np.array(point), dict(zip(RUNGS, losses, strict=False)), failed=failed)


def at_random(count, seed=0):
    return np.random.default_rng(seed).random((count, 2))


def model(trials, fits=()):
    found = CurveModel(CUBE, trials, RUNGS, [])
    found.condition(fits)
    return found


def scores(trials, numbers):
    """Return the scores of trials that are at the end of what is modelled: nothing is added to them."""
    found = CurveModel(CUBE, trials, RUNGS, [])
    return [found._scores[found._level[found._row[number]], found._row[number]] for number in numbers]


def test_those_that_come_to_a_later_rung_share_out_the_scores_that_they_had():
    losses = [0.1, 0.2, 0.3, 0.4, 0.5]
    before = scores({n: trial((0.1 * n, 0.5), loss) for n, loss in enumerate(losses)}, range(5))
    assert before == sorted(before) and sum(before) == pytest.approx(0.0)
    later = {0: 0.09, 1: 0.03, 2: 0.05}  # the best at the first rung is the worst of the three now
    came = {n: trial((0.1 * n, 0.5), loss, *([later[n]] if n in later else [])) for n, loss in enumerate(losses)}
    assert scores(came, range(5)) == pytest.approx([before[2], before[0], before[1], before[3], before[4]])


def test_equal_losses_have_equal_scores_and_what_is_no_number_or_failed_is_worst():
    trials = {n: trial((0.1 * n, 0.5), loss) for n, loss in enumerate([0.2, 0.1, 0.2, math.nan])}
    trials[4] = trial((0.9, 0.9), failed=True)
    equal, best, same, worst, failed = scores(trials, range(5))
    assert best < equal == same < worst == failed
    trials[1].failed = True  # after its first value, before the second rung
    assert scores(trials, [1]) == [best]  # alone there, so that there is no worse one


def test_a_trial_is_taken_to_change_as_those_did_that_are_like_it():
    points = at_random(40)
    trials = {}
    for number, (one, two) in enumerate(points):
        first = 1.0 + abs(two - 0.5) + 0.001 * number
        trials[number] = trial((one, two), first, first - (0.4 if one > 0.5 else 0.0))
    trials[40], trials[41] = trial((0.9, 0.5), 1.2), trial((0.1, 0.5), 1.2)
    found = model(trials, CurveModel(CUBE, trials, RUNGS, []).fitted((), np.random.default_rng(0)))
    (better, worse), spread = found.ends([40, 41])
    assert better < worse - 0.5
    assert (spread > 0.0).all()
    assert found.improvement(np.array([[0.9, 0.5]])) > found.improvement(np.array([[0.1, 0.5]]))


def test_the_scale_on_which_a_loss_is_measured_changes_nothing():
    points = at_random(30)
    losses = points[:, 0] + 0.1 * points[:, 1]
    plain = {n: trial(point, loss, 0.5 * loss) for n, (point, loss) in enumerate(zip(points, losses, strict=True))}
    curved = {
        n: trial(point, math.exp(9 * loss), math.exp(9 * loss))
        for n, (point, loss) in enumerate(zip(points, losses, strict=True))
    }
    new = at_random(5, seed=1)
    np.testing.assert_allclose(model(plain).improvement(new), model(curved).improvement(new))


def test_trials_of_earlier_sweeps_are_ranked_among_themselves_by_what_they_came_to():
    earlier = {-n - 1: Trial(np.array((0.1 * n, 0.5)), np.array((0.1 * n, 0.5)), {9: 0.1 * n}) for n in range(3)}
    own = {n: trial((0.1 * n, 0.2), 5.0 + n) for n in range(3)}
    assert scores(earlier | own, [-1, -2, -3]) == scores(own, [0, 1, 2])
    loss, evaluation = model(earlier | own).expected(np.array((0.0, 0.2)))
    assert 5.0 <= loss <= 7.0 and evaluation == 1  # in the words of this sweep's first rung


def test_a_fit_is_kept_until_a_rung_has_many_more_trials():
    points = at_random(60)
    chance = np.random.default_rng(0)

    def some(count):
        return {n: trial(points[n], points[n, 0], *([points[n, 1]] if n % 3 == 0 else [])) for n in range(count)}

    first = CurveModel(CUBE, some(40), RUNGS, []).fitted((), chance)
    assert [fit.count for fit in first] == [40, 14]
    assert CurveModel(CUBE, some(42), RUNGS, []).fitted(first, chance) == first
    later = CurveModel(CUBE, some(60), RUNGS, []).fitted(first, chance)
    assert [fit.count for fit in later] == [60, 20]


def test_what_looks_well_early_and_does_not_matter_later_is_seen_through_at_the_farthest_rung_alone():
    """By the second rung the first parameter, which the first rung is about, makes no difference; the second does."""
    trials = {}
    for number, (one, two) in enumerate(at_random(60)):
        trials[number] = trial((one, two), one, *([0.5 * two] if one < 0.3 else []))
    found = model(trials)

    def best():
        points = at_random(2000, seed=1)
        return points[np.argmax(found.improvement(points))]

    assert best()[0] < 0.1
    found.look_at_farthest(np.random.default_rng(0))
    assert best()[1] < 0.1
    loss, rung = found.expected(np.array([0.2, 0.1]))
    assert loss == pytest.approx(0.05, abs=0.03) and rung == 3
    assert trials[found.best(1)[0]].curve[3] < 0.05


def test_with_hardly_any_trial_at_a_later_rung_nothing_is_looked_at_alone():
    trials = {n: trial((one, two), one, *([two] if n < 9 else [])) for n, (one, two) in enumerate(at_random(30))}
    found, points = model(trials), at_random(5, seed=1)
    before = found.improvement(points)
    found.look_at_farthest(np.random.default_rng(0))
    assert found.improvement(points) == pytest.approx(before)
