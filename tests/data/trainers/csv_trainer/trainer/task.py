"""Command line of a trainer as those of the AI Platform era: CSV files, a custom Estimator, exporters."""

import argparse
import os

import tensorflow.compat.v1 as tf

from trainer import model

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--job-dir", required=True, help="Where checkpoints and exports go.")
    parser.add_argument("--train-files", nargs="+", required=True)
    parser.add_argument("--eval-files", nargs="+", required=True)
    parser.add_argument("--train-steps", type=int, default=60)
    parser.add_argument("--train-batch-size", type=int, default=16)
    parser.add_argument("--first-layer-size", type=int, default=8)
    parser.add_argument("--num-layers", type=int, default=2)
    parser.add_argument("--scale-factor", type=float, default=0.7)
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--optimizer", choices=["adagrad", "adam"], default="adam")
    parser.add_argument("--verbosity", choices=["DEBUG", "ERROR", "FATAL", "INFO", "WARN"], default="INFO")
    args = parser.parse_args()

    tf.logging.set_verbosity(args.verbosity)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = str(tf.logging.__dict__[args.verbosity] / 10)

    config = tf.estimator.RunConfig(model_dir=args.job_dir, save_checkpoints_steps=20, save_summary_steps=10)
    estimator = tf.estimator.Estimator(model_fn=model.model_fn, config=config, params=vars(args))
    train_spec = tf.estimator.TrainSpec(
        lambda: model.input_fn(args.train_files, args.train_batch_size, training=True), max_steps=args.train_steps
    )
    exporter = tf.estimator.FinalExporter("final", model.serving_input_fn)
    eval_spec = tf.estimator.EvalSpec(
        lambda: model.input_fn(args.eval_files, 64, training=False),
        steps=None,
        exporters=[exporter],
        name="csv-eval",
        start_delay_secs=0,
        throttle_secs=0,
    )
    tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
