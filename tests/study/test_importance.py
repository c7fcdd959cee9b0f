"""Which parameters mattered."""

from dataclasses import replace

import pytest

from tests.plots.sweeps import spec, trials
from tuner.study.importance import importances


@pytest.fixture
def one(tmp_path):
    return spec(tmp_path)


def test_importance_is_by_optuna_and_by_ranks_where_trials_are_few(one):
    many = importances(one, trials(one, 40, pruned=False), one.objectives[0])
    assert many.method == "fANOVA of 40 complete trials"
    assert max(many.shares, key=many.shares.get) == "learning_rate"
    assert set(many.shares) == {"learning_rate", "layers", "optimizer", "momentum"}  # of the trials that have it
    few = importances(one, trials(one, 5, pruned=False), one.objectives[0])
    assert few.method.startswith("rank correlation")
    assert sum(few.shares.values()) == pytest.approx(1.0)
    assert importances(one, trials(one, 3), one.objectives[0]) is None


def test_importance_without_scikit_learn_is_by_another_evaluator(one, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else find(name))
    found = importances(one, trials(one, 40, pruned=False), one.objectives[0])
    assert found.method.startswith("PED-ANOVA")


def test_importance_of_numbers_whose_variance_is_no_number_is_by_ranks(one):
    found = trials(one, 20, pruned=False)
    found = [replace(t, values={"rmse": t.values["rmse"] * (1e308 if t.number % 3 else 1.0)}) for t in found]
    told = importances(one, found, one.objectives[0])
    assert told.method.startswith("rank correlation")


def test_trials_that_are_all_equal_have_no_importance(one):
    found = [replace(t, values={"rmse": 1.0}) for t in trials(one)]
    assert importances(one, found, one.objectives[0]) is None
