"""What the driver costs a trial: CPU of the loop with few trials behind it and with many.

Trials are over at once, parameters are drawn at random, nothing is sent to MLflow; the study's journal,
the record log, the trials' folders and jobs are written as always.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.instant import InstantBackend
from benchmarks.result import Result, Row
from tuner.driver.context import LoopContext
from tuner.driver.loop import Loop
from tuner.driver.progress import Progress
from tuner.driver.stop_requests import StopRequests
from tuner.files.paths import Root
from tuner.records.log import RecordLog
from tuner.schedulers import make_scheduler
from tuner.study import Study
from tuner.study.storage import open_storage
from tuner.sweep import Sweep

SPACE = """\
name: overhead
model: tuner.testing.tiny_model
objective: {{metric: rmse, goal: minimize, of: last}}
parameters:
  x: {{type: float, low: 0.0, high: 1.0}}
  y: {{type: float, low: 1e-4, high: 1e-1, log: true}}
  z: {{type: int, low: 1, high: 8}}
  o: {{type: categorical, choices: [adam, sgd]}}
train: {{max_steps: 300, evaluate_every: 100}}
search: {{sampler: {sampler}, scheduler: {scheduler}, trials: {trials}, seed: 0}}
"""
WINDOW = 100  # trials over which a cost is taken
SIZES = (100, 1_000, 10_000)


class Meter:
    """A watcher that notes CPU and wall time each time that a trial has finished."""

    def __init__(self) -> None:
        self.at: list[tuple[float, float]] = [_now()]

    def line(self, line: str) -> None:
        del line

    def update(self, progress: Progress) -> None:
        while len(self.at) <= progress.done:
            self.at.append(_now())

    def cost(self, trials: int) -> tuple[float, float]:
        """Return CPU and wall seconds of a trial, over the window that ends with the ``trials``-th."""
        (cpu, wall), (cpu_before, wall_before) = self.at[trials], self.at[trials - WINDOW]
        return (cpu - cpu_before) / WINDOW, (wall - wall_before) / WINDOW


def run(quick: bool) -> Result:
    """Run one long sweep, and with a median scheduler and TPE shorter ones."""
    _sweep("random", "none", WINDOW)  # what is imported and compiled once
    rows: list[Row] = []
    meter, folder_size = _sweep("random", "none", SIZES[-1])
    costs = {trials: meter.cost(trials) for trials in SIZES}
    rows += [_row(f"at {trials:,} trials", *cost, group="random, no scheduler") for trials, cost in costs.items()]
    more = SIZES[:2]
    for sampler, scheduler in (("random", "median"), ("tpe", "none")):
        found, _ = _sweep(sampler, scheduler, more[-1] if not quick or sampler == "random" else 300)
        for trials in more if not quick or sampler == "random" else (100, 300):
            rows.append(_row(f"at {trials:,} trials", *found.cost(trials), group=f"{sampler}, {scheduler}"))
    ratio = costs[SIZES[-1]][0] / costs[SIZES[0]][0]
    return Result(
        rows,
        {"10000_over_100": ratio},
        [
            f"CPU and wall time of the driver's process, over the {WINDOW} trials before; three evaluations a trial",
            "10000_over_100 is a cost over a cost: at most 1.2 is what it should be, not above 1",
            f"the long sweep left {folder_size / SIZES[-1]:,.0f} bytes of journal and record log a trial",
        ],
    )


def _sweep(sampler: str, scheduler: str, trials: int) -> tuple[Meter, int]:
    """Run a sweep; return what each trial cost and how many bytes study and records take."""
    with tempfile.TemporaryDirectory(prefix="overhead-") as name:
        root = Path(name)
        file = root / "space.yaml"
        file.write_text(SPACE.format(sampler=sampler, scheduler=scheduler, trials=trials), encoding="utf-8")
        sweep_dir = Root(root).sweep("overhead")
        sweep_dir.trials_dir.mkdir(parents=True)
        spec = Sweep.from_file(file, root).spec
        meter = Meter()
        log = RecordLog(sweep_dir.records_file)
        parts = LoopContext(
            study=Study(spec, open_storage(sweep_dir)),
            backend=InstantBackend(),
            scheduler=make_scheduler(spec),
            log=log,
            display=meter,
            stopping=StopRequests(sweep_dir.stop_file),
        )
        end = Loop(spec, sweep_dir, parts, workers=2, threads=1).run()
        log.close()
        assert end is not None and not end.failed, end
        return meter, sum(file.stat().st_size for file in (sweep_dir.journal_file, sweep_dir.records_file))


def _row(contender: str, cpu: float, wall: float, group: str) -> Row:
    figures: dict[str, Any] = {"CPU a trial, ms": cpu * 1e3, "wall a trial, ms": wall * 1e3}
    return Row(contender, figures, group)


def _now() -> tuple[float, float]:
    spent = os.times()
    return spent.user + spent.system, time.perf_counter()
