"""Recording a sweep in MLflow, on SQLite and over HTTP, beside the bare client's calls for the same records.

The bare calls are those of a loop that records as its trials run: make the run, log its parameters, log
each evaluation, log the objective, end the run.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.result import Result, Row, Spread
from tuner.domain.trial import Evaluation, TrialState
from tuner.files.paths import Root
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.mlflow.store import make_database, prepare_environment
from tuner.records.record import Evaluated, Record, SweepOpened, TrialChanged, TrialOpened

PARAMS = {"learning_rate": 0.01, "units": 48, "layers": 2, "optimizer": "adam", "batch_size": 128}
STEPS = (100, 200, 300)


def run(quick: bool) -> Result:
    """Record trials in turns: ours as they come, ours when several have come, and the bare calls."""
    prepare_environment()
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    rounds, trials = (4, 4) if quick else (8, 8)
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="recording-") as name:
        for store, uri in _stores(Path(name)):
            taken = _record(Root(Path(name) / store), uri, rounds, trials)
            for contender, samples in taken.items():
                wall, cpu = zip(*samples, strict=True)
                figures = {"ms a trial": Spread.of(wall), "CPU of this process a trial, ms": Spread.of(cpu)}
                rows.append(Row(contender, figures, store))
            bare = median(wall for wall, _ in taken["the bare client"])
            for contender, ratio in (("tuner, as it comes", store), ("tuner, two trials at once", f"{store}/batched")):
                ratios[ratio] = bare / median(wall for wall, _ in taken[contender])
    return Result(
        rows,
        ratios,
        [
            f"a trial: run, {len(PARAMS)} parameters, {len(STEPS)} evaluations of four scalars, objective, end",
            "a sweep's recorder sends what has come up to then in one call a run: as it comes is the most it can cost",
        ],
    )


def _stores(folder: Path) -> Iterator[tuple[str, str]]:
    root = Root(folder / "sqlite")
    make_database(root)
    yield "sqlite", f"sqlite:///{root.database_file}"
    with _server(folder) as uri:
        yield "http", uri


def _record(root: Root, uri: str, rounds: int, trials: int) -> dict[str, list[tuple[float, float]]]:
    """Return wall and CPU ms of a trial for each contender and round."""
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=uri)
    bare_experiment = client.create_experiment("bare")
    sweep_dir = root.sweep("ours")
    sweep_dir.trials_dir.mkdir(parents=True)
    recorder = MlflowRecorder(sweep_dir, uri)
    recorder.open()
    recorder.write([SweepOpened("id", "ours", time.time(), {"rmse": "minimize"}, "x: 1")])
    numbers = iter(range(1 << 30))
    contenders: dict[str, Callable[[], None]] = {
        "tuner, as it comes": lambda: _ours(recorder, [next(numbers) for _ in range(trials)], together=1),
        "tuner, two trials at once": lambda: _ours(recorder, [next(numbers) for _ in range(trials)], together=2),
        "the bare client": lambda: _bare(client, bare_experiment, trials),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender()
    for _ in range(rounds):
        for name, contender in contenders.items():
            begun, spent = time.perf_counter(), time.process_time()
            contender()
            wall, cpu = time.perf_counter() - begun, time.process_time() - spent
            taken[name].append((wall / trials * 1e3, cpu / trials * 1e3))
    recorder.close()
    return taken


def _ours(recorder: MlflowRecorder, numbers: list[int], together: int) -> None:
    """Write trials, each stage of ``together`` trials in one batch."""
    for at in range(0, len(numbers), together):
        for stage in zip(*map(_stages, numbers[at : at + together]), strict=True):
            recorder.write([record for records in stage for record in records])


def _stages(number: int) -> Iterator[list[Record]]:
    now = time.time()
    yield [TrialOpened(number, now, PARAMS), TrialChanged(number, now, TrialState.RUNNING)]
    for step in STEPS:
        yield [Evaluated(number, Evaluation(step, now + step / 100, "eval", _scalars(number, step)))]
    values = {"rmse": _scalars(number, STEPS[-1])["rmse"]}
    yield [TrialChanged(number, now + 4, TrialState.COMPLETE, values=values, step=STEPS[-1])]


def _scalars(number: int, step: int) -> dict[str, float]:
    return {"loss": 1 / step, "rmse": 1.5 / step + number % 7 / 1e4, "mae": 2 / step, "global_step": float(step)}


def _bare(client: Any, experiment: str, trials: int) -> None:
    from mlflow.entities import Metric, Param, RunTag

    for number in range(trials):
        now = time.time()
        tags = {"mlflow.runName": f"trial-{number}", "trial": str(number), "state": "RUNNING"}
        run_id = client.create_run(experiment, round(now * 1000), tags).info.run_id
        client.log_batch(run_id, params=[Param(name, str(value)) for name, value in PARAMS.items()])
        for step in STEPS:
            at = round(now * 1000) + step
            metrics = [Metric(f"eval/{tag}", value, at, step) for tag, value in _scalars(number, step).items()]
            client.log_batch(run_id, metrics)
        objective = Metric("objective", _scalars(number, STEPS[-1])["rmse"], round(now * 1000), STEPS[-1])
        client.log_batch(run_id, [objective], tags=[RunTag("state", "COMPLETE"), RunTag("reason", "")])
        client.set_terminated(run_id, "FINISHED", round(now * 1000))


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Run a tracking server on loopback meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = folder / "server.db"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--backend-store-uri", f"sqlite:///{store}"],
            stdout=log,
            stderr=log,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait_for(uri: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{uri}/health", timeout=1).read()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise RuntimeError("the tracking server does not start")
