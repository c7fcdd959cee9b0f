"""What a user's error is said as."""

import importlib.util

import pytest

from tuner.errors import InvalidInput
from tuner.task.faults import in_a_line, in_full


def raised(tmp_path, text):
    """The error of a file of the user's when it is imported."""
    file = tmp_path / "users.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location("users", file)
    with pytest.raises(BaseException) as caught:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return caught.value


def test_the_line_is_the_users_also_where_a_library_raised(tmp_path):
    error = raised(tmp_path, "import json\n\njson.loads('{')\n")
    assert in_a_line(error).endswith("(line 3 of users.py)")
    assert in_full(error).endswith(f"(line 3 of {tmp_path / 'users.py'})")


def test_a_message_of_several_lines_is_cut_in_a_line_and_whole_in_full(tmp_path):
    error = raised(tmp_path, "raise ValueError('first\\nsecond')\n")
    assert in_a_line(error) == "ValueError: first (line 1 of users.py)"
    assert in_full(error) == f"ValueError: first\nsecond (line 1 of {tmp_path / 'users.py'})"


def test_errors_of_ours_and_exits_are_said_in_our_words(tmp_path):
    assert in_a_line(InvalidInput("", "not so")) == "not so"
    assert in_a_line(raised(tmp_path, "raise SystemExit(3)\n")) == "the model called exit(3)"


@pytest.mark.tf
@pytest.mark.parametrize(
    ("asked", "has"),
    [
        ("tf.logging.set_verbosity(0)", "tf.compat.v1.logging"),
        ("tf.placeholder(tf.float32)", "tf.compat.v1.placeholder"),
        ("tf.train.AdamOptimizer(0.1)", "tf.compat.v1.train.AdamOptimizer"),
        ("tf.metrics.accuracy([1], [1])", "tf.compat.v1.metrics.accuracy"),
        ("tf.summary.FileWriterCache", "tf.compat.v1.summary.FileWriterCache"),
    ],
)
def test_what_tensorflow_1_had_is_named_where_tensorflow_2_has_it(asked, has, tmp_path, tf):
    error = raised(tmp_path, f"import tensorflow as tf\n{asked}\n")
    said = f"(line 2 of users.py); TensorFlow 2 has it as {has}: import tensorflow.compat.v1 as tf"
    assert in_a_line(error).endswith(said)
    assert in_full(error).endswith(f"{has}: import tensorflow.compat.v1 as tf")


@pytest.mark.tf
def test_what_neither_has_is_said_as_it_is(tmp_path, tf):
    assert in_a_line(raised(tmp_path, "import tensorflow as tf\ntf.nosuch\n")).endswith("'nosuch' (line 2 of users.py)")
    assert in_a_line(raised(tmp_path, "import os\nos.logging\n")).endswith("'logging' (line 2 of users.py)")
    assert in_a_line(raised(tmp_path, "import tensorflow as tf\ntf.contrib.layers\n")).endswith(
        "; tf.contrib ended with TensorFlow 1"
    )
