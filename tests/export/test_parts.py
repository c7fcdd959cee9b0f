"""The parts of an export that need no sweep: which checkpoint, what is fed, what counts as equal, where it goes."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MODELS
from tuner.domain.job import Job
from tuner.domain.objective import Aggregation, Constraint, Goal, Objective
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.domain.trial import TrialRecord, TrialState
from tuner.errors import InvalidInput, SweepError
from tuner.export import Choice, export, export_trial
from tuner.export.checkpoint_choice import choose_checkpoint
from tuner.export.held_out_rows import apart, by_rows
from tuner.export.mlflow_model import pack
from tuner.export.output_dir import check_out_dir
from tuner.export.parity_check import decode, difference, encode
from tuner.export.receiver_feed import Receiver, Unfed, feed, same_features
from tuner.export.signature import Signature, TensorShape
from tuner.files.paths import SweepDir
from tuner.results import Trial


def trial(sweep_dir, curve, there, goal=Goal.MINIMIZE, state=TrialState.COMPLETE, of="last", **record):
    folder = sweep_dir.trial(3).path
    folder.mkdir(parents=True)
    for step in there:
        (folder / f"model.ckpt-{step}.index").touch()
    objective = Objective("rmse", goal, Aggregation(of, 2 if of == "mean" else 1))
    values = {"rmse": objective.of.value(list(curve.values()), goal)} if curve else {}
    constraints = (Constraint("size", high=5.0),) if "others" in record else ()
    record = TrialRecord(3, state, {}, curve=curve, values=values, **record)
    return Trial(record, (objective,), None, str(folder), constraints)


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


@pytest.mark.parametrize(
    ("of", "there", "step", "differs"),
    [
        ("best", [10, 20, 30], 20, ""),
        ("best", [10, 30], 30, "its rmse 1 is of step 20; step 30 has 1.5"),
        ("last", [10, 20, 30], 20, "its rmse 1.5 is of step 30; step 20 has 1"),
        ("last", [10, 30], 30, ""),
        ("mean", [10, 20, 30], 20, "its rmse 1.25 is the mean of its last 2 evaluations; step 20 has 1"),
    ],
)
def test_what_is_exported_is_what_was_judged_or_it_is_said(sweep_dir, of, there, step, differs):
    choice = choose_checkpoint(sweep_dir, trial(sweep_dir, {10: 2.0, 20: 1.0, 30: 1.5}, there, of=of))
    assert (choice.step, choice.differs) == (step, differs)


def test_a_checkpoint_that_breaks_a_constraint_is_exported_only_if_all_do(sweep_dir):
    curve, sizes = {10: 2.0, 20: 1.0, 30: 1.5}, {10: 4.0, 20: 9.0, 30: 5.0}
    choice = choose_checkpoint(sweep_dir, trial(sweep_dir, curve, [10, 20, 30], of="best", others={"size": sizes}))
    assert (choice.step, choice.differs) == (30, "its rmse 1 is of step 20; step 30 has 1.5")


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


def receiver(dtype="float32", shape=(None,), feature=None):
    return Receiver(TensorShape(dtype, shape), feature)


def test_features_are_fed_as_what_they_become_by_name_one_for_one_or_not_at_all():
    one, two = np.arange(3, dtype=np.int64), np.arange(3, 6)
    fed = feed({"a": receiver(shape=(None, 1))}, {"a": one, "b": one})
    assert (fed["a"].dtype, fed["a"].shape) == (np.float32, (3, 1))
    assert feed({"a": receiver(feature="b")}, {"a": one, "b": two})["a"].tolist() == [3, 4, 5]
    assert feed({"pixels": receiver()}, {"feature": one})["pixels"].tolist() == [0, 1, 2]
    with pytest.raises(Unfed, match="takes x, z, the evaluation's input has a, b"):
        feed({"x": receiver(), "z": receiver()}, {"a": one, "b": one})


def test_a_server_that_takes_so_many_rows_at_a_time_is_fed_so_many():
    assert len(feed({"a": receiver(shape=(2,))}, {"a": np.arange(3)})["a"]) == 2
    with pytest.raises(Unfed, match="takes 8 rows at a time, of which 3 are held out"):
        feed({"a": receiver(shape=(8,))}, {"a": np.arange(3)})


def test_text_is_not_fed_as_numbers_nor_numbers_as_text():
    texts = np.array([b"a", b"b"], object)
    with pytest.raises(Unfed, match="takes a as float32, the evaluation's input has it as string"):
        feed({"a": receiver()}, {"a": texts})
    with pytest.raises(Unfed, match="takes a as string, the evaluation's input has it as int64"):
        feed({"a": receiver("string")}, {"a": np.arange(2)})


def test_what_was_fed_has_to_become_the_features_that_the_evaluation_has():
    padded = np.array([[b"a", b"b"], [b"c", b""]], object)
    listed = [np.array([b"a", b"b"], object), np.array([b"c"], object)]
    assert apart(padded, listed) == apart(listed, padded) == 0
    assert apart(listed, listed[::-1]) == float("inf")
    same_features({"x": padded, "weight": np.ones(2)}, {"x": listed}, 1e-5)
    with pytest.raises(Unfed, match="makes another 'x' of a row"):
        same_features({"x": np.ones(2)}, {"x": np.zeros(2)}, 1e-5)
    with pytest.raises(Unfed, match="makes the features y, the evaluation's input x"):
        same_features({"x": np.ones(2)}, {"y": np.ones(2)}, 1e-5)


def test_sparse_and_ragged_values_are_a_list_for_each_row_also_where_a_row_has_none():
    class Sparse:  # as TensorFlow's SparseTensorValue
        indices, values, dense_shape = np.array([[0, 0], [0, 1], [2, 0]]), np.array([1, 2, 3]), (4, 2)

    class Ragged:  # as its RaggedTensorValue
        values, row_splits = np.array([1, 2, 3]), np.array([0, 2, 2, 3, 3])

    for one in (Sparse, Ragged):
        assert [row.tolist() for row in by_rows({"x": one})["x"]] == [[1, 2], [], [3], []]
    assert by_rows({"scalar": np.array(1.0)}) == {}


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


# Half a second later than a check that dies at once: it is no longer there when it is told to begin.
SAVES = "import pathlib, sys, time; time.sleep(0.5); (pathlib.Path(sys.argv[1]) / 'done.json').write_text('{}')"


@pytest.mark.parametrize(
    ("saving", "checking", "expected"),
    [
        (SAVES, "print('no memory left'); raise SystemExit(3)", "checks the export ended with exit status 3"),
        (
            SAVES,
            "import os; print('no memory left', flush=True); os.kill(os.getpid(), 9)",
            "checks the export was killed",
        ),
        ("import os; print('no memory left', flush=True); os.kill(os.getpid(), 9)", "input()", "exports was killed"),
    ],
)
def test_an_export_whose_process_dies_says_how_and_what_it_said_last(
    sweep_dir, tmp_path, monkeypatch, saving, checking, expected
):
    died = trial(sweep_dir, {10: 1.0}, [10])
    Job(3, 1, {}, 1, TrainSettings(10, 10), ModelRef(file=str(MODELS / "served.py"))).write(sweep_dir.trial(3).job_file)
    monkeypatch.setattr(export, "SAVING", ("-c", saving))
    monkeypatch.setattr(export, "CHECKING", ("-c", checking))
    (tmp_path / "stage").mkdir()
    with pytest.raises(SweepError, match=expected) as raised:
        export_trial(sweep_dir, None, died, Choice(10, 1.0), tmp_path / "stage")
    assert "no memory left" in raised.value.hint


def test_what_is_served_imports_nothing_of_tuner():
    import tuner.export

    for name in ("served_model.py", "parity_check.py"):
        text = Path(tuner.export.__file__).with_name(name).read_text()
        assert "import tuner" not in text
        assert "from tuner" not in text


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """Pack inputs of these shapes; return the model as MLflow loads it, and the note."""
    import mlflow.pyfunc

    monkeypatch.setattr("tuner.export.mlflow_model.requirements", lambda: ["numpy"])
    (tmp_path / "saved_model").mkdir()

    def pack_and_load(takes, inputs):
        served = Signature(takes, {"y": TensorShape("float32", (None, 3))}, {}, {})
        note = pack(tmp_path / "model", tmp_path / "saved_model", served, inputs, (), {})
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


@pytest.mark.tf
def test_bytes_are_served_to_the_last_one_also_where_that_is_null():
    import tensorflow as tf

    from tuner.export.served_model import _tensor

    rows = objects(b"a\x00", b"\x00")
    tensor = _tensor({"raw": rows}, "raw", tf.TensorSpec([None], tf.string))
    assert tensor.numpy().tolist() == rows.tolist()
