"""What a user's error is said as."""

import importlib.util
import sys

import pytest

from tuner.errors import InvalidInput
from tuner.model.error_text import full_text, one_line


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
    assert one_line(error).endswith("(line 3 of users.py)")
    assert full_text(error).endswith(f"(line 3 of {tmp_path / 'users.py'})")


MAPPED = """
import tensorflow as tf

def parse(row):
    raise ValueError("no column 'price'")

def rows(row):
    return parse(row)

tf.data.Dataset.range(3).map(rows)
"""


@pytest.mark.tf
@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (MAPPED, 5, "ValueError: no column 'price'"),
        (
            "import tensorflow as tf\ntf.data.Dataset.range(3).map(\n  lambda row: row['price'])\n",
            3,
            "TypeError: Only int",
        ),
    ],
)
def test_the_line_is_the_users_own_in_code_that_autograph_has_converted(tf, tmp_path, text, line, said):
    error = raised(tmp_path, text)
    assert one_line(error).startswith(said)
    assert one_line(error).endswith(f" (line {line} of users.py)")
    assert full_text(error).endswith(f" (line {line} of {tmp_path / 'users.py'})")


def test_a_message_of_several_lines_is_cut_in_a_line_and_whole_in_full(tmp_path):
    error = raised(tmp_path, "raise ValueError('first\\nsecond')\n")
    assert one_line(error) == "ValueError: first (line 1 of users.py)"
    assert full_text(error) == f"ValueError: first\nsecond (line 1 of {tmp_path / 'users.py'})"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes came with Python 3.11")
@pytest.mark.parametrize("note", ["'while reading rows.csv'", "''", "'\\n'"])
def test_notes_do_not_take_the_place_of_the_error(note, tmp_path):
    error = raised(tmp_path, f"error = ValueError('no rows')\nerror.add_note({note})\nraise error\n")
    assert one_line(error) == "ValueError: no rows (line 3 of users.py)"
    assert full_text(error).startswith("ValueError: no rows (line 3 of ")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes came with Python 3.11")
def test_a_note_does_not_take_the_place_of_what_python_cannot_read():
    with pytest.raises(SyntaxError) as caught:
        compile("import os\nrate = = 3\n", "trainer/task.py", "exec")
    caught.value.add_note("generated from rate.in")
    assert one_line(caught.value) == "SyntaxError: invalid syntax (line 2 of trainer/task.py: rate = = 3)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise ValueError\n", "ValueError (line 1 of users.py)"),
        ("raise ValueError('\\nlate')\n", "ValueError: (line 1 of users.py)"),
        ("raise type('', (Exception,), {'__module__': 'builtins'})\n", " (line 1 of users.py)"),
        (
            "class Mute(AttributeError):\n    def __str__(self): raise RuntimeError\nraise Mute\n",
            "users.Mute: <exception str() failed> (line 3 of users.py)",
        ),
        ("exec(compile('1 / 0', 5000 * 'x', 'exec'))\n", "ZeroDivisionError: division by zero (line 1 of users.py)"),
    ],
)
def test_whatever_an_error_is_like_it_can_be_said(text, said, tmp_path):
    error = raised(tmp_path, text)
    assert one_line(error) == said
    assert full_text(error)


@pytest.mark.parametrize(
    "before",
    [
        'Detected at node Parse defined at (most recent call last):\n  File "a.py", line 3, in <module>\n\n',
        "Detected at node 'Parse' defined at (most recent call last):\nNode: 'Parse'\n",
        "",
    ],
)
def test_what_tensorflow_says_before_it_comes_to_what_went_wrong_is_left_out(before):
    error = ValueError(f"Graph execution error:\n\n{before}Could not parse example input\n\t [[{{{{node Parse}}}}]]")
    assert one_line(error) == "ValueError: Could not parse example input"


def test_errors_of_ours_and_exits_are_said_in_our_words(tmp_path):
    assert one_line(InvalidInput("", "not so")) == "not so"
    assert one_line(raised(tmp_path, "raise SystemExit(3)\n")) == "the model called exit(3)"


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
    assert one_line(error).endswith(said)
    assert full_text(error).endswith(f"{has}: import tensorflow.compat.v1 as tf")


@pytest.mark.tf
def test_what_neither_has_is_said_as_it_is(tmp_path, tf):
    assert one_line(raised(tmp_path, "import tensorflow as tf\ntf.nosuch\n")).endswith("'nosuch' (line 2 of users.py)")
    assert one_line(raised(tmp_path, "import os\nos.logging\n")).endswith("'logging' (line 2 of users.py)")
    assert one_line(raised(tmp_path, "import tensorflow as tf\ntf.contrib.layers\n")).endswith(
        "; tf.contrib.layers is gone: tf.compat.v1.layers, tf.feature_column, or the package tf_slim"
    )
