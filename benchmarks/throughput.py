"""Trials an hour: the same work by us, by hand-written loops, and by other tuners.

Counted is from the first trial's start to the last one's end; what comes before and after stands in
columns of its own. Peers have their defaults. The limit is the CPU time of a bare, warm
``train_and_evaluate`` with the settings and the memory allocator of our trials, divided by what the cores
give when all of them are busy with that; another row has it for the same training as our trials do it,
which takes less. Where the machine has an allocator that our trials take instead of its C library's, two
rows say what it does: ours without it, and the fastest hand-written loop with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.result import Result, Row, Spread, absent
from benchmarks.work import EVALUATE_EVERY, SPACE, STEPS, intervals
from tuner.forkserver.allocator import allocator

WORKERS = 2


@dataclass(frozen=True)
class RunOutcome:
    """What a contender took.

    Attributes:
        trials: How many trials it ran.
        begun: When it was started, in seconds since 1970.
        ended: When it was done.
        spans: Begin and end of each trial.
    """

    trials: int
    begun: float
    ended: float
    spans: list[tuple[float, float]]

    @property
    def seconds_a_trial(self) -> float:
        return (max(end for _, end in self.spans) - min(begin for begin, _ in self.spans)) / self.trials

    @property
    def middle_seconds_a_trial(self) -> float:
        """From the end of the first quarter of the trials to that of the third."""
        ends = sorted(end for _, end in self.spans)
        first, last = self.trials // 4, 3 * self.trials // 4
        return (ends[last] - ends[first]) / (last - first)


@dataclass(frozen=True)
class Contender:
    """One way of doing the work.

    Attributes:
        ratio: Name of the ratio to us; empty for us.
        trials: How many, and how many where it has to be quick: slow ones run fewer.
        modules: What has to be installed.
        allocator: Whether it is about a faster memory allocator, which the machine has to have.
    """

    name: str
    ratio: str
    run: Callable[[Path, int], None]
    trials: tuple[int, int]
    modules: tuple[str, ...] = ()
    allocator: bool = False


def run(quick: bool) -> Result:
    """Measure all contenders that are installed."""
    rows, notes, taken, middle = [], [], {}, 0.0
    for contender in CONTENDERS:
        if line := absent(contender.name, *contender.modules or ("json",)):
            notes.append(line)
            continue
        if contender.allocator and not ALLOCATOR:
            notes.append(f"{contender.name}: skipped, as there is no faster one on this machine (or LD_PRELOAD is set)")
            continue
        try:
            ran = _measure(contender, contender.trials[quick])
        except RuntimeError as error:
            if not contender.ratio:
                raise
            notes.append(f"{contender.name} is left out: {error}")
            continue
        taken[contender.ratio] = ran.seconds_a_trial
        if not contender.ratio:
            middle = ran.middle_seconds_a_trial
        rows.append(_row(contender.name, ran))
    limits, limit_rows = _limits(3 if quick else 5)
    rows += limit_rows
    ours = taken.pop("")
    ratios = {name: seconds / ours for name, seconds in (taken | limits).items()}
    ratios["own_limit_middle"] = limits["own_limit"] / middle
    notes.append(
        f"a trial: {STEPS} steps of batches of 128, {STEPS // EVALUATE_EVERY} checkpoints, each evaluated; "
        f"{WORKERS} trials at a time but for the plain loop and Keras Tuner"
    )
    if ALLOCATOR:
        notes.append(f"our trials, and the limits, allocate with {Path(ALLOCATOR['LD_PRELOAD']).name}")
    notes.append(
        "the middle is from the end of the first quarter of the trials to that of the third: before it the recorder "
        "imports MLflow, behind it what exports and draws at the end imports what it needs, beside trials"
    )
    notes.append("Ray starts a process a trial, which imports TensorFlow; ours are forked from one that has")
    notes.append(
        "Keras Tuner writes nothing to MLflow; the Estimators' event files and checkpoints are written by all others"
    )
    return Result(rows, ratios, notes)


def _measure(contender: Contender, trials: int) -> RunOutcome:
    with tempfile.TemporaryDirectory(prefix="throughput-") as name:
        folder = Path(name)
        begun = time.time()
        contender.run(folder, trials)
        ended = time.time()
        spans = intervals(folder)
        if len(spans) != trials:
            raise RuntimeError(f"{contender.name} ran {len(spans)} trials, expected {trials}")
        return RunOutcome(trials, begun, ended, spans)


def _row(name: str, ran: RunOutcome) -> Row:
    first, last = min(begin for begin, _ in ran.spans), max(end for _, end in ran.spans)
    figures = {
        "trials": ran.trials,
        "seconds a trial": ran.seconds_a_trial,
        "in the middle, s": ran.middle_seconds_a_trial,
        "trials an hour": 3600 / ran.seconds_a_trial,
        "a trial from begin to end, s": Spread.of([end - begin for begin, end in ran.spans]),
        "start-up, s": first - ran.begun,
        "after the last, s": ran.ended - last,
    }
    return Row(name, figures)


def _ours(folder: Path, trials: int, changed: Mapping[str, str] | None = None) -> None:
    from tuner.domain.trial import TrialState
    from tuner.files.paths import Root
    from tuner.records.log import read_records
    from tuner.records.record import TrialChanged

    space = folder / "space.yaml"
    space.write_text(SPACE, encoding="utf-8")
    arguments = ["run", str(space), "--root", str(folder), "--trials", str(trials), "--workers", str(WORKERS)]
    _run("tuner", *arguments, changed=changed)
    begun: dict[int, float] = {}
    with (folder / "intervals.jsonl").open("w") as stream:
        for record, _ in read_records(Root(folder).sweep("throughput").records_file):
            if isinstance(record, TrialChanged) and record.state is TrialState.RUNNING:
                begun[record.trial] = record.time
            elif isinstance(record, TrialChanged) and record.state is TrialState.COMPLETE:
                stream.write(json.dumps([begun[record.trial], record.time]) + "\n")


def _peer(module: str, *flags: str, keras: str = "1") -> Callable[[Path, int], None]:
    def run(folder: Path, trials: int) -> None:
        _run(f"benchmarks.peers.{module}", str(folder), str(trials), *flags, keras=keras)

    return run


def _two_processes(folder: Path, trials: int, changed: Mapping[str, str] | None = None) -> None:
    """Half of the trials in each of two processes on one study and one tracking store."""
    command = _command(
        "benchmarks.peers.loop", str(folder), str(trials // 2), "--storage", str(folder / "study.journal")
    )
    _make_database(folder)  # two processes that make it at once crash
    with (folder / "log.txt").open("ab") as log:
        env = {**_environment("1"), **(changed or {})}
        processes = [subprocess.Popen(command, env=env, stdout=log, stderr=log) for _ in range(WORKERS)]
    statuses = [process.wait() for process in processes]
    if any(statuses):
        raise RuntimeError((folder / "log.txt").read_text()[-2000:])


def _make_database(folder: Path) -> None:
    code = f"import mlflow; mlflow.set_tracking_uri('sqlite:///{folder}/mlflow.db'); mlflow.set_experiment('loop')"
    subprocess.run([sys.executable, "-c", code], env=_environment("1"), check=True, capture_output=True)


def _limits(trials: int) -> tuple[dict[str, float], list[Row]]:
    """Return the seconds of a trial that the machine allows by the name of the ratio, and rows that say why."""
    (alone,), together = _bare(trials, 1), _bare(trials, WORKERS)
    limits, rows = {}, []
    for ratio, name, way in (
        ("limit", "the limit: train_and_evaluate", "plain"),
        ("own_limit", "the same as our trials do it", "ours"),
    ):
        # Memory and caches are shared by the cores, so that it has to be the same work that keeps them busy.
        gain = WORKERS * median(alone[way]) / median(second for each in together for second in each[way])
        limits[ratio] = median(alone[way]) / gain
        figures = {
            "trials": trials,
            "seconds a trial": limits[ratio],
            "trials an hour": 3600 / limits[ratio],
            "CPU of the bare training, s": Spread.of(alone[way]),
            "what all cores give, of one": gain,
        }
        rows.append(Row(name, figures))
    return limits, rows


def _bare(trials: int, processes: int) -> list[dict[str, list[float]]]:
    """Return the CPU seconds of each bare training in each of some processes that run at once."""
    with tempfile.TemporaryDirectory(prefix="throughput-") as name, ThreadPoolExecutor(processes) as pool:
        folders = [Path(name) / str(number) for number in range(processes)]
        for folder in folders:
            folder.mkdir()
        said = pool.map(
            lambda folder: _run("benchmarks.peers.bare", str(folder), str(trials), changed=ALLOCATOR), folders
        )
        return [json.loads(each.strip().splitlines()[-1]) for each in said]


def _run(module: str, *arguments: str, keras: str = "1", changed: Mapping[str, str] | None = None) -> str:
    env = {**_environment(keras), **(changed or {})}
    done = subprocess.run(_command(module, *arguments), env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _environment(keras: str) -> Mapping[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"},
        "TF_USE_LEGACY_KERAS": keras,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]),
    }


ALLOCATOR = allocator()  # the variables with which our trials run
CONTENDERS = (
    Contender("tuner, 2 workers", "", _ours, (24, 16)),
    Contender(
        "tuner, the C library's allocator",
        "own_allocator",
        partial(_ours, changed={"LD_PRELOAD": ""}),
        (24, 16),
        allocator=True,
    ),
    Contender("loop, one process", "loop", _peer("loop"), (24, 8)),
    Contender("loop, n_jobs=2", "threads", _peer("loop", "--jobs", "2"), (24, 8)),
    Contender("loop, two processes", "two_processes", _two_processes, (24, 8)),
    Contender(
        "loop, two processes, our allocator",
        "two_processes_allocator",
        partial(_two_processes, changed=ALLOCATOR),
        (24, 8),
        allocator=True,
    ),
    Contender("Ray Tune", "ray", _peer("ray_tune"), (24, 4), ("ray.tune",)),
    Contender("Ray Tune, reuse_actors", "ray_reuse", _peer("ray_tune", "--reuse"), (24, 6), ("ray.tune",)),
    Contender("Keras Tuner", "keras_tuner", _peer("keras_tuner", keras="0"), (24, 8), ("keras_tuner",)),
)
