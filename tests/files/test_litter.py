"""What killed processes leave is removed at the next start, what living ones write is not."""

import os
import subprocess
import sys

from tuner.files.litter import remove_stages, remove_unfinished
from tuner.files.paths import Root
from tuner.recorders.mlflow import store


def dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_processes_that_died_have_left_of_a_sweep_is_removed(tmp_path):
    sweep_dir = Root(tmp_path).sweep("sweep")
    trial = sweep_dir.trial(3).path
    trial.mkdir(parents=True)
    gone = dead()
    (sweep_dir.path.parent / f".deleted-old-{gone}" / "trials").mkdir(parents=True)
    for name in (f".sweep.json.{gone}", f".private.json.{gone}", f"trials/0003/.result.json.{gone}"):
        (sweep_dir.path / name).write_text("part")
    kept = {f".sweep.json.{os.getpid()}", ".hidden", "sweep.json", f"model.ckpt-{gone}"}
    for name in kept:
        (sweep_dir.path / name).write_text("")
    (trial / f".job.json.{os.getpid()}").write_text("")
    remove_unfinished(sweep_dir)
    assert {file.name for file in sweep_dir.path.iterdir()} == {*kept, "trials"}
    assert [file.name for file in trial.iterdir()] == [f".job.json.{os.getpid()}"]
    assert [folder.name for folder in sweep_dir.path.parent.iterdir()] == ["sweep"]


def test_folders_in_which_files_were_made_are_removed(tmp_path):
    sweep_dir = Root(tmp_path).sweep("sweep")
    (sweep_dir.path / ".files-abc" / "plots").mkdir(parents=True)
    (sweep_dir.path / "plots").mkdir()
    remove_stages(sweep_dir)
    assert [folder.name for folder in sweep_dir.path.iterdir()] == ["plots"]


def test_a_database_that_was_left_half_made_is_removed_when_the_store_is_opened(root):
    (root / ".mlflow-abc").mkdir()
    (root / ".mlflow-abc" / "mlflow.db").write_bytes(b"half")
    store.relocate_artifacts(Root(root))
    assert not (root / ".mlflow-abc").exists()
