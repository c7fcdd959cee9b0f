"""The search space file: YAML in, a validated sweep out, every mistake at once."""

from tuner.spacefile.frozen import diff, from_json, parameter_from_json, parameter_to_json, to_json
from tuner.spacefile.load import load_spec, parse_spec

__all__ = ["diff", "from_json", "load_spec", "parameter_from_json", "parameter_to_json", "parse_spec", "to_json"]
