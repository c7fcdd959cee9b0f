"""The search space file: YAML in, a validated sweep out, every mistake at once."""

from tuner.config.load import load_spec, parse_spec
from tuner.config.spec_json import (
    diff,
    from_json,
    hidden_spec,
    hides,
    parameter_from_json,
    parameter_to_json,
    private_part,
    secrets_of,
    to_json,
    with_private,
)

__all__ = [
    "diff",
    "from_json",
    "hidden_spec",
    "hides",
    "load_spec",
    "parameter_from_json",
    "parameter_to_json",
    "parse_spec",
    "private_part",
    "secrets_of",
    "to_json",
    "with_private",
]
