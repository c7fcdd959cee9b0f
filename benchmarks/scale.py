"""What sweeps of very many trials cost: in the driver, the study, MLflow and on the disk.

Simulated trials of ten evaluations through the loop, the journal and the record log as always, each
sweep in a process of its own; MLflow on a smaller sweep, and samplers alone. A million trials are not
run: what they would cost is computed from what the largest sweep cost a trial.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.result import Figure, Result, Row
from tuner.driver.progress import NullDisplay
from tuner.sweep import RunOptions, Sweep

SPACE = """\
name: scale
objective: {{metric: error, goal: minimize}}
parameters:
  learning_rate: {{type: float, low: 1e-4, high: 1e-1, log: true}}
  units:         {{type: int, low: 16, high: 256, step: 16}}
  dropout:       {{type: float, low: 0.0, high: 0.5}}
  optimizer:     {{type: categorical, choices: [adam, sgd]}}
train: {{max_steps: 1000, evaluate_every: 100}}
search: {{sampler: random, scheduler: {scheduler}, trials: {trials}, workers: 50}}
simulation: {{task: surface, noise: 0.01, record: {record}}}
"""
MILLION = 1_000_000
WINDOW = 500  # trials over which the CPU of a trial is taken, at the begin (behind the first 100) and at the end


@dataclass(frozen=True)
class Cost:
    """What one sweep cost.

    Attributes:
        early_ms: CPU of the driver a trial, over those behind the first 100.
        late_ms: Over the last ones.
        memory_mb: Most that the driver held.
        journal_bytes: Of the study.
        log_bytes: Of the record log.
        open_s: CPU of reading the sweep, as ``tuner show`` does.
    """

    trials: int
    early_ms: float
    late_ms: float
    memory_mb: float
    journal_bytes: int
    log_bytes: int
    open_s: float


def run(quick: bool) -> Result:
    """Measure sweeps of growing size, MLflow, and samplers."""
    sizes = (1_000, 10_000)
    costs = {trials: measure("none", trials) for trials in sizes}
    largest = costs[sizes[-1]]
    halved = measure("asha", sizes[-1] if not quick else sizes[0])
    rows = [_row(f"{trials:,} trials", cost) for trials, cost in costs.items()]
    rows.append(_row(f"{halved.trials:,} trials, asha", halved))
    rows.append(_computed(costs[sizes[0]], largest))
    rows += _mlflow(200 if quick else 1_000)
    rows += _samplers((100, 1_000, 10_000))
    return Result(
        rows,
        {
            f"{largest.trials}_over_100": largest.late_ms / largest.early_ms,
            "500_mb_over_memory": 500 / largest.memory_mb,
        },
        [
            "simulated trials of ten evaluations, four parameters, drawn at random; journal and record log are written",
            f"{largest.trials}_over_100 is a cost over a cost, of the last {WINDOW} trials and of the {WINDOW} behind "
            "the first 100: at most 1.2 is what it should be, not above 1",
            "a million trials are computed from the largest sweep, a million draws of tpe from the largest study",
            "the driver's memory is its most, when it reads the whole sweep once more at the end",
            "checkpoints are not among it: three times the model's size a trial, or search.max_checkpoint_bytes in all",
        ],
    )


def measure(scheduler: str, trials: int) -> Cost:
    """Run a sweep in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", scheduler, str(trials)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the sweep of {trials} trials failed:\n{done.stderr}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


