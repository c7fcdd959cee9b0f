"""What is to be sent of one run, and sending it in as few calls as MLflow's limits allow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tuner.recorders.names import LONGEST_VALUE, valid_name
from tuner.values import ParamValue

_ENTITIES, _TAGS, _PARAMS = 1000, 100, 100  # MLflow's limits of one call


class Batch:
    """What is to be sent of one run.

    Attributes:
        metrics: Name, value, milliseconds since 1970, step.
        params: Name to value, as text.
        tags: Name to value.
        status: MLflow's status of the run, or empty where it stays.
        status_time: When the run entered it, in seconds since 1970.
        started: When the run began, if it has to be made; in seconds since 1970.
        last_step: The last step that counts of a trial so far, or None before the first.
        settled: Whether its trial will not run again.
        complete: Whether its trial came to its end, so that all steps count.
    """

    def __init__(self, tags: dict[str, str] | None = None, status: str = "", status_time: float = 0.0) -> None:
        self.metrics: list[tuple[str, float, int, int]] = []
        self.params: dict[str, str] = {}
        self.tags = tags or {}
        self.status = status
        self.status_time = status_time
        self.started = 0.0
        self.last_step: int | None = None
        self.settled = False
        self.complete = False

    def metric(self, name: str, value: float, at: float, step: int) -> None:
        """Add a metric; ``at`` is in seconds since 1970."""
        self.metrics.append((name, value, round(at * 1000), step))


class Sending:
    """Send batches through a client.

    Args:
        client: MlflowClient.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._status: dict[str, str] = {}

    def made(self, run_id: str) -> None:
        """Know of a run that was made just now: it is RUNNING."""
        self._status[run_id] = "RUNNING"

    def send(self, run_id: str, batch: Batch) -> None:
        """Send what there is of a run."""
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(*metric) for metric in batch.metrics]
        tags = [RunTag(key, value) for key, value in taken(batch.tags).items()]
        params = [Param(key, value[:LONGEST_VALUE]) for key, value in batch.params.items()]
        while metrics or tags or params:
            first_params, first_tags = params[:_PARAMS], tags[:_TAGS]
            room = _ENTITIES - len(first_params) - len(first_tags)
            self._client.log_batch(run_id, metrics[:room], first_params, first_tags)
            metrics, params, tags = metrics[room:], params[_PARAMS:], tags[_TAGS:]
        if not batch.status or self._status.get(run_id) == batch.status:
            return
        if batch.status in ("RUNNING", "SCHEDULED"):
            self._client.update_run(run_id, status=batch.status)
        else:
            self._client.set_terminated(run_id, batch.status, round(batch.status_time * 1000))
        self._status[run_id] = batch.status


def taken(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags as MLflow takes them: in their keys, and in the length of their values."""
    return {valid_name(key): value[:LONGEST_VALUE] for key, value in tags.items()}


def text(value: ParamValue) -> str:
    """Return a parameter as MLflow keeps it: numbers as Python writes them, lists as JSON."""
    return json.dumps(value) if isinstance(value, (list, bool)) or value is None else str(value)
