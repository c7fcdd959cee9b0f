"""What tests share: spaces over the tiny model, and a tracking database that is made once."""

import os
import shutil
import signal
from pathlib import Path

import hypothesis
import pytest

MODELS = Path(__file__).with_name("data") / "models"

# Each run tries the same inputs; others are tried by ``python -m tests.fuzz``.
hypothesis.settings.register_profile("the same", derandomize=True)
hypothesis.settings.load_profile("the same")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.pop("MLFLOW_TRACKING_URI", None)

# A script's shell has what it starts in the background ignore Ctrl-C, and so would all that the tests start and then stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Files with whole sweeps come first, so that no process is left with a long one while the others have ended."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    """An empty tracking database; MLflow's migrations take seconds, a copy none."""
    from tuner.files.paths import Root
    from tuner.recorders.mlflow.store import make_database, prepare_environment

    prepare_environment()
    root = Root(tmp_path_factory.mktemp("database"))
    make_database(root)
    return root.database_file


@pytest.fixture
def root(tmp_path, database):
    """A root folder with an empty tracking database in it."""
    folder = tmp_path / "root"
    folder.mkdir()
    shutil.copy(database, folder / "mlflow.db")
    return folder


@pytest.fixture
def space_file(tmp_path):
    """Write a search space file over the tiny model; keywords replace parts of it."""

    def write(
        parameters="learning_rate: {type: float, low: 0.001, high: 0.1, log: true}",
        objective="{metric: rmse, goal: minimize}",
        train="{max_steps: 60, evaluate_every: 20}",
        search="{sampler: random, trials: 3}",
        name="tiny",
        model=MODELS / "tiny.py",
        record="{plots: false}",  # seconds a sweep
    ):
        file = tmp_path / f"{name}.yaml"
        parameters = "\n".join(f"  {line}" for line in parameters.splitlines())
        file.write_text(
            f"name: {name}\nmodel: {model}\nobjective: {objective}\nparameters:\n{parameters}\n"
            f"train: {train}\nsearch: {search}\nrecord: {record}\n"
        )
        return file

    return write


@pytest.fixture(scope="session")
def tf():
    """TensorFlow with Estimators in place, before anything in this process has made it choose another Keras."""
    import tuner

    tuner.install_estimator()
    import tensorflow

    return tensorflow
