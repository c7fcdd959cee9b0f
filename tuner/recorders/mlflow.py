"""A sweep in MLflow: one parent run, one child run a trial, written with explicit run ids only.

Everything written here may be written again, also by another process: runs are looked for before
they are made, params are write-once, a metric with its own time and step leaves one row.
"""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tuner.errors import RecorderError
from tuner.paths import SweepDir
from tuner.recorders.names import MetricNames, valid_name
from tuner.recorders.note import describe_sweep
from tuner.recorders.runs import RunIds
from tuner.recorders.store import follow_root, is_own, make_database, prepare_environment, tracking_uri
from tuner.records import Evaluated, Record, SweepClosed, SweepOpened, TrialChanged, TrialOpened
from tuner.values import Goal, TrialState

_STATUS = {
    TrialState.RUNNING: "RUNNING",
    TrialState.PAUSED: "SCHEDULED",
    TrialState.INTERRUPTED: "SCHEDULED",
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}
_METRICS, _TAGS, _PARAMS = 1000, 100, 100  # MLflow's limits of one call
_VALUE = 6000  # and of a param's or tag's length


class MlflowRecorder:
    """Write a sweep's records to MLflow; see ``Recorder``.

    Args:
        sweep_dir: The sweep's folder.
        uri: Tracking URI, or None for the root's own database.
        client: Made from the URI if it is None.
    """

    def __init__(self, sweep_dir: SweepDir, uri: str | None = None, client: Any = None) -> None:
        self._dir = sweep_dir
        self._uri = tracking_uri(sweep_dir.root, uri)
        self._client = client
        self._runs = RunIds(sweep_dir.runs_file)
        self._names: dict[int, MetricNames] = defaultdict(MetricNames)
        self._opened: SweepOpened | None = None
        self._experiment_id = ""
        self._best: tuple[int, Mapping[str, float]] | None = None
        self._params: dict[int, Mapping[str, Any]] = {}
        self._infinite: dict[int, dict[str, str]] = defaultdict(dict)

    def open(self) -> None:
        prepare_environment()
        import mlflow

        with _translated(self._uri):
            if is_own(self._dir.root, self._uri):
                make_database(self._dir.root)
                follow_root(self._dir.root)
            if self._client is None:
                self._client = mlflow.MlflowClient(tracking_uri=self._uri)
            self._experiment_id = self._experiment(self._dir.name)

    def recall(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, SweepOpened):
                self._opened = record
            elif isinstance(record, TrialOpened):
                self._params[record.trial] = record.params
            elif isinstance(record, Evaluated):
                self._evaluation(record, _Batch())
            elif (
                isinstance(record, TrialChanged)
                and record.state is TrialState.COMPLETE
                and self._is_best(record.values)
            ):
                self._best = (record.trial, record.values)

    def write(self, records: Sequence[Record]) -> None:
        with _translated(self._uri):
            batches: dict[int, _Batch] = {}
            for record in records:
                self._take(record, batches)
            for trial, batch in batches.items():
                self._send(self._trial_run(trial), batch)

    def close(self) -> None:
        self._client = None

    def _experiment(self, name: str) -> str:
        """Return the id of the experiment, making or restoring it."""
        found = self._client.get_experiment_by_name(name)
        if found is None:
            local = is_own(self._dir.root, self._uri)
            location = self._dir.root.artifacts_dir.as_uri() if local else None
            made: str = self._client.create_experiment(name, artifact_location=location)
            return made
        if found.lifecycle_stage != "active":
            self._client.restore_experiment(found.experiment_id)
        experiment_id: str = found.experiment_id
        return experiment_id

    def _take(self, record: Record, batches: dict[int, _Batch]) -> None:
        if isinstance(record, SweepOpened):
            self._open_sweep(record)
        elif isinstance(record, SweepClosed):
            for trial, batch in batches.items():
                self._send(self._trial_run(trial), batch)
            batches.clear()
            self._close_sweep(record)
        elif isinstance(record, TrialOpened):
            batch = batches.setdefault(record.trial, _Batch())
            batch.params.update({valid_name(name): _text(value) for name, value in record.params.items()})
            batch.tags.update(record.tags)
            self._params[record.trial] = record.params
        elif isinstance(record, Evaluated):
            self._evaluation(record, batches.setdefault(record.trial, _Batch()))
        else:
            self._state(record, batches.setdefault(record.trial, _Batch()))

    def _evaluation(self, record: Evaluated, batch: _Batch) -> None:
        found = record.evaluation
        for tag, value in found.scalars.items():
            name = self._names[record.trial].name(found.folder, tag)
            self._metric(record.trial, batch, name, value, found.time, found.step)

    def _metric(self, trial: int, batch: _Batch, name: str, value: float, at: float, step: int) -> None:
        """Put a metric into a batch; an infinity, which a store gives back as a number, becomes a tag."""
        if math.isinf(value):
            steps = self._infinite[trial]
            sign = "inf" if value > 0 else "-inf"
            steps[name] = f"{steps[name]}, {sign} at {step}" if name in steps else f"{sign} at {step}"
            batch.tags[f"tuner.inf.{name}"] = steps[name]
            return
        batch.metrics.append((name, value, round(at * 1000), step))

    def _state(self, record: TrialChanged, batch: _Batch) -> None:
        batch.status, batch.status_time = _STATUS[record.state], record.time
        batch.tags["tuner.state"] = record.state.value
        batch.tags["tuner.reason"] = record.reason
        batch.tags.update(record.tags)
        several = len(record.values) > 1
        for metric, value in record.values.items():
            name = valid_name(f"objective/{metric}") if several else "objective"
            self._metric(record.trial, batch, name, value, record.time, record.step or 0)
        if record.state is TrialState.COMPLETE and self._is_best(record.values):
            self._best = (record.trial, record.values)
            self._say_best(record.time, record.step or 0)

    def _is_best(self, values: Mapping[str, float]) -> bool:
        if self._opened is None or not values:
            return False
        metric, goal = next(iter(self._opened.objectives.items()))
        loss = Goal(goal).loss(values.get(metric, math.nan))
        if math.isnan(loss):
            return False
        return self._best is None or loss < Goal(goal).loss(self._best[1][metric])

    def _open_sweep(self, record: SweepOpened) -> None:
        self._opened = record
        run_id = self._runs.parent or self._find_or_make_parent(record)
        tags = {**record.facts, **record.tags, **self._identity(record)}
        tags["mlflow.note.content"] = describe_sweep(record, self._best, self._params)
        self._send(run_id, _Batch(tags=tags, status="RUNNING", status_time=record.time))
        self._client.log_text(run_id, record.space, "search_space.yaml")

    def _say_best(self, at: float, step: int) -> None:
        """Put the best trial so far on the parent."""
        if self._opened is None or self._best is None or self._runs.parent is None:
            return
        trial, values = self._best
        batch = _Batch(tags={"tuner.best_trial": str(trial)})
        for metric, value in values.items():
            several = len(values) > 1
            name = valid_name(f"best_objective/{metric}") if several else "best_objective"
            if not math.isinf(value):
                batch.metrics.append((name, value, round(at * 1000), step))
        for name, param in self._params.get(trial, {}).items():
            batch.tags[f"tuner.best.{valid_name(name)}"] = _text(param)
        batch.tags["mlflow.note.content"] = describe_sweep(self._opened, self._best, self._params)
        self._send(self._runs.parent, batch)

    def _close_sweep(self, record: SweepClosed) -> None:
        if self._runs.parent is None:
            return
        tags = {"tuner.end": record.reason, "tuner.state": "FINISHED" if record.finished else "INTERRUPTED"}
        status = "FINISHED" if record.finished else "SCHEDULED"
        self._send(self._runs.parent, _Batch(tags=tags, status=status, status_time=record.time))

    def _find_or_make_parent(self, record: SweepOpened) -> str:
        query = f"tags.`tuner.sweep_id` = '{record.sweep_id}' and tags.`tuner.role` = 'sweep'"
        run_id = self._find(query)
        if run_id is None:
            tags = {**self._identity(record), "tuner.role": "sweep", "mlflow.runName": record.name}
            run_id = self._create(record.time, tags)
        self._runs.remember(run_id)
        return run_id

    def _trial_run(self, trial: int) -> str:
        """Return the trial's run, found or made."""
        known = self._runs.trial(trial)
        if known is not None:
            return known
        if self._opened is None or self._runs.parent is None:
            raise RecorderError(f"trial {trial} was recorded before its sweep")
        sweep = self._opened
        query = f"tags.`tuner.sweep_id` = '{sweep.sweep_id}' and tags.`tuner.trial` = '{trial}'"
        run_id = self._find(query)
        if run_id is None:
            tags = {
                **sweep.tags,
                **self._identity(sweep),
                "mlflow.parentRunId": self._runs.parent,
                "mlflow.runName": f"{sweep.name}-{trial:04d}",
                "tuner.trial": str(trial),
                "tuner.state": TrialState.RUNNING.value,
            }
            run_id = self._create(time.time(), tags)
        self._runs.remember(run_id, trial)
        return run_id

    def _identity(self, record: SweepOpened) -> dict[str, str]:
        return {"tuner.sweep": record.name, "tuner.sweep_id": record.sweep_id}

    def _find(self, query: str) -> str | None:
        found = self._client.search_runs([self._experiment_id], query, max_results=1)
        return found[0].info.run_id if found else None

    def _create(self, at: float, tags: Mapping[str, str]) -> str:
        run = self._client.create_run(self._experiment_id, round(at * 1000), dict(tags), tags.get("mlflow.runName"))
        run_id: str = run.info.run_id
        return run_id

    def _send(self, run_id: str, batch: _Batch) -> None:
        """Send what there is of a run in as few calls as MLflow's limits allow."""
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(*metric) for metric in batch.metrics]
        tags = [RunTag(key, value[:_VALUE]) for key, value in batch.tags.items()]
        params = [Param(key, value[:_VALUE]) for key, value in batch.params.items()]
        while metrics or tags or params:
            self._client.log_batch(run_id, metrics[: _METRICS - 200], params[:_PARAMS], tags[:_TAGS])
            metrics, params, tags = metrics[_METRICS - 200 :], params[_PARAMS:], tags[_TAGS:]
        if batch.status == "RUNNING" or batch.status == "SCHEDULED":
            self._client.update_run(run_id, status=batch.status)
        elif batch.status:
            self._client.set_terminated(run_id, batch.status, round(batch.status_time * 1000))


