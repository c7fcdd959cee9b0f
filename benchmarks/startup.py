"""From the command to its first work: ``tuner --help``, a sweep's first training step, a later trial."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.result import Result, Row, Spread
from benchmarks.work import EVALUATE_EVERY, FIXED, MODEL, SPACE, STEPS
from tuner.backends import Ended
from tuner.backends.local import LocalBackend
from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.files.paths import Root, TrialDir

BARE_TYPER = """\
import typer
app = typer.Typer()
@app.command()
def hello(name: str = "x"):
    "Say hello."
@app.command()
def bye(name: str = "x"):
    "Say bye."
app()
"""
FIRST_STEP = b"loss = "  # Estimator's line of the first step


def run(quick: bool) -> Result:
    """Measure in turns, so that a slow moment of the machine hits all contenders."""
    rounds = 3 if quick else 7
    helped = _in_turns(rounds * 3, {"tuner --help": _help, "a bare typer program --help": _bare_help})
    begun = _in_turns(
        rounds,
        {
            "import TensorFlow alone": lambda: _imports("tensorflow"),
            "import TensorFlow and MLflow, side by side": lambda: _imports("tensorflow", "mlflow"),
            "tuner run, new root": _first_step,
            "tuner run, root with a database": lambda: _first_step(database=True),
        },
    )
    rows = [Row(name, {"s": Spread.of(samples)}, "help") for name, samples in helped.items()]
    rows += [Row(name, {"s": Spread.of(samples)}, "until the first training step") for name, samples in begun.items()]
    rows += _later_trials(rounds)
    (ours, bare), (alone, imports, new, again) = map(_medians, (helped, begun))
    ratios = {
        "help": bare / ours,
        "tensorflow_alone": alone / new,
        "first_step": imports / new,
        "first_step_with_database": imports / again,
    }
    return Result(
        rows, ratios, ["the first step is the first line of loss in a trial's log, its checkpoint at step 0 before it"]
    )


def _medians(samples: dict[str, list[float]]) -> list[float]:
    return [median(each) for each in samples.values()]


def _in_turns(rounds: int, contenders: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for measure in contenders.values():
        measure()  # files come into the system's cache
    for _ in range(rounds):
        for name, measure in contenders.items():
            found[name].append(measure())
    return found


def _help() -> float:
    return _timed("-m", "tuner", "--help")


def _bare_help() -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bare.py"
        file.write_text(BARE_TYPER, encoding="utf-8")
        return _timed(str(file), "--help")


def _timed(*arguments: str) -> float:
    begun = time.perf_counter()
    _start(*arguments).wait()
    return time.perf_counter() - begun


def _imports(*names: str) -> float:
    begun = time.perf_counter()
    started = [_start("-c", f"import {name}") for name in names]
    for process in started:
        process.wait()
    return time.perf_counter() - begun


def _first_step(database: bool = False) -> float:
    """Return how long a sweep takes from the command to the first line of loss."""
    with tempfile.TemporaryDirectory(prefix="startup-") as name:
        root = Root(Path(name))
        if database:
            _make_database(root)
        space = root.path / "space.yaml"
        space.write_text(SPACE, encoding="utf-8")
        begun = time.perf_counter()
        process = _start("-m", "tuner", "run", str(space), "--root", name, "--workers", "2", "--trials", "2")
        logs = [root.sweep("throughput").trial(number).log_file for number in (0, 1)]
        while not any(FIRST_STEP in _content(log) for log in logs):
            if process.poll() is not None:
                raise RuntimeError(f"tuner run ended with status {process.returncode} before its first step")
            time.sleep(0.005)
        taken = time.perf_counter() - begun
        process.wait()
        return taken


def _make_database(root: Root) -> None:
    code = (
        "from pathlib import Path; from tuner.files.paths import Root; from tuner.recorders.mlflow import store; "
        f"store.prepare_environment(); store.make_database(Root(Path({str(root.path)!r})))"
    )
    _start("-c", code).wait()


def _later_trials(rounds: int) -> list[Row]:
    """Measure trials of a fork server from the order to the first line of the log, and to the end."""
    lines, ends = [], []
    with tempfile.TemporaryDirectory(prefix="startup-") as name:
        backend = LocalBackend(ModelRef(MODEL), Path(name) / "log.txt")
        backend.open()
        for number in range(rounds + 1):
            trial_dir = TrialDir(Path(name) / f"{number:04d}")
            params = {**FIXED, "learning_rate": 0.01, "units": 48}
            begun = time.perf_counter()
            backend.start(Job(number, 1, params, 1, TrainSettings(STEPS, EVALUATE_EVERY), ModelRef(MODEL)), trial_dir)
            while not _content(trial_dir.log_file):
                backend.wait(0.001)
            lines.append(time.perf_counter() - begun)
            while not any(isinstance(message, Ended) for message in backend.wait(1.0)):
                pass
            ends.append(time.perf_counter() - begun)
        backend.close()
    figures = {"first line": lines[1:], f"end, after {STEPS} steps": ends[1:]}
    return [Row(name, {"s": Spread.of(samples)}, "a later trial, from the order") for name, samples in figures.items()]


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
