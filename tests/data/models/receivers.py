"""Estimators by what their servers are given: one case for each kind of serving input receiver."""

import numpy as np
import tensorflow as tf

ROWS, BATCH = 96, 32
_RANDOM = np.random.RandomState(0)
X = _RANDOM.normal(size=(ROWS, 4)).astype(np.float32)
X[::3, 3] = 0.0  # a serialised Example of these ends in zeros
AGE = _RANDOM.uniform(18, 80, ROWS).astype(np.float32)
COLORS = ("red", "green", "grün")
COLOR = _RANDOM.choice(COLORS, ROWS)
LINES = np.char.add(COLOR, "\nand more")
WORDS = [list(_RANDOM.choice(["a", "b", "c"], size)) for size in _RANDOM.randint(0, 5, ROWS)]
PADDED = np.array([[*words, *[""] * (4 - len(words))] for words in WORDS])
IMAGES = np.array([b"\x89\x00" * (1 + i % 7) for i in range(ROWS)], object)
CLASS = (X[:, :1] > 0).astype(np.int64)
VALUE = X @ np.array([[1.0], [-1.0], [0.5], [2.0]], np.float32)


def _parsing(spec):
    return lambda: tf.estimator.export.build_parsing_serving_input_receiver_fn(spec)()


def _raw(default_batch_size=None, **features):
    def receiver():
        like = {name: tf.constant(values) for name, values in features.items()}
        return tf.estimator.export.build_raw_serving_input_receiver_fn(like, default_batch_size)()

    return receiver


def _receiving(make):
    """Return a serving_input_receiver_fn from one that returns features and what a server is given."""
    return lambda: tf.estimator.export.ServingInputReceiver(*make())


def _open():
    x = tf.compat.v1.placeholder(tf.float32)
    return {"x": x}, {"x": x}


def _flat():
    x = tf.compat.v1.placeholder(tf.float32, [None])
    return {"x": x}, {"x": x}


def _logarithms():
    x = tf.compat.v1.placeholder(tf.float32, [None, 4])
    return {"x": tf.math.log1p(tf.abs(x))}, {"x": x}


def _lists():
    tokens = tf.compat.v1.placeholder(tf.int64, [None, None])
    return {"tokens": tokens}, {"tokens": tokens}


def _sparse():
    words = tf.compat.v1.sparse_placeholder(tf.string, [None, None])
    return {"words": words}, {"words": words}


def _renamed():
    examples = tf.compat.v1.placeholder(tf.string, [None])
    spec = {"years": tf.io.FixedLenFeature([], tf.float32), "c": tf.io.FixedLenFeature([], tf.string, "red")}
    found = tf.io.parse_example(tf.reshape(examples, [-1]), spec)
    return {"age": found["years"], "color": found["c"]}, {"serialized": examples}


def _mapped():
    """Parse row by row, as input functions do."""
    examples = tf.compat.v1.placeholder(tf.string, [None])
    spec = {"x": tf.io.FixedLenFeature([4], tf.float32)}
    return tf.map_fn(lambda row: tf.io.parse_single_example(row, spec), examples, {"x": tf.float32}), examples


def _tensor():
    x = tf.compat.v1.placeholder(tf.float32, [None, 4])
    return tf.estimator.export.TensorServingInputReceiver(x, {"pixels": x})


def _alternatives():
    x = tf.compat.v1.placeholder(tf.float32, [None, 4])
    scaled = tf.identity(x)
    return {"x": scaled}, {"x": x}, {"scaled": {"x": scaled}}


def _numbers(features):
    """Return a matrix of whatever a case's features are."""
    if not isinstance(features, dict):
        return features
    found = []
    for name in sorted(features):
        values = features[name]
        if isinstance(values, tf.RaggedTensor):
            values = values.to_tensor(default_value="")
        if isinstance(values, (tf.SparseTensor, tf.compat.v1.SparseTensor)):
            values = tf.sparse.to_dense(values, default_value="")
        if values.dtype == tf.string:
            values = tf.cast(tf.strings.length(values), tf.float32)
        if name in ("words", "tokens"):
            values = tf.reduce_sum(tf.cast(values, tf.float32), 1)
        found.append(tf.reshape(values, [-1, 4 if name == "x" else 1]))
    return tf.concat(found, 1)


