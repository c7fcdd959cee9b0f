"""Passwords, tokens and keys, hidden in whatever is recorded, shown or said.

``hidden`` finds them by where they stand: in a URL, behind a flag, beside a name that says what they are.
``Hiding`` knows the values themselves too, and hides them wherever else they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

HIDDEN = "***"

_SAYS_SECRET = frozenset(
    {
        *("key", "apikey", "token", "secret", "password", "passwd", "passphrase", "pwd"),
        *("credential", "credentials", "auth", "authorization", "signature"),
    }
)
_SAYS_MUCH = _SAYS_SECRET - {"key", "token", "auth", "signature"}  # needs no other word beside it in a running text
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORD = re.compile(r"(://[^:/@\s]*:)(?:[^/\s]*|[^@\s]*)@")
_BEARER = re.compile(r"\b(bearer|basic)\s+(?=\S*\d)[\w.~+/=-]{8,}", re.IGNORECASE)
_VALUE = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s"'&,;)}\]]+)"""
_ASSIGNED = re.compile(rf"(?P<name>[A-Za-z][\w.-]*)(?P<between>[\"']?\s?=\s?)(?P<value>{_VALUE})")
_MAPPED = re.compile(rf"(?<![\w-])(?P<name>[A-Za-z][\w.-]*)(?P<between>[\"']?:\s+)(?P<value>{_VALUE})")
_FLAGGED = re.compile(rf"(?<!\S)--?(?P<name>[A-Za-z][\w.-]*)(?P<between>\s+)(?P<value>{_VALUE})")
_FLAG = re.compile(r"(--?)?([A-Za-z][\w.-]*)(?:=(.*))?", re.DOTALL)
_PLACE = re.compile(r"\$\{.*|\$\w+")  # what a shell fills in
_KNOWN_LENGTH = 8  # of a value that is hidden wherever it stands: a shorter one may be a word


def says_secret(name: str) -> bool:
    """Whether what is called so is a secret: its last word is key, token, secret, password, credential or the like."""
    words = _words(name)
    return bool(words) and words[-1] in _SAYS_SECRET


def _tells(name: str) -> bool:
    """Whether a name says in a running text that what is beside it is a secret."""
    words = _words(name)
    return says_secret(name) and (len(words) > 1 or words[-1] in _SAYS_MUCH)


def is_secret(name: str, value: Any) -> bool:
    """Whether a value that goes by a name is or has one to hide; small numbers and yes and no are none."""
    return isinstance(value, str) and (hidden(value) != value or (says_secret(name) and not _harmless(value)))


def hidden(text: str) -> str:
    """Return a text as it may be shown and written down: ``***`` for each password, token and key in it.

    They are found in URLs, behind flags (``--api-key=X``), and beside names (``password: X``).
    """
    text = _BEARER.sub(rf"\1 {HIDDEN}", _PASSWORD.sub(rf"\1{HIDDEN}@", text))
    return _FLAGGED.sub(_flagged, _MAPPED.sub(_mapped, _ASSIGNED.sub(_assigned, text)))


def hidden_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a command as ``hidden`` does; here each word is known to be one."""
    return tuple(shown for _, shown, _ in _each(words))


def secrets_in(words: Sequence[str]) -> set[str]:
    """Return the values that ``hidden_words`` hides."""
    return {value for *_, values in _each(words) for value in values}


def secrets_of_url(url: str) -> set[str]:
    """Return the passwords of a URL, as they stand there and as its server has them."""
    found = set()
    if match := re.search(r"://[^:/@\s]*:(?P<password>[^/\s]*|[^@\s]*)@", url):
        found.add(match["password"])
    found |= {m["value"] for m in _ASSIGNED.finditer(url) if says_secret(m["name"]) and not _harmless(m["value"])}
    return found | {unquote(value) for value in found}


class Hiding:
    """Hides what looks like a secret, and values that are known to be one.

    Args:
        values: Secrets; those that might be an ordinary word or number are not looked for.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {value for value in values if _is_unlike_a_word(value)}
        longest_first = sorted(known, key=lambda value: (-len(value), value))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __call__(self, text: str) -> str:
        """Return ``text`` as it may be recorded, shown and said."""
        return hidden(self._known.sub(HIDDEN, text) if self._known else text)

    def values(self, mapping: Mapping[str, str]) -> dict[str, str]:
        """Return a mapping of names to texts with what is to be hidden of each."""
        named = {name for name, text in mapping.items() if says_secret(name) and not _harmless(text)}
        return {name: HIDDEN if name in named else self(text) for name, text in mapping.items()}


def _each(words: Sequence[str]) -> Iterable[tuple[str, str, set[str]]]:
    """Yield each word, how it is shown, and which secrets it has."""
    awaits = False  # whether the word before is a flag whose value is a secret
    for word in words:
        match = _FLAG.fullmatch(word)
        name = match[2] if match else ""
        if awaits and not word.startswith("-") and not _harmless(word):
            yield word, HIDDEN, {word}
        elif match and _is_given(match) and not _harmless(match[3]):
            yield word, f"{word[: -len(match[3])]}{HIDDEN}", {match[3]}
        else:
            yield word, hidden(word), secrets_of_url(word)
        awaits = bool(match and match[1] and match[3] is None and says_secret(name))


def _is_given(match: re.Match[str]) -> bool:
    """Whether a word is ``--key=X`` or ``API_KEY=X``."""
    return match[3] is not None and (_tells(match[2]) or (bool(match[1]) and says_secret(match[2])))


def _assigned(match: re.Match[str]) -> str:
    """Hide ``api_key=X``, ``--key=X`` and ``?key=X``, but not ``KEY=VALUE``, which is said of anything."""
    given = match.start() > 0 and match.string[match.start() - 1] in "?&-"
    return _replaced(match, _tells(match["name"]) or (given and says_secret(match["name"])))


def _mapped(match: re.Match[str]) -> str:
    """Hide ``password: X``; not ``key: X``, which messages say of anything, nor ``--api-key: what is wrong``."""
    return _replaced(match, _tells(match["name"]))


def _flagged(match: re.Match[str]) -> str:
    """Hide ``--api-key X``, but nothing that goes on as a sentence would."""
    return _replaced(match, says_secret(match["name"]) and not (match["value"].isalpha() and match["value"].islower()))


def _replaced(match: re.Match[str], secret: bool) -> str:
    value = match["value"]
    if not secret or _harmless(value.strip("\"'")):
        return match[0]
    return match[0][: -len(value)] + HIDDEN


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _harmless(value: str) -> bool:
    """Whether a value is none that anybody would hide: nothing, yes or no, a small number, what is filled in later."""
    number = re.fullmatch(r"[+-]?[\d.]{1,7}(e[+-]?\d+)?", value, re.IGNORECASE)
    word = value.lower() in ("", HIDDEN, "true", "false", "yes", "no", "none", "null")
    return bool(number) or word or value[0] in "{[" or bool(_PLACE.fullmatch(value))


def _is_unlike_a_word(value: str) -> bool:
    return len(value) >= _KNOWN_LENGTH and any(map(str.isdigit, value)) and any(map(str.isalpha, value))
