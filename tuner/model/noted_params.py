"""Parameters that note which of them a model reads: one that no trial reads is misspelled, or has no effect."""

from __future__ import annotations

import copy
import sys
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import Any


class NotedParams(dict[str, Any]):
    """A dict that knows which of its keys nobody has asked for; whoever copies it has read all.

    Args:
        params: The parameters.
        unread: Takes away what is read; a set of its own by default.
    """

    def __init__(self, params: Mapping[str, Any], unread: set[str] | None = None) -> None:
        super().__init__(params)
        self.unread = set(params) if unread is None else unread

    def __getitem__(self, key: str) -> Any:
        self.unread.discard(key)
        try:
            return super().__getitem__(key)
        except KeyError as error:
            error.of_params = True  # type: ignore[attr-defined]  # a key of these, not of features
            raise

    def __contains__(self, key: object) -> bool:
        self.unread.discard(str(key))
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        # Overridden, so that dict(params) and **params ask for each value, too.
        return super().__iter__()

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return dict, (self.copy(),)

    def __deepcopy__(self, memo: dict[int, Any]) -> NotedParams:
        # An Estimator copies what it is given, and again what it gives to model_fn.
        values = {key: copy.deepcopy(value, memo) for key, value in super().items()}
        return NotedParams(values, self.unread)

    def get(self, key: str, default: Any = None) -> Any:
        self.unread.discard(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self.unread.discard(key)
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        self.unread.discard(key)
        return super().setdefault(key, default)

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        self.unread.clear()
        return super().items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        self.unread.clear()
        return super().values()

    def copy(self) -> dict[str, Any]:
        self.unread.clear()
        return dict(super().items())

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()


def own(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dict of the parameters for a function of the user's, which may change it."""
    if not isinstance(params, NotedParams):
        return dict(params)
    if "yaml" in sys.modules:  # which represents known types only
        for dumper in (sys.modules["yaml"].SafeDumper, sys.modules["yaml"].Dumper):
            dumper.add_representer(NotedParams, lambda dumper, noted: dumper.represent_dict(noted.items()))
    return NotedParams(dict(dict.items(params)), params.unread)
