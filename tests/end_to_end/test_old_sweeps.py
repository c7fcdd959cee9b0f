"""Sweeps that the first version left are read, compared, continued and deleted.

``first.tar.gz`` holds the folder of two of them and a text dump of their MLflow database, in which ``@ROOT@`` stands for
the root folder: ``tiny``, two trials of the tiny model that ended, and ``halved``, a simulated sweep whose driver was
killed among paused trials. The trials' logs are empty.
"""

import json
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import tuner

OLD = Path(__file__).parents[1] / "data" / "old_sweeps"


@pytest.fixture
def old_root(tmp_path):
    """A root folder as the first version left it."""
    root = tmp_path / "old"
    with tarfile.open(OLD / "first.tar.gz") as archive:
        archive.extractall(root, filter="data")
    for file in (root / "mlruns").rglob("*"):
        if file.is_file() and b"@ROOT@" in (content := file.read_bytes()):
            file.write_bytes(content.replace(b"@ROOT@", str(root).encode()))
    database = sqlite3.connect(root / "mlflow.db")
    database.executescript((root / "mlflow.sql").read_text().replace("@ROOT@", str(root)))
    database.close()
    (root / "mlflow.sql").unlink()
    return root


def command(*arguments, root):
    line = [sys.executable, "-m", "tuner", *map(str, arguments), "--root", str(root)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300)


def test_an_old_sweep_is_read(old_root):
    result = tuner.Sweep.open("tiny", old_root).result()
    assert [(t.number, t.state.value, t.value) for t in result.trials] == [
        (0, "COMPLETE", 1.5232571363449097),
        (1, "COMPLETE", 0.256328284740448),
    ]
    assert result.best.number == 1
    halved = tuner.Sweep.open("halved", old_root).result()
    assert {t.params["kind"] for t in halved.trials} <= {8, 16, 64}


@pytest.mark.slow
def test_an_old_sweep_is_shown_verified_continued_and_deleted(old_root):
    shown = command("show", "tiny", "--format", "json", root=old_root)
    assert [row["values"] for row in json.loads(shown.stdout)] == [
        {"rmse": 1.5232571363449097},
        {"rmse": 0.256328284740448},
    ], shown.stderr
    verified = command("verify", "tiny", root=old_root)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    more = command("resume", "tiny", "--trials", 3, "--no-export", root=old_root)
    assert more.returncode == 0, more.stderr
    rows = json.loads(command("show", "tiny", "--format", "json", root=old_root).stdout)
    assert [row["state"] for row in rows] == ["COMPLETE"] * 3
    assert rows[0]["values"] == {"rmse": 1.5232571363449097}
    assert command("verify", "tiny", root=old_root).returncode == 0
    assert command("delete", "tiny", root=old_root).returncode == 0
    assert not (old_root / "mlruns" / "sweeps" / "tiny").exists()


@pytest.mark.slow
def test_an_old_sweep_with_paused_trials_goes_on(old_root):
    before = json.loads(command("show", "halved", "--format", "json", root=old_root).stdout)
    assert {"PAUSED", "COMPLETE"} <= {row["state"] for row in before}
    more = command("resume", "halved", "--trials", len(before) + 5, root=old_root)
    assert more.returncode == 0, more.stderr
    after = json.loads(command("show", "halved", "--format", "json", root=old_root).stdout)
    assert len(after) == len(before) + 5
    assert not {row["state"] for row in after} & {"PAUSED", "RUNNING", "INTERRUPTED"}
    for old, new in zip(before, after, strict=False):
        assert new["params"] == old["params"]
        if old["state"] == "COMPLETE":
            assert new["values"] == old["values"]
