"""The California housing rows that come with the package: split, and scaled by the training rows.

Read once when a model imports this, with NumPy alone: a trial's process is forked from one that has
imported its model, so the rows are shared by all trials, and TensorFlow must not have run there.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

FEATURES = ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude")
LABEL = "MedHouseVal"
FILE = Path(__file__).with_name("data") / "california_housing.csv.gz"

_SHARES = (0.70, 0.15, 0.15)
SPLIT_SEED = 1997


@dataclass(frozen=True)
class Rows:
    """Some of the rows.

    Attributes:
        features: Float32, shape (rows, 8), in the order of ``FEATURES`` and the units of the file.
        labels: Float32, shape (rows,), in 100,000 US dollars.
    """

    features: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Housing:
    """The three parts of the rows, and what standardises features.

    Attributes:
        mean: Of each feature over the training rows; float32, shape (8,).
        deviation: Standard deviation of each feature over the training rows; float32, shape (8,).
    """

    train: Rows
    validation: Rows
    test: Rows
    mean: np.ndarray
    deviation: np.ndarray


@cache
def load_housing() -> Housing:
    """Return the rows, split at random into 70 % training, 15 % validation, 15 % test; always the same."""
    with gzip.open(FILE, "rt", encoding="utf-8") as stream:
        names = tuple(stream.readline().strip().split(","))
        table = np.loadtxt(stream, delimiter=",", dtype=np.float64)
    if names != (*FEATURES, LABEL):
        raise ValueError(f"{FILE} has the columns {names}, expected {(*FEATURES, LABEL)}")
    order = np.random.RandomState(SPLIT_SEED).permutation(len(table))
    ends = np.cumsum([round(share * len(table)) for share in _SHARES[:-1]])
    train, validation, test = (_rows(table[part]) for part in np.split(order, ends))
    return Housing(train, validation, test, train.features.mean(axis=0), train.features.std(axis=0))


def _rows(table: np.ndarray) -> Rows:
    return Rows(table[:, :-1].astype(np.float32), table[:, -1].astype(np.float32))
