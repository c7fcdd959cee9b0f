"""Bounds on what a file may say, kept before anything is made of it: sizes, numbers, characters, nesting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from tuner.errors import Problem

MOST_VALUES = 20_000
"""Values of a file, each key one of them."""

MOST_DEPTH = 50
MOST_KEYS = 1_000
MOST_ITEMS = 10_000
LONGEST_NUMBER = 400
LONGEST_TEXT = 10_000
LONGEST_DESCRIPTION = 100_000
LONGEST_KEY = 250
LARGEST = 2**63
"""No whole number that is kept in a database or a journal reaches it."""


def out_of_bounds(values: Any) -> list[Problem]:
    """Return what of a file's values is out of bounds, or no value that can be kept; none if all is well."""
    return [Problem(".".join(path), message) for path, message in _found(values)]


def _found(values: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    count = 0
    stack: list[tuple[tuple[str, ...], Any]] = [((), values)]
    while stack:
        path, value = stack.pop()
        count += 1
        if count > MOST_VALUES:
            yield (), f"has more than {MOST_VALUES} values, expected fewer"
            return
        if len(path) > MOST_DEPTH:
            yield path[:3], f"is nested more than {MOST_DEPTH} deep"
            return
        if isinstance(value, dict):
            if len(value) > MOST_KEYS:
                yield path, f"has {len(value)} keys, expected at most {MOST_KEYS}"
                continue
            for key in value:
                if isinstance(key, str) and (wrong := _wrong_text(key, LONGEST_KEY)):
                    yield path, f"has the key {_shown(key)}, which {wrong}"
            stack += [((*path, _shown_key(key)), inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            if len(value) > MOST_ITEMS:
                yield path, f"has {len(value)} entries, expected at most {MOST_ITEMS}"
                continue
            stack += [((*path, str(index)), inner) for index, inner in reversed([*enumerate(value)])]
        elif wrong := _wrong(path, value):
            yield path, wrong


def _wrong(path: tuple[str, ...], value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"found the number {value}, expected a finite number"
    if isinstance(value, int) and abs(value) >= LARGEST:
        digits = math.floor(value.bit_length() * math.log10(2)) + 1
        return f"found a whole number of about {digits} digits, expected one between -2**63 and 2**63"
    if isinstance(value, str) and (
        wrong := _wrong_text(value, LONGEST_DESCRIPTION if path == ("description",) else LONGEST_TEXT)
    ):
        return f"found the text {_shown(value)}, which {wrong}"
    return ""


def _wrong_text(text: str, longest: int) -> str:
    if len(text) > longest:
        return f"has {len(text)} characters, expected at most {longest}"
    if "\0" in text:
        return "has a NUL character in it"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"has half a character in it (\\u{ord(text[error.start]):04x}), which no file can keep"
    return ""


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= 60 else f"{text[:57]!a}..."


def _shown_key(key: Any) -> str:
    text = key if isinstance(key, str) else str(key)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return text.encode("utf-8", "backslashreplace").decode()
