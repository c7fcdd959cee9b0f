"""A foreign mapping, read key by key so that none is passed over in silence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner.config.yaml_text import describe, near
from tuner.importers.base import Report


class Fields:
    """A mapping of a foreign file; what was not taken when it is finished is refused.

    Args:
        values: The mapping; anything else is a problem, and reads as empty.
        where: Its dotted place in the file, empty for the whole.
        report: Takes notes and problems.
    """

    def __init__(self, values: Any, where: str, report: Report) -> None:
        self.where = where
        self.report = report
        self._broken = not isinstance(values, Mapping)
        if self._broken:
            report.refuse(where, f"found {describe(values)}, expected a mapping")
            values = {}
        self._values: Mapping[str, Any] = values
        self._taken: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def names(self) -> list[str]:
        """Return the keys, for a mapping whose keys are the user's own."""
        return [str(key) for key in self._values]

    def place(self, key: str) -> str:
        """Return the dotted place of a key in the file."""
        return f"{self.where}.{key}" if self.where else key

    def get(self, key: str, default: Any = None) -> Any:
        """Return what stands under a key as it is."""
        self._taken.add(key)
        value = self._values.get(key)
        return default if value is None else value

    def refuse(self, key: str, message: str, nearest: str = "") -> None:
        """Say that what stands under a key cannot be taken."""
        self._taken.add(key)
        self.report.refuse(self.place(key), message, nearest)

    def note(self, key: str, message: str) -> None:
        """Say how what stands under a key is used."""
        self._taken.add(key)
        self.report.notes.append(f"{self.place(key)} {message}")

    def text(self, key: str, default: str = "") -> str:
        """Return text; a number is taken as it is written."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value)
        self.refuse(key, f"found {describe(value)}, expected text")
        return default

    def word(self, key: str, words: Sequence[str], default: str) -> str:
        """Return one of ``words``."""
        value = self.get(key, default)
        if value not in words:
            self.refuse(key, f"found {describe(value)}", near(str(value), words))
            return default
        return str(value)

    def flag(self, key: str) -> bool:
        """Return true or false, false if there is none."""
        value = self.get(key, False)
        if value not in (True, False, "true", "false"):
            self.refuse(key, f"found {describe(value)}, expected true or false")
        return value in (True, "true")

    def number(self, key: str) -> float | int | None:
        """Return a finite number, also one in quotes; None if there is none, or a problem."""
        value = self.get(key)
        if value is None:
            return None
        number = as_number(value)
        if number is None:
            self.refuse(key, f"found {describe(value)}, expected a finite number")
        return number

    def whole(self, key: str) -> int | None:
        """Return a whole number, also one in quotes or written 3.0; None if there is none, or a problem."""
        value = self.get(key)
        if value is None:
            return None
        number = as_whole(value)
        if number is None:
            self.refuse(key, f"found {describe(value)}, expected a whole number")
        return number

    def items(self, key: str) -> list[Any]:
        """Return a list, empty if there is none."""
        value = self.get(key, [])
        if not isinstance(value, list):
            self.refuse(key, f"found {describe(value)}, expected a list")
            return []
        return value

    def section(self, key: str) -> Fields:
        """Return the mapping under a key, empty if there is none."""
        return Fields(self.get(key, {}), self.place(key), self.report)

    def sections(self, key: str) -> Iterator[Fields]:
        """Yield the mappings of the list under a key."""
        for index, item in enumerate(self.items(key)):
            yield Fields(item, f"{self.place(key)}[{index}]", self.report)

    def missing(self, *keys: str) -> bool:
        """Refuse those of ``keys`` that are not there, and return whether there are any."""
        absent = [key for key in keys if key not in self]
        for key in absent if not self._broken else ():
            self.refuse(key, "is missing")
        return bool(absent)

    def finish(self, unused: Mapping[str, str] | None = None, known: Sequence[str] = ()) -> None:
        """Account for what was not taken.

        Args:
            unused: Keys that the format has and we have no use for, with the reason; a ``*`` stands for
                every other key.
            known: Further keys of the format, for hints at misspelt ones.
        """
        unused = unused or {}
        for key in self._values:
            if key in self._taken:
                continue
            reason = unused.get(key) or unused.get("*")
            if reason:
                self.note(key, f"is not used: {reason}")
            else:
                self.refuse(key, f"unknown key {key!r}", near(str(key), [*self._taken, *unused, *known]))


def as_number(value: Any) -> int | float | None:
    """Return the finite number that a value is or, being text, says; else None."""
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            try:
                value = float(value)
            except ValueError:
                return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None


def as_whole(value: Any) -> int | None:
    """Return the whole number that a value is or says, also as 3.0; else None."""
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else None


def words(value: Any) -> list[str]:
    """Return the words of a command that a value is, for a hint; none if it is no list."""
    return [str(item) for item in value] if isinstance(value, list) else []
