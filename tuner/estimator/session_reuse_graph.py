"""What an evaluation runs of its graph: whether it is what another one runs, and can be run again in one session.

A GraphDef and the names of what is run come in; a digest, or the first operation that forbids it, goes
out. Two evaluations of a model differ in what is built but not run (seeds of initial values) and in
names that are only counted on (functions, anonymous tables); all else must be equal to the last byte.

A session remembers more than variables: random generators, iterators, caches. So only operations that
do the same in a used session as in a new one may be run in a used one, and a stateful operation that
is not named here is not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

_VARIABLES = frozenset({"VarHandleOp", "VariableV2", "Variable"})
_HOLDERS = _VARIABLES | {"IteratorV2", "HashTableV2", "HashTable"}  # of what lives as long as a session
_STATEFUL = re.compile(
    r"(?:Read|Assign|AssignAdd|AssignSub)VariableOp|VarIsInitializedOp|VariableShape"
    r"|ResourceGather(?:Nd)?|ResourceScatter(?:Add|Sub|Mul|Div|Min|Max|Update|NdAdd|NdSub|NdUpdate)"
    r"|InitializeTableV2|LookupTable(?:Import|Find|Size|Export)V2"
    r"|MakeIterator|IteratorGetNext(?:Sync|AsOptional)?"
    r"|TensorArray(?:Read|Write|Gather|Scatter|Size|Concat|Split|Close)?V3"
    r"|StatefulPartitionedCall|If|While|Case|Assert|CheckNumerics(?:V2)?|Print(?:V2)?"
    r"|RestoreV2|StatelessRandomGetAlg|DeviceIndex"
)
# Of these a session remembers what it read: the number of the input that names files.
_READ_ONCE = {"InitializeTableFromTextFileV2": 1, "InitializeTableFromTextFile": 1, "ReadFile": 0, "MatchingFiles": 0}
_NEVER = frozenset({"PyFuncStateless", "GenerateVocabRemapping", "ImmutableConst"})  # not said to be stateful either
_ANY_DATASET = re.compile(r"\w*Dataset(?:V\d)?")
_DATASET = re.compile(
    r"(?:Experimental)?(?:Tensor|TensorSlice|SparseTensorSlice|Range|TFRecord|TextLine|FixedLengthRecord|CSV"
    r"|Zip|Concatenate|(?:Parallel)?(?:Map|Filter|Batch)|FlatMap|(?:Legacy)?(?:Parallel)?Interleave|DirectedInterleave"
    r"|FilterByLastComponent|PaddedBatch|DenseToSparseBatch|MapAndBatch|Unbatch|Rebatch|Window|SlidingWindow"
    r"|GroupByWindow|GroupByReducer|Scan|Take|TakeWhile|Skip|Repeat|Shard|Prefetch|ParseExample|IgnoreErrors"
    r"|AssertCardinality|Unique|Options|Model|Optimize|Finalize|MaxIntraOpParallelism|PrivateThreadPool)Dataset(?:V\d)?"
)
_ANONYMOUS_TABLE = re.compile(rb"hash_table_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Computation:
    """The part of a graph that is run.

    Attributes:
        nodes: NodeDefs, in the graph's order.
        functions: FunctionDefs by name, in the order in which nodes refer to them.
    """

    nodes: tuple[Any, ...]
    functions: dict[str, Any]

    @classmethod
    def of(cls, graph_def: Any, roots: Iterable[str]) -> Computation:
        """Return what is run of a graph for the nodes named ``roots``."""
        by_name = {node.name: node for node in graph_def.node}
        needed: set[str] = set()
        waiting = list(roots)
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting.extend(_source(edge) for edge in by_name[name].input)
        nodes = tuple(node for node in graph_def.node if node.name in needed)
        library = {function.signature.name: function for function in graph_def.library.function}
        functions: dict[str, Any] = {}
        bodies = [nodes]
        for body in bodies:  # grows
            for name in (called for node in body for called in _calls(node)):
                if name in library and name not in functions:
                    functions[name] = library[name]
                    bodies.append(library[name].node_def)
        return cls(nodes, functions)

    @property
    def variables(self) -> frozenset[str]:
        """The names of the variables that are used."""
        return frozenset(node.name for node in self.nodes if node.op in _VARIABLES)

    @property
    def obstacle(self) -> str:
        """The first operation that may do something else in a used session than in a new one, or an empty string."""
        for node in self.nodes:
            if not self._repeatable(node.op) and not (node.op in _READ_ONCE and self._named(node)):
                return str(node.op)
        for function in self.functions.values():
            for node in function.node_def:
                if node.op in _HOLDERS or not self._repeatable(node.op):
                    return str(node.op)
        return ""

    def _repeatable(self, op: str) -> bool:
        from tensorflow.python.framework import op_def_registry

        if op in self.functions or op in _HOLDERS or _STATEFUL.fullmatch(op):
            return True  # of a function the body is looked at
        if op in _READ_ONCE or op in _NEVER:
            return False
        if _ANY_DATASET.fullmatch(op):
            return _DATASET.fullmatch(op) is not None
        definition = op_def_registry.get(op)
        return definition is not None and not definition.is_stateful

    @property
    def read_once(self) -> list[tuple[str, str]]:
        """Operations that read files, with the files' names or patterns, of which a session remembers the contents."""
        return [(node.op, name) for node in self.nodes if node.op in _READ_ONCE for name in self._named(node)]

    def _named(self, node: Any) -> list[str]:
        """Return the files that a node names by constants."""
        from tensorflow.python.framework import tensor_util

        name = _source(node.input[_READ_ONCE[node.op]])
        sources = [source for source in self.nodes if source.name == name and source.op == "Const"]
        names = [tensor_util.MakeNdarray(source.attr["value"].tensor).ravel() for source in sources]
        return [name.decode() for array in names for name in array]

    def digest(self, *more: str | bytes) -> bytes:
        """Return a digest that is equal for what computes the same under the same names.

        Args:
            more: What else must be equal.
        """
        said = blake2b(digest_size=32)
        names = _Names({name: f"function {number}" for number, name in enumerate(self.functions)})
        parts = (names.function(function) for function in self.functions.values())
        for part in (*more, *map(names.node, self.nodes), *parts):
            data = part if isinstance(part, str | bytes) else part.SerializeToString(deterministic=True)
            data = data.encode() if isinstance(data, str) else data
            said.update(len(data).to_bytes(8, "little"))
            said.update(data)
        return said.digest()


