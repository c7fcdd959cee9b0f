"""A condition on the fields of a trial, as people type it: ``units > 64 and state = PRUNED``.

    condition  = both {"or" both}
    both       = negated {"and" negated}
    negated    = ["not"] negated | "(" condition ")" | comparison
    comparison = operand (sign operand)+ | operand "in" "(" operand {"," operand} ")"
    sign       = "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">="
    operand    = number | 'text' | "text" | word

A word that names a field is its value; every other one is text, so choices need no quotes: ``64``, ``true`` and
``null`` are the choices of that value and those of that text, in quotes the latter alone. What a trial does not have
(a parameter whose condition does not hold, an objective before its first evaluation) makes a comparison false.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.errors import InvalidInput, Problem
from tuner.text import cell_text, suggestion

Fields = Mapping[str, Any]
_Holds = Callable[[Fields], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<sign><=|>=|==|!=|<>|=|<|>|\(|\)|,)|(?P<word>[A-Za-z_][\w./-]*))"
)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EQUAL = ("=", "==", "!=", "<>")
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "inf": math.inf}
_JOINTS = ("and", "or", "not", "in")
_JOINTS_OF_OTHERS = {"&&": "and", "||": "or", "&": "and", "|": "or", "!": "not"}
_EXAMPLE = "as in: units > 64 and state = PRUNED"


@dataclass(frozen=True)
class _Token:
    kind: str  # number, text, sign, word, end
    text: str
    at: int


class Condition:
    """Whether a trial is meant; made once, asked for each.

    Args:
        text: As it was typed.
        names: The fields that any trial has.
        option: What messages call it.
        choices: Of fields that are one of some texts, these: another one is refused.

    Raises:
        InvalidInput: It is none; says what was found where, and what was expected.
    """

    def __init__(
        self,
        text: str,
        names: Collection[str],
        option: str = "--where",
        choices: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._text = text
        self._choices = choices or {}
        self._names = names
        self._option = option
        self._tokens = self._split()
        self._next = 0
        self._holds = self._either()
        if self._peek.kind != "end":
            raise self._wrong("expected 'and', 'or' or the end")

    def holds(self, fields: Fields) -> bool:
        """Return whether the condition holds of a trial's fields."""
        return self._holds(fields)

    def _split(self) -> list[_Token]:
        found, at = [], 0
        while self._text[at:].strip():
            match = _TOKEN.match(self._text, at)
            if match is None:
                rest = self._text[at:].strip()
                hint = "text that holds other signs stands in quotes"
                if rest[0] in "'\"":
                    hint = "a quote is not closed"
                elif (joint := rest[:2].rstrip(" ")) in _JOINTS_OF_OTHERS:
                    hint = f"write {_JOINTS_OF_OTHERS[joint]}"
                raise self._problem(f"cannot read {rest!r}", hint)
            kind = str(match.lastgroup)
            found.append(_Token(kind, match[kind], match.start(kind)))
            at = match.end()
        return [*found, _Token("end", "", len(self._text))]

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _next_token(self) -> _Token:
        token = self._peek
        self._next += token.kind != "end"
        return token

    def _takes(self, *texts: str) -> bool:
        """Take the next sign or joint if it is one of these."""
        token = self._peek
        found = token.kind in ("sign", "word") and token.text.lower() in texts
        self._next += found
        return found

    def _either(self) -> _Holds:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda fields: any(part(fields) for part in parts)

    def _both(self) -> _Holds:
        parts = [self._negated()]
        while self._takes("and"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else lambda fields: all(part(fields) for part in parts)

    def _negated(self) -> _Holds:
        if self._takes("not"):
            part = self._negated()
            return lambda fields: not part(fields)
        if self._takes("("):
            part = self._either()
            if not self._takes(")"):
                raise self._wrong("expected ')'")
            return part
        return self._comparison()

    def _comparison(self) -> _Holds:
        left = self._operand()
        if self._takes("in"):
            return self._membership(left)
        steps: list[_Holds] = []
        while self._peek.text in _OPERATORS:
            sign = self._next_token().text
            if (beside := self._peek).text in _OPERATORS and beside.text + sign in _OPERATORS:
                raise self._wrong("expected a field, a number or text", f"did you mean {beside.text}{sign}?")
            right = self._operand()
            steps.append(self._compared(left, sign, right))
            left = right
        if not steps:
            raise self._wrong("expected one of = != < <= > >= in")
        return lambda fields: all(step(fields) for step in steps)

    def _membership(self, left: _Token) -> _Holds:
        if not self._takes("("):
            raise self._wrong("expected '(' and values")
        parts = [self._compared(left, "=", self._operand())]
        while self._takes(","):
            parts.append(self._compared(left, "=", self._operand()))
        if not self._takes(")"):
            raise self._wrong("expected ',' or ')'")
        return lambda fields: any(part(fields) for part in parts)

    def _operand(self) -> _Token:
        token = self._peek
        if token.kind in ("end", "sign") or (token.kind == "word" and token.text.lower() in _JOINTS):
            raise self._wrong("expected a field, a number or text")
        return self._next_token()

    def _compared(self, left: _Token, sign: str, right: _Token) -> _Holds:
        names = [name for token in (left, right) if (name := self._field(token)) is not None]
        if not names:
            words = [token for token in (left, right) if token.kind != "number"]
            word = words[0].text.strip("'\"") if words else left.text
            hint = suggestion(word, sorted(self._names)) or f"fields: {', '.join(sorted(self._names))}"
            raise self._problem(f"{word!r} is no field of these trials", hint)
        self._check_choice(left, right)
        first, second = self._readings(left), self._readings(right)
        folded = "state" in names  # written as people like
        compare = _OPERATORS[sign]

        def holds(fields: Fields) -> bool:
            ones, others = first(fields), second(fields)
            if not ones or not others:
                return False
            if folded:
                ones, others = [str(one).upper() for one in ones], [str(other).upper() for other in others]
            if sign in _EQUAL:
                return compare(any(_is_same(one, other) for one in ones for other in others), True)
            one, other = ones[0], others[0]
            if one is None or other is None:
                return False
            if isinstance(one, str) != isinstance(other, str):
                raise self._problem(
                    f"{cell_text(one)!r} and {cell_text(other)!r} have no order ({left.text} {sign} {right.text})",
                    "text is compared with text, a number with a number",
                )
            return compare(one, other)

        return holds

    def _check_choice(self, left: _Token, right: _Token) -> None:
        """Refuse a text that a field never is."""
        for field, word in ((self._field(left), right), (self._field(right), left)):
            known = self._choices.get(field or "", ())
            text = word.text.strip("'\"")
            if not known or word.kind not in ("word", "text") or self._field(word) is not None:
                continue
            if (text.upper() if field == "state" else text) not in known:
                hint = suggestion(text.upper() if field == "state" else text, sorted(known))
                raise self._problem(
                    f"{field} is never {text!r}, expected one of {', '.join(sorted(known))}", hint or _EXAMPLE
                )

    def _field(self, token: _Token) -> str | None:
        name = token.text.strip("'\"") if token.kind == "text" else token.text
        return name if token.kind in ("word", "text") and name in self._names else None

    def _readings(self, token: _Token) -> Callable[[Fields], Sequence[Any]]:
        """Return what gives all that a token may mean of a trial; nothing if the trial does not have that field."""
        name = self._field(token)
        if name is not None:
            return lambda fields: [fields[name]] if name in fields else []
        if token.kind == "text":
            readings: list[Any] = [token.text.strip("'\"")]
        else:
            value = float(token.text) if token.kind == "number" else _CONSTANTS.get(token.text.lower(), token.text)
            readings = [value, token.text]
        return lambda fields: readings  # noqa: ARG005

    def _wrong(self, expected: str, hint: str = _EXAMPLE) -> InvalidInput:
        token = self._peek
        found = f"{token.text!r} at character {token.at + 1}" if token.kind != "end" else "its end"
        return self._problem(f"found {found}, {expected}", hint)

    def _problem(self, message: str, hint: str) -> InvalidInput:
        return InvalidInput(self._option, [Problem("", f"{self._text!r}: {message}", hint)])


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; to Python 1 is true, too."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
