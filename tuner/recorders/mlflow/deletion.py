"""Runs of MLflow, and the models that were exported from them, deleted."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tuner.domain.tags import STEP, SWEEP, TRIAL
from tuner.files.paths import SweepDir
from tuner.recorders.mlflow.store import is_local_store, is_there, mlflow_must_answer, prepare_environment, tracking_uri


@dataclass(frozen=True)
class ExportedModel:
    """A model in MLflow that was exported from a trial.

    Attributes:
        model_id: Of the logged model.
        trial: Number of the trial.
        step: Global step of its checkpoint.
        versions: Registered models that have it as a version: name, version, its aliases.
    """

    model_id: str
    trial: int
    step: int
    versions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def kept(self, own_uri: str = "") -> Iterator[str]:
        """Yield a line for each registered version that stays, with the command that deletes it.

        Args:
            own_uri: The tracking store if it is the root's own, else empty: MLFLOW_TRACKING_URI names it.
        """
        for name, version, aliases in self.versions:
            called = f" ({', '.join(aliases)})" if aliases else ""
            uri = repr(own_uri) if own_uri else ""
            code = (
                f"import mlflow; c = mlflow.MlflowClient({uri}); "
                f"c.delete_model_version({name!r}, {version!r}); c.delete_logged_model({self.model_id!r})"
            )
            yield (
                f"version {version}{called} of the registered model {name}, of trial {self.trial} at step {self.step}: "
                f"it may be served; delete it with: python -c {shlex.quote(code)}"
            )


class RecordedRuns:
    """Runs and models of a sweep in its tracking store; nothing is there if the store was never made.

    Args:
        sweep_dir: The sweep's folder.
        given_uri: Tracking URI, or None for the root's own database.

    Attributes:
        own_uri: The tracking store if it is the root's own, else empty.
    """

    def __init__(self, sweep_dir: SweepDir, given_uri: str | None) -> None:
        prepare_environment()
        self._dir = sweep_dir
        self._uri = tracking_uri(sweep_dir.root, given_uri)
        self.own_uri = self._uri if is_local_store(sweep_dir.root, self._uri) else ""
        self._there = is_there(self._uri)

    def models(self, runs: Collection[str], parent: str | None = None, trial: int | None = None) -> list[ExportedModel]:
        """Return the models that were exported from runs.

        Args:
            runs: Their ids.
            parent: The sweep's run: of it only models of ``trial`` are meant.
            trial: Number of a trial.

        Raises:
            RecorderError: The store does not answer.
        """
        if not self._there:
            return []
        with self._asked() as client:
            experiment = client.get_experiment_by_name(self._dir.name)
            if experiment is None:
                return []
            return [
                self._model(client, model)
                for model in self._logged(client, experiment.experiment_id)
                if model.source_run_id in runs
                or (model.source_run_id == parent and model.tags.get(TRIAL) == str(trial))
            ]

    def delete_models(self, models: Iterable[ExportedModel]) -> None:
        """Mark models as deleted, but those that are registered.

        Raises:
            RecorderError: The store does not answer.
        """
        unregistered = [model for model in models if not model.versions]
        if not unregistered:
            return
        with self._asked() as client:
            for model in unregistered:
                client.delete_logged_model(model.model_id)

    def delete_runs(self, runs: Iterable[str]) -> None:
        """Mark runs as deleted; those that are gone already are passed over.

        The experiment stays: restoring it later would restore every run in it.

        Raises:
            RecorderError: The store does not answer.
        """
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

        if not self._there:
            return
        with self._asked() as client:
            for run_id in runs:
                try:
                    if client.get_run(run_id).info.lifecycle_stage == "active":
                        client.delete_run(run_id)
                except MlflowException as error:
                    if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
                        raise

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        import mlflow

        with mlflow_must_answer(self._uri, "try again when it does: what is left can be deleted then"):
            yield mlflow.MlflowClient(tracking_uri=self._uri)

    def _logged(self, client: Any, experiment_id: str) -> Iterator[Any]:
        query, token = f"tags.`{SWEEP}` = '{self._dir.name}'", None
        while True:
            page = client.search_logged_models([experiment_id], filter_string=query, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _model(self, client: Any, model: Any) -> ExportedModel:
        tags: Mapping[str, str] = model.tags
        versions = []
        for version in client.search_model_versions(f"run_id = '{model.source_run_id}'"):
            if version.source == model.artifact_location:
                aliases = client.get_registered_model(version.name).aliases
                called = tuple(alias for alias, of in aliases.items() if str(of) == str(version.version))
                versions.append((version.name, str(version.version), called))
        trial, step = int(tags.get(TRIAL, -1)), int(tags.get(STEP, -1))
        return ExportedModel(model.model_id, trial, step, tuple(versions))