def _custom(outputs=None):
    """Return a linear model; ``outputs`` makes export_outputs of its predictions."""

    def model_fn(features, labels, mode):
        value = tf.compat.v1.layers.dense(_numbers(features), 1)
        predictions = {"value": value, "table": tf.constant([1.0, 2.0, 3.0])}
        if isinstance(features, dict) and "tokens" in features:
            predictions["each"] = tf.cast(features["tokens"], tf.float32) + value
        if mode == tf.estimator.ModeKeys.PREDICT:
            exported = outputs(predictions) if outputs else None
            return tf.estimator.EstimatorSpec(mode, predictions, export_outputs=exported)
        loss = tf.reduce_mean((labels - value) ** 2)
        step = tf.compat.v1.train.get_global_step()
        train_op = tf.compat.v1.train.GradientDescentOptimizer(1e-4).minimize(loss, step)
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    return lambda config: tf.estimator.Estimator(model_fn, config=config)


def _without_table(predictions):
    return {"serving_default": tf.estimator.export.PredictOutput({"value": predictions["value"]})}


def _bytes(predictions):
    codes = tf.strings.join([tf.strings.as_string(predictions["value"]), tf.constant(b"\xff\x00")])
    predictions["codes"] = codes
    return {"serving_default": tf.estimator.export.PredictOutput({"codes": codes})}


def _random(predictions):
    predictions["value"] += tf.random.uniform([])
    return _without_table(predictions)


def _python(predictions):
    value = predictions["value"]
    predictions["value"] = tf.ensure_shape(tf.compat.v1.py_func(lambda x: x * 2, [value], tf.float32), value.shape)
    return _without_table(predictions)


def _each(predictions):
    return {"serving_default": tf.estimator.export.PredictOutput({"each": predictions["each"]})}


def _classify_only(predictions):
    scores = tf.estimator.export.ClassificationOutput(scores=predictions["value"])
    return {"serving_default": scores, "regress": tf.estimator.export.RegressionOutput(predictions["value"])}


def _columns(*names):
    column = tf.feature_column
    colors = column.categorical_column_with_vocabulary_list("color", COLORS)
    words = column.categorical_column_with_hash_bucket("words", 10)
    found = {"x": column.numeric_column("x", [4]), "age": column.numeric_column("age"), "color": colors, "words": words}
    return [found[name] for name in names]


def _linear(kind, *names):
    return lambda config: getattr(tf.estimator, kind)(_columns(*names), config=config)


def _deep(config):
    return tf.estimator.DNNRegressor([8], _columns("x"), config=config)


def _several_heads(config):
    head = tf.estimator.MultiHead(
        [tf.estimator.MultiClassHead(3, name="kind"), tf.estimator.RegressionHead(name="size")]
    )

    def model_fn(features, labels, mode):
        logits = {
            "kind": tf.compat.v1.layers.dense(features["x"], 3),
            "size": tf.compat.v1.layers.dense(features["x"], 1),
        }
        optimizer, step = tf.compat.v1.train.AdamOptimizer(0.1), tf.compat.v1.train.get_or_create_global_step()
        return head.create_estimator_spec(
            features, mode, logits, labels=labels, train_op_fn=lambda loss: optimizer.minimize(loss, step)
        )

    return tf.estimator.Estimator(model_fn, config=config)


def _keras(config):
    inputs = tf.keras.Input([4], name="x")
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1, name="value")(inputs))
    model.compile(tf.keras.optimizers.SGD(0.01), "mse")
    return tf.keras.estimator.model_to_estimator(keras_model=model, config=config)


def _examples_of_words():
    rows = []
    for words in WORDS:
        example = tf.train.Example()
        example.features.feature["words"].bytes_list.value.extend(word.encode() for word in words)
        rows.append(example.SerializeToString())
    return rows


def _parsed(feature):
    """Return what gives batches of words as this feature parses them."""

    def dataset():
        rows = tf.data.Dataset.from_tensor_slices((_examples_of_words(), VALUE)).batch(BATCH)
        return rows.map(lambda examples, value: (tf.io.parse_example(examples, {"words": feature}), value))

    return dataset


def _tokens():
    """Return rows of several lengths, each batch padded to its longest, the third longer than the others."""
    rows = [np.arange(1 + i % 3 + 2 * (i >= 64)) for i in range(ROWS)]
    found = tf.data.Dataset.from_generator(lambda: iter(rows), tf.int64, [None])
    found = tf.data.Dataset.zip((tf.data.Dataset.zip({"tokens": found}), tf.data.Dataset.from_tensor_slices(VALUE)))
    return found.padded_batch(40, ({"tokens": [None]}, [1]))


def _slices(features, labels=VALUE):
    return lambda: tf.data.Dataset.from_tensor_slices((features, labels)).batch(BATCH)


FLOAT4, TEXT = tf.io.FixedLenFeature([4], tf.float32), tf.io.FixedLenFeature([], tf.string)
AGES, SOME = tf.io.FixedLenFeature([], tf.float32), tf.io.VarLenFeature(tf.string)
RAGGED = tf.io.RaggedFeature(tf.string)
PERSON = {"color": COLOR, "age": AGE}

