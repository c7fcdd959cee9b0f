"""The file that a sweep is made from: one of ours, or another tool's if trials are commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.config import parse_spec
from tuner.config.overrides import give_way, sections_replaced
from tuner.config.yaml_text import parse, read_text
from tuner.domain.spec import SweepSpec
from tuner.driver.progress import Display
from tuner.errors import InvalidInput, Problem
from tuner.files.paths import Root


@dataclass(frozen=True)
class SourceFile:
    """What a file says.

    Attributes:
        spec: The sweep.
        notes: What it leaves to the default, and what of another tool's file is used otherwise than there, a line each.
        warm_start: What another tool's file wants to learn from (``--from``), or empty.
    """

    spec: SweepSpec
    notes: tuple[str, ...] = ()
    warm_start: str = ""


def read_source_file(file: Path, overrides: Sequence[str] = (), command: Sequence[str] = ()) -> SourceFile:
    """Read a search space file, or another tool's if there is a command.

    Raises:
        InvalidInput: It has mistakes, or is another tool's and there is no command.
    """
    from tuner.importers import import_file  # only if a sweep is made, so not in commands on one that is there

    imported = import_file(file) if file.is_file() else None
    if imported is not None and not command:
        suggested = shlex.join(imported.command or ("python", "-m", "trainer.task", "--job-dir", "{trial_dir}"))
        raise InvalidInput(
            str(file),
            [
                Problem(
                    "",
                    f"is a file of {imported.format}, which names no model, expected a command after --",
                    f"tuner run {file} -- {suggested}; or make a search space file of it with: tuner import {file}",
                )
            ],
        )
    text = imported.text if imported else read_text(file)
    spec = parse_spec(text, str(file), file.absolute().parent, file.stem, overrides, command)
    values = parse(text, str(file)) if overrides else {}
    taken_away = (*sections_replaced(values, overrides), *give_way(values, overrides))
    notes = (*(imported.notes if imported else ()), *taken_away, *_unsaid(spec))
    return SourceFile(spec, notes, imported.warm_start if imported else "")


def _unsaid(spec: SweepSpec) -> Iterator[str]:
    """Yield how is searched if the file does not say it, and what takes fewer steps."""
    if {"method", "sampler", "scheduler"} & (parse(spec.source, "").get("search") or {}).keys():
        return
    said = "the file does not say how to search, so tpe draws parameters and each trial trains to its end"
    said += ", which goes with any model"
    max_steps, every = spec.train.max_steps, spec.train.evaluate_every
    if len(spec.objectives) == 1 and spec.space.parameters and max_steps and every and max_steps > 2 * every:
        said += "; search: {method: freeze_thaw} pauses what promises less, and takes a fraction of the steps"
    yield said


def sources_here(warm_start: str, root: Root, display: Display) -> list[str]:
    """Return the sweep that another tool's file wants to learn from, if it is under ``root``; else say so."""
    if not warm_start or root.sweep(warm_start).spec_file.exists():
        return [warm_start] if warm_start else []
    display.line(f"note: the file learns from {warm_start!r}, and no sweep under {root.path} has that name")
    return []
