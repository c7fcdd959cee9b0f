"""Packages that Optuna imports for a sampler when it first draws: asked for before a sweep begins."""

from __future__ import annotations

import importlib.util

from tuner.errors import InvalidInput, Problem

NEEDS = {"cmaes": ("cmaes",), "gp": ("torch", "scipy"), "qmc": ("scipy",)}


def check_packages(sampler: str) -> None:
    """Refuse a sampler whose packages are not there; Optuna itself would find out when it draws.

    Args:
        sampler: Its name.

    Raises:
        InvalidInput: One is missing.
    """
    missing = [package for package in NEEDS.get(sampler, ()) if importlib.util.find_spec(package) is None]
    if missing:
        raise InvalidInput(
            "search.sampler",
            [
                Problem(
                    "",
                    f"{sampler} needs {' and '.join(missing)}, which is not installed",
                    f"pip install 'tuner[{sampler}]'",
                )
            ],
        )
