"""Parameters through a study: what it holds of each kind, a grid, a point that was enqueued."""

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.space.spaces import BATCH, SPACE
from tuner.space import Int, Space
from tuner.space.conditions import walk
from tuner.study.encoding import decoded, distributions, encode, grid, read, store, stored_distribution, suggest


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


@given(st.floats(0.01, 0.999), st.integers(3, 700), st.sampled_from(BATCH.values))
def test_a_study_holds_the_values_and_one_of_an_earlier_version_gives_them_back(keep, units, batch):
    given = {"keep": keep, "units": units, "batch": batch}
    kinds = {p.name: stored_distribution(p) for p in SPACE.parameters}
    assert store(given, SPACE) == given == read(given, kinds, SPACE)
    seen = encode(given, SPACE)  # by samplers, and stored by earlier versions
    for held, distributed in ((given, kinds), (seen, distributions(SPACE))):
        for name, distribution in distributed.items():
            assert distribution._contains(distribution.to_internal_repr(held[name]))
    back = read(seen, distributions(SPACE), SPACE)
    assert (back["units"], back["batch"]) == (units, batch)
    assert back["keep"] == pytest.approx(keep, rel=1e-12) and 0.01 <= back["keep"] <= 0.999
