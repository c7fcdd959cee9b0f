"""Held-out rows as a receiver takes them."""

import numpy as np
import pytest

from tuner.export.held_out_rows import apart
from tuner.export.receiver_feed import Receiver, Unfed, feed, same_features
from tuner.export.signature import TensorShape


def receiver(dtype="float32", shape=(None,), feature=None):
    return Receiver(TensorShape(dtype, shape), feature)


def test_features_are_fed_as_what_they_become_by_name_one_for_one_or_not_at_all():
    one, two = np.arange(3, dtype=np.int64), np.arange(3, 6)
    fed = feed({"a": receiver(shape=(None, 1))}, {"a": one, "b": one})
    assert (fed["a"].dtype, fed["a"].shape) == (np.float32, (3, 1))
    assert feed({"a": receiver(feature="b")}, {"a": one, "b": two})["a"].tolist() == [3, 4, 5]
    assert feed({"pixels": receiver()}, {"feature": one})["pixels"].tolist() == [0, 1, 2]
    with pytest.raises(Unfed, match="takes x, z, the evaluation's input has a, b"):
        feed({"x": receiver(), "z": receiver()}, {"a": one, "b": one})


def test_a_server_that_takes_so_many_rows_at_a_time_is_fed_so_many():
    assert len(feed({"a": receiver(shape=(2,))}, {"a": np.arange(3)})["a"]) == 2
    with pytest.raises(Unfed, match="takes 8 rows at a time, of which 3 are held out"):
        feed({"a": receiver(shape=(8,))}, {"a": np.arange(3)})


def test_text_is_not_fed_as_numbers_nor_numbers_as_text():
    texts = np.array([b"a", b"b"], object)
    with pytest.raises(Unfed, match="takes a as float32, the evaluation's input has it as string"):
        feed({"a": receiver()}, {"a": texts})
    with pytest.raises(Unfed, match="takes a as string, the evaluation's input has it as int64"):
        feed({"a": receiver("string")}, {"a": np.arange(2)})


def test_what_was_fed_has_to_become_the_features_that_the_evaluation_has():
    padded = np.array([[b"a", b"b"], [b"c", b""]], object)
    listed = [np.array([b"a", b"b"], object), np.array([b"c"], object)]
    assert apart(padded, listed) == apart(listed, padded) == 0
    assert apart(listed, listed[::-1]) == float("inf")
    same_features({"x": padded, "weight": np.ones(2)}, {"x": listed}, 1e-5)
    with pytest.raises(Unfed, match="makes another 'x' of a row"):
        same_features({"x": np.ones(2)}, {"x": np.zeros(2)}, 1e-5)
    with pytest.raises(Unfed, match="makes the features y, the evaluation's input x"):
        same_features({"x": np.ones(2)}, {"y": np.ones(2)}, 1e-5)
