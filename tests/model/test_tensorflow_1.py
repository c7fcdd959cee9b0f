"""What TensorFlow 2 has no more: found, named, and rewritten if that needs no thought."""

from pathlib import Path

import pytest

from tuner.model.tensorflow_1 import REPLACEMENTS, markdown, only_in_version_1, replacement, uses
from tuner.operations.modernize import modernize, modernized

GUIDE = Path(__file__).parents[2] / "docs" / "moving.md"
GONE = [
    "contrib.framework.get_or_create_global_step",
    "contrib.layers.fully_connected",
    "contrib.layers.optimize_loss",
    "contrib.estimator.forward_features",
    "contrib.layers.variance_scaling_initializer",
    "contrib.learn.RunConfig",
    "contrib.learn.datasets",
    "contrib.lookup",
    "contrib.data",
    "contrib.eager",
    "examples",
    "python.estimator",
    "python.keras.preprocessing",
]


def never(_name):
    return False


def test_the_guide_has_the_table():
    assert markdown() in GUIDE.read_text(encoding="utf-8")
    assert set(GONE) <= {entry.gone for entry in REPLACEMENTS}


def test_the_longest_name_of_the_table_counts():
    assert replacement("contrib.layers.optimize_loss").gone == "contrib.layers.optimize_loss"
    assert replacement("contrib.layers.other").gone == "contrib.layers"
    assert replacement("contrib.unknown").gone == "contrib"
    assert replacement("contribution") is None


@pytest.mark.tf
@pytest.mark.parametrize("name", [e.name for e in REPLACEMENTS if e.name.startswith("tf.")])
def test_what_is_written_instead_is_there_under_either_import(name, tf):
    for module in (tf, tf.compat.v1):
        found = module
        for part in name.removeprefix("tf.").split("."):
            found = getattr(found, part)


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("import tensorflow as tf\ntf.contrib.layers.flatten(x)", {2: "tf.contrib.layers.flatten"}),
        ("import tensorflow.compat.v1 as tf\ntf.contrib.eager.x", {2: "tf.contrib.eager.x"}),
        (
            "from tensorflow.contrib import lookup\nlookup.t()",
            {1: "tensorflow.contrib.lookup", 2: "tf.contrib.lookup.t"},
        ),
        (
            "from tensorflow.python.estimator.model_fn import ModeKeys as M\nM.EVAL",
            {1: "tensorflow.python.estimator"},
        ),
        ("from tensorflow import contrib as c\nc.data.x", {1: "tensorflow.contrib", 2: "tf.contrib.data.x"}),
        ("import tensorflow.contrib.slim as slim", {1: "tensorflow.contrib.slim"}),
        ("def f():\n  from tensorflow.examples.tutorials import mnist", {2: "tensorflow.examples.tutorials.mnist"}),
        ("import contrib\ncontrib.layers", {}),
        ("tf.contrib.layers", {}),
        ("import tensorflow as tf\ntf.data.Dataset", {}),
    ],
)
def test_each_use_is_found_by_what_the_file_imported(text, symbols):
    assert {use.line: use.symbol for use in uses(text)} == symbols


def test_what_only_version_1_has_is_found_where_it_is_imported_by_name_too():
    text = (
        "import tensorflow as tf\nfrom tensorflow import placeholder as p, layers, data\n"
        "from tensorflow.train import AdamOptimizer\nfrom tensorflow.compat.v1 import Session\n"
        "p(layers.dense)\ntf.Session(tf.placeholder)\nimport tensorflow.layers as l\n"
    )
    gone = {"placeholder", "layers", "layers.dense", "Session", "train.AdamOptimizer"}
    assert [(use.line, use.symbol) for use in uses(text, gone.__contains__)] == [
        (2, "tensorflow.layers"),
        (2, "tensorflow.placeholder"),
        (3, "tensorflow.train.AdamOptimizer"),
        (6, "tf.Session"),
        (6, "tf.placeholder"),
        (7, "tensorflow.layers"),
    ]
    said = [str(use) for use in uses(text, gone.__contains__) if use.line == 3]
    assert said == [
        "tensorflow.train.AdamOptimizer is gone: tf.compat.v1.train.AdamOptimizer: "
        "from tensorflow.compat.v1.train import AdamOptimizer"
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from tensorflow import placeholder\n", "from tensorflow import placeholder\n"),
        (
            "import tensorflow as tf\nx = tf.placeholder(é)\n",
            "import tensorflow.compat.v1 as tf\nx = tf.placeholder(é)\n",
        ),
        ("import tensorflow as tf, os\ntf.placeholder\n", "import tensorflow as tf, os\ntf.compat.v1.placeholder\n"),
        (
            "import tensorflow as tf\ny = 'é', tf.contrib.framework.nest\n",
            "import tensorflow as tf\ny = 'é', tf.nest\n",
        ),
        (
            "from tensorflow.python.keras.preprocessing import text\n",
            "from tensorflow.keras.preprocessing import text\n",
        ),
        (
            "from tensorflow.python.estimator.model_fn import ModeKeys\r\n",
            "from tensorflow_estimator.python.estimator.model_fn import ModeKeys\r\n",
        ),
        (
            "from keras.optimizers import Adam\nAdam(lr=1, x=2)\n",
            "from keras.optimizers import Adam\nAdam(learning_rate=1, x=2)\n",
        ),
        ("tf.keras.optimizers.SGD(\n  lr=1)\n", "tf.keras.optimizers.SGD(\n  learning_rate=1)\n"),
        ("import mine\nmine.Adam(lr=1)\n", "import mine\nmine.Adam(lr=1)\n"),
        (
            "import tensorflow as tf\ntf.contrib.layers.optimize_loss(1)\n",
            "import tensorflow as tf\ntf.contrib.layers.optimize_loss(1)\n",
        ),
    ],
)
def test_what_is_mechanical_is_rewritten_and_nothing_else(before, after):
    assert modernized(before, {"placeholder"}.__contains__) == after
    assert modernized(after, {"placeholder"}.__contains__) == after


def test_a_patch_is_made_and_no_file_touched(tmp_path):
    (tmp_path / "task.py").write_text("import tensorflow as tf\ntf.contrib.layers.flatten(x)\ntf.contrib.slim\n")
    (tmp_path / "old.py").write_text("print 1\n")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    (tmp_path / "venv" / "theirs.py").write_text("import tensorflow.contrib\n")
    old, task = modernize(tmp_path, never)
    assert old.unread.startswith("line 1 is no Python 3")
    assert [use.line for use in task.left] == [3]
    assert "-tf.contrib.layers.flatten(x)\n+tf.compat.v1.layers.flatten(x)\n" in task.patch(tmp_path)
    assert "contrib.layers" in (tmp_path / "task.py").read_text()
    task.write()
    assert "contrib.layers" not in (tmp_path / "task.py").read_text()


@pytest.mark.tf
def test_what_only_version_1_has_is_known(tf):
    assert only_in_version_1("placeholder")
    assert only_in_version_1("train.AdamOptimizer")
    assert not only_in_version_1("data.Dataset")
    assert not only_in_version_1("nonsense")
