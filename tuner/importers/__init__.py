"""Other tools' search spaces in our terms: the format is recognised from a file's content.

What cannot be said in our terms is refused by name, with the nearest thing that can; what is not used
is named in a note. A new format is a module here with the methods of ``_base.Importer``, and its name in
``IMPORTERS``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.config.bounds import out_of_bounds
from tuner.config.load import parse_spec
from tuner.config.yaml_text import parse, read_text
from tuner.errors import InvalidInput
from tuner.importers.ai_platform import AIPlatform
from tuner.importers.base import Importer, Report, Translation
from tuner.importers.katib import Katib
from tuner.importers.vertex_ai import VertexAI
from tuner.importers.wandb import WandB
from tuner.importers.writing import NEEDS_STEPS, safe_name, write
from tuner.schedulers import SCHEDULERS, scheduler_class

IMPORTERS: tuple[Importer, ...] = (AIPlatform(), VertexAI(), Katib(), WandB())

__all__ = ["IMPORTERS", "Imported", "Importer", "Report", "Translation", "import_file", "import_text", "recognise"]


@dataclass(frozen=True)
class Imported:
    """A foreign file as a search space of ours.

    Attributes:
        format: The format's name, ``AI Platform``.
        text: A search space file of ours without model and train: it runs with a command, or when those
            two have been added.
        notes: What of the file is used otherwise than there, or not at all.
        warm_start: What the file wants to learn from (``--from``), or empty.
        command: A command that does what the file's trials did, as far as it says; or empty.
    """

    format: str
    text: str
    notes: tuple[str, ...]
    warm_start: str = ""
    command: tuple[str, ...] = ()


def import_file(file: Path) -> Imported | None:
    """Return a foreign file as a search space of ours; None if the file is of no format known here.

    Raises:
        InvalidInput: It cannot be read, has mistakes, or says what cannot be said in our terms.
    """
    return import_text(read_text(file), str(file), file.stem)


def import_text(text: str, source: str, stem: str) -> Imported | None:
    """Return a foreign text as a search space of ours; None if it is of no format known here.

    Args:
        text: YAML or JSON.
        source: What messages call it.
        stem: Name of the sweep if the text has none.

    Raises:
        InvalidInput: As of ``import_file``.
    """
    values = _values(text, source)
    importer = recognise(values)
    if importer is None:
        return None
    report = Report()
    translated = importer.translate(values, report)
    if report.problems:
        raise InvalidInput(source, report.problems)
    named = {"name": safe_name(stem), **translated.values}
    rungs = _needs_steps(translated.values.get("search", {}).get("scheduler"))
    if rungs:
        report.notes.append(f"scheduler {rungs} judges trials at steps: {NEEDS_STEPS}")
    written = write(named, importer.name, translated.command, needs_steps=bool(rungs))
    _check(written, source)
    return Imported(importer.name, written, tuple(report.notes), translated.warm_start, translated.command)


def recognise(values: Mapping[str, Any]) -> Importer | None:
    """Return the importer that knows a file's values, or None."""
    return next((importer for importer in IMPORTERS if importer.recognises(values)), None)


def _needs_steps(scheduler: Any) -> str:
    """Return the name of a scheduler that judges at rungs, which no other tool's file gives in steps; or nothing."""
    name = scheduler.get("name", "") if isinstance(scheduler, dict) else scheduler or ""
    return name if name in SCHEDULERS and scheduler_class(name).uses_rungs else ""


def _check(text: str, source: str) -> None:
    """Refuse what our own file could not hold, should a format hold what its importer did not expect."""
    try:
        parse_spec(f"{text}train: {{max_steps: 100, evaluate_every: 1}}\n", "", Path(), command=["true"])
    except InvalidInput as error:
        raise InvalidInput(f"{source} as a search space of ours", error.problems) from None


def _values(text: str, source: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            return parse(text, source)
        if isinstance(values, dict):
            if problems := out_of_bounds(values):
                raise InvalidInput(source, problems)
            return values
    return parse(text, source)
