"""The user's model module or object, checked for its shape; makes the Estimator of a trial.

A ModelRef comes in. TensorFlow is imported only when an Estimator is made, so that a model's shape
can be checked without it (the model's own imports aside).
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tuner.domain.spec import ModelRef
from tuner.errors import InvalidInput, Problem
from tuner.model.error_text import full_text
from tuner.model.noted_params import own
from tuner.space.parameters import Params
from tuner.text import nearest, suggestion

SHAPES = ("model_fn", "estimator_fn", "keras_model_fn")
"""The functions of which a model has exactly one."""

_REQUIRED = ("train_input_fn", "eval_input_fn")

_ROLES = {*SHAPES, *_REQUIRED, "serving_input_receiver_fn", "space", "train_spec", "eval_spec", "run_config"}

_SAME = {
    "train": ("training",),
    "eval": ("evaluate", "evaluation", "validation", "valid", "val", "test", "testing", "dev"),
}
"""How else the functions of input are called."""


@dataclass(frozen=True)
class UserModel:
    """The functions that a user wrote, by their names.

    Attributes:
        ref: Where it came from.
        subject: The module or object that has the functions.
        shape: Which of ``SHAPES`` it has.
    """

    ref: ModelRef
    subject: Any
    shape: str

    def function(self, name: str) -> Callable[..., Any] | None:
        """Return the user's function ``name``, or None if there is none."""
        found = getattr(self.subject, name, None)
        return found if callable(found) else None

    def near(self, name: str) -> str:
        """Return the name of a function that is there and may be meant by ``name``, or nothing."""
        return near_function(name, other_functions(self.subject))

    def call(self, name: str, params: Params, **others: Any) -> Any:
        """Call the user's function ``name`` with those arguments that it takes.

        ``params`` goes to the argument of that name, else to the first one; a function that takes
        none gets none.
        """
        return self.bound(name, params, **others)()

    def bound(self, name: str, params: Params, **others: Any) -> Callable[..., Any]:
        """Return the user's function ``name`` with ``params`` filled in.

        What else it takes (``mode``, ``config``, ``input_context``) stays open, so that an Estimator
        finds it in the signature.
        """
        function = self.function(name)
        if function is None:
            raise InvalidInput(str(self.ref), f"has no function {name}")
        takes = inspect.signature(function).parameters
        filled = {key: value for key, value in others.items() if key in takes}
        if "params" in takes:
            return functools.partial(function, params=own(params), **filled)
        free = [p for p in takes.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        free = [p for p in free if p.name not in ("mode", "config", "input_context", *filled)]
        return functools.partial(function, *([own(params)] if free else []), **filled)

    def estimator(self, params: Params, config: Any) -> Any:
        """Build the trial's Estimator.

        Args:
            params: The trial's parameters and constants.
            config: The trial's RunConfig.

        Raises:
            InvalidInput: What ``estimator_fn`` returns is no Estimator, or not in the trial's folder;
                what ``keras_model_fn`` returns is no compiled Keras model.
        """
        from tensorflow_estimator.python.estimator.estimator import Estimator, EstimatorV2

        if self.shape == "model_fn":
            model_fn = self.function("model_fn")
            return EstimatorV2(model_fn=model_fn, params=own(params), config=config)
        if self.shape == "keras_model_fn":
            return self._from_keras(params, config)
        made = self.call("estimator_fn", params, config=config)
        if not isinstance(made, Estimator):
            raise InvalidInput(str(self.ref), f"estimator_fn returned {_a(made)}, expected an Estimator")
        if Path(made.model_dir) != Path(config.model_dir):
            raise InvalidInput(
                str(self.ref),
                [
                    Problem(
                        "",
                        f"estimator_fn made an Estimator with model_dir {made.model_dir}, expected the trial's "
                        f"({config.model_dir})",
                        "pass config=config to the Estimator and leave model_dir out",
                    )
                ],
            )
        return made

    def _from_keras(self, params: Params, config: Any) -> Any:
        from tensorflow_estimator.python.estimator import keras_lib

        keras_model = self.call("keras_model_fn", params)
        if getattr(keras_model, "optimizer", None) is None:
            raise InvalidInput(
                str(self.ref),
                f"keras_model_fn returned {_a(keras_model)}, expected a compiled Keras model "
                "(call model.compile(optimizer=..., loss=..., metrics=...) before returning it)",
            )
        return keras_lib.model_to_estimator(keras_model=keras_model, config=config)


def load_model(ref: ModelRef) -> UserModel:
    """Import the user's model and check its shape.

    Raises:
        InvalidInput: It does not import (its own error is shown), the object is not there, or it
            lacks a function; all missing ones at once.
    """
    subject = _attribute(_import(ref), ref)
    shapes = [name for name in SHAPES if callable(getattr(subject, name, None))]
    problems = []
    others = other_functions(subject)
    if not shapes:
        found = f"; functions found: {', '.join(sorted(others))}" if others else ""
        problems.append(Problem("", f"has none of {', '.join(SHAPES)}, expected one of them{found}"))
    if len(shapes) > 1:
        problems.append(Problem("", f"has {' and '.join(shapes)}, expected exactly one of them"))
    for name in _REQUIRED:
        if not callable(getattr(subject, name, None)):
            hint = f"if {near} is that function, call it {name}" if (near := near_function(name, others)) else ""
            problems.append(Problem("", f"has no function {name}(params), expected one that returns a Dataset", hint))
    if problems:
        raise InvalidInput(f"model {ref}", problems)
    return UserModel(ref, subject, shapes[0])


def other_functions(subject: Any) -> list[str]:
    """Return the user's functions that have none of the names that are looked for: one may have a wrong name."""
    module = subject.__name__ if isinstance(subject, ModuleType) else None
    return [
        name
        for name in dir(subject)
        if not name.startswith("_")
        and name not in _ROLES
        and inspect.isroutine(found := getattr(subject, name, None))
        and (name.endswith("_fn") or module is None or found.__module__ == module)
    ]


def near_function(name: str, others: Sequence[str]) -> str:
    """Return the one of ``others`` that may be meant by ``name``: ``evaluate_input_fn`` by ``eval_input_fn``."""
    stem, _, rest = name.partition("_")
    of_others = {word for other, words in _SAME.items() if other != stem for word in (other, *words)}
    free = [other for other in others if not of_others & set(other.split("_"))]
    meant = [other for word in _SAME.get(stem, ()) for other in free if other in (f"{word}_{rest}", f"{rest}_{word}")]
    return meant[0] if meant else nearest(name, free) or (rest if rest in free else "")


def _import(ref: ModelRef) -> ModuleType:
    file = Path(ref.file)
    if ref.file and file.stem in sys.stdlib_module_names:
        # It would be taken for Python's by whoever imports that first when the model is on the path.
        with contextlib.suppress(ImportError):
            importlib.import_module(file.stem)
    for path in reversed(ref.import_paths):
        if path not in sys.path:
            sys.path.insert(0, path)
    if ref.file and not file.exists():
        raise InvalidInput(
            f"model {ref}",
            [Problem("", "is not there", "if it was moved, tuner run with its search space file takes the new place")],
        )
    try:
        return _import_file(file) if ref.file else importlib.import_module(ref.module)
    except (Exception, SystemExit) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(
            f"model {ref}", [Problem("", f"does not import: {full_text(error)}", _if_not_found(ref, error))]
        ) from error


def _if_not_found(ref: ModelRef, error: BaseException) -> str:
    """Return what to do if a module is not there by its name, and nothing if it fails in another way."""
    name = getattr(error, "name", None)
    if not isinstance(error, ModuleNotFoundError) or not name or not f"{ref.module}.".startswith(f"{name}."):
        return ""
    package, _, last = name.rpartition(".")
    folders = getattr(sys.modules.get(package), "__path__", None) or ref.import_paths
    if near := nearest(last, [module.name for module in pkgutil.iter_modules(folders)]):
        return f"did you mean {package + '.' if package else ''}{near}?"
    return "expected a module that Python finds, or the path of a file, such as ./model.py"


def _import_file(file: Path) -> ModuleType:
    """Import a file by its stem, as its neighbours and pickles do, or by a longer name if another module has it."""
    for name in (file.stem, f"{file.stem}_{zlib.crc32(bytes(file)):08x}"):
        found = sys.modules.get(name)
        if found is None:
            break
        if getattr(found, "__file__", None) == str(file):
            return found
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InvalidInput(f"model {file}", "is not a Python file, expected one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _attribute(module: ModuleType, ref: ModelRef) -> Any:
    subject: Any = module
    for part in ref.object.split(".") if ref.object else ():
        if not hasattr(subject, part):
            names = sorted(name for name in vars(module) if not name.startswith("_"))
            found = f"has no object {ref.object!r}; found: {', '.join(names[:20])}"
            raise InvalidInput(f"model {ref}", [Problem("", found, suggestion(part, names))])
        subject = getattr(subject, part)
    return subject


def _a(thing: Any) -> str:
    kind = type(thing)
    return "None" if thing is None else f"a {kind.__module__}.{kind.__qualname__}"
