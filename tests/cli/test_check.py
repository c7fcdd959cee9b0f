"""``tuner check``."""

from pathlib import Path

import pytest

from tests.cli.command import tuner


@pytest.mark.slow
@pytest.mark.parametrize("name", ["housing", "housing_keras", "housing_wide_deep", "digits"])
def test_each_search_space_that_ships_checks(name):
    done = tuner("check", Path(__file__).parents[2] / "search_spaces" / f"{name}.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ok\n")


@pytest.mark.slow
def test_check_names_an_objective_that_the_model_never_writes(space_file):
    done = tuner("check", space_file(objective="{metric: rmsee, goal: minimize}"))
    assert done.returncode == 2
    assert "'rmsee' never came; tags that are there: loss, rmse; did you mean 'rmse'?" in done.stderr