CASES = {  # name to Estimator, rows, serving_input_receiver_fn
    "raw floats": (_custom(_without_table), _slices({"a": AGE, "b": AGE[:, None]}), _raw(a=AGE, b=AGE[:, None])),
    "raw text and a matrix": (
        _linear("LinearClassifier", "x", "color"),
        _slices({"x": X, "color": COLOR}, CLASS),
        _raw(x=X, color=COLOR),
    ),
    "raw, of another shape": (_custom(_without_table), _slices({"x": X}), _receiving(_flat)),
    "raw scalars": (_linear("LinearRegressor", "age"), _slices({"age": AGE[:, None]}), _raw(age=AGE)),
    "raw of open rank": (_custom(_without_table), _slices({"x": X}), _receiving(_open)),
    "raw, eight rows at a time": (_custom(_without_table), _slices({"x": X}), _raw(8, x=X)),
    "Examples of one float feature": (
        _linear("LinearClassifier", "x"),
        _slices({"x": X}, CLASS),
        _parsing({"x": FLOAT4}),
    ),
    "Examples of several features": (
        _linear("LinearClassifier", "age", "color"),
        _slices(PERSON, CLASS),
        _parsing({"age": AGES, "color": TEXT}),
    ),
    "Examples of one string": (
        _linear("LinearRegressor", "color"),
        _slices({"color": COLOR}),
        _parsing({"color": TEXT}),
    ),
    "Examples of lists, padded in evaluation": (
        _linear("LinearRegressor", "words"),
        _slices({"words": PADDED}),
        _parsing({"words": SOME}),
    ),
    "Examples of lists, sparse in evaluation": (
        _linear("LinearRegressor", "words"),
        _parsed(SOME),
        _parsing({"words": SOME}),
    ),
    "Examples of lists, ragged": (_custom(_without_table), _parsed(RAGGED), _parsing({"words": RAGGED})),
    "Examples for a regressor": (_deep, _slices({"x": X}), _parsing({"x": FLOAT4})),
    "Examples with names of their own": (_custom(_without_table), _slices(PERSON), _receiving(_renamed)),
    "Examples, parsed row by row": (_custom(_without_table), _slices({"x": X}), _receiving(_mapped)),
    "Examples, classified only": (_custom(_classify_only), _slices({"x": X}), _parsing({"x": FLOAT4})),
    "a tensor": (_custom(_without_table), _slices(X), _tensor),
    "several heads": (_several_heads, _slices({"x": X}, {"kind": CLASS, "size": VALUE}), _raw(x=X)),
    "Keras": (_keras, _slices({"x": X}), _raw(x=X)),
    "lists that are padded batch by batch": (
        _custom(_each),
        _tokens,
        _receiving(_lists),
    ),
    "a prediction without rows": (_custom(), _slices({"x": X}), _raw(x=X)),
    "bytes and a matrix": (_custom(_without_table), _slices({"image": IMAGES, "x": X}), _raw(image=IMAGES, x=X)),
    "features that the server makes": (_custom(_without_table), _slices({"x": X}), _receiving(_logarithms)),
    "sparse placeholders": (_custom(_without_table), _parsed(SOME), _receiving(_sparse)),
    "text of several lines": (_custom(_without_table), _slices({"color": LINES}), _raw(color=LINES)),
    "predictions that are bytes": (_custom(_bytes), _slices({"x": X}), _raw(x=X)),
    "an alternative": (_custom(_without_table), _slices({"x": X}), _receiving(_alternatives)),
    "random predictions": (_custom(_random), _slices({"x": X}), _raw(x=X)),
    "Python in the graph": (_custom(_python), _slices({"x": X}), _raw(x=X)),
    "raw floats, classified only": (_custom(_classify_only), _slices({"x": X}), _raw(x=X)),
    "Examples of what the evaluation lacks": (
        _custom(_without_table),
        _slices({"x": X}),
        _parsing({"x": FLOAT4, "age": AGES}),
    ),
    "an evaluation that fails": (_custom(_without_table), _slices({"x": X}), _raw(x=X)),
}


def estimator_fn(params, config):
    return CASES[params["case"]][0](config)


def train_input_fn(params):
    return CASES[params["case"]][1]().repeat()


def eval_input_fn(params):
    if params["case"] == "an evaluation that fails":
        raise OSError("the rows for validation are gone")
    return CASES[params["case"]][1]()


def serving_input_receiver_fn(params):
    return CASES[params["case"]][2]()
