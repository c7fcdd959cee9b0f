"""The experiment of a sweep: what it is about, its description, and the view that shows its trials."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from tuner.domain.objective import Goal
from tuner.recorders.mlflow import shared_view as view
from tuner.recorders.mlflow.batch import Sending
from tuner.recorders.mlflow.naming import ValidNames
from tuner.recorders.mlflow.parent_run import NOTE_OF_EXPERIMENT, describe_experiment
from tuner.recorders.mlflow.summary import SweepSummary
from tuner.records.record import SweepOpened


class ExperimentPage:
    """Keep the tags of a sweep's experiment up to date; each is sent when it has changed.

    Args:
        client: MlflowClient.
        experiment_id: Of the experiment.
        summary: The sweep.
        sending: Says what the store refuses, and goes on.
        note: The description that the experiment has; one that somebody wrote stays.
    """

    def __init__(
        self, client: Any, experiment_id: str, summary: SweepSummary, sending: Sending, note: str = ""
    ) -> None:
        self._client = client
        self._id = experiment_id
        self._summary = summary
        self._sending = sending
        self._describes = not note or note.startswith(NOTE_OF_EXPERIMENT)
        self._sent: dict[str, str] = {"mlflow.note.content": note}

    def open(self, record: SweepOpened, parent: str) -> None:
        """Say what the experiment is about, as a driver opens the sweep, whose run is ``parent``."""
        metric, goal = next(iter(record.objectives.items()))
        names = ValidNames(f"objective/{name}" for name in record.objectives)
        primary = "objective" if len(record.objectives) == 1 else names[f"objective/{metric}"]
        self._tag(parent, "mlflow.experiment.primaryMetric.name", primary)
        self._tag(parent, "mlflow.experiment.primaryMetric.greaterIsBetter", str(goal == Goal.MAXIMIZE.value).lower())
        self._tag(parent, "mlflow.experimentKind", "custom_model_development")

    def send(self, parent: str, importance: Mapping[str, float]) -> None:
        """Renew the description and the view.

        Args:
            parent: Id of the sweep's run.
            importance: Parameter to its share, as far as it is known.
        """
        if self._summary.opened is None:
            return
        if self._describes:
            self._tag(parent, "mlflow.note.content", describe_experiment(self._summary.opened, self._id, parent))
        self._tag(parent, view.TAG, view.shared_view(self._summary, parent, importance))

    def _tag(self, parent: str, key: str, value: str) -> None:
        if self._sent.get(key) != value:
            tag = partial(self._client.set_experiment_tag, self._id, key, value)
            self._sending.attempt(parent, f"the tag {key!r} of the experiment", tag)
            self._sent[key] = value
