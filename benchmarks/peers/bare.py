"""The bare work, to measure a limit: ``python -m benchmarks.peers.bare FOLDER TRIALS``.

Prints as JSON the CPU seconds of trainings, one after another in one process that has done it before:
``plain`` is TensorFlow's own ``train_and_evaluate`` with the settings that a trial of ours has, ``ours``
the same in the way a trial of ours does it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.work import EVALUATE_EVERY, FIXED, MODEL, STEPS, UNITS, train_and_evaluate
from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.estimator.stop_control import StopRequest
from tuner.files.paths import TrialDir
from tuner.forkserver.preload import preload_model
from tuner.model.estimator_specs import session_config
from tuner.trial.run import run_job

PARAMS = {"learning_rate": 0.01, "units": UNITS[0] + UNITS[2]}


def main() -> None:
    """Train again and again."""
    folder, trials = Path(sys.argv[1]), int(sys.argv[2])
    preload_model(ModelRef(MODEL))
    spent: dict[str, list[float]] = {"plain": [], "ours": []}
    for number in range(trials + 1):
        for name, work in (("plain", _plain), ("ours", _ours)):
            begun = time.process_time()
            work(folder / f"{number:04d}-{name}")
            spent[name].append(time.process_time() - begun)
    print(json.dumps({name: seconds[1:] for name, seconds in spent.items()}))


def _plain(folder: Path) -> None:
    train_and_evaluate(PARAMS, folder, session_config(1))


def _ours(folder: Path) -> None:
    folder.mkdir()
    train = TrainSettings(max_steps=STEPS, evaluate_every=EVALUATE_EVERY)
    job = Job(0, 1, {**FIXED, **PARAMS}, 1, train, ModelRef(MODEL))
    run_job(job, TrialDir(folder), StopRequest())


if __name__ == "__main__":
    main()
