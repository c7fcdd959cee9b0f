"""The parts of an export that need no sweep: which checkpoint, what is fed, what counts as equal, where it goes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tuner.errors import InvalidInput, SweepError
from tuner.export.checking import decode, difference, encode
from tuner.export.choosing import choose_checkpoint
from tuner.export.exporting import export_trial
from tuner.export.packing import pack
from tuner.export.placing import check_out_dir
from tuner.export.rows import feed
from tuner.export.signature import Signature, TensorShape
from tuner.jobs import Job
from tuner.paths import SweepDir
from tuner.results import Trial
from tuner.spec import ModelRef, TrainSettings
from tuner.study import TrialRecord
from tuner.values import Goal, Objective, TrialState


def trial(sweep_dir, curve, there, goal=Goal.MINIMIZE, state=TrialState.COMPLETE):
    folder = sweep_dir.trial(3).path
    folder.mkdir(parents=True)
    for step in there:
        (folder / f"model.ckpt-{step}.index").touch()
    record = TrialRecord(3, state, {}, curve=curve)
    return Trial(record, (Objective("rmse", goal),), None, str(folder))


@pytest.fixture
def sweep_dir(tmp_path):
    return SweepDir(tmp_path / "mlruns" / "sweeps" / "made")


@pytest.mark.parametrize(
    ("goal", "curve", "expected"),
    [
        (Goal.MINIMIZE, {10: 2.0, 20: 1.0, 30: 1.5}, 20),
        (Goal.MAXIMIZE, {10: 2.0, 20: 1.0, 30: 1.5}, 10),
        (Goal.MINIMIZE, {10: 1.0, 20: 1.0, 30: float("nan")}, 10),
    ],
)
def test_the_best_checkpoint_by_the_objective_is_chosen_not_the_last(sweep_dir, goal, curve, expected):
    choice = choose_checkpoint(sweep_dir, trial(sweep_dir, curve, [10, 20, 30], goal))
    assert (choice.step, choice.value, choice.note) == (expected, curve[expected], "")


def test_where_the_best_checkpoint_is_gone_the_best_that_is_there_is_taken_and_said(sweep_dir):
    choice = choose_checkpoint(sweep_dir, trial(sweep_dir, {10: 1.0, 20: 2.0, 30: 3.0}, [20, 30]))
    assert choice.step == 20
    assert "at step 10, is gone" in choice.note


@pytest.mark.parametrize(
    ("curve", "there", "state", "expected"),
    [
        ({}, [10], TrialState.FAIL, "was never evaluated"),
        ({10: 1.0}, [], TrialState.COMPLETE, "has no checkpoint of a step that was evaluated"),
        ({10: 1.0}, [10], TrialState.RUNNING, "is RUNNING"),
    ],
)
def test_a_trial_that_cannot_be_exported_is_refused(sweep_dir, curve, there, state, expected):
    with pytest.raises(InvalidInput, match=expected):
        choose_checkpoint(sweep_dir, trial(sweep_dir, curve, there, state=state))


def test_features_are_fed_by_name_one_for_one_or_not_at_all():
    one = np.arange(3, dtype=np.int64)
    fed, why = feed({"a": TensorShape("float32", (None, 1))}, {"a": one, "b": one})
    assert (fed["a"].dtype, fed["a"].shape, why) == (np.float32, (3, 1), "")
    fed, _ = feed({"pixels": TensorShape("float32", (None,))}, {"feature": one})
    assert fed["pixels"].tolist() == [0, 1, 2]
    fed, why = feed({"x": TensorShape("float32", (None,)), "z": TensorShape("float32", (None,))}, {"a": one, "b": one})
    assert fed == {}
    assert "takes x, z, the evaluation's input has a, b" in why


def test_arrays_and_bytes_keep_every_bit_through_json():
    texts = np.array([b"a\0\0", b"b", b""], object)
    assert decode(json.loads(json.dumps(encode(texts)))).tolist() == [b"a\0\0", b"b", b""]
    numbers = np.array([[0.1, np.nan], [np.inf, -0.0]], np.float32)
    assert decode(json.loads(json.dumps(encode(numbers)))).tobytes() == numbers.tobytes()


def test_equal_means_close_numbers_same_strings_and_same_whole_numbers():
    assert difference(np.float32([1, 2]), np.float32([1, 2])) == 0
    assert 0 < difference(np.float32([1000]), np.float32([1000.001])) < 1e-5
    assert difference(np.float32([1]), np.float32([1.1])) == pytest.approx(0.1, rel=1e-3)
    assert difference(np.int64([7]), np.int64([8])) == float("inf")
    assert difference(np.float32([np.nan]), np.float32([np.nan])) == 0
    assert difference(np.float32([np.nan]), np.float32([1])) == float("inf")
    assert difference(np.array([b"a"], object), np.array(["b"])) == float("inf")
    assert difference(np.float32([1]), np.float32([1, 2])) == float("inf")


def test_a_folder_that_is_not_empty_or_cannot_be_written_is_refused(tmp_path):
    check_out_dir(tmp_path / "new" / "one")
    (tmp_path / "empty").mkdir()
    check_out_dir(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(InvalidInput, match="is not empty"):
        check_out_dir(tmp_path / "full")
    with pytest.raises(InvalidInput, match="is a file"):
        check_out_dir(tmp_path / "full" / "file")
    with pytest.raises(InvalidInput, match="cannot write"):
        check_out_dir(tmp_path / "full" / "file" / "below")


def test_what_is_served_imports_nothing_of_tuner():
    import tuner.export

    for name in ("served_model.py", "checking.py"):
        text = Path(tuner.export.__file__).with_name(name).read_text()
        assert "import tuner" not in text
        assert "from tuner" not in text


SAVES = (
    'import sys; open(sys.argv[1] + \'/done.json\', \'w\').write(\'{"signatures": ["predict"], "served": "predict"}\')'
)
DIES = "import os, sys; print('loading', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)"


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        (
            DIES,
            "the process that checks the export was killed by SIGKILL (out of memory?)\n  the end of its log:\n  loading",
        ),
        (
            "raise SystemExit(3)",
            "the process that checks the export ended with status 3 and without a word\n  its log is empty",
        ),
    ],
)
def test_an_export_whose_check_dies_before_it_is_asked_says_so_with_its_log(checks, said, sweep_dir, monkeypatch):
    best = trial(sweep_dir, {10: 1.0}, [10])
    Job(3, 1, {}, 1, TrainSettings(10, 10), ModelRef(module="any")).write(sweep_dir.trial(3).job_file)
    processes = []
    start = subprocess.Popen

    def start_fakes(arguments, **kwargs):
        saves = "tuner.export.saving" in arguments
        if saves:
            processes[0].wait()  # the one that checks has died
        processes.append(start([sys.executable, "-c", SAVES if saves else checks, arguments[-1]], **kwargs))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", start_fakes)
    stage = sweep_dir.path / "stage"
    stage.mkdir()
    with pytest.raises(SweepError) as caught:
        export_trial(sweep_dir, best, stage)
    assert str(caught.value) == said
    assert len(processes) == 2


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """Pack inputs of these shapes; return the model as MLflow loads it, and the note."""
    import mlflow.pyfunc

    monkeypatch.setattr("tuner.export.packing.requirements", lambda: ["numpy"])
    (tmp_path / "saved_model").mkdir()

    def pack_and_load(takes, inputs):
        served = Signature(takes, {"y": TensorShape("float32", (None, 3))}, {})
        note = pack(tmp_path / "model", tmp_path / "saved_model", served, inputs, {})
        return mlflow.models.Model.load(str(tmp_path / "model")), note

    return pack_and_load


def objects(*rows):
    array = np.empty(np.shape(rows), object)
    array[...] = rows
    return array


PIXELS = np.arange(24, dtype=np.float32).reshape(6, 4)


@pytest.mark.parametrize(
    "words",
    [objects(b"u", b"v", b"w", "h\u00e9".encode(), b"long word", b"x"), objects(*[[b"a", b"b"]] * 6)],
)
def test_strings_beside_features_of_several_dimensions_have_a_signature_and_an_example(words, packed, tmp_path):
    takes = {"pixels": TensorShape("float32", (None, 4)), "words": TensorShape("string", (None, *words.shape[1:]))}
    model, note = packed(takes, {"pixels": PIXELS, "words": words})
    assert note == ""
    found = {spec.name: (spec.type, spec.shape) for spec in model.signature.inputs}
    assert found == {"pixels": (np.dtype("float32"), (-1, 4)), "words": (np.dtype("str"), (-1, *words.shape[1:]))}
    example = model.load_input_example(str(tmp_path / "model"))
    assert [text.encode() for text in example["words"].ravel().tolist()] == words[:5].ravel().tolist()
    assert example["pixels"].tolist() == PIXELS[:5].tolist()


@pytest.mark.parametrize(
    ("takes", "inputs", "why"),
    [
        ({"x": TensorShape("float32", None)}, {"x": PIXELS}, ""),  # of any rank
        (
            {"x": TensorShape("float32", (None, 4)), "raw": TensorShape("string", (None, 2))},
            {"x": PIXELS, "raw": objects(*[[b"a", b"b"]] * 4, [b"a", b"\xff"], [b"a", b"b"])},
            "raw has bytes that are no text, beside what is no column",
        ),
    ],
)
def test_what_mlflow_cannot_describe_is_packed_without_a_signature_and_said(takes, inputs, why, packed):
    model, note = packed(takes, inputs)
    assert model.signature is None
    assert note.startswith(
        "the MLflow model has no signature and no input example, as MLflow cannot describe its input"
    )
    assert note.endswith(why)


@pytest.mark.tf
def test_bytes_are_served_to_the_last_one_also_where_that_is_null():
    import tensorflow as tf

    from tuner.export.served_model import _tensor

    rows = objects(b"a\x00", b"\x00")
    tensor = _tensor({"raw": rows}, "raw", tf.TensorSpec([None], tf.string))
    assert tensor.numpy().tolist() == rows.tolist()
