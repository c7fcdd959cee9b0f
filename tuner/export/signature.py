"""What a server is given and what it answers, as a SavedModel's signature says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TensorShape:
    """Type and shape of a tensor.

    Attributes:
        dtype: Name of TensorFlow's type.
        shape: None where a dimension is open; None itself where even the rank is.
    """

    dtype: str
    shape: tuple[int | None, ...] | None

    @property
    def is_column(self) -> bool:
        """Whether a row has one value of it."""
        return bool(self.shape) and all(size == 1 for size in (self.shape or ())[1:])


@dataclass(frozen=True)
class Signature:
    """One signature of a SavedModel.

    Attributes:
        inputs: By name.
        outputs: By name.
        predictions: Output to the name of the Estimator's prediction that it is, or None.
    """

    inputs: Mapping[str, TensorShape]
    outputs: Mapping[str, TensorShape]
    predictions: Mapping[str, str | None]
