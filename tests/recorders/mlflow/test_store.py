"""The tracking store: known ones, and a first migration that is killed."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest

from tuner.files.paths import Root
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.mlflow.store import count_rows


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


ORDERED = """
SELECT runs.run_uuid FROM runs LEFT OUTER JOIN
    (SELECT value, is_nan, run_uuid FROM latest_metrics WHERE "key" = 'objective') AS one ON runs.run_uuid = one.run_uuid
WHERE runs.experiment_id IN (1) ORDER BY one.value LIMIT 100
"""


def test_runs_that_are_ordered_by_a_metric_are_found_by_an_index_when_the_rows_were_counted(root):
    with sqlite3.connect(root / "mlflow.db") as database:
        database.execute("PRAGMA foreign_keys=OFF")
        runs = [(f"{n:032x}", 1, "active") for n in range(500)]
        database.executemany("INSERT INTO runs (run_uuid, experiment_id, lifecycle_stage) VALUES (?, ?, ?)", runs)
        database.executemany(
            'INSERT INTO latest_metrics (run_uuid, "key", value, timestamp, step, is_nan) VALUES (?, ?, 1, 0, 0, 0)',
            [(run[0], key) for run in runs for key in ("objective", "loss")],
        )
    count_rows(Root(root))
    with sqlite3.connect(root / "mlflow.db") as database:
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {ORDERED}")]
    assert any("run_uuid=?" in step and "SEARCH" in step for step in plan), plan
    assert not any(step.startswith("SCAN one") for step in plan), plan


def test_rows_are_not_counted_in_a_database_that_is_gone_or_that_another_holds(root, monkeypatch):
    monkeypatch.setattr("tuner.recorders.mlflow.store._LOCKED_S", 0.01)
    with sqlite3.connect(root / "mlflow.db", isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        count_rows(Root(root))
        database.execute("ROLLBACK")
    (root / "mlflow.db").unlink()
    count_rows(Root(root))
    assert not (root / "mlflow.db").exists()
