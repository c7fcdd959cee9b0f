"""Names as MLflow takes them: of metrics, which are made so, and of users' tags, which are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tuner.errors import InvalidInput, Problem

LONGEST_VALUE = 6000  # of a param or tag, in characters
_LONGEST_NAME = 250
_OURS = ("tuner.", "mlflow.")
_ALLOWED = (
    "letters, digits, '_', '-', '.', ':' and spaces, in parts with '/' between them, none of them empty, '.' or '..'"
)
_REFUSED = re.compile(r"[^\w\-. :/]")
_TRAINING = ""


class MetricNames:
    """Name the metrics of one trial; the same for the same tags in the same order.

    ``eval/TAG``; ``eval/FOLDER/TAG`` for evaluations that are known to be others than the trial's own, and
    where another folder wrote the tag before; ``train/TAG`` for what training itself writes. Characters that
    MLflow refuses become ``_``; two tags that would become one name are kept apart by a number.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        self._aside: set[str] = set()

    def name(self, folder: str, tag: str, aside: bool = False) -> str:
        """Return the metric's name for a tag that the event files of ``folder`` have.

        Args:
            folder: Relative to the trial's; empty for what training itself writes.
            tag: Of the scalar.
            aside: Whether it is another evaluation than the trial's own.
        """
        key = (folder, tag)
        if aside:
            self._aside.add(folder)
        if key not in self._names:
            self._names[key] = self._free(folder, tag)
            self._taken.add(self._names[key])
        return self._names[key]

    def _free(self, folder: str, tag: str) -> str:
        if folder == _TRAINING:
            wanted = f"train/{tag}"
        elif folder in self._aside or self._is_there(folder, tag):
            wanted = f"eval/{folder}/{tag}"
        else:
            wanted = f"eval/{tag}"
        plain = valid_name(wanted)
        name, count = plain, 2
        while name in self._taken:
            name, count = f"{plain}_{count}", count + 1
        return name

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
        if len(value) > LONGEST_VALUE:
            message = f"the value of {shown!r} has {len(value)} characters, expected at most {LONGEST_VALUE}"
            problems.append(Problem(source, message))
    if problems:
        raise InvalidInput("", problems)
