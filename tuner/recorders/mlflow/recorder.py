"""A sweep in MLflow: one parent run, one child run a trial, written with explicit run ids only.

Everything written here may be written again, also by another process: runs are looked for before
they are made, params are write-once, a metric with its own time and step leaves one row.

What a child has: params are its parameters and constants; metrics ``eval/TAG``, ``best/METRIC`` (the
best value of an objective's metric so far), ``train/TAG`` and ``objective``.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from tuner.domain.objective import Goal
from tuner.domain.tags import INFINITE, REASON, STATE, STEP
from tuner.domain.trial import Evaluation, TrialState
from tuner.files.paths import SweepDir
from tuner.files.run_ids import RunIds
from tuner.recorders.base import Recorder, RecordsLost
from tuner.recorders.mlflow.artifacts import SweepFiles
from tuner.recorders.mlflow.batch import Batch, Sending, nobody, text
from tuner.recorders.mlflow.experiment import ExperimentPage
from tuner.recorders.mlflow.models import send_model
from tuner.recorders.mlflow.naming import MetricNames, ValidNames
from tuner.recorders.mlflow.parent_run import ParentRun, describe_trial
from tuner.recorders.mlflow.run_maker import RunMaker, identity
from tuner.recorders.mlflow.statuses import STATUS
from tuner.recorders.mlflow.store import (
    count_rows,
    is_local_store,
    make_database,
    mlflow_errors,
    prepare_environment,
    relocate_artifacts,
    tracking_uri,
)
from tuner.recorders.mlflow.summary import SweepSummary
from tuner.recorders.mlflow.training_curves import TrainingCurves
from tuner.recorders.mlflow.uploads import Uploads
from tuner.records.record import (
    Evaluated,
    ModelExported,
    Record,
    SweepClosed,
    SweepOpened,
    TrialChanged,
    TrialOpened,
)

_COLORS = {TrialState.PRUNED: "#c4c4c4", TrialState.FAIL: "#c82d4c"}
"""Of a trial's run in MLflow's tables and charts: pruned ones are told from failed ones, others have their own."""


class MlflowRecorder(Recorder):
    """Write a sweep's records to MLflow; see ``Recorder``.

    Args:
        sweep_dir: The sweep's folder.
        uri: Tracking URI, or None: MLFLOW_TRACKING_URI, else the root's own database.
        client: Made from the URI if it is None.
        sweep_files: Makes the files of the sweep's run, or None for none.
        say: Is told what MLflow refuses and what was restored there, a line each.
    """

    def __init__(
        self,
        sweep_dir: SweepDir,
        uri: str | None = None,
        client: Any = None,
        sweep_files: SweepFiles | None = None,
        say: Callable[[str], None] = nobody,
    ) -> None:
        self._say = say
        self._dir = sweep_dir
        self._uri = tracking_uri(sweep_dir.root, uri or os.environ.get("MLFLOW_TRACKING_URI"))
        self._client = client
        self._runs = RunIds(sweep_dir.runs_file)
        self._summary = SweepSummary()
        self._page = ParentRun(self._summary)
        self._uploads = Uploads(sweep_dir, sweep_files)
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

        with mlflow_errors(self._uri):
            if is_local_store(self._dir.root, self._uri):
                make_database(self._dir.root)
                relocate_artifacts(self._dir.root)
            if self._client is None:
                self._client = mlflow.MlflowClient(tracking_uri=self._uri)
            self._sending = Sending(self._client, self._say)
            self._experiment_id, note = self._experiment(self._dir.name)
            self._maker = RunMaker(self._client, self._sending, self._runs, self._experiment_id, self._say)
            self._experiment_page = ExperimentPage(
                self._client, self._experiment_id, self._summary, self._sending, note
            )
            with self._begun_anew():
                self._maker.check()

    def recall(self, records: Sequence[Record]) -> None:
        for record in records:
            self._learn(record)
            if isinstance(record, Evaluated):
                self._evaluation(record, Batch())

    def write(self, records: Sequence[Record]) -> None:
        with mlflow_errors(self._uri), self._begun_anew():
            batches: dict[int, Batch] = {}
            for record in records:
                self._on_record(record, batches)
            self._send_trials(batches)
            self._send_page(closing=False)

    def attach(self, closing: bool) -> str:
        with mlflow_errors(self._uri):
            if self._runs.parent is None:
                return ""
            self._send_page(closing)
            done = self._uploads.attach(self._client, self._sending, self._runs, self._summary, closing)
            self._experiment_page.send(self._runs.parent, self._uploads.importance)
            return done

    @contextmanager
    def _begun_anew(self) -> Iterator[None]:
        """Forget which runs there were if the store has lost one: whoever is told that sends everything again."""
        try:
            yield
        except RecordsLost:
            self._runs.rewrite(runs=False)
            self._dir.attached_file.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        self._uploads.close()
        if self._client is not None and is_local_store(self._dir.root, self._uri):
            count_rows(self._dir.root)
        self._client = None

    def _experiment(self, name: str) -> tuple[str, str]:
        """Return the id and description of the experiment, making or restoring it."""
        found = self._client.get_experiment_by_name(name)
        if found is None:
            local = is_local_store(self._dir.root, self._uri)
            location = self._dir.root.artifacts_dir.as_uri() if local else None
            return self._client.create_experiment(name, artifact_location=location), ""
        if found.lifecycle_stage != "active":
            self._client.restore_experiment(found.experiment_id)
        return found.experiment_id, found.tags.get("mlflow.note.content", "")

    def _learn(self, record: Record) -> None:
        self._summary.on_record(record)
        self._uploads.on_record(record)
        if isinstance(record, SweepOpened):
            options, limit = record.options, record.settings.get("max_steps")
            self._training = TrainingCurves(self._dir, options.get("training", ()), limit)

    def _on_record(self, record: Record, batches: dict[int, Batch]) -> None:
        tags_before = self._summary.opened.tags if self._summary.opened else None
        self._learn(record)
        if isinstance(record, SweepOpened):
            self._open_sweep(record, tags_before)
        elif isinstance(record, SweepClosed):
            self._send_trials(batches)
            batches.clear()
            self._send_page(closing=True)
        elif isinstance(record, ModelExported):
            self._send_model(record)
        elif record.trial in self._runs.deleted:
            return
        elif isinstance(record, TrialOpened):
            batch = batches.setdefault(record.trial, Batch())
            batch.params.update({self._summary.names[name]: text(value) for name, value in record.params.items()})
            batch.tags.update(record.tags)
            batch.started = batch.started or record.time
        elif isinstance(record, Evaluated):
            self._evaluation(record, batches.setdefault(record.trial, Batch()))
        else:
            self._state(record, batches.setdefault(record.trial, Batch()))
            for trial, tags in self._summary.together(record).items():
                if trial not in self._runs.deleted:
                    batches.setdefault(trial, Batch()).tags.update(tags)

    def _send_model(self, record: ModelExported) -> None:
        parent = self._runs.parent
        if parent is not None:
            of_trial = self._runs.trial(record.trial)
            call = partial(send_model, self._client, self._uri, self._dir, parent, of_trial, record)
            self._sending.attempt(parent, f"the exported model of trial {record.trial}", call)

    def _evaluation(self, record: Evaluated, batch: Batch) -> None:
        found, objectives = record.evaluation, self._summary.opened.objectives if self._summary.opened else {}
        names = {tag: self._names[record.trial].name(found.folder, tag, found.is_secondary) for tag in found.scalars}
        # MLflow's page of a comparison begins with the metric that a run was given first: what is judged by.
        for tag in sorted(names, key=lambda tag: tag not in objectives):
            value, metrics = found.scalars[tag], [names[tag]]
            if (
                tag in objectives
                and self._counts(record.trial, tag, found)
                and self._is_best(record.trial, tag, found.step, value)
            ):
                best = ValidNames(f"best/{metric}" for metric in objectives)[f"best/{tag}"]
                metrics.insert(0 if self._summary.judges_best(tag) else 1, best)
            for metric in metrics:
                self._metric(record.trial, batch, metric, value, found.time, found.step)
        self._evaluated_at[record.trial] = found.time
        if found.folder:
            batch.last_step = max(found.step, batch.last_step or 0)

    def _counts(self, trial: int, tag: str, found: Evaluation) -> bool:
        """Whether an evaluation is of the folder whose values are the objective's: the first that has the tag."""
        if not found.folder or found.is_secondary:
            return False
        return self._objective_folders.setdefault((trial, tag), found.folder) == found.folder

    def _is_best(self, trial: int, tag: str, step: int, value: float) -> bool:
        """Whether an evaluation was the trial's best when it came; the same when it comes again."""
        bests = self._bests.setdefault(trial, {}).setdefault(tag, {})
        if not math.isfinite(value) or step in bests:
            return step in bests
        goal = Goal(self._summary.opened.objectives[tag]) if self._summary.opened else Goal.MINIMIZE
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
        batch.tags[INFINITE + name] = ", ".join(f"{sign} at {at}" for at, sign in steps.items())

    def _state(self, record: TrialChanged, batch: Batch) -> None:
        batch.status, batch.status_time = STATUS[record.state], record.time
        batch.tags |= {
            STATE: record.state.value,
            REASON: record.reason,
            STEP: "" if record.step is None else str(record.step),
            "mlflow.runColor": _COLORS.get(record.state, ""),
            "mlflow.note.content": describe_trial(self._summary, record, self._experiment_id, self._runs.parent or ""),
            **record.tags,
        }
        several = len(record.values) > 1
        # A driver may die after it recorded an end and before the study knew, and the trial's end is
        # recorded again by the next one: with the time of the last evaluation, it leaves one row.
        at = self._evaluated_at.get(record.trial, record.time)
        names = ValidNames(f"objective/{metric}" for metric in record.values)
        for metric, value in record.values.items():
            name = names[f"objective/{metric}"] if several else "objective"
            self._metric(record.trial, batch, name, value, at, record.step or 0)
        if record.state is not TrialState.COMPLETE:
            batch.last_step = record.step if record.step is not None else batch.last_step
        batch.finished = record.state.is_finished
        batch.complete = record.state is TrialState.COMPLETE

    def _send_trials(self, batches: Mapping[int, Batch]) -> None:
        for trial, batch in batches.items():
            run_id = self._runs.trial(trial) or self._maker.trial(self._summary.opened, trial, batch)
            self._add_training(trial, batch)
            self._sending.send(run_id, batch)
            if self._training is not None:
                self._training.arrived(trial)
                if batch.finished:
                    self._training.forget(trial)
            inputs = partial(self._uploads.log_datasets, trial, self._client, run_id, self._runs.parent)
            self._sending.attempt(run_id, "what is known of its data", inputs)
            if batch.finished:
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
            self._experiment_page.send(self._runs.parent, self._uploads.importance)
            self._page.arrived()

    def _open_sweep(self, record: SweepOpened, tags_before: Mapping[str, str] | None) -> None:
        parent = self._maker.parent(record)
        tags = {**record.facts, **record.tags, **identity(record)}
        self._sending.send(parent, Batch(tags, "RUNNING", record.time))
        self._sending.attempt(
            parent,
            "the file 'search_space.yaml'",
            lambda: self._client.log_text(parent, record.space, "search_space.yaml"),
        )
        self._experiment_page.open(record, parent)
        if tags_before is not None and dict(record.tags) != dict(tags_before):
            for run_id in self._runs.trials.values():
                self._sending.send(run_id, Batch(dict(record.tags)))
