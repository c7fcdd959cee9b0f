"""Estimators whose evaluations are ordinary, or ask for what only a session of their own gives them."""

import types

import numpy as np
import tensorflow as tf

_RANDOM = np.random.RandomState(0)
X = _RANDOM.uniform(-1, 1, (96, 3)).astype(np.float32)
Y = (X @ np.array([1.0, -2.0, 0.5], np.float32)).astype(np.float32)
WORDS = _RANDOM.choice(["red", "green", "blue", "mauve"], 96)


class _Listening(tf.compat.v1.train.SessionRunHook):
    pass


def model_fn(features, labels, mode, params):
    what = params.get("what")
    evaluated = mode == tf.estimator.ModeKeys.EVAL
    weights = tf.compat.v1.get_variable("weights", [3, 1])
    output = tf.squeeze(tf.matmul(features, weights), 1)
    if what == "dropout" and evaluated:
        output = tf.nn.dropout(output, rate=0.5)
    if what == "stateless" and evaluated:
        output += tf.random.stateless_normal([], seed=[1, tf.cast(tf.compat.v1.train.get_global_step(), tf.int32)])
    step = tf.compat.v1.train.get_or_create_global_step()
    if what == "raise" and evaluated:
        with tf.control_dependencies([tf.compat.v1.assert_less(step, np.int64(40))]):
            output = tf.identity(output)
    loss = tf.reduce_mean((labels - output) ** 2)
    metrics = {
        "rmse": tf.compat.v1.metrics.root_mean_squared_error(labels, output),
        "auc": tf.compat.v1.metrics.auc(labels > 0, tf.sigmoid(output)),
    }
    train_op = tf.compat.v1.train.GradientDescentOptimizer(0.05).minimize(loss, step)
    said = {"evaluation_hooks": [_Listening()]} if what == "hook" else {}
    if what == "scaffold":
        said["scaffold"] = tf.compat.v1.train.Scaffold(init_fn=lambda scaffold, session: None)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics, **said)


def train_input_fn(params):
    return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(96).repeat().batch(16)


def eval_input_fn(params):
    what = params.get("what")
    x, y = X, Y
    if what == "subset":
        chosen = np.random.choice(len(X), 40)
        x, y = X[chosen], Y[chosen]
    if what == "lines":
        with open(params["lines"], "a") as file:
            file.write("".join(f"{number}\n" for number in np.random.rand(8)))
        return tf.data.TextLineDataset(params["lines"]).map(_parsed).batch(32)
    rows = tf.data.Dataset.from_tensor_slices((x, y))
    if what == "shuffle":
        rows = rows.shuffle(96)
    if what == "py_function":
        rows = rows.map(lambda x, y: (tf.ensure_shape(tf.numpy_function(_doubled, [x], tf.float32), [3]), y))
    if what == "cache":
        rows = rows.cache()
    if what == "map":
        rows = rows.map(lambda x, y: (x * 2, y), num_parallel_calls=2).prefetch(1)
    return rows.batch(32)


def eval_spec(params):
    steps = 2 if params.get("what") == "steps" else None
    return tf.estimator.EvalSpec(lambda: eval_input_fn(params), steps=steps, throttle_secs=0, start_delay_secs=0)


def _parsed(line):
    number = tf.strings.to_number(line)
    return tf.stack([number, -number, number * number]), number


def _doubled(x):
    return x * 2


def _classifier(params, config):
    vocabulary = ["red", "green", "blue"]
    words = tf.feature_column.categorical_column_with_vocabulary_list("word", vocabulary, num_oov_buckets=1)
    columns = [tf.feature_column.numeric_column("x", [3]), tf.feature_column.embedding_column(words, 2)]
    if "file" in params:
        if params.get("grows"):
            with open(params["file"], "a") as file:
                file.write(f"{params['grows'].pop()}\n" if params["grows"] else "")
        words = tf.feature_column.categorical_column_with_vocabulary_file("word", params["file"], num_oov_buckets=1)
        columns.append(tf.feature_column.indicator_column(words))
    return tf.estimator.DNNClassifier([4], columns, n_classes=3, config=config)


def _rows(params):
    labels = np.searchsorted([-0.5, 0.5], Y)
    return tf.data.Dataset.from_tensor_slices(({"x": X, "word": WORDS}, labels))


canned = types.SimpleNamespace(
    __name__="canned",
    estimator_fn=_classifier,
    train_input_fn=lambda params: _rows(params).repeat().batch(16),
    eval_input_fn=lambda params: _rows(params).batch(32),
)
