"""What a command's own sources ask of TensorFlow that version 2 has no more, all of it at once."""

from __future__ import annotations

import os
from pathlib import Path

from tuner.domain.spec import SweepSpec
from tuner.estimator.install import install_estimator
from tuner.forkserver.script_imports import own_files
from tuner.model.tensorflow_1 import only_in_version_1, uses
from tuner.script.command_line import recognise


def prepare() -> None:
    """Let TensorFlow be asked what it has, quietly, with Estimators in place."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    install_estimator()


def check_sources(spec: SweepSpec) -> tuple[int, list[str]]:
    """Return how many Python files of its own a command has, and a line for each place to change."""
    folder = Path(spec.command_dir)
    program = recognise(spec.command, folder)
    files = own_files(program, folder) if program.forked else []
    lines: list[str] = []
    prepare()
    for file in files:
        name = file.relative_to(folder) if file.is_relative_to(folder) else file
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
            lines += dict.fromkeys(f"{name}:{use.line}: {use}" for use in uses(text, only_in_version_1))
        except SyntaxError as error:
            lines.append(f"{name}:{error.lineno}: is no Python 3: {error.msg}")
    return len(files), lines
