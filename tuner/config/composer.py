"""YAML composed within bounds: what would take long, or much memory, is refused while it is read.

Aliases and merges are counted by what they stand for, so a file of a few lines cannot become millions of values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ruamel.yaml.composer import Composer
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, ScalarNode

from tuner.config.bounds import LONGEST_NUMBER, MOST_DEPTH, MOST_KEYS, MOST_VALUES

_CORE = "tag:yaml.org,2002:"
_TAGS = {_CORE + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "timestamp", "merge", "value")}


class OutOfBounds(ValueError):
    """A text goes beyond what a search space needs; says where and what."""


class _Extent(NamedTuple):
    """What a node stands for, aliases in it written out: how many values, how deep, how many keys of its own."""

    values: int = 1
    depth: int = 1
    keys: int = 0


class BoundedComposer(Composer):
    """Compose a text's nodes, and stop at the first that is out of bounds."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self._extents: dict[int, _Extent] = {}
        self._depth = self._nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._depth += 1
        self._nodes += 1
        if self._depth > MOST_DEPTH or self._nodes > MOST_VALUES:
            event = self.parser.peek_event()
            raise _out(event, _too_deep() if self._depth > MOST_DEPTH else _too_many())
        is_alias = self.parser.check_event(AliasEvent)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if is_alias:
            self._known(node)
        if id(node) not in self._extents:
            if node.tag not in _TAGS:
                raise _out(node, f"has the tag {str(node.tag)[:60]}, expected plain values")
            if isinstance(node, ScalarNode):
                _check_scalar(node)
            self._extents[id(node)] = self._extent(node)
        return node

    def _extent(self, node: Any) -> _Extent:
        if isinstance(node, ScalarNode):
            return _Extent()
        pairs = node.value if isinstance(node, MappingNode) else ()
        inside = [self._known(part) for pair in pairs for part in pair] if pairs else [*map(self._known, node.value)]
        merged = [self._known(value).keys for key, value in pairs if key.tag == _CORE + "merge"]
        keys = len(pairs) + sum(merged) if isinstance(node, MappingNode) else sum(extent.keys for extent in inside)
        extent = _Extent(1 + sum(one.values for one in inside), 1 + max((one.depth for one in inside), default=0), keys)
        if extent.values > MOST_VALUES:
            raise _out(node, _too_many())
        if extent.depth > MOST_DEPTH:
            raise _out(node, _too_deep())
        if isinstance(node, MappingNode) and keys > MOST_KEYS:
            raise _out(node, f"begins a mapping of {keys} keys, expected at most {MOST_KEYS}")
        return extent

    def _known(self, node: Any) -> _Extent:
        if id(node) not in self._extents:
            raise _out(node, "stands in itself, by an alias")
        return self._extents[id(node)]


def _check_scalar(node: Any) -> None:
    if node.tag in (_CORE + "int", _CORE + "float") and len(node.value) > LONGEST_NUMBER:
        raise _out(node, f"has a number of {len(node.value)} characters, expected at most {LONGEST_NUMBER}")


def _out(at: Any, what: str) -> OutOfBounds:
    mark = at.start_mark
    return OutOfBounds(f"line {mark.line + 1}, column {mark.column + 1}: {what}")


def _too_many() -> str:
    return f"more than {MOST_VALUES} values, aliases written out; expected plain values, and fewer"


def _too_deep() -> str:
    return f"is nested more than {MOST_DEPTH} deep"
