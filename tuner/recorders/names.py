"""What an evaluation's tag is called as an MLflow metric."""

from __future__ import annotations

import re

_REFUSED = re.compile(r"[^\w\-. :/]")
_TRAINING = ""


class MetricNames:
    """Name the metrics of one trial; the same for the same tags in the same order.

    ``eval/TAG``; ``eval/FOLDER/TAG`` where another folder wrote the tag before; ``train/TAG`` for what
    training itself writes. Characters that MLflow refuses become ``_``; two tags that would become one
    name are kept apart by a number.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def name(self, folder: str, tag: str) -> str:
        """Return the metric's name for a tag that the event files of ``folder`` have."""
        key = (folder, tag)
        if key not in self._names:
            self._names[key] = self._free(folder, tag)
            self._taken.add(self._names[key])
        return self._names[key]

    def _free(self, folder: str, tag: str) -> str:
        if folder == _TRAINING:
            wanted = f"train/{tag}"
        elif any(other_tag == tag and other not in ("", folder) for other, other_tag in self._names):
            wanted = f"eval/{folder}/{tag}"
        else:
            wanted = f"eval/{tag}"
        plain = valid_name(wanted)
        name, count = plain, 2
        while name in self._taken:
            name, count = f"{plain}_{count}", count + 1
        return name


def valid_name(name: str) -> str:
    """Return a name that MLflow takes: refused characters become ``_``, at most 250 characters."""
    parts = [part if part not in ("", ".", "..") else "_" for part in _REFUSED.sub("_", name).split("/")]
    return "/".join(parts)[:250]