class Meter(NullDisplay):
    """Note the CPU that was spent when each trial had come to rest: finished, or paused."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def line(self, line: str) -> None:
        if any(f": {state}" in line for state in ("COMPLETE", "PRUNED", "PAUSED")):
            self.at.append(time.process_time())


def _sweep(scheduler: str, trials: int) -> Cost:
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        root = Path(folder)
        file = root / "scale.yaml"
        file.write_text(SPACE.format(scheduler=scheduler, trials=trials, record="false"), encoding="utf-8")
        sweep = Sweep.from_file(file, root)
        meter = Meter()
        sweep.session(RunOptions(backend="simulated"), meter).run()
        peak = _memory_mb()
        at, window, first = meter.at[:trials], min(WINDOW, trials // 4), min(100, trials // 4)
        began = time.process_time()
        result = Sweep.open("scale", root).result()
        open_s = time.process_time() - began
        assert len(result.trials) == trials
        return Cost(
            trials=trials,
            early_ms=(at[first + window] - at[first]) / window * 1e3,
            late_ms=(at[-1] - at[-1 - window]) / window * 1e3,
            memory_mb=peak,
            journal_bytes=sweep.dir.journal_file.stat().st_size,
            log_bytes=sweep.dir.records_file.stat().st_size,
            open_s=open_s,
        )


def _row(contender: str, cost: Cost) -> Row:
    return Row(
        contender,
        {
            "CPU a trial, ms": cost.late_ms,
            "driver's memory, MB": cost.memory_mb,
            "journal, MB": cost.journal_bytes / 1e6,
            "record log, MB": cost.log_bytes / 1e6,
            "tuner show, s of CPU": cost.open_s,
        },
        "driver, study and log",
    )


def _computed(smaller: Cost, cost: Cost) -> Row:
    times = MILLION / cost.trials
    trial_mb = (cost.memory_mb - smaller.memory_mb) / (cost.trials - smaller.trials)
    figures: Mapping[str, Figure] = {
        "CPU a trial, ms": cost.late_ms,
        "driver's memory, MB": cost.memory_mb + trial_mb * (MILLION - cost.trials),
        "journal, MB": cost.journal_bytes / 1e6 * times,
        "record log, MB": cost.log_bytes / 1e6 * times,
        "tuner show, s of CPU": cost.open_s * times,
    }
    return Row("1,000,000 trials (computed)", figures, "driver, study and log")


def _mlflow(trials: int) -> list[Row]:
    """Run a sweep that is recorded, and say what MLflow cost beside it."""
    counts = (1, 1 + trials // 4, 1 + trials // 4 + trials)  # the first makes the database
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        root = Path(folder)
        seconds, sizes = zip(*[_recorded(root, count) for count in counts], strict=True)
    # Each run starts MLflow and arranges the sweep's page once more: the difference of two is the trials'.
    trial_s = (seconds[2] - seconds[1]) / (trials - trials // 4)
    trial_mb = (sizes[2] - sizes[1]) / trials / 1e6
    group = "MLflow on SQLite, beside the driver"
    rows = []
    for name, count in ((f"{trials:,} trials", trials), *((f"{n:,} trials (computed)", n) for n in (10_000, MILLION))):
        figures: dict[str, Figure] = {"seconds": trial_s * count, "ms a trial": trial_s * 1e3}
        rows.append(Row(name, {**figures, "database, MB": trial_mb * count}, group))
    return rows


def _recorded(root: Path, trials: int) -> tuple[float, int]:
    """Bring a recorded sweep to so many trials; return the seconds until MLflow had all, and the database's bytes."""
    from tuner.recorders.process import RecorderProcess

    file = root / "scale.yaml"
    file.write_text(SPACE.format(scheduler="none", trials=trials, record="true"), encoding="utf-8")
    sweep = Sweep.from_file(file, root)
    began = time.perf_counter()
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    recorder = RecorderProcess(sweep.dir, None, sweep.dir.driver_log_file)
    recorder.start()
    arrived = recorder.drain(3600.0)
    seconds = time.perf_counter() - began
    recorder.close()
    if not arrived:
        raise RuntimeError(recorder.status())
    return seconds, (root / "mlflow.db").stat().st_size


def _samplers(sizes: tuple[int, ...]) -> list[Row]:
    rows = []
    for name in ("random", "tpe"):
        asks = {trials: _ask_ms(name, trials) for trials in sizes}
        figures: dict[str, Figure] = {f"behind {trials:,} trials": cost for trials, cost in asks.items()}
        growth = asks[sizes[-1]] / sizes[-1] * MILLION if name == "tpe" else asks[sizes[-1]]
        rows.append(Row(name, {**figures, f"behind {MILLION:,} (computed)": growth}, "a draw, ms of CPU"))
    return rows


def _ask_ms(sampler: str, trials: int, asks: int = 5) -> float:
    """Return the CPU of a draw behind so many trials."""
    import optuna
    from optuna.distributions import FloatDistribution

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kinds = {"random": optuna.samplers.RandomSampler, "tpe": optuna.samplers.TPESampler}
    study = optuna.create_study(sampler=kinds[sampler](seed=0))
    names = [f"x{index}" for index in range(4)]
    draw = optuna.samplers.RandomSampler(seed=1)._rng.rng
    space = {name: FloatDistribution(0.0, 1.0) for name in names}
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={name: draw.uniform() for name in names}, distributions=dict(space), value=draw.uniform()
            )
            for _ in range(trials)
        ]
    )
    began = time.process_time()
    for _ in range(asks):
        trial = study.ask()
        for name in names:
            trial.suggest_float(name, 0.0, 1.0)
    return (time.process_time() - began) / asks * 1e3


def _memory_mb() -> float:
    """Return the most memory that this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _main(arguments: list[str]) -> None:
    cost = _sweep(arguments[0], int(arguments[1]))
    data: dict[str, Any] = dict(vars(cost))
    print(json.dumps(data))


if __name__ == "__main__":
    _main(sys.argv[1:])
