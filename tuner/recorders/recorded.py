"""What MLflow holds of a sweep, read back: for ``verify`` and for those who compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tuner.paths import SweepDir
from tuner.recorders.store import answering, is_there, prepare_environment, tracking_uri


@dataclass(frozen=True)
class RecordedRun:
    """A run as MLflow holds it.

    Attributes:
        metrics: Name to step to value; the first row of a step where there are several.
        doubled: Metrics and steps with more than one row.
    """

    run_id: str
    status: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, Mapping[int, float]]
    doubled: tuple[str, ...] = ()


class RecordedSweep:
    """Read a sweep's runs.

    Each method raises RecorderError where the store does not answer or refuses.

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
        found: dict[int, list[str]] = {}
        if self.is_there:
            with self._asked() as client:
                for run in self._search(client, f"tags.`tuner.sweep_id` = '{sweep_id}'"):
                    if "tuner.trial" in run.data.tags:
                        found.setdefault(int(run.data.tags["tuner.trial"]), []).append(run.info.run_id)
        return found

    def experiment_of(self, run_id: str) -> str:
        """Return the id of the experiment that a run belongs to."""
        with self._asked() as client:
            experiment_id: str = client.get_run(run_id).info.experiment_id
        return experiment_id

    def read(self, run_id: str) -> RecordedRun:
        """Return a run with the whole history of its metrics."""
        metrics, doubled = {}, []
        with self._asked() as client:
            run = client.get_run(run_id)
            for name in run.data.metrics:
                history: dict[int, float] = {}
                for row in client.get_metric_history(run_id, name):
                    if row.step in history:
                        doubled.append(f"{name} at step {row.step}")
                    history.setdefault(row.step, row.value)
                metrics[name] = history
        return RecordedRun(run_id, run.info.status, run.data.params, run.data.tags, metrics, tuple(doubled))

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        import mlflow

        with answering(self._uri):
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
