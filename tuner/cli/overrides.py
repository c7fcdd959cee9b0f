"""What a shell makes of ``--set KEY=VALUE`` that is typed without quotes, or with a blank in the place of ``=``."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Sequence
from pathlib import Path

from tuner.errors import InvalidInput, Problem
from tuner.text import shortened

EXPECTED = "expected KEY=VALUE as in train.max_steps=300"


def check_overrides(arguments: Sequence[str]) -> None:
    """Look whether each ``--set`` of a command line is one word.

    Args:
        arguments: As they were typed; what stands behind ``--`` is another program's.

    Raises:
        InvalidInput: One has been taken apart, or has no ``=``; says what to type.
    """
    words = list(itertools.takewhile(lambda word: word != "--", arguments))
    problems = []
    for at, word in enumerate(words):
        rest = words[at + 1 :]
        if word.startswith("--set="):
            rest.insert(0, word.removeprefix("--set="))
        elif word != "--set" or not rest:
            continue
        behind = list(itertools.takewhile(lambda word: not word.startswith("--"), rest[1:]))
        problems += _mistakes(rest[0], behind)
    if problems:
        raise InvalidInput("", problems)


def _mistakes(override: str, behind: Sequence[str]) -> list[Problem]:
    key, equals, value = override.partition("=")
    if not equals:
        return [Problem("--set", f"found {shortened(override)}, {EXPECTED}", _meant(override, behind))]
    following = behind[0] if behind else ""
    if not value and following and not _is_file(following):
        return [Problem("--set", f"found {shortened(override)}, {EXPECTED}", _hint(f"{key}={following}"))]
    if _open(override) and (whole := _closed(override, behind)):
        found = f"found {shortened(override)}, as the shell takes words apart at blanks"
        return [Problem("--set", found, f"in quotes: --set {shlex.quote(whole)}")]
    if following.startswith(f"{key}="):
        parts = [value, *(word.partition("=")[2] for word in behind if word.startswith(f"{key}="))]
        whole = f"{key}={{{', '.join(part.replace(':', ': ', 1) for part in parts)}}}"
        found = f"found {key} several times, as the shell makes a word of each part between braces"
        return [Problem("--set", found, f"in quotes: --set {shlex.quote(whole)}")]
    return []


def _meant(override: str, behind: Sequence[str]) -> str:
    """Return a hint at an override without ``=``: that is a word of its own, or a colon or a blank."""
    key, colon, value = override.partition(":")
    if behind and behind[0].startswith("="):
        return _hint(f"{override}={''.join(behind[:2])[1:] if behind[0] == '=' else behind[0][1:]}")
    if colon and value:
        return _hint(f"{key}={value}")
    if behind and not _is_file(behind[0]):
        return _hint(f"{key}={behind[0]}")
    return ""


def _hint(override: str) -> str:
    return f"did you mean --set {shlex.quote(override)}?"


def _is_file(word: str) -> bool:
    """Whether a word is rather the search space file than a value."""
    return word.endswith((".yaml", ".yml")) or Path(word).is_file()


def _open(text: str) -> bool:
    return text.count("{") + text.count("[") > text.count("}") + text.count("]")


def _closed(override: str, behind: Sequence[str]) -> str:
    """Return an override with the words behind it up to the one that closes its brackets; nothing if none does."""
    for count in range(1, len(behind) + 1):
        if not _open(whole := " ".join([override, *behind[:count]])):
            return whole
    return ""
