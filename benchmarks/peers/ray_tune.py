"""Ray Tune with its MLflow callback: ``python -m benchmarks.peers.ray_tune FOLDER TRIALS [--reuse]``.

By default each trial is an actor of its own, which imports TensorFlow; with ``--reuse`` the trainable is
a class whose actors go from trial to trial.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback

from benchmarks.work import LEARNING_RATE, METRIC, STEPS, UNITS, interval


def main() -> None:
    """Run the trials."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("trials", type=int)
    parser.add_argument("--reuse", action="store_true")
    given = parser.parse_args()
    space = {
        "learning_rate": tune.loguniform(*LEARNING_RATE),
        "units": tune.qrandint(*UNITS),
        "folder": str(given.folder),
    }
    tuner = tune.Tuner(
        Reused if given.reuse else train,
        param_space=space,
        tune_config=tune.TuneConfig(metric=METRIC, mode="min", num_samples=given.trials, reuse_actors=given.reuse),
        run_config=tune.RunConfig(
            storage_path=str(given.folder),
            name="ray",
            callbacks=[MLflowLoggerCallback(tracking_uri=f"sqlite:///{given.folder}/mlflow.db", experiment_name="ray")],
        ),
    )
    results = tuner.fit()
    assert len(results) == given.trials and not results.errors, results.errors


def train(config: dict[str, Any]) -> None:
    """Train and report each evaluation: Ray's function API."""
    with interval(Path(config["folder"])):
        from benchmarks.work import train_and_evaluate
        from tuner.estimator.install import install_estimator

        install_estimator()
        folder = Path(tune.get_context().get_trial_dir()) / "model"
        for step, metrics in train_and_evaluate(_params(config), folder).items():
            tune.report({**metrics, "step": step})


class Reused(tune.Trainable):
    """Ray's class API: what was imported stays when the next trial comes."""

    def setup(self, config: dict[str, Any]) -> None:
        """Import TensorFlow, once an actor."""
        from tuner.estimator.install import install_estimator

        install_estimator()
        self._params = config

    def step(self) -> dict[str, Any]:
        """Train a trial to its end."""
        from benchmarks.work import train_and_evaluate

        with interval(Path(self._params["folder"])):
            found = train_and_evaluate(_params(self._params), Path(self.logdir) / "model")
            return {**found[STEPS], "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing: the Estimator has its own checkpoints."""

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial."""
        self._params = new_config
        return True


def _params(config: dict[str, Any]) -> dict[str, Any]:
    return {"learning_rate": config["learning_rate"], "units": int(config["units"])}


if __name__ == "__main__":
    main()
