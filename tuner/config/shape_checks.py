"""The mistakes in the shape of a search space file, in the words of the file; Pydantic finds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any

from pydantic import ValidationError as PydanticError

from tuner.config.sampler_options import METHODS, SAMPLERS
from tuner.config.shape import SECTIONS, FileShape
from tuner.config.synonyms import meant
from tuner.config.yaml_text import describe, hint_at, hint_at_bool, hint_at_number, near
from tuner.errors import Problem
from tuner.schedulers import SCHEDULERS, options_of, scheduler_class
from tuner.text import shortened
from tuner.user_class import Options, is_place, place_meant

QUOTES = "'\""

_UNION_PARTS = {
    "ObjectiveShape",
    "MeanShape",
    "OwnShape",
    "str",
    "int",
    "float",
    "bool",
    "literal['last','best']",
    "literal['auto']",
}


def check_shape(values: dict[str, Any]) -> list[Problem]:
    """Return every mistake in keys and types; none if the shape is right."""
    problems: dict[str, Problem] = {}
    try:
        FileShape.model_validate(values)
    except PydanticError as error:
        for found in error.errors(include_url=False):
            where = _where(found["loc"])
            if where.startswith("parameters."):
                continue
            problem = _problem(where, found, values, problems)
            problems.setdefault(problem.where, problem)
    search = values.get("search")
    if isinstance(search, dict):
        for problem in (*_check_sampler(search), *_check_scheduler(search), *_check_method(search)):
            problems.setdefault(problem.where, problem)
    above = {key[:at] for key in problems for at, letter in enumerate(key) if letter == "."}
    return [problem for problem in problems.values() if problem.where not in above]


_NAMES = {
    "sampler": tuple(SAMPLERS),
    "scheduler": tuple(name for name in SCHEDULERS if name not in METHODS),
    "method": tuple(METHODS),
}


def _check_sampler(search: dict[str, Any]) -> list[Problem]:
    return _check_named("sampler", search.get("sampler", "tpe"), lambda name: SAMPLERS[name].options)


def _check_scheduler(search: dict[str, Any]) -> list[Problem]:
    return _check_named("scheduler", search.get("scheduler", "none"), lambda name: options_of(scheduler_class(name)))


def _check_method(search: dict[str, Any]) -> list[Problem]:
    if search.get("method") is None:
        return []
    beside = [key for key in ("sampler", "scheduler") if key in search]
    hint = "leave one of them out"
    found = [Problem(f"search.{key}", "stands beside search.method, which decides that, too", hint) for key in beside]
    return found + _check_named("method", search["method"], lambda name: options_of(scheduler_class(name)))


def _check_named(what: str, value: Any, options_of: Callable[[str], Options]) -> list[Problem]:
    """Return what is wrong with a name and its options; a class of the user's own is looked at when it is imported."""
    where = f"search.{what}"
    name = value.get("name") if isinstance(value, dict) else value
    if not isinstance(name, str):
        return [Problem(where, f"found {describe(value)}, expected a name, or a mapping with a name and its options")]
    if is_place(name) and what != "method":
        return []
    if name not in _NAMES[what]:
        other = next((other for other, names in _NAMES.items() if name in names), "")
        hint = f"it is a {other}: search: {{{other}: {name}}}" if other else ""
        hint = hint or (place_meant(name) if what != "method" else "") or near(name, _NAMES[what])
        return [Problem(where, f"unknown {what} {name!r}", hint)]
    options = {key: option for key, option in value.items() if key != "name"} if isinstance(value, dict) else {}
    return check_options(where, name, options, options_of(name))


def check_options(
    where: str, name: str, options: Mapping[str, Any], known: Options, required: Sequence[str] = ()
) -> list[Problem]:
    """Return which options a class does not have, which are of another type, which ``required`` ones are missing."""
    problems: list[Problem] = []
    for key, option in options.items():
        if key not in known:
            near_ones = hint_at(problems, key, list(known)) if known else f"{name} has no options"
            problems.append(Problem(f"{where}.{key}", f"is no option of {name}", near_ones))
            continue
        kinds = _kinds(known[key])
        if not isinstance(option, kinds) or (isinstance(option, bool) and not {bool, object} & set(kinds)):
            problems.append(Problem(f"{where}.{key}", f"found {describe(option)}, expected {_words(kinds)}"))
    for key in required:
        if key not in options:
            kinds = _kinds(known[key])
            expected = "" if object in kinds else f", expected {_words(kinds)}"
            problems.append(Problem(f"{where}.{key}", f"is missing{expected}"))
    return problems


def _kinds(known: type | tuple[type, ...]) -> tuple[type, ...]:
    return known if isinstance(known, tuple) else (known,)


def _words(kinds: Sequence[type]) -> str:
    """Return what a value is expected to be: ``a number or text``."""
    words = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "text",
        list: "a list",
        dict: "a mapping",
    }
    return " or ".join(words[kind] for kind in kinds if kind is not int or float not in kinds)


def _where(loc: tuple[int | str, ...]) -> str:
    parts = [
        str(part)
        for part in loc
        if str(part) not in _UNION_PARTS
        and not str(part).startswith(("constrained-", "dict[", "list[", "literal[", "function-"))
    ]
    return ".".join(parts)


