"""The numbers of README.md: its first command is run, its best trial scored on test rows; see ``readme_numbers.json``.

``python docs/readme_numbers.py`` takes some minutes; ``tests/docs/test_readme.py`` holds that README.md says what
the file says. Times are of the machine that it was run on; ``--keep-time`` keeps the one of the run before, if
something else runs on this machine now.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
FILE = REPOSITORY / "docs" / "readme_numbers.json"
SPACE = "search_spaces/housing.yaml"
PACKAGES = ("tensorflow", "optuna", "mlflow")


def main() -> None:
    """Run the sweep of README.md's first command and write what came of it."""
    before = json.loads(FILE.read_text(encoding="utf-8")) if "--keep-time" in sys.argv else None
    with tempfile.TemporaryDirectory() as root:
        began = time.monotonic()
        said = call("-m", "tuner", "run", str(REPOSITORY / SPACE), folder=root).splitlines()
        seconds = time.monotonic() - began
        (best,) = [line for line in said if line.startswith("best: ")]
        number = int(best.split()[2].rstrip(","))
        (test,) = [
            line
            for line in call("-m", "tuner.examples.housing", "mlruns/sweeps/housing", folder=root).splitlines()
            if "test rows: " in line
        ]
    ends = [line for line in said if line.startswith("trial ") and (": COMPLETE" in line or ": PRUNED" in line)]
    found = {
        "command": f"tuner run {SPACE}",
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in PACKAGES},
        "cores": os.cpu_count(),
        "minutes": before["minutes"] if before else round(seconds / 60, 1),
        "ends": ends[-2:],
        "last": said[said.index(next(line for line in said if line.startswith("exporting "))) :],
        "mean_predicted": mean_predicted(),
        "best_trial": number,
        "test": test,
    }
    FILE.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(FILE.read_text(encoding="utf-8"))


def mean_predicted() -> float:
    """Return the error on validation rows of predicting the mean of the training rows."""
    from tuner.examples.housing_data import load_housing

    rows = load_housing()
    errors = rows.validation.labels - rows.train.labels.mean(dtype=float)
    return round(float((errors**2).mean() ** 0.5), 4)


def call(*arguments: str, folder: str) -> str:
    """Run Python in a folder and return what it says, in the order in which a terminal shows it."""
    python = [sys.executable, "-u", *arguments]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        python, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    main()
