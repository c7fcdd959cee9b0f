"""The command line as it was typed, for messages that say what to type instead."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextvars import ContextVar

from tuner.hiding import hidden_words

_TYPED: ContextVar[tuple[str, ...]] = ContextVar("typed", default=())


def remember(arguments: Sequence[str]) -> None:
    """Take the arguments of the command that is about to run."""
    _TYPED.set(tuple(arguments))


def typed() -> tuple[str, ...]:
    """Return the arguments of the command that runs, without the program's name."""
    return _TYPED.get()


def retyped(instead: Mapping[str, str]) -> str:
    """Return the command line that runs with other words in the place of some, secrets hidden."""
    return shlex.join(["tuner", *(instead.get(word, word) for word in hidden_words(typed()))])
