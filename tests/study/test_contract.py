"""Every sampler of the registry goes through the contract suite."""

import pytest

from tuner.config.sampler_options import METHODS, SAMPLERS, check_packages
from tuner.errors import InvalidInput
from tuner.space import Categorical, Discrete, Int, Space
from tuner.testing.sampler_contract import SamplerContract

LISTED = Space((Int("units", 1, 4), Discrete("batch", (16, 64, 256)), Categorical("shape", ([1, 2], True, 1))))
"""A space with a finite number of values, more than the suite draws."""

FACTS = {
    "grid": [{"space": LISTED}],
    "tpe": [
        {"options": {"n_startup_trials": 3}},
        {"options": {"n_startup_trials": 3, "multivariate": True, "group": True}},
    ],
    "qmc": [{}, {"options": {"qmc_type": "halton"}}],
    "cmaes": [{"options": {"n_startup_trials": 3}}],
    "gp": [{"options": {"n_startup_trials": 3}}],
    "nsgaii": [{"options": {"population_size": 4}}],
    "nsgaiii": [{"options": {"population_size": 4}}],
}
"""By which each is tried; one that is not here with no options."""


def needed(sampler):
    """Skip a sampler whose packages are not there."""
    try:
        check_packages(sampler)
    except InvalidInput as error:
        return pytest.mark.skip(reason=str(error))
    return pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


for name in {**SAMPLERS, **METHODS}:
    for place, facts in enumerate(FACTS.get(name, [{}])):
        called = f"Test{name.title().replace('_', '')}{place or ''}"
        suite = type(called, (SamplerContract,), {"sampler": name, **facts, "__module__": __name__})
        globals()[called] = needed(name)(suite)
