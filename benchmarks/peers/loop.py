"""A hand-written loop: Optuna draws, an Estimator trains in this process, MLflow records.

    python -m benchmarks.peers.loop FOLDER TRIALS [--jobs N] [--storage FILE]

With ``--jobs 2`` Optuna runs two trials at a time in threads; with ``--storage`` several processes share
one study, as Optuna's documentation has it for one machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mlflow
import optuna
import tensorflow as tf

from benchmarks.work import EVALUATE_EVERY, LEARNING_RATE, METRIC, STEPS, UNITS, interval, train_and_evaluate
from tuner.estimator.install import install_estimator


def main() -> None:
    """Run the trials."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("trials", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--storage", type=Path)
    given = parser.parse_args()
    install_estimator()
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.WARN)
    mlflow.set_tracking_uri(f"sqlite:///{given.folder}/mlflow.db")
    mlflow.set_experiment("loop")
    study = optuna.create_study(study_name="loop", storage=_storage(given.storage), load_if_exists=True)
    with mlflow.start_run(run_name="sweep") as sweep:
        study.optimize(
            lambda trial: _objective(trial, given.folder, sweep.info.run_id), n_trials=given.trials, n_jobs=given.jobs
        )


def _storage(file: Path | None) -> optuna.storages.BaseStorage | None:
    if file is None:
        return None
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(file)))


def _objective(trial: optuna.Trial, folder: Path, sweep: str) -> float:
    with interval(folder), mlflow.start_run(parent_run_id=sweep, nested=True, run_name=f"trial-{trial.number}"):
        params = {
            "learning_rate": trial.suggest_float("learning_rate", *LEARNING_RATE, log=True),
            "units": trial.suggest_int("units", UNITS[0], UNITS[1], step=UNITS[2]),
        }
        mlflow.log_params(params)
        found = train_and_evaluate(params, folder / "trials" / str(trial.number))
        assert list(found) == list(range(EVALUATE_EVERY, STEPS + 1, EVALUATE_EVERY))
        for step, metrics in found.items():
            mlflow.log_metrics(metrics, step)
        return found[STEPS][METRIC]


if __name__ == "__main__":
    main()