def _problem(where: str, found: Any, values: dict[str, Any], before: Sized) -> Problem:
    kind, context, value = found["type"], found.get("ctx", {}), found["input"]
    key = where.rpartition(".")[2]
    if kind == "missing":
        return Problem(where, "is missing", _EXAMPLES.get(where, ""))
    if kind == "extra_forbidden":
        parent = ".".join(part for part in where.split(".")[:-1] if not part.isdecimal())
        inside = "constraints" if parent.startswith("constraints.") else parent
        fields = list(SECTIONS.get(inside, FileShape).model_fields)
        there = elsewhere(key) if not meant(key, fields) else ""
        return Problem(where, f"unknown key {shortened(key)}", there or hint_at(before, key, fields))
    value = _lookup(values, where, value)
    if kind in ("greater_than_equal", "greater_than", "less_than", "less_than_equal") and not isinstance(value, bool):
        words = {"ge": "at least", "gt": "more than", "lt": "less than", "le": "at most"}
        bound = next(f"{words[key]} {limit}" for key, limit in context.items() if key in words)
        return Problem(where, f"is {value}, expected {bound}")
    if kind == "value_error":
        return Problem(where, str(context["error"]))
    return Problem(
        where, f"found {describe(value)}, expected {_expected(where, kind, context)}", _hint(where, value, kind)
    )


_EXAMPLES: Mapping[str, str] = {
    "objective": "as in objective: {metric: rmse, goal: minimize}",
    "objective.metric": "a name of the evaluation's metrics, as in metric: rmse",
}


def _hint(where: str, value: Any, kind: str) -> str:
    """Return how what was meant is written, or nothing."""
    if where == "objective" and isinstance(value, str):
        return f"write objective: {{metric: {shortened(value).strip(QUOTES)}, goal: minimize}}, or goal: maximize"
    if where == "search" and isinstance(value, str):
        kind = next((kind for kind, names in _NAMES.items() if value in names), "method")
        return f"write search: {{{kind}: {value if value in _NAMES[kind] else _NAMES[kind][0]}}}"
    if where.endswith("goal") and isinstance(value, str):
        return near(value, ("minimize", "maximize"))
    if where == "parameters" and value is None:
        return "its lines stand further to the right than itself"
    if where == "parameters" and isinstance(value, list):
        return "as in parameters: {units: {type: int, low: 16, high: 256}}, by name"
    if kind == "string_pattern_mismatch":
        return place_meant(str(value))
    if kind.startswith("string") and isinstance(value, int) and not isinstance(value, bool):
        return f"write '{value}', with quotes"
    if kind.startswith("bool"):
        return hint_at_bool(value)
    return hint_at_number(value) if kind.startswith(("int", "float")) else ""


def elsewhere(key: str) -> str:
    """Return a hint at the section of the file in which a key stands, or nothing."""
    for section in ("search", "train", "objective"):
        if found := meant(key, list(SECTIONS[section].model_fields)):
            return f"it stands in {section}: {section}.{found}"
    return ""


def _expected(where: str, kind: str, context: Any) -> str:
    words = {
        "train.checkpoint_input": "auto, true or false",
        "objective": "a mapping like {metric: rmse, goal: minimize}, or a list of such",
        "search.method": "a name, or a mapping with a name and its options",
        "search.sampler": "a name, or a mapping with a name and its options",
        "search.scheduler": "a name, or a mapping with a name and its options",
        "search.budget": "a mapping like {steps: 20000}, with some of steps, target, plateau",
        "search.timeout": "a duration like 90s, 15m or 2h",
        "search.max_checkpoint_bytes": "a size like 200MB or 5GB",
        "search.trial_timeout": "a duration like 90s, 15m or 2h",
        "search.no_progress_timeout": "a duration like 90s, 15m or 2h",
        "simulation.startup": "a duration like 90s, 15m or 2h",
        "simulation.reaction": "a duration like 90s, 15m or 2h",
    }
    if where in words:
        return words[where]
    if where.endswith(".of"):
        return "last, best or {mean: k}"
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    if kind.startswith("bool"):
        return "true or false"
    if kind.startswith("int"):
        return "a whole number"
    if kind.startswith("float"):
        return "a number"
    if kind == "string_pattern_mismatch":  # the one of PLACE
        return "package.module:Class"
    if kind.startswith("string"):
        return "text"
    if kind.startswith(("dict", "model")):
        keys = ", ".join(SECTIONS[where].model_fields) if where in SECTIONS else ""
        return f"a mapping, with some of {keys}" if keys else "a mapping"
    if kind.startswith("list"):
        return "a list"
    return kind.replace("_", " ")


def _lookup(values: Any, where: str, default: Any) -> Any:
    """Return the value at a dotted path of the file."""
    for part in where.split("."):
        if isinstance(values, dict) and part in values:
            values = values[part]
        elif isinstance(values, list) and part.isdecimal() and int(part) < len(values):
            values = values[int(part)]
        else:
            return default
    return values
