"""From the last trial's end to the prompt: export, check, last plots, MLflow; beside one import of TensorFlow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.result import Result, Row, Spread
from tuner.files.paths import Root

SPACE = Path("search_spaces/housing.yaml")
TRIALS, STEPS = 3, 900
GOAL_S = 3.0
OVER = re.compile(r"trial \d+: (COMPLETE|PRUNED|FAIL)")


def run(quick: bool) -> Result:
    """Measure both in turns, so that a slow moment of the machine hits both."""
    importing, ending = [], []
    _import()  # files come into the system's cache
    for _ in range(3 if quick else 7):
        importing.append(_import())
        ending.append(_end())
    rows = [
        Row("tuner run, from its last trial's end to the prompt", {"s": Spread.of(ending)}),
        Row("import tensorflow", {"s": Spread.of(importing)}),
        Row("the one over the other", {"s": Spread.of([e / i for e, i in zip(ending, importing, strict=True)])}),
    ]
    taken = median(ending)
    return Result(
        rows,
        {"import": median(importing) / taken, "goal/prompt": GOAL_S / taken},
        [
            f"housing, {TRIALS} trials of {STEPS} steps, 2 at a time, a new root; the best is exported and checked",
            f"goal/prompt: {GOAL_S:g} s over the median",
        ],
    )


def _import() -> float:
    begun = time.perf_counter()
    _start("-c", "import tensorflow").communicate()
    return time.perf_counter() - begun


def _end() -> float:
    """Return how long a sweep takes from the end of its last trial until its process has ended."""
    text = SPACE.read_text(encoding="utf-8")
    for key, value in {"trials": TRIALS, "max_steps": STEPS}.items():
        text = re.sub(rf"{key}: \d+", f"{key}: {value}", text)
    with tempfile.TemporaryDirectory(prefix="ending-") as folder:
        root = Root(Path(folder))
        (root.path / "space.yaml").write_text(text, encoding="utf-8")
        process = _start("-m", "tuner", "run", str(root.path / "space.yaml"), "--root", folder, "--workers", "2")
        assert process.stdout is not None
        seen, over = [], 0.0
        for line in process.stdout:
            seen.append(line)
            over = time.perf_counter() if OVER.search(line) else over
        status = process.wait()
        taken = time.perf_counter() - over
        if status or not any(line.startswith("exported") for line in seen):
            raise RuntimeError(f"tuner run ended with status {status} or without an export:\n{''.join(seen[-20:])}")
        return taken


def _start(*arguments: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # where a sweep says how it goes
        text=True,
    )
