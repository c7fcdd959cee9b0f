"""What is different about a sweep whose trials are simulated."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.backends.simulated import SimulatedBackend
from tuner.errors import InvalidInput
from tuner.paths import Root, SweepDir, TrialDir
from tuner.records import Evaluated, Record, read_records
from tuner.schedulers import make_scheduler
from tuner.simulation import make_curves
from tuner.simulation.event_files import EventFiles
from tuner.spec import SweepSpec
from tuner.study import Study, TrialRecord
from tuner.study.storage import memory_storage
from tuner.sweep.limits import End
from tuner.sweep.loop import Loop
from tuner.sweep.opening import read_frozen
from tuner.sweep.parts import Parts
from tuner.sweep.progress import Silent
from tuner.values import Evaluation

TAG = "tuner.simulated"
"""Tag of a simulated sweep and of each of its runs, so that nobody takes one for a real one."""


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

    def status(self) -> str:
        return ""

    def close(self) -> None:
        pass


def backend_of(sweep_dir: SweepDir, asked: str) -> str:
    """Return the backend that goes on with a sweep: simulated trials stay so, real ones too.

    Raises:
        InvalidInput: The sweep is there, and the other kind.
    """
    if not sweep_dir.spec_file.exists():
        return asked
    simulated = TAG in read_frozen(sweep_dir).tags
    if simulated and asked == "local":  # the default: nobody asked for it
        return "simulated"
    if simulated == (asked == "simulated"):
        return asked
    kind, other = ("simulated", "real") if simulated else ("real", "simulated")
    raise InvalidInput(
        "backend",
        f"the sweep {sweep_dir.name!r} has {kind} trials, and {other} ones beside them would mislead; "
        "give this one another name with --name",
    )


def tags_of(backend: str) -> dict[str, str]:
    """Return the tags of a sweep that its backend adds."""
    return {TAG: "true"} if backend == "simulated" else {}


def make_backend(spec: SweepSpec, sweep_dir: SweepDir) -> SimulatedBackend:
    """Return the backend of a simulated sweep.

    Raises:
        InvalidInput: The file names no learning curves, or they lack what the sweep needs.
    """
    curves = make_curves(spec)
    assert spec.simulation is not None
    events = EventFiles() if spec.simulation.event_files else None
    return SimulatedBackend(curves, spec.simulation, sweep_dir.simulated_file, events)


def adapted(parts: Parts) -> Parts:
    """Return the parts of a loop with the simulation's clock and checkpoints, where there is one."""
    if isinstance(parts.backend, SimulatedBackend):
        return replace(parts, now=parts.backend.clock, clock=parts.backend.clock, fork=parts.backend.fork)
    return parts


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

    end: End | None
    trials: tuple[TrialRecord, ...]
    steps: int
    elapsed_s: float
    busy_s: float


Until = Callable[[int, Evaluation, int], bool]


def simulate(spec: SweepSpec, workers: int, until: Until | None = None) -> Simulated:
    """Run a sweep through the loop in memory: nothing is written, nothing recorded.

    Args:
        spec: With a simulation.
        workers: Trials at a time.
        until: Called with each evaluation: trial's number, evaluation, steps that all trials have trained up to
            now; the sweep stops at once when it returns True.

    Raises:
        InvalidInput: The spec names no learning curves, or they lack what the sweep needs.
    """
    assert spec.simulation is not None
    stopping = _Until()
    backend = SimulatedBackend(make_curves(spec), spec.simulation, clock=0.0, events=stopping if until else None)
    backend.open()
    if until is not None:
        stopping.ask = lambda trial, evaluation: until(trial, evaluation, backend.steps)
    with tempfile.TemporaryDirectory(prefix="tuner-simulated-") as folder:
        sweep_dir = Root(Path(folder)).sweep(spec.name)
        sweep_dir.trials_dir.mkdir(parents=True)
        study = Study(spec, memory_storage())
        study.enqueue(spec.search.enqueue)
        parts = adapted(Parts(study, backend, make_scheduler(spec), NoLog(), Silent(), stopping))
        end = Loop(spec, sweep_dir, parts, workers, threads=1).run()
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


def evaluations_in_log(sweep_dir: SweepDir) -> dict[int, list[Evaluation]]:
    """Return what each trial evaluated, in the order in which it was recorded."""
    found: dict[int, list[Evaluation]] = {}
    for record, _ in read_records(sweep_dir.records_file):
        if isinstance(record, Evaluated):
            found.setdefault(record.trial, []).append(record.evaluation)
    return found