class _Batch:
    """What is to be sent of one run."""

    def __init__(self, tags: dict[str, str] | None = None, status: str = "", status_time: float = 0.0) -> None:
        self.metrics: list[tuple[str, float, int, int]] = []
        self.params: dict[str, str] = {}
        self.tags = tags or {}
        self.status = status
        self.status_time = status_time


def _text(value: Any) -> str:
    """Return a parameter as MLflow keeps it: numbers as Python writes them, lists as JSON."""
    return json.dumps(value) if isinstance(value, (list, bool)) or value is None else str(value)


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    """Make of MLflow's errors ours: away for now, or not usable as it is."""
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except (requests.RequestException, OperationalError, sqlite3.OperationalError, TimeoutError) as error:
        raise ConnectionError(f"{uri}: {_first_line(error)}") from error
    except MlflowException as error:
        status = int(error.get_http_status_code())  # type: ignore[no-untyped-call]
        passing = status >= 500 or status == 429 or "API request to" in str(error)
        if passing and "database schema" not in str(error):
            raise ConnectionError(f"{uri}: {_first_line(error)}") from error
        hint = "choose another store by MLFLOW_TRACKING_URI, or unset it to use the root's own database"
        raise RecorderError(f"MLflow at {uri} refuses: {_first_line(error)}", hint) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
