"""What a server is given and what it answers, as a SavedModel's signature says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TensorShape:
    """Type and shape of a tensor.

    Attributes:
        dtype: Name of TensorFlow's type.
        shape: None if a dimension is open; None itself if even the rank is.
        sparse: Whether it is a SparseTensor or another that is made up of several.
    """

    dtype: str
    shape: tuple[int | None, ...] | None
    sparse: bool = False

    @property
    def is_column(self) -> bool:
        """Whether a row has one value of it."""
        return bool(self.shape) and all(size == 1 for size in (self.shape or ())[1:])

    @property
    def rows(self) -> int | None:
        """How many rows it takes at a time, or None if that is open."""
        return self.shape[0] if self.shape else None


@dataclass(frozen=True)
class Signature:
    """One signature of a SavedModel.

    Attributes:
        inputs: By name.
        outputs: By name.
        feeds: Input to the name of the receiver tensor that it is, or None: a classifier's ``inputs`` are what
            the serving_input_receiver_fn calls ``examples``.
        predictions: Output to the name of the tensor that it is, if that is one of the Estimator's
            predictions, or None.
    """

    inputs: Mapping[str, TensorShape]
    outputs: Mapping[str, TensorShape]
    feeds: Mapping[str, str | None]
    predictions: Mapping[str, str | None]
