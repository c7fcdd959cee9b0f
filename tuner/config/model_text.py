"""The texts that a sweep's model has had: a trial was trained by the one of its time."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from tuner.domain.spec import ModelRef

Texts = tuple[tuple[str, float], ...]
"""Digest of the text, and since when it is the model's, in seconds since 1970; the oldest first."""


def digest(model: ModelRef | None) -> str:
    """Return a digest of the file that a model is in; empty if there is none to read."""
    file = _source_file(model) if model is not None else None
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file is not None else ""
    except OSError:
        return ""  # importing it says what is wrong


def with_text(texts: Texts, text: str, now: float) -> Texts:
    """Return the texts of a model with the one that it has now; an empty one is not known."""
    return texts if not text or (texts and texts[-1][0] == text) else (*texts, (text, now))


def text_at(texts: Sequence[tuple[str, float]], time: float) -> str:
    """Return the digest of the text that a model had at a time; empty if that is not known."""
    return next((text for text, since in reversed(texts) if since <= time), "")


def _source_file(model: ModelRef) -> Path | None:
    """Return the file of a model, without importing anything."""
    if model.file:
        return Path(model.file)
    names, folders, found = model.module.split("."), [*model.import_paths, *sys.path], None
    for count in range(1, len(names) + 1):
        found = PathFinder.find_spec(".".join(names[:count]), folders)
        if found is None:
            return None
        folders = list(found.submodule_search_locations or ())
    return Path(found.origin) if found is not None and found.has_location and found.origin else None
