"""A trainer that reads with pandas, uses a canned Estimator, and has a folder for each trial."""

import json
import os
import shutil

import tensorflow as tf
from absl import app, flags

from trainer import data

FLAGS = flags.FLAGS
flags.DEFINE_string("output_dir", None, "Where checkpoints go.", required=True)
flags.DEFINE_string("rows", None, "A CSV file.", required=True)
flags.DEFINE_integer("batch_size", 16, "Rows of a batch.")
flags.DEFINE_integer("train_steps", 60, "Steps of training.")
flags.DEFINE_string("hidden_units", "8 4", "Units of the layers.")
flags.DEFINE_float("dropout", 0.0, "Share of units left out.")
flags.DEFINE_bool("hypertune", False, "Report by hypertune.")

tf.compat.v1.disable_v2_behavior()


def rmse(labels, predictions):
    values = predictions["predictions"]
    return {"rmse": tf.compat.v1.metrics.root_mean_squared_error(tf.cast(labels, tf.float32), tf.squeeze(values, -1))}


def main(_argv):
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.INFO)
    trial = json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {}).get("trial", "")
    output_dir = os.path.join(FLAGS.output_dir, trial)
    shutil.rmtree(output_dir, ignore_errors=True)  # begin anew each time
    train, validation = data.split(FLAGS.rows)
    estimator = tf.estimator.DNNRegressor(
        hidden_units=[int(units) for units in FLAGS.hidden_units.split()],
        feature_columns=[tf.feature_column.numeric_column(name) for name in data.FEATURES],
        dropout=FLAGS.dropout,
        config=tf.estimator.RunConfig(model_dir=output_dir, save_checkpoints_steps=20),
    )
    estimator = tf.estimator.add_metrics(estimator, rmse)
    receiver = tf.estimator.export.build_parsing_serving_input_receiver_fn(
        {name: tf.io.FixedLenFeature([], tf.float32) for name in data.FEATURES}
    )
    train_spec = tf.estimator.TrainSpec(data.input_fn(train, FLAGS.batch_size, None), max_steps=FLAGS.train_steps)
    eval_spec = tf.estimator.EvalSpec(
        data.input_fn(validation, 64, 1),
        steps=None,
        exporters=[tf.estimator.LatestExporter("exporter", receiver)],
        throttle_secs=0,
        start_delay_secs=0,
    )
    metrics, _ = tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
    if FLAGS.hypertune:
        import hypertune

        hypertune.HyperTune().report_hyperparameter_tuning_metric(
            hyperparameter_metric_tag="final_rmse",
            metric_value=metrics["rmse"],
            global_step=metrics["global_step"],
        )


if __name__ == "__main__":
    app.run(main)
