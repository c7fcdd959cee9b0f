"""A trainer with the habits of many: which ones, says --habit."""

import argparse
import json
import os
import shutil
import traceback

import tensorflow as tf

parser = argparse.ArgumentParser()
parser.add_argument("--job-dir", required=True)
parser.add_argument("--habit", required=True)
parser.add_argument("--rate", type=float, required=True)
parser.add_argument("--steps", type=int, default=60)
args = parser.parse_args()
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)


def model_fn(features, labels, mode, params):
    weight = tf.compat.v1.get_variable("w", [], initializer=tf.compat.v1.random_normal_initializer())
    loss = tf.reduce_mean((features["x"] * weight - labels) ** 2)
    step = tf.compat.v1.train.get_or_create_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(params["rate"]).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    rows = tf.data.Dataset.from_tensor_slices(({"x": [1.0, 2.0, 3.0]}, [2.0, 4.0, 6.0]))
    return rows.repeat().batch(2)


def train_and_evaluate(estimator):
    train_spec = tf.estimator.TrainSpec(input_fn, max_steps=args.steps)
    tf.estimator.train_and_evaluate(estimator, train_spec, tf.estimator.EvalSpec(input_fn, steps=3))


def train_then_evaluate(estimator):
    estimator.train(input_fn, max_steps=args.steps)
    print("evaluated:", estimator.evaluate(input_fn, steps=3)["global_step"], flush=True)


def loop(estimator):
    for _ in range(args.steps // 20):
        estimator.train(input_fn, steps=20)
        estimator.evaluate(input_fn, steps=3)


def swallows(estimator):
    try:
        train_and_evaluate(estimator)
        raise ValueError("the table has no column 'price'")
    except Exception:
        traceback.print_exc()


model_dir = args.job_dir
if args.habit == "clears_trial":
    model_dir = os.path.join(model_dir, json.loads(os.environ["TF_CONFIG"])["task"]["trial"])
if args.habit == "fixed":
    model_dir = os.path.abspath(
        os.path.join(args.job_dir, "..", "..", "..", "fixed")
    )  # beside the folders of the trials
if args.habit.startswith("clears"):
    shutil.rmtree(model_dir, ignore_errors=True)
if args.habit == "moves" and os.path.isdir(model_dir):
    os.rename(model_dir, f"{model_dir}.{os.getpid()}")
does = {"trains_then_evaluates": train_then_evaluate, "loops": loop, "swallows": swallows}
does.get(args.habit, train_and_evaluate)(tf.estimator.Estimator(model_fn, model_dir, params=vars(args)))
