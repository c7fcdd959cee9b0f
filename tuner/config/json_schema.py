"""The JSON schema of a search space file, for editors.

``python -m tuner.config.json_schema`` prints it; ``search_spaces/schema.json`` is that output.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tuner.config.parameters import SCALES
from tuner.config.sampler_options import METHODS, SAMPLERS
from tuner.config.shape import FileShape
from tuner.schedulers import SCHEDULERS, options_of, scheduler_class
from tuner.user_class import PLACE, Options

_JSON: dict[Any, str] = {
    list: "array",
    int: "integer",
    float: "number",
    bool: "boolean",
    str: "string",
    (int, float): "number",
}
_NUMBER = {"type": "number"}
_RANGE = {
    "type": "object",
    "properties": {"min": _NUMBER, "max": _NUMBER},
    "minProperties": 1,
    "additionalProperties": False,
}
_WHEN = {
    "type": "object",
    "description": "Parents and the values, or the range, of them under which the parameter exists.",
    "minProperties": 1,
    "additionalProperties": {
        "anyOf": [_RANGE, {"type": "array", "minItems": 1}, {"type": ["null", "boolean", "number", "string"]}]
    },
}


def schema() -> dict[str, Any]:
    """Return the schema as JSON values."""
    found = FileShape.model_json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "Search space of tuner"
    found["properties"]["parameters"] = {
        "type": "object",
        "description": "Name to parameter, or to a constant.",
        "additionalProperties": {"anyOf": [_number("float"), _number("int"), _discrete(), _categorical(), _constant()]},
    }
    search = found["$defs"]["SearchShape"]["properties"]
    schedulers = {name: options_of(scheduler_class(name)) for name in SCHEDULERS}
    search["method"] = _named({name: schedulers.pop(name) for name in METHODS})
    search["sampler"] = _named({name: kind.options for name, kind in SAMPLERS.items()}, own=True)
    search["scheduler"] = _named(schedulers, own=True)
    return found


def _number(kind: str) -> dict[str, Any]:
    number = _NUMBER if kind == "float" else {"type": "integer"}
    scales = {"log": {"type": "boolean"}, "scale": {"enum": list(SCALES)}}
    keys = {"low": number, "high": number, "step": number, **scales, "when": _WHEN}
    return {
        "type": "object",
        "properties": {"type": {"const": kind}, **keys},
        "required": ["type", "low", "high"],
        "additionalProperties": False,
    }


def _discrete() -> dict[str, Any]:
    values = {"type": "array", "items": _NUMBER, "minItems": 1}
    return {
        "type": "object",
        "properties": {"type": {"const": "discrete"}, "values": values, "when": _WHEN},
        "required": ["values"],
        "additionalProperties": False,
    }


def _categorical() -> dict[str, Any]:
    choices = {"type": "array", "minItems": 1}
    return {
        "type": "object",
        "properties": {"type": {"const": "categorical"}, "choices": choices, "when": _WHEN},
        "required": ["choices"],
        "additionalProperties": False,
    }


def _constant() -> dict[str, Any]:
    return {"type": ["null", "boolean", "number", "string", "array"]}


def _named(kinds: Mapping[str, Options], own: bool = False) -> dict[str, Any]:
    """Return the schema of a name, or of a mapping with a name and options; ``own``: also a class of the user's."""
    place = {"type": "string", "pattern": PLACE}
    of_users = [place, {"type": "object", "properties": {"name": place}, "required": ["name"]}] if own else []
    return {
        "anyOf": [
            {"enum": list(kinds)},
            *[_with_options(name, options) for name, options in kinds.items()],
            *of_users,
        ]
    }


def _with_options(name: str, options: Options) -> dict[str, Any]:
    properties = {key: {"type": _JSON[kind]} for key, kind in options.items()}
    return {
        "type": "object",
        "properties": {"name": {"const": name}, **properties},
        "required": ["name"],
        "additionalProperties": False,
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1))  # noqa: T201
