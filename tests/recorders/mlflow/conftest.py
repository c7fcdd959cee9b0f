"""A sweep's folder beside an empty tracking database, and a client of that."""

import pytest

from tuner.files.paths import Root


@pytest.fixture
def sweep_dir(root):
    folder = Root(root).sweep("sweep")
    folder.trials_dir.mkdir(parents=True)
    return folder


@pytest.fixture
def client(sweep_dir):
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{sweep_dir.root.database_file}")
