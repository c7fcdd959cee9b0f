"""A sweep as it is declared in Python: a mapping or keyword arguments to a spec, and functions to a model.

What comes in is what a search space file holds, with the most common keys of its sections as keywords of their own;
it is checked by the same code, so that mistakes are answered alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict

from tuner.config import parse_spec
from tuner.config.shape import KEYS
from tuner.config.yaml_text import dump, near
from tuner.domain.spec import ModelRef, SweepSpec
from tuner.errors import InvalidInput, Problem
from tuner.files.atomic import write_whole
from tuner.files.paths import SweepDir, check_name
from tuner.space.declarations import Declaration

Functions = Mapping[str, Callable[..., Any]]

FUNCTIONS = (
    "model_fn",
    "estimator_fn",
    "keras_model_fn",
    "train_input_fn",
    "eval_input_fn",
    "serving_input_receiver_fn",
    "train_spec",
    "eval_spec",
    "run_config",
    "space",
)
"""What a model may have, and what may be given as functions."""

_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "train": ("max_steps", "evaluate_every"),
    "search": ("sampler", "scheduler", "trials", "workers", "seed", "timeout", "trial_timeout", "repeats"),
    "objective": ("goal",),
}
_SOURCE = "Sweep"


class Keywords(TypedDict, total=False):
    """The keyword arguments of ``tuner.Sweep``: keys of the file, keys of its sections, functions of the model."""

    name: str
    description: str
    model: str | Path | ModuleType | object
    objective: str | Mapping[str, Any] | Sequence[Mapping[str, Any]]
    goal: str
    constraints: Mapping[str, Mapping[str, float]]
    parameters: Mapping[str, Any]
    train: Mapping[str, Any]
    max_steps: int
    evaluate_every: int
    search: Mapping[str, Any]
    sampler: str | Mapping[str, Any]
    scheduler: str | Mapping[str, Any]
    trials: int
    workers: int
    seed: int
    timeout: str | float
    trial_timeout: str | float
    repeats: int
    record: Mapping[str, Any]
    notify: Mapping[str, Any]
    resources: Mapping[str, Any]
    ray: Mapping[str, Any]
    cluster: Mapping[str, Any]
    simulation: Mapping[str, Any]
    model_fn: Callable[..., Any]
    estimator_fn: Callable[..., Any]
    keras_model_fn: Callable[..., Any]
    train_input_fn: Callable[..., Any]
    eval_input_fn: Callable[..., Any]
    serving_input_receiver_fn: Callable[..., Any]
    train_spec: Callable[..., Any]
    eval_spec: Callable[..., Any]
    run_config: Callable[..., Any]
    space: Callable[..., Any]


def declared(given: Any, keywords: Mapping[str, Any], root: Path) -> tuple[SweepSpec, Functions]:
    """Return the sweep that was declared, and the functions that are its model; none if it names a module.

    Args:
        given: A mapping of keys of the file, keys of its sections and functions; or None.
        keywords: More of them, which win.
        root: Folder of the records, where functions are written to when the sweep is run.

    Raises:
        InvalidInput: It has mistakes; all of them are named.
    """
    if given is not None and not isinstance(given, Mapping):
        found = f"found {given!r:.60}, expected a mapping or keywords"
        raise InvalidInput(_SOURCE, [Problem("", found, "a file: tuner.Sweep.from_file(...)")])
    values = {**(given or {}), **keywords}
    known = {*KEYS, *FUNCTIONS, *(key for keys in _SECTIONS.values() for key in keys)}
    if unknown := [key for key in values if key not in known]:
        problems = [Problem("", f"unknown keyword {key!r}", near(key, sorted(known))) for key in unknown]
        raise InvalidInput(_SOURCE, problems)
    functions = {key: value for key, value in values.items() if key in FUNCTIONS}
    whole = {key: value for key, value in values.items() if key in KEYS}
    _put_into_sections(whole, values)
    model = whole.get("model")
    if model is not None and not isinstance(model, (str, Path, ModuleType)):
        functions |= {name: own for name in FUNCTIONS if callable(own := getattr(model, name, None))}
        del whole["model"]
    elif isinstance(model, ModuleType):
        whole["model"] = _name_of(model)
    if not whole.get("name"):
        raise InvalidInput(_SOURCE, [Problem("name", "is missing", 'as in tuner.Sweep(name="mine", ...)')])
    if functions and "model" in whole:
        raise InvalidInput(
            _SOURCE, [Problem("model", "stands beside functions, expected one of the two", "remove one")]
        )
    ref = None
    if functions:
        file = _file(SweepDir(root / "mlruns" / "sweeps" / check_name(str(whole["name"]))))
        ref = ModelRef(file=str(file), import_paths=(str(Path.cwd()),))
    text = dump({key: _plain(value, key) for key, value in whole.items()})
    return parse_spec(text, _SOURCE, Path.cwd(), model=ref), functions


def write_functions(sweep_dir: SweepDir, functions: Functions) -> None:
    """Write functions into the sweep's folder, beside the module through which its trials get them.

    They are pickled by value with all that they refer to in the notebook or script, by reference what is in a module
    that can be imported: trials are forked from a process of their own, which imports that module as any model.
    """
    import cloudpickle

    data = cloudpickle.dumps(dict(functions))
    sweep_dir.functions_file.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()[:16]
    write_whole(_file(sweep_dir), _MODULE.format(digest=digest, name=sweep_dir.functions_file.name))


_MODULE = '''"""The functions that were given to tuner.Sweep in Python ({digest})."""

import pathlib

import cloudpickle

globals().update(cloudpickle.loads(pathlib.Path(__file__).with_name("{name}").read_bytes()))
'''


def _file(sweep_dir: SweepDir) -> Path:
    return sweep_dir.functions_file.with_suffix(".py")


def _put_into_sections(whole: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Put keywords into the sections of the file whose keys they are."""
    if isinstance(whole.get("objective"), str):
        whole["objective"] = {"metric": whole["objective"]}
    problems = []
    for section, keys in _SECTIONS.items():
        given = {key: values[key] for key in keys if key in values}
        own = whole.get(section, {})
        if given and not isinstance(own, Mapping):
            problems.append(Problem(section, f"is no mapping, so {', '.join(given)} has no place in it"))
        elif given:
            problems += [Problem(key, f"stands in {section}, too", "remove one") for key in given if key in own]
            whole[section] = {**own, **given}
    if problems:
        raise InvalidInput(_SOURCE, problems)


def _name_of(module: ModuleType) -> str:
    """Return how the file names a module that is there."""
    file = getattr(module, "__file__", None)
    if module.__name__ != "__main__":
        return module.__name__
    if file is None:
        hint = "give its functions: tuner.Sweep(model_fn=model_fn, train_input_fn=train_input_fn, ...)"
        raise InvalidInput(_SOURCE, [Problem("model", "is the notebook itself, which no process can import", hint)])
    return str(Path(file).absolute())


def _plain(value: Any, where: str) -> Any:
    """Return a value as YAML has it."""
    if isinstance(value, Declaration):
        value = value.entry()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, where) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item") and not isinstance(value, (int, float, str)):  # a number of NumPy
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    kind = type(value).__name__
    found = f"found {kind} {value!r:.60}, expected a number, text, a list or a mapping"
    raise InvalidInput(_SOURCE, [Problem(where, found)])
