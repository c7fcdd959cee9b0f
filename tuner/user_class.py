"""Classes named by their place, ``package.module:Class``: our own registries' and a user's alike."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from tuner.errors import InvalidInput, Problem
from tuner.text import one_of, suggestion

T = TypeVar("T")

Options = Mapping[str, "type | tuple[type, ...]"]
PLACE = r"^[\w.]+:\w+$"
NUMBER = (int, float)
ANYTHING = (object,)


def is_place(name: str) -> bool:
    """Whether a name is a place, ``package.module:Class``, rather than one of a registry."""
    return ":" in name


def place_meant(name: str) -> str:
    """Return a hint at the place that is written as Python would, ``package.module.Class``, or nothing."""
    module, _, last = name.rpartition(".")
    if not module or not all(part.isidentifier() for part in name.split(".")):
        return ""
    return f"did you mean '{module}:{last}'?"


def load_class(where: str, place: str, base: type[T], import_paths: Sequence[str] = ()) -> type[T]:
    """Import a class.

    Args:
        where: The key of the search space file, for messages.
        place: ``package.module:Class``.
        base: What it must be a subclass of.
        import_paths: Folders in which modules are looked for, beside the current one and Python's own.

    Raises:
        InvalidInput: There is no such module or class, or it is of another kind.
    """
    module_name, _, name = place.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), name)):
        raise InvalidInput(where, f"found {place!r}, expected package.module:Class")
    before = list(sys.path)
    sys.path += [path for path in (str(Path.cwd()), *import_paths) if path not in sys.path]
    try:
        module = importlib.import_module(module_name)
        _refuse_namesake(where, module_name.partition(".")[0])
    except InvalidInput:
        raise
    except Exception as error:
        raise InvalidInput(where, f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path[:] = before
    found = getattr(module, name, None)
    expected = f"expected a subclass of {base.__module__}.{base.__qualname__}"
    if found is None:
        hint = suggestion(name, [*vars(module)])
        raise InvalidInput(where, [Problem("", f"{module_name} has no {name}, {expected}", hint)])
    if not (isinstance(found, type) and issubclass(found, base)):
        kind = type(found).__name__
        what = f"a{'n' if kind[0] in 'aeio' else ''} {kind}" if not isinstance(found, type) else "another class"
        raise InvalidInput(where, f"{place} is {what}, {expected}")
    return found


def _refuse_namesake(where: str, name: str) -> None:
    """Refuse a module that was imported from another folder than the one in which it is found now: Python keeps it."""
    had = getattr(sys.modules[name], "__file__", None)
    found = PathFinder.find_spec(name, sys.path)
    now = found.origin if found is not None and found.has_location else None
    if had and now and Path(had).exists() and not Path(had).samefile(now):
        raise InvalidInput(where, f"this process has imported another module {name}, {had}: rename {now} or that one")


def registered_class(
    where: str, registry: Mapping[str, str], name: str, base: type[T], import_paths: Sequence[str] = ()
) -> type[T]:
    """Import the class of a member of a registry, or of the user's own.

    Args:
        where: The key that names it, for messages.
        registry: Name to place.
        name: Of the registry, or a place, ``package.module:Class``.
        base: As of ``load_class``.
        import_paths: Folders in which the user's own are looked for.

    Raises:
        InvalidInput: There is none of that name, or it is of another kind.
    """
    if name not in registry and not is_place(name):
        unknown = f"unknown {where.rpartition('.')[2]} {name!r}"
        raise InvalidInput(where, [Problem("", unknown, place_meant(name) or one_of(name, list(registry)))])
    return load_class(where, registry.get(name, name), base, import_paths)


def constructor_options(kind: type, given: Sequence[str] = ()) -> Options:
    """Return what may be set of a class in a search space file: the arguments of its constructor, and their types.

    Args:
        kind: The class.
        given: Arguments that it gets otherwise.
    """
    return {argument.name: _accepted(argument.annotation) for argument in _arguments(kind, given)}


def required_options(kind: type, given: Sequence[str] = ()) -> list[str]:
    """Return which of a class's ``constructor_options`` have no default."""
    return [argument.name for argument in _arguments(kind, given) if argument.default is inspect.Parameter.empty]


def _arguments(kind: type, given: Sequence[str]) -> list[inspect.Parameter]:
    try:
        arguments = inspect.signature(kind, eval_str=True).parameters
    except NameError:  # annotations for type checkers alone
        arguments = inspect.signature(kind).parameters
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [argument for argument in arguments.values() if argument.name not in given and argument.kind in named]


def _accepted(annotation: Any) -> type | tuple[type, ...]:
    """Return the types of values as YAML has them."""
    if get_origin(annotation) in (Union, UnionType):
        kinds = [_accepted(kind) for kind in get_args(annotation) if kind is not NoneType]
        return (
            kinds[0]
            if len(kinds) == 1
            else tuple(k for kind in kinds for k in (kind if isinstance(kind, tuple) else (kind,)))
        )
    kind = get_origin(annotation) or annotation
    if kind is float:
        return NUMBER
    if kind in (int, bool, str):
        return kind  # type: ignore[no-any-return]
    if isinstance(kind, type) and issubclass(kind, Sequence):
        return list
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return dict
    return ANYTHING
