"""Samplers by name: the options that each takes in a search space file, and what others must know of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field

from tuner.errors import InvalidInput, Problem
from tuner.text import one_of
from tuner.user_class import NUMBER, Options, is_place


@dataclass(frozen=True)
class SamplerKind:
    """What others must know of a sampler.

    Attributes:
        sampler: Its class in ``optuna.samplers``, or ``package.module:Class``: ours, or the user's own.
        options: What may be set in a search space file, and the types.
        packages: What has to be installed beside Optuna.
        learns: Whether it learns from finished trials of other sweeps.
        ranks: Whether it learns from all complete trials by their values, rather than by generations of its own.
        weighs_all: Whether a draw weighs each trial alone, so that of very many it may learn from some.
        several_objectives: Whether it searches for several.
        knows_constraints: Whether it avoids what breaks a constraint, if it learns at all.
        lists_values: Whether it walks through all sets of parameters, each of which must have a finite number of values
            in the file; it ends with them.
        earlier_as: The argument of its constructor that takes finished trials of other sweeps, or empty if it has
            none.
    """

    sampler: str
    options: Options = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    learns: bool = False
    ranks: bool = False
    weighs_all: bool = False
    several_objectives: bool = True
    knows_constraints: bool = True
    lists_values: bool = False
    earlier_as: str = ""


_TPE: Options = {
    "n_startup_trials": int,
    "n_ei_candidates": int,
    "multivariate": bool,
    "group": bool,
    "constant_liar": bool,
    "prior_weight": NUMBER,
    "consider_magic_clip": bool,
    "consider_endpoints": bool,
}
_CMAES: Options = {
    "n_startup_trials": int,
    "sigma0": NUMBER,
    "consider_pruned_trials": bool,
    "popsize": int,
    "use_separable_cma": bool,
    "with_margin": bool,
    "lr_adapt": bool,
}
_GP: Options = {"n_startup_trials": int, "deterministic_objective": bool}
_NSGA: Options = {"population_size": int, "mutation_prob": NUMBER, "crossover_prob": NUMBER, "swapping_prob": NUMBER}

SAMPLERS: Mapping[str, SamplerKind] = {
    "random": SamplerKind("RandomSampler"),
    "grid": SamplerKind("GridSampler", lists_values=True),
    "tpe": SamplerKind("TPESampler", _TPE, learns=True, ranks=True, weighs_all=True),
    "qmc": SamplerKind("QMCSampler", {"qmc_type": str, "scramble": bool}, ("scipy",)),
    "cmaes": SamplerKind(
        "tuner.study.cma_es:CmaEsSampler",
        _CMAES,
        ("cmaes",),
        learns=True,
        several_objectives=False,
        knows_constraints=False,
        earlier_as="source_trials",
    ),
    "gp": SamplerKind("GPSampler", _GP, ("torch", "scipy"), learns=True, ranks=True),
    "nsgaii": SamplerKind("NSGAIISampler", _NSGA, learns=True),
    "nsgaiii": SamplerKind("NSGAIIISampler", {**_NSGA, "dividing_parameter": int}, learns=True),
}
"""Name in a search space file to what is known of it; a new one of Optuna's is a line here."""

METHODS: Mapping[str, SamplerKind] = {
    "freeze_thaw": SamplerKind("RandomSampler", learns=True),
}
"""Methods of search: the scheduler of that name draws the parameters, too; the kind is for what it leaves open."""


def sampler_kind(name: str) -> SamplerKind:
    """Return what is known of a sampler of the registry, of a method, or of the user's own.

    Raises:
        InvalidInput: There is none of that name.
    """
    if (kind := {**SAMPLERS, **METHODS}.get(name)) is not None:
        return kind
    if is_place(name):
        return SamplerKind(name)
    raise InvalidInput("search.sampler", [Problem("", f"unknown sampler {name!r}", one_of(name, list(SAMPLERS)))])


def check_packages(sampler: str) -> None:
    """Refuse a sampler whose packages are not there; Optuna itself would find out when it draws.

    Args:
        sampler: Its name.

    Raises:
        InvalidInput: One is missing.
    """
    missing = [package for package in sampler_kind(sampler).packages if importlib.util.find_spec(package) is None]
    if missing:
        raise InvalidInput(
            "search.sampler",
            [
                Problem(
                    "",
                    f"{sampler} needs {' and '.join(missing)}, which is not installed",
                    f"pip install 'estimator-tuner[{sampler}]'",
                )
            ],
        )
