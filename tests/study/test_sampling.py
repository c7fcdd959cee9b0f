"""Parameters through a study: a grid, a point that was enqueued."""

import optuna

from tests.space.spaces import BATCH, SPACE
from tuner.space import Int, Space
from tuner.study.sampling import decoded, grid, walk
from tuner.study.storing import store, suggest


def draw(trial):
    return walk(SPACE, lambda parameter: suggest(trial, parameter))


def test_an_enqueued_point_is_what_the_trial_gets():
    study = optuna.create_study()
    study.enqueue_trial(store({"keep": 0.99, "units": 699, "batch": 100}, SPACE))
    assert draw(study.ask()) == {"keep": 0.99, "units": 699, "batch": 100}


def test_a_grid_lists_each_value_once():
    space = Space((Int("units", 3, 6, log=True, reverse=True), BATCH))
    listed = grid(space)
    assert [decoded(seen, space.parameters[0]) for seen in listed["units"]] == [6, 5, 4, 3]
    assert tuple(decoded(seen, BATCH) for seen in listed["batch"]) == BATCH.values
