"""Backends: where trials run.

A new one is a file or folder here and a line in ``BACKENDS``, or a class of the user's, named ``package.module:Class``.
What others must know of it is said by its class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuner.backends.base import Backend, Ended, Message, Placement, Reported, Started
from tuner.user_class import registered_class

__all__ = [
    "BACKENDS",
    "DEFAULT",
    "Backend",
    "Ended",
    "Message",
    "Placement",
    "Reported",
    "Started",
    "backend_class",
]

BACKENDS: Mapping[str, str] = {
    "local": "tuner.backends.local:LocalBackend",
    "inline": "tuner.backends.inline:InlineBackend",
    "ray": "tuner.backends.ray.backend:RayBackend",
    "simulated": "tuner.backends.simulated.backend:SimulatedBackend",
}
"""Name in commands to class; only the one that is named is imported."""

DEFAULT = next(iter(BACKENDS))
"""Where trials run unless somebody says otherwise."""


def backend_class(name: str, import_paths: Sequence[str] = ()) -> type[Backend]:
    """Return the class of a backend.

    Args:
        name: Of the registry, or ``package.module:Class``.
        import_paths: Folders in which the user's own are looked for.

    Raises:
        InvalidInput: There is none of that name, or it is no backend.
    """
    return registered_class("backend", BACKENDS, name, Backend, import_paths)  # type: ignore[type-abstract]
