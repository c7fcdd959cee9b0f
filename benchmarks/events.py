"""Reading event files: our reader beside TensorFlow's iterator and TensorBoard's loaders.

Whole files: ``TensorFlow's iterator`` does what we do, ``summary_iterator`` and the scalars of each event.
Those named ``parsed`` and ``records`` do less: they parse events and look at no scalar, or return bytes
without looking into them. Tailing: a long file to which events are appended, looked at after each.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.result import Result, Row, Spread
from tests.events.event_records import record, scalar_event, several_event, tensor_event, version_event

NAME = "events.out.tfevents.1700000000.host"
OURS, ITERATOR = "tuner", "TensorFlow's iterator"
APPENDED = 100
ARRIVAL_MS = 20
WRITE = """
import random, sys, time
from pathlib import Path
from tuner.backends.simulated.event_files import EventFiles
from tuner.domain.trial import Evaluation
from tuner.files.paths import TrialDir

for step in range(int(sys.argv[2])):
    time.sleep(random.uniform(0.05, 0.15))
    EventFiles().write(TrialDir(Path(sys.argv[1])), Evaluation(step + 1, time.time(), "eval", {"rmse": 1.0}))
"""
"""A process that evaluates, and trains in between."""


def run(quick: bool) -> Result:
    """Read files of several kinds, in turns, and follow one that grows."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    for kind, events in _kinds(20_000 if quick else 100_000).items():
        taken = _whole(events, 3 if quick else 5)
        rows += [Row(name, {"ms": Spread.of(samples)}, f"whole files: {kind}") for name, samples in taken.items()]
        ratios |= {f"{kind}/{name}": _best(taken[name]) / _best(taken[OURS]) for name in taken if name != OURS}
    for there in (1_000, 10_000 if quick else 100_000):
        costs = _tailing(there)
        rows += [
            Row(name, {"ms a look": Spread.of([s * 1e3 for s in samples])}, f"one more event in a file of {there:,}")
            for name, samples in costs.items()
        ]
        ratios |= {f"tail_{there}/{name}": median(costs[name]) / median(costs[OURS]) for name in costs if name != OURS}
    arrival = arriving(60 if quick else 300)
    rows.append(Row(OURS, {"ms": arrival}, "from an evaluation's flush until the driver has it"))
    return Result(
        rows,
        {**ratios, "goal/arrival": ARRIVAL_MS / arrival.median},
        [
            f"goal/arrival: {ARRIVAL_MS} ms over the median from a flush until the local backend reports it",
            "ratios of whole files are of the least of each contender's samples",
            f"{ITERATOR} has no way to go on where it was: to follow a file is to read it again",
            "contenders named parsed and records do less than we do: no scalars are looked at",
        ],
    )


def arriving(evaluations: int) -> Spread:
    """Return after how many ms the local backend reports what another process writes."""
    from tuner.backends.base import Reported
    from tuner.backends.local import LocalBackend
    from tuner.domain.job import Job
    from tuner.domain.spec import ModelRef, TrainSettings
    from tuner.files.paths import TrialDir

    class Unserved(LocalBackend):
        """Has nobody who starts trials."""

        def open(self) -> list[str]:
            self._channel, self._server_end = socket.socketpair()
            return []

    taken: list[float] = []
    with tempfile.TemporaryDirectory(prefix="events-") as folder:
        model, trial_dir = ModelRef("none"), TrialDir(Path(folder) / "0000")
        backend = Unserved(model, Path(folder) / "log")
        backend.open()
        backend.start(Job(0, 1, {}, 1, TrainSettings(evaluations, 1), model), trial_dir)
        with subprocess.Popen([sys.executable, "-c", WRITE, str(trial_dir.path), str(evaluations)]):
            while len(taken) < evaluations:
                found, seen = backend.wait(1.0), time.time()
                taken += [(seen - m.evaluation.time) * 1e3 for m in found if isinstance(m, Reported)]
        backend.close()
    return Spread.of(taken)


