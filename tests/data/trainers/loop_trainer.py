"""A trainer with a loop of its own: train, evaluate, train; it lives without train_and_evaluate."""

import argparse

import tensorflow as tf

parser = argparse.ArgumentParser()
parser.add_argument("--model_dir")
parser.add_argument("--rate", type=float)
parser.add_argument("--steps", type=int, default=80)
args = parser.parse_args()


def model_fn(features, labels, mode, params):
    weight = tf.compat.v1.get_variable("w", [], initializer=tf.compat.v1.random_normal_initializer())
    loss = tf.reduce_mean((features["x"] * weight - labels) ** 2)
    step = tf.compat.v1.train.get_or_create_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(params.rate).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    rows = tf.data.Dataset.from_tensor_slices(({"x": [1.0, 2.0, 3.0]}, [2.0, 4.0, 6.0]))
    return rows.repeat().batch(2)


estimator = tf.estimator.Estimator(model_fn, args.model_dir, params=args)
for step in range(20, args.steps + 1, 20):
    estimator.train(input_fn, max_steps=step)
    print(estimator.evaluate(input_fn, steps=3), flush=True)
