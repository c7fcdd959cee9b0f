"""The bare work, to measure a limit: ``python -m benchmarks.peers.bare FOLDER TRIALS``.

Prints as JSON the CPU seconds of each ``train_and_evaluate`` with the settings that a trial of ours has,
one after another in one process that has done it before.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.work import EVALUATE_EVERY, FIXED, MODEL, STEPS, UNITS
from tuner.jobs import Job
from tuner.paths import TrialDir
from tuner.spec import ModelRef, TrainSettings
from tuner.trial.run import run_job
from tuner.trial.stopping import StopRequest
from tuner.trial.warm import warm_up


def main() -> None:
    """Train again and again."""
    folder, trials = Path(sys.argv[1]), int(sys.argv[2])
    model = ModelRef(MODEL)
    warm_up(model)
    spent = []
    for number in range(trials + 1):
        params = {**FIXED, "learning_rate": 0.01, "units": UNITS[0] + UNITS[2]}
        train = TrainSettings(max_steps=STEPS, evaluate_every=EVALUATE_EVERY)
        trial_dir = TrialDir(folder / f"{number:04d}")
        trial_dir.path.mkdir(parents=True)
        begun = time.process_time()
        run_job(Job(number, 1, params, 1, train, model), trial_dir, StopRequest())
        spent.append(time.process_time() - begun)
    print(json.dumps(spent[1:]))


if __name__ == "__main__":
    main()
