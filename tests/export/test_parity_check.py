"""What counts as equal predictions."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tuner.export import parity_check
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


WITHOUT_KERAS = """
import runpy, sys
runpy.run_path(sys.argv[1])["_import_tensorflow"]()
import tensorflow as tf
assert not {"keras", "tf_keras", "tuner"} & set(sys.modules)
assert tf.constant([1.0]).numpy() == 1
assert tf.keras.layers.Dense(1).units == 1
"""


@pytest.mark.tf
def test_the_check_imports_tensorflow_without_keras_which_is_there_for_whoever_asks():
    done = subprocess.run([sys.executable, "-c", WITHOUT_KERAS, parity_check.__file__], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
