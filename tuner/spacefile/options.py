"""Samplers and schedulers by name, and the options that each takes in a search space file."""

from __future__ import annotations

from collections.abc import Mapping

Options = Mapping[str, type | tuple[type, ...]]

NUMBER = (int, float)

SAMPLERS: Mapping[str, Options] = {
    "random": {},
    "grid": {},
    "tpe": {
        "n_startup_trials": int,
        "n_ei_candidates": int,
        "multivariate": bool,
        "group": bool,
        "constant_liar": bool,
        "prior_weight": NUMBER,
        "consider_magic_clip": bool,
        "consider_endpoints": bool,
    },
    "qmc": {"qmc_type": str, "scramble": bool},
    "cmaes": {
        "n_startup_trials": int,
        "sigma0": NUMBER,
        "consider_pruned_trials": bool,
        "popsize": int,
        "use_separable_cma": bool,
        "with_margin": bool,
        "lr_adapt": bool,
    },
    "gp": {"n_startup_trials": int, "deterministic_objective": bool},
    "nsgaii": {
        "population_size": int,
        "mutation_prob": NUMBER,
        "crossover_prob": NUMBER,
        "swapping_prob": NUMBER,
    },
    "nsgaiii": {
        "population_size": int,
        "mutation_prob": NUMBER,
        "crossover_prob": NUMBER,
        "swapping_prob": NUMBER,
        "dividing_parameter": int,
    },
}

_RANK: Options = {"rank": str}
_HALVING: Options = {"eta": int, "min_steps": int, **_RANK}
_MEDIAN: Options = {"startup_trials": int, "warmup_steps": int, "interval_steps": int, **_RANK}

SCHEDULERS: Mapping[str, Options] = {
    "none": {},
    "median": _MEDIAN,
    "percentile": {**_MEDIAN, "percentile": NUMBER},
    "patience": {"patience": int, "min_delta": NUMBER, **_RANK},
    "asha": _HALVING,
    "asha_stopping": _HALVING,
    "hyperband": _HALVING,
    "pbt": {"population": int, "every": int, "quantile": NUMBER, "resample": NUMBER, "perturb": list, **_RANK},
}
