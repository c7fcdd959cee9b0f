"""Models in MLflow: an exported trial as a logged model of its run, and as a version of a registered model.

Written with explicit ids only, and found by its tags before it is made: the same export counts once.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.domain.tags import EXPORT, EXPORT_DIFFERS, EXPORT_MODEL_ID, EXPORTED_STEP, STEP, SWEEP, TEXT, TRIAL
from tuner.errors import InvalidInput, Problem
from tuner.files.paths import SweepDir
from tuner.recorders.mlflow.store import (
    is_local_store,
    make_database,
    mlflow_errors,
    mlflow_must_answer,
    prepare_environment,
    relocate_artifacts,
    tracking_uri,
)
from tuner.records.record import ModelExported

MODEL_TYPE = "estimator"


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model.

    Attributes:
        uri: What ``mlflow models serve -m`` takes.
    """

    name: str
    version: str
    uri: str


class Models:
    """The models of one tracking store.

    Args:
        client: An MlflowClient.
        uri: Its store, for messages.
    """

    def __init__(self, client: Any, uri: str) -> None:
        self._client = client
        self._uri = uri

    @classmethod
    def open(cls, sweep_dir: SweepDir, given_uri: str | None) -> Models:
        """Open the store of a sweep's root.

        Raises:
            RecorderError: It cannot be used as it is.
        """
        prepare_environment()
        import mlflow

        uri = tracking_uri(sweep_dir.root, given_uri)
        if is_local_store(sweep_dir.root, uri):
            make_database(sweep_dir.root)
            relocate_artifacts(sweep_dir.root)
        return cls(mlflow.MlflowClient(tracking_uri=uri), uri)

    def check_name(self, name: str, alias: str | None) -> None:
        """Make sure that a model can be registered, before any work.

        Raises:
            InvalidInput: MLflow does not take the name or the alias.
            RecorderError: The store does not answer.
        """
        from mlflow.exceptions import MlflowException
        from mlflow.utils import validation

        checks = [("--register", validation._validate_model_name, name)]
        if alias is not None:
            checks.append(("--alias", validation._validate_model_alias_name, alias))
            checks.append(("--alias", validation._validate_model_alias_name_reserved, alias))
        problems = []
        for flag, check, value in checks:
            try:
                check(value)
            except MlflowException as error:
                problems.append(Problem(flag, str(error.message)))
        if problems:
            raise InvalidInput("", problems)
        with mlflow_must_answer(self._uri, "leave out --register, or try again when it does"):
            self._client.search_registered_models(max_results=1)

    def log(self, run_id: str, name: str, folder: Path, tags: Mapping[str, str], step: int) -> str:
        """Store an MLflow model as one of a run's; return its id.

        Args:
            run_id: The run that it comes from.
            name: Of the model.
            folder: The MLflow model; its MLmodel file gets the model's id. Not looked at if the model is there.
            tags: By which it is found again, exactly.
            step: Global step of the checkpoint.

        Raises:
            ConnectionError: The store is away.
            FileNotFoundError: Neither the model nor the folder is there.
        """
        with mlflow_errors(self._uri):
            experiment = self._client.get_run(run_id).info.experiment_id
            found = self.find(experiment, run_id, tags)
            if found is not None:
                return found
            if not (folder / "MLmodel").exists():
                raise FileNotFoundError(f"no MLflow model in {folder}")
            return self._store(experiment, run_id, name, folder, tags, step)

    def find(self, experiment: str, run_id: str, tags: Mapping[str, str]) -> str | None:
        """Return the id of a run's model with these tags; what was left half written is deleted."""
        query = " AND ".join(
            [f"source_run_id = '{run_id}'", *(f"tags.`{key}` = '{value}'" for key, value in tags.items())]
        )
        for model in self._client.search_logged_models([experiment], filter_string=query):
            if model.status.name == "READY":
                model_id: str = model.model_id
                return model_id
            self._client.delete_logged_model(model.model_id)
        return None

    def _store(self, experiment: str, run_id: str, name: str, folder: Path, tags: Mapping[str, str], step: int) -> str:
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model

        made = self._client.create_logged_model(experiment, name, run_id, dict(tags), model_type=MODEL_TYPE)
        described = Model.load(str(folder))
        described.model_id, described.run_id = made.model_id, run_id
        described.artifact_path = made.artifact_location
        described.save(str(folder / "MLmodel"))
        self._client.log_model_artifacts(made.model_id, str(folder))
        self._client.finalize_logged_model(made.model_id, "READY")
        self._client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step)])
        model_id: str = made.model_id
        return model_id

    def register(self, model_id: str, name: str, alias: str | None, description: str) -> ModelVersion:
        """Make a logged model a version of a registered one, which is made if it is not there.

        A model that has a version keeps it; an alias moves to it.

        Args:
            model_id: Of the logged model.
            name: Of the registered one.
            alias: Of the version, or None.
            description: Of a version that is made, in Markdown.
        """
        from mlflow.exceptions import MlflowException

        with mlflow_errors(self._uri):
            try:
                self._client.get_registered_model(name)
            except MlflowException:
                self._client.create_registered_model(
                    name, description="Models registered by tuner export. Each version says which trial it is."
                )
            model = self._client.get_logged_model(model_id)
            # The location, not models:/ID: that would be looked up in the process's default store.
            source = model.artifact_location
            versions = self._client.search_model_versions(f"name = '{name}'")
            found = next((version for version in versions if version.source == source), None)
            if found is None:
                found = self._client.create_model_version(
                    name,
                    source,
                    run_id=model.source_run_id,
                    tags=dict(model.tags),
                    description=description,
                    model_id=model_id,
                )
            if alias is not None:
                self._client.set_registered_model_alias(name, alias, found.version)
        uri = f"models:/{name}@{alias}" if alias is not None else f"models:/{name}/{found.version}"
        return ModelVersion(name, str(found.version), uri)


NAME = "best_model"


def model_tags(sweep_dir: SweepDir, trial: int, step: int, text: str = "") -> dict[str, str]:
    """Return the tags by which the model of a trial is found among those of a run.

    Args:
        sweep_dir: The sweep's folder.
        trial: Its number.
        step: Global step of the checkpoint.
        text: Digest of the text of the user's model: what another one made of the checkpoint is another model.
    """
    return {SWEEP: sweep_dir.name, TRIAL: str(trial), STEP: str(step), **({TEXT: text} if text else {})}


def send_model(
    client: Any, uri: str, sweep_dir: SweepDir, parent: str, of_trial: str | None, record: ModelExported
) -> None:
    """Put an export on the sweep's run, and say there and on the trial's run what came of it.

    What has arrived is deleted here: the store has it.
    """
    said = record.problem and f"not exported: {record.problem}"
    if not said:
        try:
            tags = model_tags(sweep_dir, record.trial, record.step)
            folder = sweep_dir.best_model(record.trial, record.step)
            model_id = Models(client, uri).log(parent, NAME, folder, tags, record.step)
            client.set_tag(parent, EXPORT_MODEL_ID, model_id)
            said = f"trial {record.trial} at step {record.step}: {record.checked}"
            shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError as error:
            said = f"not here: {error}"
    client.set_tag(parent, EXPORT, said[:5000])
    if not record.problem:
        differs = "; ".join(filter(None, (record.differs, record.gone)))
        for run_id in filter(None, (parent, of_trial)):
            client.set_tag(run_id, EXPORTED_STEP, str(record.step))
            if differs or run_id == parent:  # of which a former best may have said something
                client.set_tag(run_id, EXPORT_DIFFERS, differs)
