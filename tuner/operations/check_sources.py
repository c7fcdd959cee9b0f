"""What a command's own sources ask of TensorFlow that version 2 has no more, all of it at once."""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.domain.spec import SweepSpec
from tuner.estimator.install import install_estimator
from tuner.forkserver.script_imports import own_files
from tuner.model.tensorflow_1 import only_in_version_1, uses
from tuner.script.command_line import recognise

_EVALUATE = {"evaluate", "train_and_evaluate", "InMemoryEvaluatorHook"}
_REPORT = {"HyperTune", "report_hyperparameter_tuning_metric", "FileWriter", "create_file_writer"}

NEVER_EVALUATES = (
    "its Python files call train and never evaluate: each trial will be judged by the last summary of its training, at "
    "whatever step that is; call evaluate after train, or train_and_evaluate"
)


def prepare() -> None:
    """Let TensorFlow be asked what it has, quietly, with Estimators in place."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silent():
        install_estimator()
        importlib.import_module("tensorflow")


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Drop what goes to standard error: TensorFlow 2.21 heeds TF_CPP_MIN_LOG_LEVEL only after its import."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with Path(os.devnull).open("ab") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)


@dataclass(frozen=True)
class CheckedSources:
    """What the Python files of a command have.

    Attributes:
        files: How many of its own there are.
        problems: A line for each place to change.
        notes: What is worth a line, and allowed.
    """

    files: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def check_sources(spec: SweepSpec) -> CheckedSources:
    """Look at all Python files of its own that a command has."""
    folder = Path(spec.command_dir)
    program = recognise(spec.command, folder)
    files = own_files(program, folder) if program.forked else []
    lines: list[str] = []
    calls: set[str] = set()
    has_estimators = False
    prepare()
    for file in files:
        name = file.relative_to(folder) if file.is_relative_to(folder) else file
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
            lines += dict.fromkeys(f"{name}:{use.line}: {use}" for use in uses(text, only_in_version_1))
            calls |= _called(text)
            has_estimators = has_estimators or "estimator" in text.lower()
        except SyntaxError as error:
            lines.append(f"{name}:{error.lineno}: is no Python 3: {error.msg}")
    trains_only = has_estimators and "train" in calls and not calls & (_EVALUATE | _REPORT)
    is_said = all(objective.folder for objective in spec.objectives)  # by the file, what counts
    return CheckedSources(len(files), tuple(lines), (NEVER_EVALUATES,) if trains_only and not is_said else ())


def _called(text: str) -> set[str]:
    """Return the last part of the name of each function that a Python text calls."""
    functions = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return {ast.unparse(function).rpartition(".")[2] for function in functions}
