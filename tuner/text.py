"""Text for people: what a name may have meant, sizes, durations, cells of tables, URLs."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit


def suggestion(word: str, words: Sequence[str]) -> str:
    """Return a hint at the nearest of ``words``, or an empty string."""
    found = nearest(word, words)
    return f"did you mean {found!r}?" if found else ""


def one_of(word: str, words: Sequence[str]) -> str:
    """Return a hint at the nearest of ``words``, or at all of them if they are few."""
    if hint := suggestion(word, words):
        return hint
    return f"expected one of: {', '.join(sorted(words))}" if words and len(words) <= 20 else ""


def nearest(word: str, words: Sequence[str]) -> str:
    """Return the nearest of ``words``, one of the same letters before others, or an empty string."""
    swapped = [other for other in words if sorted(other.lower()) == sorted(word.lower())]
    return next(iter(swapped or difflib.get_close_matches(word[:100], words, n=1)), "")


def nearest_name(word: str, names: Sequence[str]) -> str:
    """Return the one of ``names`` that ``word`` misspells, or an empty string.

    Names that people give in rows (``run-3``, ``model_a``) are near each other, and none of them is another one.
    """
    found = nearest(word, [name for name in names if _counted(name) == _counted(word)])
    near = sorted(found.lower()) == sorted(word.lower()) or difflib.SequenceMatcher(None, found, word).ratio() >= 0.75
    return found if near else ""


def _counted(name: str) -> list[str]:
    """Return the parts of a name by which a row of names differs: numbers, and parts of one or two letters."""
    return re.findall(r"\d+|(?<![^\W_])[^\W\d_]{1,2}(?![^\W_])", name.lower())


def counted(count: int, noun: str) -> str:
    """Return how many there are of something: ``1 trial``, ``2 trials``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shortened(value: Any, longest: int = 60) -> str:
    """Return a value for a message, cut if it is long."""
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def csv_text(value: Any) -> Any:
    """Return a cell of a CSV file: text that a spreadsheet would take for a formula gets an apostrophe in front.

    Example:
        >>> csv_text("=1+1")
        "'=1+1"
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def from_csv_text(cell: str) -> str:
    """Return what ``csv_text`` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


LONGEST_S = 100 * 366 * 86400.0
"""Of a duration, in seconds: beyond it, times are no dates any more."""

LARGEST_SIZE = 2**63

_DURATIONS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])", re.ASCII)


def parse_duration(value: object) -> float:
    """Return a duration in seconds from ``90s``, ``15m``, ``2h``, ``1h30m`` or a number of seconds.

    Raises:
        ValueError: It is none, or not above zero.

    Example:
        >>> parse_duration("1h30m")
        5400.0
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and value and _PART.sub("", value.strip()) == "":
        seconds = sum(float(number) * _DURATIONS[unit] for number, unit in _PART.findall(value))
    elif isinstance(value, str) and value.strip().isdecimal():
        seconds = float(value)
    else:
        meant = _duration_meant(value)
        raise ValueError(f"expected a duration like 90s, 15m or 2h, found {value!r}{meant and f'; write {meant}'}")
    if not 0 < seconds <= LONGEST_S:
        raise ValueError(f"expected a duration above zero and of at most 100 years, found {str(value)[:60]!r}")
    return seconds


_LONG_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|d)(?:ec|in|r|our|inute|econd|ay)?(?:s|utes)?\.?", re.ASCII)


def _duration_meant(value: object) -> str:
    """Return a duration in units that are written out, as ``5 min``, in ours; or nothing."""
    text = value.lower() if isinstance(value, str) else ""
    return "".join(number + unit for number, unit in _LONG_PART.findall(text)) if _LONG_PART.sub("", text) == "" else ""


_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def cell_text(value: Any) -> str:
    """Return a value as a cell of a table has it.

    A number that is no whole one has six digits; what has no number or text of its own is written as in a search
    space file (``true``, ``[1, 2]``); None is an empty cell, but ``null`` if it is the value of a parameter.
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={'null' if item is None else cell_text(item)}" for name, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, default=str)


def legible(text: str) -> str:
    r"""Return a text as UTF-8 and databases can hold it.

    A byte of a name that is no UTF-8, which Python keeps as half of a surrogate pair, becomes ``\xff``, any other
    half ``\ud800``, and NUL ``\x00``.
    """
    return _NO_TEXT.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code & 0xFF:02x}" if code == 0 or 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def legible_json(value: Any) -> Any:
    """Return a JSON value in which each text, keys too, is ``legible``."""
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, Mapping):
        return {legible(key): legible_json(item) for key, item in value.items()}
    return [legible_json(item) for item in value] if isinstance(value, (list, tuple)) else value


_SIZES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}

_SIZES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)")


def parse_size(value: object) -> int:
    """Return a size in bytes from ``200MB``, ``5GB``, ``1.5GiB`` or a number of bytes.

    Raises:
        ValueError: It is none, or not above zero.

    Example:
        >>> parse_size("1.5 kB")
        1500
    """
    found = _SIZE.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    unit = _SIZES.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError(f"expected a size like 200MB, 5GB or a number of bytes, found {value!r}")
    size = float(found[1]) * unit
    if not 0.5 < size < LARGEST_SIZE:
        raise ValueError(f"expected a size above zero and below 2**63 bytes, found {str(value)[:60]!r}")
    return round(size)


def show_size(size: float) -> str:
    """Return a number of bytes in a unit that people read.

    Example:
        >>> show_size(1_250_000)
        '1.2 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def without_login(url: str) -> str:
    """Return a server's address as a browser may open it, which asks for name and password itself."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def without_password(url: str) -> str:
    """Return a URL as it may be written down: database clients find a password in their environment."""
    from sqlalchemy.engine import make_url

    bare = make_url(url)._replace(password=None).difference_update_query(("password", "passwd"))
    return bare.render_as_string(hide_password=False)
