"""What MLflow holds of a sweep, read back: for ``verify`` and for those who compare."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tuner.domain.tags import ROLE, SWEEP, SWEEP_ID, TRIAL
from tuner.files.paths import SweepDir
from tuner.recorders.mlflow.artifacts import attached_trials, stored_ends
from tuner.recorders.mlflow.shared_view import TAG
from tuner.recorders.mlflow.store import (
    has_moved,
    is_local_store,
    is_there,
    mlflow_must_answer,
    prepare_environment,
    tracking_uri,
)
from tuner.records.log import read_sent_offset
from tuner.records.record import SweepClosed

_A_TIME = 500  # runs whose metrics are asked for in one question each
_ALL = 2**31 - 1  # rows


@dataclass(frozen=True)
class RecordedRun:
    """A run as MLflow holds it.

    Attributes:
        metrics: Name to step to value; the first row of a step if there are several.
        doubled: Metrics and steps with more than one row.
    """

    run_id: str
    status: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, Mapping[int, float]]
    doubled: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordedModel:
    """A model as MLflow holds it.

    Attributes:
        run_id: The run that it is of.
        tags: Of which trial and step it says that it is.
        metadata: What stands in the model itself; None if it cannot be read.
    """

    model_id: str
    run_id: str
    tags: Mapping[str, str]
    metadata: Mapping[str, Any] | None


class MlflowReader:
    """Read a sweep's runs.

    Each method raises RecorderError if the store does not answer or refuses.

    Args:
        sweep_dir: The sweep's folder.
        uri: Tracking URI, or None for the root's own database.
    """

    def __init__(self, sweep_dir: SweepDir, uri: str | None = None) -> None:
        prepare_environment()
        self._dir = sweep_dir
        self._uri = tracking_uri(sweep_dir.root, uri)

    @property
    def is_there(self) -> bool:
        """Whether anything was ever recorded in the store; reading does not make it."""
        return is_there(self._uri)

    def runs_of_trials(self, sweep_id: str) -> dict[int, list[str]]:
        """Return the runs of each trial: more than one is a fault."""
        return self.runs(sweep_id)[1]

    def runs(self, sweep_id: str) -> tuple[list[tuple[str, str]], dict[int, list[str]]]:
        """Return id and status of the sweep's own run, and the ids of each trial's; more than one is a fault."""
        parents, found = self._found(sweep_id)
        return parents, {trial: [run.info.run_id for run in runs] for trial, runs in found.items()}

    def whole_runs(self, sweep_id: str) -> tuple[list[tuple[str, str]], dict[int, list[RecordedRun]]]:
        """Return what ``runs`` does, but each trial's runs are whole; a few questions for hundreds of them."""
        parents, found = self._found(sweep_id)
        pairs = [(trial, run) for trial, runs in found.items() for run in runs]
        whole: dict[int, list[RecordedRun]] = {}
        for begin in range(0, len(pairs), _A_TIME):
            some = pairs[begin : begin + _A_TIME]
            with self._asked() as client:
                read = _with_histories(client, [run for _, run in some])
            for (trial, _), run in zip(some, read, strict=True):
                whole.setdefault(trial, []).append(run)
        return parents, dict(sorted(whole.items()))

    def _found(self, sweep_id: str) -> tuple[list[tuple[str, str]], dict[int, list[Any]]]:
        parents: list[tuple[str, str]] = []
        found: dict[int, list[Any]] = {}
        if self.is_there:
            with self._asked() as client:
                for run in self._search(client, f"tags.`{SWEEP_ID}` = '{sweep_id}'"):
                    if TRIAL in run.data.tags:
                        found.setdefault(int(run.data.tags[TRIAL]), []).append(run)
                    elif run.data.tags.get(ROLE) == "sweep":
                        parents.append((run.info.run_id, run.info.status))
        return parents, found

    def experiment_of(self, run_id: str) -> str:
        """Return the id of the experiment that a run belongs to."""
        with self._asked() as client:
            experiment_id: str = client.get_run(run_id).info.experiment_id
        return experiment_id

    def has_view(self, experiment_id: str) -> bool:
        """Whether the experiment has the view that shows all trials; sweeps of earlier versions have none."""
        with self._asked() as client:
            return TAG in client.get_experiment(experiment_id).tags

    def read(self, run_id: str) -> RecordedRun:
        """Return a run with the whole history of its metrics."""
        with self._asked() as client:
            return _with_histories(client, [client.get_run(run_id)])[0]

    def models_of(self, run_ids: Collection[str]) -> list[RecordedModel]:
        """Return the models that were exported from a sweep, of those runs that are given."""
        found: list[RecordedModel] = []
        with self._asked() as client:
            experiment = client.get_experiment_by_name(self._dir.name)
            token = None
            while experiment is not None:
                query = f"tags.`{SWEEP}` = '{self._dir.name}'"
                page = client.search_logged_models([experiment.experiment_id], query, page_token=token)
                for model in page:
                    if model.source_run_id in run_ids and model.status.name == "READY":
                        metadata = _metadata(model.artifact_location, self._uri)
                        found.append(RecordedModel(model.model_id, model.source_run_id, model.tags, metadata))
                token = page.token
                if not token:
                    break
        return found

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        import mlflow

        with mlflow_must_answer(self._uri):
            yield mlflow.MlflowClient(tracking_uri=self._uri)

    def _search(self, client: Any, query: str) -> Iterator[Any]:
        experiment = client.get_experiment_by_name(self._dir.name)
        if experiment is None:
            return
        token = None
        while True:
            page = client.search_runs([experiment.experiment_id], query, max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def _with_histories(client: Any, runs: Sequence[Any]) -> list[RecordedRun]:
    """Return runs with the whole histories of their metrics."""
    histories: dict[str, dict[str, dict[int, float]]] = {run.info.run_id: {} for run in runs}
    doubled: dict[str, list[str]] = {run.info.run_id: [] for run in runs}
    for name in {name: None for run in runs for name in run.data.metrics}:
        those = [run.info.run_id for run in runs if name in run.data.metrics]
        for run_id, row in _rows(client, those, name):
            history = histories[run_id].setdefault(name, {})
            if row.step in history:
                doubled[run_id].append(f"{name} at step {row.step}")
            history.setdefault(row.step, row.value)
    return [
        RecordedRun(
            run.info.run_id,
            run.info.status,
            run.data.params,
            run.data.tags,
            {name: histories[run.info.run_id].get(name, {}) for name in run.data.metrics},
            tuple(doubled[run.info.run_id]),
        )
        for run in runs
    ]


def _rows(client: Any, run_ids: list[str], name: str) -> Iterator[tuple[str, Any]]:
    """Yield the rows of a metric with the runs that they are of; one of MLflow's servers is asked for each run."""
    in_one = getattr(client._tracking_client.store, "get_metric_history_bulk", None)
    if in_one is not None:
        yield from ((row.run_id, row) for row in in_one(run_ids, name, _ALL))
        return
    for run_id in run_ids:
        yield from ((run_id, row) for row in client.get_metric_history(run_id, name))


def _metadata(location: str, uri: str) -> Mapping[str, Any] | None:
    """Return what a model that we exported says of itself."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model

    with tempfile.TemporaryDirectory(prefix="tuner-model-") as folder:
        try:
            file = download_artifacts(artifact_uri=f"{location}/MLmodel", dst_path=folder, tracking_uri=uri)
            return Model.load(file).metadata or {}
        except (OSError, MlflowException):
            return None


def is_fully_recorded(
    sweep_dir: SweepDir, given_uri: str | None, finished: Set[int], closed: SweepClosed, has_files: bool
) -> bool:
    """Whether all records and files of a sweep have arrived.

    Args:
        sweep_dir: The sweep's folder.
        given_uri: Tracking URI, or None for the root's own database.
        finished: Trials that have files there.
        closed: The last record.
        has_files: Whether the sweep's own run gets files (plots, tables) when a driver ends.
    """
    root = sweep_dir.root
    if is_local_store(root, tracking_uri(root, given_uri)) and (not root.database_file.exists() or has_moved(root)):
        return False
    if read_sent_offset(sweep_dir.sent_file) != sweep_dir.records_file.stat().st_size:  # more, if the log lost its end
        return False
    return finished <= attached_trials(sweep_dir) and (not has_files or closed.time in stored_ends(sweep_dir))
