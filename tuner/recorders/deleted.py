"""Runs of MLflow, deleted."""

from __future__ import annotations

from collections.abc import Iterable

from tuner.paths import SweepDir
from tuner.recorders.store import is_own, prepare_environment, tracking_uri


def delete_runs(sweep_dir: SweepDir, runs: Iterable[str], given_uri: str | None) -> None:
    """Mark runs as deleted; those that are gone already are passed over.

    The experiment stays: restoring it later would restore every run in it.

    Args:
        sweep_dir: The sweep's folder.
        runs: Their ids.
        given_uri: Tracking URI, or None for the root's own database.
    """
    prepare_environment()
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

    uri = tracking_uri(sweep_dir.root, given_uri)
    if is_own(sweep_dir.root, uri) and not sweep_dir.root.database_file.exists():
        return
    client = mlflow.MlflowClient(tracking_uri=uri)
    for run_id in runs:
        try:
            if client.get_run(run_id).info.lifecycle_stage == "active":
                client.delete_run(run_id)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
                raise
