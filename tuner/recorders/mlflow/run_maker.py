"""The runs of a sweep in the tracking store: found by their tags, restored if somebody deleted them, else made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tuner.domain.tags import ROLE, STATE, SWEEP, SWEEP_ID, TRIAL
from tuner.domain.trial import TrialState
from tuner.errors import RecorderError
from tuner.files.run_ids import RunIds
from tuner.recorders.base import RecordsLost
from tuner.recorders.mlflow.batch import Batch, Sending, taken
from tuner.recorders.mlflow.store import is_away, is_missing
from tuner.records.record import SweepOpened


class RunMaker:
    """Find or make runs with explicit ids, each at most once.

    Args:
        client: MlflowClient.
        sending: Sends what a run is made with and is refused.
        runs: Which are known; what is found and made is written there.
        experiment_id: Of the sweep.
        say: Is told what was restored, a line each.
    """

    def __init__(
        self, client: Any, sending: Sending, runs: RunIds, experiment_id: str, say: Callable[[str], None]
    ) -> None:
        self._client = client
        self._sending = sending
        self._runs = runs
        self._experiment_id = experiment_id
        self._say = say

    def check(self) -> None:
        """Make sure that the store has the sweep's run; if somebody deleted that, all runs are restored.

        Raises:
            RecordsLost: It is gone for good, as when the database was made anew.
        """
        if self._runs.parent is None:
            return
        try:
            run = self._client.get_run(self._runs.parent)
        except Exception as error:
            if is_missing(error):
                raise RecordsLost(f"the run of the sweep is not in MLflow any more ({self._runs.parent})") from error
            raise
        if run.info.lifecycle_stage == "active":
            return
        sweep_id, restored = run.data.tags.get(SWEEP_ID, ""), 0
        for found in self._search(f"tags.`{SWEEP_ID}` = '{sweep_id}'", deleted=True):
            if int(found.data.tags.get(TRIAL, -1)) not in self._runs.deleted:
                self._client.restore_run(found.info.run_id)
                restored += 1
        self._say(f"the runs of the sweep had been deleted in MLflow: {restored} were restored")

    def parent(self, sweep: SweepOpened) -> str:
        """Return the sweep's run, found or made; learns those of its trials if their ids were lost."""
        known = self._runs.parent
        if known is not None and not self._runs.damaged:
            return known
        found = list(self._search(f"tags.`{SWEEP_ID}` = '{sweep.sweep_id}'"))
        for run in found:
            if TRIAL in run.data.tags:
                self._runs.remember(run.info.run_id, int(run.data.tags[TRIAL]))
        parents: list[str] = [run.info.run_id for run in found if run.data.tags.get(ROLE) == "sweep"]
        if not parents:
            tags = {ROLE: "sweep", "mlflow.runName": sweep.name}
            parents = [self._create(sweep.time, {**identity(sweep), **tags}, {})]
        self._runs.remember(parents[0], experiment=self._experiment_id)
        if self._runs.damaged:
            self._runs.rewrite()
        return parents[0]

    def trial(self, sweep: SweepOpened | None, trial: int, batch: Batch) -> str:
        """Return a trial's run, found or made with the tags of its batch."""
        if self._runs.trial(trial) is None:
            self._runs.refresh()
        known = self._runs.trial(trial)
        if known is not None:
            return known
        if sweep is None or self._runs.parent is None:
            raise RecorderError(f"trial {trial} was recorded before its sweep")
        run_id = None
        if self._runs.being_made(trial):
            query = f"tags.`{SWEEP_ID}` = '{sweep.sweep_id}' and tags.`{TRIAL}` = '{trial}'"
            run_id = next((run.info.run_id for run in self._search(query)), None)
        if run_id is None:
            self._runs.make(trial)
            needed = {
                **identity(sweep),
                "mlflow.parentRunId": self._runs.parent,
                "mlflow.runName": f"{sweep.name}-{trial:04d}",
                TRIAL: str(trial),
                STATE: TrialState.RUNNING.value,
            }
            facts = {key: value for key, value in sweep.facts.items() if key.startswith("mlflow.")}
            run_id = self._create(batch.started or time.time(), needed, {**facts, **sweep.tags, **batch.tags})
            batch.tags = {}  # a run is made with them for nothing, and given them later for one more wait
        self._runs.remember(run_id, trial)
        return run_id

    def _create(self, at: float, needed: Mapping[str, str], others: Mapping[str, str]) -> str:
        """Make a run; if the store refuses it, with what it is known by alone, and the other tags one by one."""
        begin, name = round(at * 1000), needed["mlflow.runName"]
        tags = taken({**others, **needed, **{key: others[key] for key in others.keys() & {STATE}}})
        try:
            run_id: str = self._client.create_run(self._experiment_id, begin, tags, name).info.run_id
        except Exception as error:
            if is_away(error) or not others:
                raise
            run_id = self._client.create_run(self._experiment_id, begin, taken(needed), name).info.run_id
            self._sending.send(run_id, Batch(dict(others)))
        self._sending.made(run_id, {**others, **needed})
        return run_id

    def _search(self, query: str, deleted: bool = False) -> Iterator[Any]:
        from mlflow.entities import ViewType

        view, token = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY, None
        while True:
            page = self._client.search_runs([self._experiment_id], query, view, max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def identity(sweep: SweepOpened) -> dict[str, str]:
    """Return the tags by which the runs of a sweep are found."""
    return {SWEEP: sweep.name, SWEEP_ID: sweep.sweep_id}
