"""Katib's algorithms and their settings, as our samplers and schedulers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.config.yaml_text import near
from tuner.importers._fields import Fields, as_number, as_whole

_SAMPLERS = {
    "random": "random",
    "grid": "grid",
    "tpe": "tpe",
    "multivariate-tpe": "tpe",
    "bayesianoptimization": "tpe",
    "cmaes": "cmaes",
    "sobol": "qmc",
    "hyperband": "random",
    "pbt": "random",
}
_SEARCHES_ARCHITECTURES = ("enas", "darts")

# Setting of an algorithm -> our option of the sampler, and how its value is read.
_OPTIONS: Mapping[str, Mapping[str, tuple[str, Any]]] = {
    "tpe": {
        "n_startup_trials": ("n_startup_trials", as_whole),
        "n_ei_candidates": ("n_ei_candidates", as_whole),
        "n_EI_candidates": ("n_ei_candidates", as_whole),
        "prior_weight": ("prior_weight", as_number),
    },
    "multivariate-tpe": {
        "n_startup_trials": ("n_startup_trials", as_whole),
        "n_ei_candidates": ("n_ei_candidates", as_whole),
    },
    "bayesianoptimization": {"n_initial_points": ("n_startup_trials", as_whole)},
    "cmaes": {"sigma": ("sigma0", as_number)},
}
_UNUSED: Mapping[str, Mapping[str, str]] = {
    "tpe": {"gamma": "the share of good trials is chosen by the sampler"},
    "bayesianoptimization": dict.fromkeys(
        ("base_estimator", "acq_func", "acq_optimizer"), "tpe has no such thing; sampler gp is nearer"
    ),
    "pbt": {"suggestion_trial_dir": "trials have their own folders"},
}
_PBT = {"n_population": ("population", as_whole), "truncation_threshold": ("quantile", as_number)}
_PBT_RESAMPLE = {"resample_probability": ("resample", as_number)}


def algorithm(fields: Fields, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return sampler, scheduler and seed of an algorithm.

    Args:
        fields: The ``algorithm`` of the experiment.
        parameters: Of the experiment; the resource of Hyperband becomes a constant.
    """
    fields.missing("algorithmName")
    name = fields.text("algorithmName", "random")
    settings = _settings(fields)
    fields.finish()
    if name in _SEARCHES_ARCHITECTURES:
        fields.refuse("algorithmName", f"{name} searches architectures, which cannot be said", "use tpe")
        return {}
    if name not in _SAMPLERS:
        fields.refuse("algorithmName", f"unknown algorithm {name!r}", near(name, list(_SAMPLERS)))
        return {}
    found: dict[str, Any] = {}
    seed = settings.pop("random_state", None)
    if seed is not None:
        value = as_whole(seed.get("value"))
        if value is None or value < 0:
            seed.refuse("value", "expected a whole number of at least 0")
        found["seed"] = value
    options = _read(settings, _OPTIONS.get(name, {}))
    sampler = _SAMPLERS[name]
    if name == "multivariate-tpe":
        options["multivariate"] = True
    if name == "sobol":
        options["qmc_type"] = "sobol"
    if name == "bayesianoptimization":
        fields.note("algorithmName", "becomes tpe, which needs no more packages; sampler gp is nearer")
    if name == "cmaes":
        _check_restarts(settings)
    if name == "grid":
        _check_grid(fields, parameters)
    found["sampler"] = {"name": sampler, **options} if options else sampler
    if name in ("hyperband", "pbt"):
        make = _hyperband if name == "hyperband" else _pbt
        found["scheduler"] = make(fields, settings, parameters)
    for key, setting in settings.items():
        reason = _UNUSED.get(name, {}).get(key)
        if reason:
            setting.note("value", f"({key}) is not used: {reason}")
        else:
            known = [*_OPTIONS.get(name, {}), *_UNUSED.get(name, {}), "random_state"]
            setting.refuse("name", f"{key!r} is no setting of {name} that is known here", near(key, known))
    return found


def _settings(fields: Fields) -> dict[str, Fields]:
    found = {}
    for setting in fields.sections("algorithmSettings"):
        setting.missing("name", "value")
        found[setting.text("name")] = setting
        setting.get("value")
        setting.finish()
    return found


def _read(settings: dict[str, Fields], known: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Take known settings out, and return them under our names."""
    found = {}
    for key in [key for key in settings if key in known]:
        option, read = known[key]
        setting = settings.pop(key)
        value = read(setting.get("value"))
        if value is None:
            setting.refuse("value", f"({key}) found {setting.get('value')!r}, expected a number")
        found[option] = value
    return found


def _check_restarts(settings: dict[str, Fields]) -> None:
    setting = settings.pop("restart_strategy", None)
    if setting is not None and str(setting.get("value")) not in ("none", "None"):
        setting.refuse("value", f"(restart_strategy) {setting.get('value')!r} cannot be said", "use none")


def _check_grid(fields: Fields, parameters: Mapping[str, Any]) -> None:
    endless = [name for name, p in parameters.items() if p and p["type"] == "float" and "step" not in p]
    if endless:
        fields.refuse("algorithmName", f"is grid, and {', '.join(endless)} has no step", "give it a step")


def _hyperband(fields: Fields, settings: dict[str, Fields], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return Hyperband: there trials run again with more of a resource, here they go on from checkpoints."""
    resource, most, eta = (settings.pop(key, None) for key in ("resource_name", "r_l", "eta"))
    name = str(resource.get("value")) if resource else ""
    if name not in parameters:
        place = resource or fields
        place.refuse("value" if resource else "algorithmName", "hyperband needs resource_name, a parameter of its own")
    else:
        value = as_whole(most.get("value")) if most else None
        entry = parameters[name] or {}
        value = value if value is not None else entry.get("high")
        parameters[name] = value
        fields.note(
            "algorithmName",
            f"hyperband: {name} is the constant {value}, and trials pause and go on at rungs of train.max_steps",
        )
    factor = as_whole(eta.get("value")) if eta else 3
    if factor is None or factor < 2:
        assert eta is not None
        eta.refuse("value", "(eta) expected a whole number of at least 2")
    return {"name": "hyperband", "eta": factor}


def _pbt(fields: Fields, settings: dict[str, Fields], parameters: dict[str, Any]) -> dict[str, Any]:
    del fields, parameters
    options = _read(settings, {**_PBT, **_PBT_RESAMPLE})
    return {"name": "pbt", **options}
