"""The protocol of an importer, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tuner.errors import Problem


@dataclass
class Report:
    """What a translation has to say; it collects, so that all of it is said at once.

    Attributes:
        notes: What of the file is used otherwise than there, or not at all; a line each.
        problems: What cannot be said in our terms, and what is wrong in the file.
    """

    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, where: str, message: str, nearest: str = "") -> None:
        """Add a problem, with the nearest thing that can be said."""
        self.problems.append(Problem(where, message, nearest))


@dataclass(frozen=True)
class Translation:
    """A foreign file in our terms.

    Attributes:
        values: Of a search space file: name, objective, parameters and search; neither model nor
            train, which no other tool's file has.
        warm_start: What the file wants to learn from (the ``--from`` of ``tuner run``), or empty.
        command: A command of script mode that does what the file's trials did, or empty if the
            file does not say; a suggestion, not checked.
    """

    values: Mapping[str, Any]
    warm_start: str = ""
    command: tuple[str, ...] = ()


class Importer(Protocol):
    """Knows one format of other tools' search spaces.

    Attributes:
        name: What messages call the format.
    """

    name: str

    def recognises(self, values: Mapping[str, Any]) -> bool:
        """Whether a file's values are of this format, right or wrong; two importers never agree."""
        ...

    def translate(self, values: Mapping[str, Any], report: Report) -> Translation:
        """Return the file in our terms.

        Every key of the file is used, named in a note, or a problem; if there are problems, what is
        returned does not count.
        """
        ...
