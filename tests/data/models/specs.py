"""A model with specs of its own: hooks, saving listeners, a name, a throttle; it writes what it saw."""

import json
from pathlib import Path

import tensorflow as tf

from tests.data.models import tiny

eval_input_fn = tiny.eval_input_fn
train_input_fn = tiny.train_input_fn


def model_fn(features, labels, mode, params):
    spec = tiny.model_fn(features, labels, mode, params)
    if mode == tf.estimator.ModeKeys.EVAL:
        mean = tf.compat.v1.metrics.mean(labels)
        return spec._replace(eval_metric_ops={**spec.eval_metric_ops, "label/mean": mean})
    return spec


class Count(tf.compat.v1.train.SessionRunHook):
    def __init__(self, file):
        self.file, self.steps = Path(file), 0

    def after_run(self, run_context, run_values):
        self.steps += 1

    def end(self, session):
        self.file.write_text(json.dumps(self.steps))


class Saved(tf.compat.v1.train.CheckpointSaverListener):
    def __init__(self, file):
        self.file = Path(file)

    def after_save(self, session, global_step_value):
        with self.file.open("a") as stream:
            stream.write(f"{global_step_value}\n")


def train_spec(params):
    return tf.estimator.TrainSpec(
        lambda: train_input_fn(params),
        max_steps=params["max_steps"],
        hooks=[Count(params["seen"] + ".steps")],
        saving_listeners=[Saved(params["seen"] + ".saved")],
    )


def eval_spec(params):
    return tf.estimator.EvalSpec(
        lambda: eval_input_fn(params), name="held_out", start_delay_secs=0, throttle_secs=params.get("throttle", 0)
    )
