"""What is different about a sweep whose trials are simulated."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.backends.simulated import Curves, make_curves
from tuner.backends.simulated.backend import SimulatedBackend
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import Evaluation, TrialRecord
from tuner.driver.context import LoopContext
from tuner.driver.loop import Loop
from tuner.driver.progress import NullDisplay
from tuner.driver.stop_criteria import StopReason
from tuner.files.paths import Root, TrialDir
from tuner.records.record import Record
from tuner.schedulers import make_scheduler
from tuner.study import Study
from tuner.study.storage import memory_storage


class NoRecorder:
    """Record nothing in MLflow; the record log is written all the same."""

    def start(self) -> None:
        pass

    def wait_ready(self) -> None:
        pass

    def check(self) -> str:
        return ""

    def drain(self, timeout_s: float, unless: Callable[[], bool] = lambda: False) -> bool:
        del timeout_s, unless
        return True

    def look(self) -> None:
        pass

    def prepare(self) -> None:
        pass

    def status(self) -> str:
        return ""

    def close(self) -> None:
        pass


def with_virtual_clock(context: LoopContext) -> LoopContext:
    """Return the parts of a loop with the simulation's clock and checkpoints, if there is one."""
    if isinstance(context.backend, SimulatedBackend):
        return replace(context, now=context.backend.clock, clock=context.backend.clock, fork=context.backend.fork)
    return context


@dataclass(frozen=True)
class Simulated:
    """A sweep that was simulated in memory.

    Attributes:
        end: Which limit was reached, or None if it was stopped.
        trials: As the study has them.
        steps: Trained steps, those of trials that still ran at the end up to then.
        elapsed_s: Virtual time from its begin to its end.
        busy_s: Virtual time for which workers were taken.
    """

    end: StopReason | None
    trials: tuple[TrialRecord, ...]
    steps: int
    elapsed_s: float
    busy_s: float


Until = Callable[[int, Evaluation, int], bool]


def simulate(spec: SweepSpec, workers: int, until: Until | None = None, curves: Curves | None = None) -> Simulated:
    """Run a sweep through the loop in memory: nothing is written, nothing recorded.

    Args:
        spec: With a simulation.
        workers: Trials at a time.
        until: Called with each evaluation: trial's number, evaluation, steps that all trials have trained up to
            now; the sweep stops at once when it returns True.
        curves: What trials evaluate, or None: what the spec's simulation names.

    Raises:
        InvalidInput: The spec names no learning curves, or they lack what the sweep needs.
    """
    assert spec.simulation is not None
    stopping = _Until()
    backend = SimulatedBackend(
        curves or make_curves(spec), spec.simulation, clock=0.0, events=stopping if until else None
    )
    backend.open()
    if until is not None:
        stopping.ask = lambda trial, evaluation: until(trial, evaluation, backend.steps)
    with tempfile.TemporaryDirectory(prefix="tuner-simulated-") as folder:
        sweep_dir = Root(Path(folder)).sweep(spec.name)
        sweep_dir.trials_dir.mkdir(parents=True)
        study = Study(spec, memory_storage())
        study.enqueue(spec.search.enqueue)
        context = with_virtual_clock(
            LoopContext(study, backend, make_scheduler(spec), NoLog(), NullDisplay(), stopping)
        )
        end = Loop(spec, sweep_dir, context, workers, threads=1).run()
    return Simulated(end, tuple(study.trials()), backend.steps, backend.clock(), backend.busy_s)


class NoLog:
    """Keep no records."""

    def append(self, *records: Record) -> None:
        pass


class _Until:
    """Stop a sweep at an evaluation."""

    def __init__(self) -> None:
        self.ask: Callable[[int, Evaluation], bool] = lambda trial, evaluation: False  # noqa: ARG005
        self.asked = False
        self.at_once = True

    def write(self, trial_dir: TrialDir, evaluation: Evaluation) -> None:
        self.asked = self.asked or self.ask(trial_dir.number, evaluation)
