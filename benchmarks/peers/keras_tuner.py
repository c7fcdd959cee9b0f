"""Keras Tuner on the equal Keras model: ``python -m benchmarks.peers.keras_tuner FOLDER TRIALS``.

It keeps records of its own and none in MLflow, which is less to do.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import tensorflow as tf

from benchmarks.work import EVALUATE_EVERY, FIXED, LEARNING_RATE, STEPS, UNITS, interval
from tuner.examples.housing_data import load_housing

HOUSING = load_housing()


class Search(keras_tuner.RandomSearch):
    """Random search that notes when its trials begin and end."""

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a trial."""
        with interval(Path(sys.argv[1])):
            return super().run_trial(trial, *args, **kwargs)


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Build the network of ``tuner.examples.housing``."""
    rate = hp.Float("learning_rate", *LEARNING_RATE, sampling="log")
    units = hp.Int("units", UNITS[0], UNITS[1], step=UNITS[2])
    raw = keras.Input((len(HOUSING.mean),))
    hidden = keras.layers.Normalization(mean=HOUSING.mean, variance=HOUSING.deviation**2)(raw)
    hidden = keras.ops.clip(hidden, -5.0, 5.0)
    for _ in range(FIXED["layers"]):
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
    model = keras.Model(raw, keras.layers.Dense(1)(hidden))
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, 3000, alpha=0.02)),
        loss=keras.losses.Huber(),
        metrics=[keras.metrics.RootMeanSquaredError(name="rmse"), "mae"],
    )
    return model


def main() -> None:
    """Run the trials."""
    folder, trials = Path(sys.argv[1]), int(sys.argv[2])
    train = tf.data.Dataset.from_tensor_slices((HOUSING.train.features, HOUSING.train.labels))
    validation = tf.data.Dataset.from_tensor_slices((HOUSING.validation.features, HOUSING.validation.labels))
    tuner = Search(
        build,
        objective=keras_tuner.Objective("val_rmse", "min"),
        max_trials=trials,
        seed=0,
        directory=str(folder),
        project_name="keras",
    )
    tuner.search(
        train.shuffle(4096).repeat().batch(FIXED["batch_size"]).prefetch(2),
        validation_data=validation.batch(1024),
        steps_per_epoch=EVALUATE_EVERY,
        epochs=STEPS // EVALUATE_EVERY,
        verbose=0,
    )
    assert len(tuner.oracle.trials) == trials


if __name__ == "__main__":
    main()