def _kinds(scalars: int) -> dict[str, list[bytes]]:
    return {
        "one scalar an event": [scalar_event(n, "rmse", n / 7) for n in range(scalars)],
        "ten scalars an event": [
            several_event(n, {f"metric_{k}": n / (k + 1) for k in range(10)}) for n in range(scalars // 10)
        ],
        "tensors": [tensor_event(n, "rmse", n / 7) for n in range(scalars)],
        "graphs": [_graph_event(n) for n in range(50)],
    }


def _graph_event(step: int) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    graph = GraphDef()
    for n in range(5000):
        graph.node.add(name=f"layer/node_{step}_{n}", op="MatMul", input=[f"layer/node_{n}", "other"])
    return Event(step=step, wall_time=1.7e9, graph_def=graph.SerializeToString()).SerializeToString()


def _whole(events: list[bytes], repeats: int) -> dict[str, list[float]]:
    contenders: dict[str, Callable[[Path], int]] = {
        OURS: _ours,
        ITERATOR: _iterator,
        "TensorFlow, parsed": _parsed,
        "TensorFlow, records": _records,
        "TensorBoard, EventFileLoader": _loader,
        "TensorBoard, EventAccumulator": _accumulator,
    }
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    with tempfile.TemporaryDirectory(prefix="events-") as folder:
        file = Path(folder) / "eval" / NAME
        file.parent.mkdir()
        file.write_bytes(record(version_event()) + b"".join(map(record, events)))
        assert _ours(file) == _iterator(file)
        for _ in range(repeats):
            for name, read in contenders.items():
                begun = time.perf_counter()
                read(file)
                taken[name].append((time.perf_counter() - begun) * 1e3)
    return taken


def _best(samples: list[float]) -> float:
    return min(samples)


def _ours(file: Path) -> int:
    from tuner.events import read_all

    return sum(len(evaluation.scalars) for evaluation in read_all(file.parents[1]))


def _iterator(file: Path) -> int:
    return len(list(_scalars(_summary_iterator(file))))


def _summary_iterator(file: Path) -> Any:
    import tensorflow as tf

    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    return tf.compat.v1.train.summary_iterator(str(file))


def _scalars(events: Any) -> Iterator[tuple[int, float, str, float]]:
    import tensorflow as tf

    for event in events:
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                yield event.step, event.wall_time, value.tag, value.simple_value
            elif kind == "tensor":
                yield event.step, event.wall_time, value.tag, float(tf.make_ndarray(value.tensor))


def _parsed(file: Path) -> int:
    return sum(1 for _ in _summary_iterator(file))


def _records(file: Path) -> int:
    import tensorflow as tf

    return sum(1 for _ in tf.compat.v1.io.tf_record_iterator(str(file)))


def _loader(file: Path) -> int:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    return len(list(_tensors(EventFileLoader(str(file)).Load())))


def _tensors(events: Any) -> Iterator[tuple[int, str, float]]:
    """Return the scalars of a loader of TensorBoard, which makes tensors of them all."""
    from tensorboard.util import tensor_util

    for event in events:
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "scalars":
                yield event.step, value.tag, float(tensor_util.make_ndarray(value.tensor))


def _accumulator(file: Path) -> int:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(file), size_guidance={"tensors": 0, "scalars": 0})
    found.Reload()
    return sum(len(found.Tensors(tag)) for tag in found.Tags()["tensors"])


def _tailing(there: int) -> dict[str, list[float]]:
    """Return what each contender takes to see one more event."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    from tuner.events import Follower

    with tempfile.TemporaryDirectory(prefix="events-") as folder:
        file = Path(folder) / "eval" / NAME
        file.parent.mkdir()
        events = (scalar_event(n, "rmse", n / 7) for n in range(there))
        file.write_bytes(record(version_event()) + b"".join(map(record, events)))
        follower, loader = Follower(Path(folder)), EventFileLoader(str(file))
        contenders: dict[str, Callable[[], int]] = {
            OURS: lambda: len(follower.poll()),
            "TensorBoard, EventFileLoader": lambda: len(list(_tensors(loader.Load()))),
        }
        for look in contenders.values():
            look()
        contenders[ITERATOR] = lambda: len(list(_scalars(_summary_iterator(file)))) - there - APPENDED
        taken: dict[str, list[float]] = {name: [] for name in contenders}
        for n in range(APPENDED):
            with file.open("ab") as stream:
                stream.write(record(scalar_event(there + n, "rmse", n / 7)))
            for name, look in contenders.items():
                if name == ITERATOR and n < APPENDED - 5:
                    continue  # it reads all again: five times are enough
                begun = time.perf_counter()
                seen = look()
                taken[name].append(time.perf_counter() - begun)
                assert seen == 1 or name == ITERATOR, (name, seen)
        return taken
