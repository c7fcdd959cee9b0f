"""A trial that goes on in its input from where it was, with a real Estimator and attempts that end as they like."""

import json
import os

import pytest

from tuner.domain.job import Job, JobStatus
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.estimator.input_position import reason_of
from tuner.estimator.input_progress import InputProgress, InputProgressFile
from tuner.events import read_all
from tuner.files import checkpoints
from tuner.files.paths import TrialDir

LOST = "no position in the input was saved at step 60"
UNSEEN = {
    "tuner.input_position": f"not checkpointed: {LOST}",
    "tuner.note": f"a trial that was resumed at step 60 has read its input from the start: {LOST}",
}
TRACE = """Graph execution error:

Detected at node 'SerializeIterator' defined at (most recent call last):
    File "task.py", line 22, in <module>
Node: 'SerializeIterator'
{said}
\t [[{{{{node SerializeIterator}}}}]]"""
PY_FUNCTION = "the input uses tf.py_function, whose state TensorFlow cannot save"


def test_how_far_an_input_is_stands_where_its_position_was_saved_last(tmp_path):
    file = InputProgressFile(tmp_path)
    assert file.at(20) is None
    file.write(20, InputProgress(None, 20))
    (tmp_path / "input.ckpt-40.index").touch()
    assert file.at(40) == InputProgress(40, 0)  # killed between the two
    for step in (40, 60, 80):
        file.write(step, InputProgress(40, step - 40))
    assert [InputProgressFile(tmp_path).at(step) for step in (20, 40, 60)] == [
        InputProgress(None, 20),
        InputProgress(40, 0),
        InputProgress(40, 20),
    ]
    (tmp_path / "input.ckpt-100.index").touch()
    for step in (100, 120, 140):
        file.write(step, InputProgress(100, step - 100))
    assert not (tmp_path / "input.ckpt-40.index").exists()  # nobody goes on from a checkpoint before 100
    assert file.at(60) is None
    file.write(60, InputProgress(None, 60))  # after a damaged checkpoint: what came later did not happen
    assert file.at(120) is None


def test_a_torn_file_of_positions_is_none(tmp_path):
    InputProgressFile(tmp_path).write(20, InputProgress(None, 20))
    (tmp_path / "input.ckpt.drawn.json").write_text('{"20": [nu')
    assert InputProgressFile(tmp_path).at(20) is None


@pytest.fixture(scope="module")
def live():
    """Run an attempt of a trial of the tiny model."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    from tuner.estimator.install import install_estimator
    from tuner.estimator.stop_control import StopRequest
    from tuner.trial.run import run_job

    model = ModelRef("tuner.testing.tiny_model")
    install_estimator()

    def run(folder, attempt=1, stop_at=None, checkpoint_input="auto"):
        trial_dir = TrialDir(folder)
        folder.mkdir(exist_ok=True)
        train = TrainSettings(max_steps=100, evaluate_every=20, checkpoint_input=checkpoint_input)
        result = run_job(
            Job(0, attempt, {"learning_rate": 0.1}, 1, train, model, stop_at=stop_at), trial_dir, StopRequest()
        )
        assert result.ending is (JobStatus.STOPPED if stop_at else JobStatus.FINISHED), result.reason
        return result.tags

    return run


def kill_after(folder, step):
    """Leave of a trial what a kill after a checkpoint would have."""
    for file in (*folder.glob("model.ckpt-*.*"), *folder.glob("input.ckpt-*.*")):
        if int(file.name.split("-")[1].split(".")[0]) > step:
            file.unlink()
    checkpoints.name_newest(folder, step)
    known = json.loads((folder / "input.ckpt.drawn.json").read_text())
    (folder / "input.ckpt.drawn.json").write_text(json.dumps({k: v for k, v in known.items() if int(k) <= step}))


def curve(folder):
    return [(e.step, sorted(e.scalars.items())) for e in read_all(folder) if e.folder == "eval"]


@pytest.mark.tf
def test_wherever_a_trial_is_killed_its_next_attempt_sees_the_batches_that_it_would_have_seen(live, tmp_path):
    whole, stopped, killed, often = (tmp_path / name for name in ("whole", "stopped", "killed", "often"))
    live(whole)
    assert not list(whole.glob("input.ckpt-*"))  # so short that a position in the input is not worth its time

    live(stopped, stop_at=40)
    assert InputProgressFile(stopped).at(40) == InputProgress(40, 0)  # saved where it stopped
    assert live(stopped, attempt=2) == {}
    assert curve(stopped) == curve(whole)

    live(killed, stop_at=80)
    kill_after(killed, 60)
    assert InputProgressFile(killed).at(60) == InputProgress(None, 60)  # its batches are drawn again from the start
    live(killed, attempt=2, stop_at=80)
    kill_after(killed, 80)
    assert live(killed, attempt=3) == {}
    assert curve(killed)[-1] == curve(whole)[-1]
    assert dict(curve(killed)) == dict(curve(whole))

    live(often, checkpoint_input=True, stop_at=80)
    assert {file.name for file in often.glob("input.ckpt-*.index")} == {f"input.ckpt-{s}.index" for s in (40, 60, 80)}
    kill_after(often, 60)
    live(often, attempt=2)
    assert dict(curve(often)) == dict(curve(whole))


@pytest.mark.tf
def test_batches_are_drawn_again_after_the_position_that_was_saved_last(live, tmp_path):
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    live(whole)
    live(pieces, stop_at=40)
    live(pieces, attempt=2, stop_at=80)
    kill_after(pieces, 60)
    assert InputProgressFile(pieces).at(60) == InputProgress(40, 20)
    assert live(pieces, attempt=3) == {}
    assert dict(curve(pieces)) == dict(curve(whole))


@pytest.mark.tf
def test_a_position_that_nobody_wrote_down_is_said_and_training_goes_on(live, tmp_path):
    live(tmp_path, stop_at=60)
    for file in tmp_path.glob("input.ckpt*"):
        file.unlink()
    assert live(tmp_path, attempt=2) == UNSEEN
    assert not list(tmp_path.glob(".input.ckpt.tried*"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TRACE.format(said="EagerPyFunc is stateful."), PY_FUNCTION),
        (
            TRACE.format(said="RandomUniform is stateful."),
            "the input uses the operation RandomUniform, whose state TensorFlow cannot save",
        ),
        (TRACE.format(said="The disk is full."), "The disk is full."),
        ("Graph execution error:\n\nno such key\n", "no such key"),
        ("", "TensorFlow does not say why"),
    ],
)
def test_the_reason_is_a_line_of_what_tensorflow_says_behind_its_trace(error, reason):
    assert reason_of(error) == reason


@pytest.mark.tf
def test_a_trial_that_goes_on_without_its_inputs_position_says_so_and_why(live, tmp_path, monkeypatch):
    import tensorflow as tf

    from tuner.testing import tiny_model

    plain = tiny_model.train_input_fn

    def through_python(params):
        return plain(params).map(
            lambda x, y: (x, tf.ensure_shape(tf.py_function(lambda value: value, [y], y.dtype), y.shape))
        )

    monkeypatch.setattr(tiny_model, "train_input_fn", through_python)
    assert live(tmp_path, stop_at=60) == {"tuner.input_position": f"not checkpointed: {PY_FUNCTION}"}
    tags = live(tmp_path, attempt=2)
    assert tags["tuner.input_position"] == f"not checkpointed: {LOST}: {PY_FUNCTION}"
    assert tags["tuner.note"] == f"{UNSEEN['tuner.note']}: {PY_FUNCTION}"
