"""What is to be sent of one run, and sending it in as few calls as MLflow's limits allow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tuner.domain.tags import REFUSED
from tuner.recorders.base import RecordsLost
from tuner.recorders.mlflow.naming import LONGEST_VALUE, valid_name
from tuner.recorders.mlflow.store import is_away, is_missing, reason
from tuner.space.parameters import ParamValue
from tuner.text import legible

_ENTITIES, _TAGS, _PARAMS = 1000, 100, 100  # MLflow's limits of one call


def nobody(line: str) -> None:
    """Tell nobody."""


class Batch:
    """What is to be sent of one run.

    Attributes:
        metrics: Name, value, milliseconds since 1970, step.
        params: Name to value, as text.
        tags: Name to value; a run has none whose value is empty.
        status: MLflow's status of the run, or empty if it stays.
        status_time: When the run entered it, in seconds since 1970.
        started: When the run began, if it has to be made; in seconds since 1970.
        last_step: The last step that counts of a trial so far, or None before the first.
        finished: Whether its trial will not run again.
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
        self.finished = False
        self.complete = False

    def metric(self, name: str, value: float, at: float, step: int) -> None:
        """Add a metric; ``at`` is in seconds since 1970."""
        self.metrics.append((name, value, round(at * 1000), step))


Entity = tuple[str, Any]
"""``metrics``, ``params`` or ``tags``, and one of them as MLflow has it."""


class Sending:
    """Send batches through a client; what the store refuses is left out and said, and the rest arrives.

    A store that refuses a call is asked first to take something that it took before: only one that does is
    asked for the one value that it will not have. So one that is away, or full, is never taken for one that refuses.

    Args:
        client: MlflowClient.
        say: Is told what was left out, a line each.
    """

    def __init__(self, client: Any, say: Callable[[str], None] = nobody) -> None:
        self._client = client
        self._say = say
        self._status: dict[str, str] = {}
        self._refused: dict[str, list[str]] = {}  # of a run
        self._said: set[str] = set()
        self._tags: dict[str, set[str]] = {}  # of the runs made here

    def made(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Know of a run that was made just now, with its tags: it is RUNNING."""
        self._status[run_id] = "RUNNING"
        self._tags[run_id] = set(taken(tags))

    def send(self, run_id: str, batch: Batch) -> None:
        """Send what there is of a run."""
        from mlflow.entities import Metric, Param, RunTag

        self._take_away(run_id, batch.tags)
        metrics: list[Entity] = [("metrics", Metric(*metric)) for metric in batch.metrics]
        tags: list[Entity] = [("tags", RunTag(key, value)) for key, value in taken(batch.tags).items()]
        params: list[Entity] = [("params", Param(key, value[:LONGEST_VALUE])) for key, value in batch.params.items()]
        while metrics or tags or params:
            few = [*params[:_PARAMS], *tags[:_TAGS]]
            room = _ENTITIES - len(few)
            self._put(run_id, [*few, *metrics[:room]])
            metrics, params, tags = metrics[room:], params[_PARAMS:], tags[_TAGS:]
        if not batch.status or self._status.get(run_id) == batch.status:
            return
        self.attempt(run_id, f"the status {batch.status!r}", lambda: self._enter(run_id, batch))
        self._status[run_id] = batch.status

    def _enter(self, run_id: str, batch: Batch) -> None:
        if batch.status in ("RUNNING", "SCHEDULED"):
            self._client.update_run(run_id, status=batch.status)
        else:
            self._client.set_terminated(run_id, batch.status, round(batch.status_time * 1000))
            self._tags.pop(run_id, None)
        self._status[run_id] = batch.status

    def attempt(self, run_id: str, what: str, call: Callable[[], None]) -> None:
        """Make a call of which nothing else depends; if the store refuses it, say so and go on.

        Args:
            run_id: The run that it is about.
            what: What is left out then, for people.
            call: Sends it.
        """
        try:
            call()
        except Exception as error:
            if is_away(error):
                raise
            if self._revived(run_id):
                call()
            else:
                self._refuse(run_id, what, error)

    def _put(self, run_id: str, entities: Sequence[Entity]) -> None:
        """Send entities in one call, or if that is refused in ever fewer."""
        grouped: dict[str, list[Any]] = {"metrics": [], "params": [], "tags": []}
        for kind, entity in entities:
            grouped[kind].append(entity)
        try:
            self._client.log_batch(run_id, **grouped)
        except Exception as error:
            if is_away(error):
                raise
            if self._revived(run_id):
                self._put(run_id, entities)
                return
            if len(entities) > 1:
                self._works(run_id)
                half = len(entities) // 2
                self._put(run_id, entities[:half])
                self._put(run_id, entities[half:])
                return
            ((kind, entity),) = entities
            self._refuse(run_id, f"the {kind[:-1]} {entity.key!r}", error)

    def _revived(self, run_id: str) -> bool:
        """Restore a run that somebody deleted; return whether it was one.

        Raises:
            RecordsLost: It is gone for good.
        """
        try:
            run = self._client.get_run(run_id)
        except Exception as error:
            if is_missing(error):
                raise RecordsLost(f"the run {run_id} is not in MLflow any more") from error
            raise
        if run.info.lifecycle_stage == "active":
            return False
        self._client.restore_run(run_id)
        self._say(f"the run {run_id} had been deleted in MLflow: it was restored")
        return True

    def _works(self, run_id: str) -> None:
        """Make sure that a run takes what cannot be wrong; raises what the store says if it does not."""
        self._client.set_tag(run_id, REFUSED, "; ".join(self._refused.get(run_id, ()))[:LONGEST_VALUE])

    def _refuse(self, run_id: str, what: str, error: Exception) -> None:
        what, why = legible(what), legible(reason(error))
        refused = self._refused.setdefault(run_id, [])
        if f"{what}: {why}" not in refused:
            refused.append(f"{what}: {why}")
        self._works(run_id)
        if what not in self._said:
            self._said.add(what)
            self._say(f"MLflow refuses {what} of run {run_id}, and has the rest: {why}")

    def _take_away(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Delete the tags of a run that have no value any more; of a run made elsewhere nobody knows which it has."""
        known = self._tags.get(run_id)
        for key in [valid_name(key) for key, value in tags.items() if not value]:
            if known is not None and key not in known:
                continue
            try:
                self._client.delete_tag(run_id, key)
            except Exception as error:
                if is_away(error):
                    raise
                if not is_missing(error):
                    self._refuse(run_id, f"the end of the tag {key!r}", error)
        if known is not None:
            known -= {valid_name(key) for key in tags}
            known |= set(taken(tags))


def taken(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that have a value as MLflow takes them: in their keys, and in the length of their values."""
    return {valid_name(key): value[:LONGEST_VALUE] for key, value in tags.items() if value}


def text(value: ParamValue) -> str:
    """Return a parameter as MLflow keeps it: numbers as Python writes them, lists as JSON."""
    return json.dumps(value) if isinstance(value, (list, bool)) or value is None else str(value)
