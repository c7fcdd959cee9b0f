"""A search space file of ours as text that people go on editing: a parameter a line."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

_SEARCH = ("sampler", "scheduler", "trials", "workers", "seed", "timeout")


NEEDS_STEPS = "give it train.max_steps and train.evaluate_every, in the file or with --set"


def write(values: Mapping[str, Any], origin: str, command: Sequence[str] = (), needs_steps: bool = False) -> str:
    """Return the YAML of a search space file.

    Args:
        values: Of the file, without model and train.
        origin: The format that it comes from.
        command: A suggestion for script mode, or nothing.
        needs_steps: Whether its scheduler judges at steps, which the file has to name.
    """
    run = shlex.join(command) if command else "COMMAND"
    lines = [
        f"# From a search space of {origin}. Run it with a command:",
        f"#   tuner run THIS_FILE -- {run}",
        "# or give it the two keys that are commented out.",
        *([f"# Its scheduler judges trials at steps: {NEEDS_STEPS}."] if needs_steps else ()),
        f"name: {_flow(values['name'])}",
        "# model: model.py",
        f"objective: {_flow(values['objective'])}",
        "parameters:",
        *[f"  {_flow(name)}: {_flow(parameter)}" for name, parameter in values["parameters"].items()],
        "# train: {max_steps: 3000, evaluate_every: 300}",
        "search:",
    ]
    search = values["search"]
    keys = [key for key in _SEARCH if key in search] + [key for key in search if key not in _SEARCH]
    lines += [f"  {key}: {_flow(search[key])}" for key in keys]
    return "\n".join(lines) + "\n"


def safe_name(name: str) -> str:
    """Return a name that a sweep can have, from any text."""
    kept = re.sub(r"[^A-Za-z0-9_.\-]+", "-", name).strip("-._")[:100]
    return kept or "imported"


def _flow(value: Any) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.width = 1_000_000
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue().removesuffix("...\n").strip()
