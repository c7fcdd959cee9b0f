"""What counts as equal predictions."""

import json

import numpy as np
import pytest

from tuner.export.parity_check import decode, difference, encode


def test_arrays_and_bytes_keep_every_bit_through_json():
    texts = np.array([b"a\0\0", b"b", b""], object)
    assert decode(json.loads(json.dumps(encode(texts)))).tolist() == [b"a\0\0", b"b", b""]
    numbers = np.array([[0.1, np.nan], [np.inf, -0.0]], np.float32)
    assert decode(json.loads(json.dumps(encode(numbers)))).tobytes() == numbers.tobytes()


def test_equal_means_close_numbers_same_strings_and_same_whole_numbers():
    assert difference(np.float32([1, 2]), np.float32([1, 2])) == 0
    assert 0 < difference(np.float32([1000]), np.float32([1000.001])) < 1e-5
    assert difference(np.float32([1]), np.float32([1.1])) == pytest.approx(0.1, rel=1e-3)
    assert difference(np.int64([7]), np.int64([8])) == float("inf")
    assert difference(np.float32([np.nan]), np.float32([np.nan])) == 0
    assert difference(np.float32([np.nan]), np.float32([1])) == float("inf")
    assert difference(np.array([b"a"], object), np.array(["b"])) == float("inf")
    assert difference(np.float32([1]), np.float32([1, 2])) == float("inf")
