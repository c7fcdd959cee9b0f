"""What a command clears or moves comes back; what it deletes as it goes on does not."""

import shutil

import pytest

from tuner.files import backup
from tuner.files.checkpoints import name_newest, newest_step
from tuner.files.paths import TrialDir


def checkpoint(folder, step):
    folder.mkdir(parents=True, exist_ok=True)
    for end in ("index", "data-00000-of-00001"):
        (folder / f"model.ckpt-{step}.{end}").write_text(str(step))
    name_newest(folder, step)


@pytest.fixture
def trial(tmp_path):
    """A trial that was trained up to step 40 in the folder ``model``, kept."""
    made = TrialDir(tmp_path / "0003")
    checkpoint(made.path / "model", 40)
    (made.path / "model/eval").mkdir()
    (made.path / "model/eval/events.out.tfevents.1.host").write_text("events")
    (made.path / "model/graph.pbtxt").write_text("graph")
    made.log_file.write_text("log")
    backup.link(made)
    return made


def files(trial):
    return {str(file.relative_to(trial.path)) for file in trial.path.rglob("*") if file.is_file()}


def test_what_was_cleared_comes_back_but_for_what_is_made_anew(trial):
    before = files(trial)
    shutil.rmtree(trial.path)
    backup.restore(trial)
    assert files(trial) == before - {"model/graph.pbtxt"}
    assert newest_step(trial.path / "model") == 40
    backup.remove(trial)
    assert [folder.name for folder in trial.path.parent.iterdir()] == ["0003"]


def test_what_was_moved_aside_is_there_once(trial):
    (trial.path / "model").rename(trial.path / "model.old")
    backup.restore(trial)
    assert newest_step(trial.path / "model") == 40
    assert not list(trial.path.glob("model.old/**/*tfevents*"))
    assert not list(trial.path.glob("model.old/model.ckpt*"))


def test_checkpoints_that_training_itself_replaces_stay_gone(trial):
    checkpoint(trial.path / "model", 60)
    for file in (trial.path / "model").glob("model.ckpt-40.*"):
        file.unlink()
    assert backup.restore(trial) == ()
    assert newest_step(trial.path / "model") == 60


def test_an_attempt_that_was_killed_after_it_had_cleared_is_made_good_by_the_next(trial):
    shutil.rmtree(trial.path / "model")
    backup.link(trial)
    assert newest_step(trial.path / "model") == 40


def test_a_program_that_goes_on_has_not_cleared_its_checkpoint(trial):
    offered = backup.Offered(trial.path)
    assert {str(folder): step for folder, step in offered.steps.items()} == {"model": 40}
    checkpoint(trial.path / "model", 40)  # once more, as an Estimator does when it begins
    checkpoint(trial.path / "model", 60)
    for file in (trial.path / "model").glob("model.ckpt-40.*"):
        file.unlink()
    assert not offered.is_cleared()


@pytest.mark.parametrize("step", [None, 20, 40])
def test_a_program_that_begins_anew_has_cleared_its_checkpoint_whatever_it_has_come_to(trial, step):
    offered = backup.Offered(trial.path)
    shutil.rmtree(trial.path / "model")
    if step is not None:
        checkpoint(trial.path / "model", step)
    assert offered.is_cleared()
    offered.close()


def test_a_program_that_clears_what_is_in_its_folder_is_seen_before_it_has_come_as_far(trial):
    offered = backup.Offered(trial.path)
    for file in (trial.path / "model").glob("*"):
        file.unlink() if file.is_file() else shutil.rmtree(file)
    checkpoint(trial.path / "model", 20)
    assert offered.is_cleared()