class _Names:
    """Names that only count on, put in terms of their order."""

    def __init__(self, functions: dict[str, str]) -> None:
        self._functions = functions
        self._tables: dict[bytes, bytes] = {}

    def node(self, node: Any) -> Any:
        """Return a node with such names replaced."""
        shared = node.attr["shared_name"].s if node.op in ("HashTableV2", "HashTable") else b""
        called = any(name in self._functions for name in _calls(node))
        if not shared and not called and "_gradient_op_type" not in node.attr:
            return node
        patched = type(node)()
        patched.CopyFrom(node)
        patched.op = self._functions.get(node.op, node.op)
        patched.attr.pop("_gradient_op_type", None)  # read while gradients are built
        for called in _references(patched):
            called.name = self._functions.get(called.name, called.name)
        if _ANONYMOUS_TABLE.fullmatch(shared):
            patched.attr["shared_name"].s = self._tables.setdefault(shared, b"table %d" % len(self._tables))
        return patched

    def function(self, function: Any) -> Any:
        """Return a function with such names replaced."""
        patched = type(function)()
        patched.CopyFrom(function)
        patched.signature.name = self._functions[function.signature.name]
        for number, node in enumerate(function.node_def):
            patched.node_def[number].CopyFrom(self.node(node))
        return patched


def _source(edge: str) -> str:
    """Return the name of the node at the start of an edge: ``a``, ``a:1``, ``^a``."""
    return edge.removeprefix("^").partition(":")[0]


def _calls(node: Any) -> Iterator[str]:
    """Yield the names of functions that a node may call: its own operation, and those in attributes."""
    yield node.op
    for called in _references(node):
        yield called.name


def _references(owner: Any) -> Iterator[Any]:
    """Yield the references to functions in the attributes of a node, or of such a reference."""
    for key in sorted(owner.attr):
        value = owner.attr[key]
        kind = value.WhichOneof("value")
        for reference in [value.func] if kind == "func" else value.list.func if kind == "list" else ():
            yield reference
            yield from _references(reference)
