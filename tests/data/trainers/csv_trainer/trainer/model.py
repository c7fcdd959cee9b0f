"""A regression from columns of CSV rows, with queues long gone: tf.data and a model_fn."""

import tensorflow.compat.v1 as tf

COLUMNS = ["width", "height", "colour", "weight"]
DEFAULTS = [[0.0], [0.0], ["red"], [0.0]]
LABEL = "weight"


def parse(row):
    features = dict(zip(COLUMNS, tf.io.decode_csv(row, record_defaults=DEFAULTS), strict=True))
    return features, features.pop(LABEL)


def input_fn(files, batch_size, training):
    rows = tf.data.TextLineDataset(files).skip(1).batch(batch_size).map(parse, num_parallel_calls=2)
    return rows.repeat() if training else rows


def columns():
    colour = tf.feature_column.categorical_column_with_vocabulary_list("colour", ["red", "green", "blue"])
    return [
        tf.feature_column.numeric_column("width"),
        tf.feature_column.numeric_column("height"),
        tf.feature_column.indicator_column(colour),
    ]


def model_fn(features, labels, mode, params):
    hidden = tf.feature_column.input_layer(features, columns())
    for layer in range(params["num_layers"]):
        units = max(2, int(params["first_layer_size"] * params["scale_factor"] ** layer))
        weights = tf.get_variable(f"weights_{layer}", [hidden.shape[1], units])
        hidden = tf.nn.tanh(tf.matmul(hidden, weights))
    weights = tf.get_variable("weights_out", [hidden.shape[1], 1])
    bias = tf.get_variable("bias_out", [1], initializer=tf.zeros_initializer())
    output = tf.squeeze(tf.matmul(hidden, weights) + bias, 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        outputs = {"serving_default": tf.estimator.export.PredictOutput({"weight": output})}
        return tf.estimator.EstimatorSpec(mode, predictions={"weight": output}, export_outputs=outputs)
    loss = tf.losses.mean_squared_error(labels, output)
    tf.summary.scalar("rmse", tf.sqrt(loss))  # the tag that evaluation has, too
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, eval_metric_ops={"rmse": tf.metrics.root_mean_squared_error(labels, output)}
        )
    kinds = {"adam": tf.train.AdamOptimizer, "adagrad": tf.train.AdagradOptimizer}
    optimizer = kinds[params["optimizer"]](params["learning_rate"])
    return tf.estimator.EstimatorSpec(
        mode, loss=loss, train_op=optimizer.minimize(loss, tf.train.get_or_create_global_step())
    )


def serving_input_fn():
    rows = tf.placeholder(tf.string, [None], name="csv")
    features = dict(zip(COLUMNS, tf.io.decode_csv(rows, record_defaults=DEFAULTS), strict=True))
    features.pop(LABEL)
    return tf.estimator.export.ServingInputReceiver(features, {"csv": rows})
