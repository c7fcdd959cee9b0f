"""The work that all contenders do: house prices with a small network, 300 steps, three evaluations."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STEPS = 300
EVALUATE_EVERY = 100
MODEL = "tuner.examples.housing"
FIXED = {"layers": 2, "optimizer": "adam", "batch_size": 128}
LEARNING_RATE = (1e-3, 1e-1)  # drawn on a log scale
UNITS = (32, 64, 16)  # low, high, step
METRIC = "rmse"

SPACE = f"""\
name: throughput
model: {MODEL}
objective: {{metric: {METRIC}, goal: minimize, of: last}}
parameters:
  learning_rate: {{type: float, low: {LEARNING_RATE[0]}, high: {LEARNING_RATE[1]}, log: true}}
  units: {{type: int, low: {UNITS[0]}, high: {UNITS[1]}, step: {UNITS[2]}}}
  layers: {FIXED["layers"]}
  optimizer: {FIXED["optimizer"]}
  batch_size: {FIXED["batch_size"]}
train: {{max_steps: {STEPS}, evaluate_every: {EVALUATE_EVERY}}}
search: {{sampler: tpe, scheduler: none, trials: 24, seed: 0}}
"""


def train_and_evaluate(
    params: Mapping[str, Any], folder: Path, session_config: Any = None
) -> dict[int, dict[str, float]]:
    """Train an Estimator as its user would by hand; return the metrics of each evaluation by step.

    Call ``install_estimator`` first.

    Args:
        params: What is tuned.
        folder: The model_dir.
        session_config: A ConfigProto, or None for TensorFlow's own.
    """
    import tensorflow as tf

    from tuner.examples import housing

    params = {**FIXED, **params}
    config = tf.estimator.RunConfig(
        model_dir=str(folder),
        tf_random_seed=1,
        save_checkpoints_steps=EVALUATE_EVERY,
        session_config=session_config,
    )
    estimator = tf.estimator.Estimator(housing.model_fn, config=config, params=params)
    train = tf.estimator.TrainSpec(lambda: housing.train_input_fn(params), max_steps=STEPS)
    evaluate = tf.estimator.EvalSpec(
        lambda: housing.eval_input_fn(params), steps=None, start_delay_secs=0, throttle_secs=0
    )
    tf.estimator.train_and_evaluate(estimator, train, evaluate)
    return curve(folder / "eval")


def curve(eval_dir: Path) -> dict[int, dict[str, float]]:
    """Return the scalars of the evaluations that an Estimator wrote, by step."""
    import tensorflow as tf

    found: dict[int, dict[str, float]] = {}
    for file in sorted(eval_dir.glob("events.out.tfevents.*")):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(event.step, {})[value.tag] = value.simple_value
    return found


@contextmanager
def interval(folder: Path) -> Iterator[None]:
    """Note when what runs meanwhile began and ended, in a file that several processes append to."""
    begun = time.time()
    yield
    line = json.dumps([begun, time.time()]) + "\n"
    handle = os.open(folder / "intervals.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, line.encode())
    os.close(handle)


def intervals(folder: Path) -> list[tuple[float, float]]:
    """Return what was noted in a folder, in the order of the ends."""
    lines = (folder / "intervals.jsonl").read_text(encoding="utf-8").splitlines()
    return [(begun, ended) for begun, ended in map(json.loads, lines)]
