"""A sweep in MLflow: one parent run, one child run a trial, written with explicit run ids only.

Everything written here may be written again, also by another process: runs are looked for before
they are made, params are write-once, a metric with its own time and step leaves one row.

What a child has: params are its parameters and constants; metrics ``eval/TAG``, ``best/METRIC`` (the
best value of an objective's metric so far), ``train/TAG`` and ``objective``.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from tuner.errors import RecorderError
from tuner.paths import SweepDir
from tuner.recorders.attachments import SweepFiles
from tuner.recorders.batch import Batch, Sending, taken, text
from tuner.recorders.best_model import send_model
from tuner.recorders.extras import Extras
from tuner.recorders.names import MetricNames, valid_name
from tuner.recorders.page import SweepPage
from tuner.recorders.runs import RunIds
from tuner.recorders.standing import Standing
from tuner.recorders.store import follow_root, is_own, make_database, prepare_environment, tracking_uri, translated
from tuner.recorders.training import TrainingCurves
from tuner.records import Evaluated, ModelExported, Record, SweepClosed, SweepOpened, TrialChanged, TrialOpened
from tuner.values import Evaluation, Goal, TrialState

_STATUS = {
    TrialState.RUNNING: "RUNNING",
    TrialState.PAUSED: "SCHEDULED",
    TrialState.INTERRUPTED: "SCHEDULED",
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}


class MlflowRecorder:
    """Write a sweep's records to MLflow; see ``Recorder``.

    Args:
        sweep_dir: The sweep's folder.
        uri: Tracking URI, or None for the root's own database.
        client: Made from the URI if it is None.
        sweep_files: Makes the files of the sweep's run, or None for none.
    """

    def __init__(
        self, sweep_dir: SweepDir, uri: str | None = None, client: Any = None, sweep_files: SweepFiles | None = None
    ) -> None:
        self._dir = sweep_dir
        self._uri = tracking_uri(sweep_dir.root, uri)
        self._client = client
        self._runs = RunIds(sweep_dir.runs_file)
        self._standing = Standing()
        self._page = SweepPage(self._standing)
        self._extras = Extras(sweep_dir, sweep_files)
        self._training: TrainingCurves | None = None
        self._names: dict[int, MetricNames] = defaultdict(MetricNames)
        self._objective_folders: dict[tuple[int, str], str] = {}
        self._bests: dict[int, dict[str, dict[int, float]]] = {}
        self._evaluated_at: dict[int, float] = {}
        self._infinite: dict[tuple[int, str], dict[int, str]] = defaultdict(dict)
        self._experiment_id = ""

    def open(self) -> None:
        prepare_environment()
        import mlflow

        with translated(self._uri):
            if is_own(self._dir.root, self._uri):
                make_database(self._dir.root)
                follow_root(self._dir.root)
            if self._client is None:
                self._client = mlflow.MlflowClient(tracking_uri=self._uri)
            self._sending = Sending(self._client)
            self._experiment_id = self._experiment(self._dir.name)

    def recall(self, records: Sequence[Record]) -> None:
        for record in records:
            self._learn(record)
            if isinstance(record, Evaluated):
                self._evaluation(record, Batch())

    def write(self, records: Sequence[Record]) -> None:
        with translated(self._uri):
            batches: dict[int, Batch] = {}
            for record in records:
                self._take(record, batches)
            self._send_trials(batches)
            self._send_page(closing=False)

    def attach(self, closing: bool) -> bool:
        with translated(self._uri):
            if self._runs.parent is None:
                return True
            self._send_page(closing)
            return self._extras.attach(self._client, self._sending, self._runs, self._standing, closing)

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

    def _learn(self, record: Record) -> None:
        self._standing.take(record)
        self._extras.take(record)
        if isinstance(record, SweepOpened):
            options, limit = record.options, record.settings.get("max_steps")
            self._training = TrainingCurves(self._dir, options.get("training", ()), limit)

    def _take(self, record: Record, batches: dict[int, Batch]) -> None:
        tags_before = self._standing.opened.tags if self._standing.opened else None
        self._learn(record)
        if isinstance(record, SweepOpened):
            self._open_sweep(record, tags_before)
        elif isinstance(record, SweepClosed):
            self._send_trials(batches)
            batches.clear()
            self._send_page(closing=True)
        elif isinstance(record, ModelExported):
            send_model(self._client, self._uri, self._dir, self._runs.parent, record)
        elif isinstance(record, TrialOpened):
            batch = batches.setdefault(record.trial, Batch())
            batch.params.update({valid_name(name): text(value) for name, value in record.params.items()})
            batch.tags.update(record.tags)
            batch.started = batch.started or record.time
        elif isinstance(record, Evaluated):
            self._evaluation(record, batches.setdefault(record.trial, Batch()))
        else:
            self._state(record, batches.setdefault(record.trial, Batch()))
            for trial, tags in self._standing.together(record).items():
                batches.setdefault(trial, Batch()).tags.update(tags)

    def _evaluation(self, record: Evaluated, batch: Batch) -> None:
        found, objectives = record.evaluation, self._standing.opened.objectives if self._standing.opened else {}
        for tag, value in found.scalars.items():
            name = self._names[record.trial].name(found.folder, tag, found.aside)
            self._metric(record.trial, batch, name, value, found.time, found.step)
            if (
                tag in objectives
                and self._counts(record.trial, tag, found)
                and self._is_best(record.trial, tag, found.step, value)
            ):
                self._metric(record.trial, batch, valid_name(f"best/{tag}"), value, found.time, found.step)
        self._evaluated_at[record.trial] = found.time
        if found.folder:
            batch.last_step = max(found.step, batch.last_step or 0)

    def _counts(self, trial: int, tag: str, found: Evaluation) -> bool:
        """Whether an evaluation is of the folder whose values are the objective's: the first that has the tag."""
        if not found.folder or found.aside:
            return False
        return self._objective_folders.setdefault((trial, tag), found.folder) == found.folder

    def _is_best(self, trial: int, tag: str, step: int, value: float) -> bool:
        """Whether an evaluation was the trial's best when it came; the same when it comes again."""
        bests = self._bests.setdefault(trial, {}).setdefault(tag, {})
        if math.isnan(value) or step in bests:
            return step in bests
        goal = Goal(self._standing.opened.objectives[tag]) if self._standing.opened else Goal.MINIMIZE
        if bests and goal.loss(next(reversed(bests.values()))) <= goal.loss(value):
            return False
        bests[step] = value
        return True

    def _metric(self, trial: int, batch: Batch, name: str, value: float, at: float, step: int) -> None:
        """Put a metric into a batch; an infinity, which a store gives back as a number, becomes a tag."""
        if not math.isinf(value):
            batch.metric(name, value, at, step)
            return
        steps = self._infinite[trial, name]
        steps[step] = "inf" if value > 0 else "-inf"
        batch.tags[f"tuner.inf.{name}"] = ", ".join(f"{sign} at {at}" for at, sign in steps.items())

    def _state(self, record: TrialChanged, batch: Batch) -> None:
        batch.status, batch.status_time = _STATUS[record.state], record.time
        batch.tags["tuner.state"] = record.state.value
        batch.tags["tuner.reason"] = record.reason
        batch.tags.update(record.tags)
        several = len(record.values) > 1
        # A driver may die after it recorded an end and before the study knew, and the trial's end is
        # recorded again by the next one: with the time of the last evaluation, it leaves one row.
        at = self._evaluated_at.get(record.trial, record.time)
        for metric, value in record.values.items():
            name = valid_name(f"objective/{metric}") if several else "objective"
            self._metric(record.trial, batch, name, value, at, record.step or 0)
        if record.state is not TrialState.COMPLETE:
            batch.last_step = record.step if record.step is not None else batch.last_step
        batch.settled = record.state.settled
        batch.complete = record.state is TrialState.COMPLETE

    def _send_trials(self, batches: Mapping[int, Batch]) -> None:
        for trial, batch in batches.items():
            run_id = self._trial_run(trial, batch)
            self._add_training(trial, batch)
            self._sending.send(run_id, batch)
            if self._training is not None:
                self._training.arrived(trial)
                if batch.settled:
                    self._training.forget(trial)
            self._extras.say_inputs(trial, self._client, run_id, self._runs.parent)
            if batch.settled:
                self._names.pop(trial, None)
                self._bests.pop(trial, None)

    def _add_training(self, trial: int, batch: Batch) -> None:
        """Add what training wrote up to the last step that counts."""
        if self._training is None or (batch.last_step is None and not batch.complete):
            return
        for point in self._training.due(trial, None if batch.complete else batch.last_step):
            if not math.isinf(point.value):
                batch.metric(self._names[trial].name("", point.tag), point.value, point.time, point.step)

    def _send_page(self, closing: bool) -> None:
        """Bring the sweep's own run up to date, not too often while there is more to come."""
        if self._runs.parent is not None and (batch := self._page.due(closing)) is not None:
            self._sending.send(self._runs.parent, batch)
            self._page.arrived()

    def _open_sweep(self, record: SweepOpened, tags_before: Mapping[str, str] | None) -> None:
        if self._runs.parent is None:
            self._find_or_make_parent(record)
        assert self._runs.parent is not None
        tags = {**record.facts, **record.tags, **self._identity(record)}
        self._sending.send(self._runs.parent, Batch(tags, "RUNNING", record.time))
        self._client.log_text(self._runs.parent, record.space, "search_space.yaml")
        metric, goal = next(iter(record.objectives.items()))
        primary = "objective" if len(record.objectives) == 1 else valid_name(f"objective/{metric}")
        greater = str(goal == Goal.MAXIMIZE.value).lower()
        for key, value in (
            ("experiment.primaryMetric.name", primary),
            ("experiment.primaryMetric.greaterIsBetter", greater),
            ("experimentKind", "custom_model_development"),  # pages for training, not for traces and prompts
        ):
            self._client.set_experiment_tag(self._experiment_id, f"mlflow.{key}", value)
        if tags_before is not None and dict(record.tags) != dict(tags_before):
            for run_id in self._runs.trials.values():
                self._sending.send(run_id, Batch(dict(record.tags)))

    def _find_or_make_parent(self, record: SweepOpened) -> None:
        """Find the sweep's run, and those of its trials where their ids were lost, or make it."""
        query = f"tags.`tuner.sweep_id` = '{record.sweep_id}'"
        found, token = [], None
        while True:
            page = self._client.search_runs([self._experiment_id], query, max_results=1000, page_token=token)
            found += page
            token = page.token
            if not token:
                break
        for run in found:
            if "tuner.trial" in run.data.tags:
                self._runs.remember(run.info.run_id, int(run.data.tags["tuner.trial"]))
        parents = [run.info.run_id for run in found if run.data.tags.get("tuner.role") == "sweep"]
        if not parents:
            tags = {**self._identity(record), "tuner.role": "sweep", "mlflow.runName": record.name}
            parents = [self._create(record.time, tags)]
        self._runs.remember(parents[0])

    def _trial_run(self, trial: int, batch: Batch) -> str:
        """Return the trial's run, found or made."""
        if self._runs.trial(trial) is None:
            self._runs.refresh()
        known = self._runs.trial(trial)
        if known is not None:
            return known
        sweep = self._standing.opened
        if sweep is None or self._runs.parent is None:
            raise RecorderError(f"trial {trial} was recorded before its sweep")
        run_id = None
        if self._runs.being_made(trial):
            query = f"tags.`tuner.sweep_id` = '{sweep.sweep_id}' and tags.`tuner.trial` = '{trial}'"
            found = self._client.search_runs([self._experiment_id], query, max_results=1)
            run_id = found[0].info.run_id if found else None
        if run_id is None:
            self._runs.make(trial)
            tags = {**self._trial_tags(sweep, trial), **batch.tags}
            run_id = self._create(batch.started or time.time(), tags)
            batch.tags = {}  # a run is made with them for nothing, and given them later for one more wait
        self._runs.remember(run_id, trial)
        return run_id

    def _trial_tags(self, sweep: SweepOpened, trial: int) -> dict[str, str]:
        assert self._runs.parent is not None
        return {
            **{key: value for key, value in sweep.facts.items() if key.startswith("mlflow.")},
            **sweep.tags,
            **self._identity(sweep),
            "mlflow.parentRunId": self._runs.parent,
            "mlflow.runName": f"{sweep.name}-{trial:04d}",
            "tuner.trial": str(trial),
            "tuner.state": TrialState.RUNNING.value,
        }

    def _identity(self, record: SweepOpened) -> dict[str, str]:
        return {"tuner.sweep": record.name, "tuner.sweep_id": record.sweep_id}

    def _create(self, at: float, tags: Mapping[str, str]) -> str:
        run = self._client.create_run(self._experiment_id, round(at * 1000), taken(tags), tags.get("mlflow.runName"))
        run_id: str = run.info.run_id
        self._sending.made(run_id)
        return run_id
