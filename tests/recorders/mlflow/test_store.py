"""The tracking store: known ones, and a first migration that is killed."""

import json
import shutil
import subprocess
import sys
import time

import pytest

from tuner.recorders.mlflow.recorder import MlflowRecorder


def test_a_store_that_mlflow_does_not_know_is_refused_with_what_to_do(sweep_dir, tmp_path):
    from tuner.errors import RecorderError

    with pytest.raises(RecorderError, match="MLFLOW_TRACKING_URI"):
        MlflowRecorder(sweep_dir, "nonsense://x").open()


@pytest.mark.slow
def test_a_kill_during_the_first_migration_leaves_nothing_or_a_whole_database(tmp_path):
    code = (
        "from pathlib import Path; from tuner.files.paths import Root\n"
        "from tuner.recorders.mlflow.store import make_database, prepare_environment\n"
        f"prepare_environment(); import mlflow; print('go', flush=True); make_database(Root(Path({str(tmp_path)!r})))\n"
    )
    for wait in (0.5, 1.2, 2.0):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()
        time.sleep(wait)
        process.kill()
        process.communicate()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    import mlflow

    assert mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").search_experiments()
    shutil.rmtree(tmp_path / "mlruns", ignore_errors=True)
    assert json.dumps({})
