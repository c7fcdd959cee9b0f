"""Names as MLflow takes them: of metrics and parameters, which are made so, and of users' tags, which are refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tuner.errors import InvalidInput, Problem
from tuner.text import legible

LONGEST_VALUE = 6000  # of a param or tag, in characters
_LONGEST_NAME = 250
_OURS = ("tuner.", "mlflow.")
_ALLOWED = (
    "letters, digits, '_', '-', '.', ':' and spaces, in parts with '/' between them, none of them empty, '.' or '..'"
)
_REFUSED = re.compile(r"[^\w\-. :/]")
_TRAINING = ""


class ValidNames:
    """Names that MLflow takes, one for each of ours; those that would become one are kept apart by a number.

    Args:
        known: Names of ours in the order in which they are named; others are when they are first asked for.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self.add(known)

    def add(self, names: Iterable[str]) -> None:
        """Name some, in this order, those first that MLflow takes as they are."""
        for name in sorted(names, key=lambda name: name != valid_name(name)):
            if name not in self._names:
                self._names[name] = self.free(name)

    def __getitem__(self, name: str) -> str:
        self.add((name,))
        return self._names[name]

    def free(self, name: str) -> str:
        """Return a name that nothing has yet."""
        found, count = valid_name(name), 2
        while found in self._taken:
            ending = f"_{count}"
            found, count = valid_name(name)[: _LONGEST_NAME - len(ending)] + ending, count + 1
        self._taken.add(found)
        return found


class MetricNames:
    """Name the metrics of one trial; the same for the same tags in the same order.

    ``eval/TAG``; ``eval/FOLDER/TAG`` for evaluations that are known to be others than the trial's own, and
    if another folder wrote the tag before; ``train/TAG`` for what training itself writes. Characters that
    MLflow refuses become ``_``; two tags that would become one name are kept apart by a number.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._valid = ValidNames()
        self._aside: set[str] = set()

    def name(self, folder: str, tag: str, is_secondary: bool = False) -> str:
        """Return the metric's name for a tag that the event files of ``folder`` have.

        Args:
            folder: Relative to the trial's; empty for what training itself writes.
            tag: Of the scalar.
            is_secondary: Whether it is another evaluation than the trial's own.
        """
        key = (folder, tag)
        if is_secondary:
            self._aside.add(folder)
        if key not in self._names:
            self._names[key] = self._valid.free(self._wanted(folder, tag))
        return self._names[key]

    def _wanted(self, folder: str, tag: str) -> str:
        if folder == _TRAINING:
            return f"train/{tag}"
        if folder in self._aside or self._is_there(folder, tag):
            return f"eval/{folder}/{tag}"
        return f"eval/{tag}"

    def _is_there(self, folder: str, tag: str) -> bool:
        """Whether another folder has the tag as its ``eval/TAG``."""
        others = (other for other, other_tag in self._names if other_tag == tag and other not in ("", folder))
        return any(other not in self._aside for other in others)


def valid_name(name: str) -> str:
    """Return a name that MLflow takes: refused characters become ``_``, at most 250 characters."""
    parts = [part if part not in ("", ".", "..") else "_" for part in _REFUSED.sub("_", name).split("/")]
    if parts[0].startswith(".."):
        parts[0] = "_" + parts[0][2:]
    whole = "/".join(parts)
    return whole if len(whole) <= _LONGEST_NAME else whole[: _LONGEST_NAME - 1] + "_"  # not at a "/" or "."


def check_tags(tags: Mapping[str, str], source: str) -> None:
    """Make sure that MLflow takes tags of a user's as they are, so that all of a sweep can be recorded.

    Args:
        tags: Key to value.
        source: Where they were given, for messages.

    Raises:
        InvalidInput: A key is ours or MLflow's own, or none that MLflow takes; or a value is too long. All of them
            are named.
    """
    problems = []
    for key, value in tags.items():
        shown = key if len(key) <= 40 else f"{key[:37]}..."
        if key.startswith(_OURS):
            problems.append(Problem(source, f"{shown!r} begins with a name that is taken", "use another key"))
        elif len(key) > _LONGEST_NAME:
            message = f"the key {shown!r} has {len(key)} characters, expected at most {_LONGEST_NAME}"
            problems.append(Problem(source, message))
        elif key != valid_name(key):
            message = f"MLflow takes no tag with the key {shown!r}, expected {_ALLOWED}"
            problems.append(Problem(source, message, f"as {valid_name(key)!r}"))
        if legible(value) != value:
            problems.append(Problem(source, f"the value of {shown!r} is no UTF-8 text: {legible(value)}"))
        if len(value) > LONGEST_VALUE:
            message = f"the value of {shown!r} has {len(value)} characters, expected at most {LONGEST_VALUE}"
            problems.append(Problem(source, message))
    if problems:
        raise InvalidInput("", problems)
