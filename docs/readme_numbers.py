"""The numbers of README.md: its first command is run, its best trial scored on test rows; see ``readme_numbers.json``.

``python docs/readme_numbers.py`` takes some minutes; ``tests/docs/test_readme.py`` holds that README.md says what
the file says. Times are of the machine that it was run on.
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
    with tempfile.TemporaryDirectory() as root:
        began = time.monotonic()
        done = run("run", SPACE, "--root", root)
        said = [*done.stderr.splitlines(), *done.stdout.splitlines()]
        seconds = time.monotonic() - began
        (best,) = [line for line in said if line.startswith("best: ")]
        number = int(best.split()[2].rstrip(","))
        trial_dir = Path(root) / "mlruns" / "sweeps" / "housing" / "trials" / f"{number:04d}"
        test = call("-m", "tuner.examples.housing", str(trial_dir)).stdout.strip()
    ends = [line for line in said if line.startswith("trial ") and (": COMPLETE" in line or ": PRUNED" in line)]
    found = {
        "command": f"tuner run {SPACE}",
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in PACKAGES},
        "cores": os.cpu_count(),
        "minutes": round(seconds / 60, 1),
        "ends": ends[-4:],
        "finished": next(line for line in said if line.startswith("finished: ")),
        "best": best,
        "best_trial": number,
        "test": test,
    }
    FILE.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(FILE.read_text(encoding="utf-8"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of tuner."""
    return call("-m", "tuner", *arguments)


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the repository; its output is shown if it fails."""
    done = subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done


if __name__ == "__main__":
    main()
