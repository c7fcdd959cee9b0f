"""A model that does not import: what is said of it."""

import pickle
import statistics
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tuner.domain.spec import ModelRef
from tuner.errors import InvalidInput
from tuner.model import load_model
from tuner.model.error_text import one_line
from tuner.model.user_model import UserModel


@pytest.fixture(autouse=True)
def path(monkeypatch):
    """What a model adds to the path of modules is taken back."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def refusal(file):
    with pytest.raises(InvalidInput) as caught:
        load_model(ModelRef(file=str(file), import_paths=(str(file.parent),)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ("import os\nrate = = 3\n", 2, "rate = = 3"),
        ("def model_fn(features):\n    if features\n        pass\n", 2, "if features"),
        ("def model_fn(features):\npass\n", 2, "pass"),
        ("units = (1,\n\n", 1, "units = (1,"),
    ],
)
def test_a_line_that_python_cannot_read_is_named_and_shown(tmp_path, text, line, shown):
    file = tmp_path / "unreadable.py"
    file.write_text(text)
    first, second = refusal(file).splitlines()
    assert first.endswith(f"(line {line} of {file})")
    assert "Error: " in first
    assert second == f"    {shown}"


def test_the_line_is_that_of_the_file_in_which_it_stands(tmp_path):
    (tmp_path / "unreadable_layers.py").write_text("\n\nwidth == = 3\n")
    (tmp_path / "importing_model.py").write_text("import unreadable_layers\n")
    said = refusal(tmp_path / "importing_model.py")
    assert f"(line 3 of {tmp_path / 'unreadable_layers.py'})\n    width == = 3" in said


@pytest.mark.parametrize(
    ("module", "hint"),
    [
        ("tuner.examples.housng", "(did you mean tuner.examples.housing?)"),
        ("importing_modle", "(did you mean importing_model?)"),
        ("no.such.module", "(expected a module that Python finds, or the path of a file, such as ./model.py)"),
        ("importing_model", "(line 1 of {file})"),  # it is there; what it imports is not
    ],
)
def test_a_module_that_is_not_there_has_what_is_near_or_what_may_be_written(tmp_path, module, hint):
    file = tmp_path / "importing_model.py"
    file.write_text("import no.such.module\n")
    with pytest.raises(InvalidInput) as caught:
        load_model(ModelRef(module=module, import_paths=(str(tmp_path),)))
    assert str(caught.value).splitlines()[0].endswith(hint.format(file=file))


def test_an_error_without_a_line_is_said_as_it_is(tmp_path):
    file = tmp_path / "null.py"
    file.write_bytes(b"x = 1\0\n")
    assert "null bytes" in refusal(file)


def test_a_trial_that_meets_such_a_line_has_it_in_its_reason():
    with pytest.raises(SyntaxError) as caught:
        compile("import os\nrate = = 3\n", "trainer/task.py", "exec")
    assert one_line(caught.value) == "SyntaxError: invalid syntax (line 2 of trainer/task.py: rate = = 3)"


def test_a_model_that_is_not_there_any_more_may_have_been_moved(tmp_path):
    said = refusal(tmp_path / "gone.py")
    assert "is not there" in said
    assert "if it was moved, tuner run with its search space file takes the new place" in said


SHAPE = "def model_fn(features): pass\ndef train_input_fn(): pass\ndef eval_input_fn(): pass\n"


@pytest.mark.parametrize("name", ["statistics", "of_another_package"])
def test_a_model_that_is_named_like_another_module_leaves_that_as_it_is(name, tmp_path, monkeypatch):
    other = statistics if name == "statistics" else ModuleType(name)
    monkeypatch.setitem(sys.modules, name, other)
    file = tmp_path / f"{name}.py"
    file.write_text(f"{SHAPE}class Cleaner: pass\n")
    model = load_model(ModelRef(file=str(file), import_paths=(str(tmp_path),)))
    assert sys.modules[name] is other
    assert model.subject.__file__ == str(file)
    assert load_model(ModelRef(file=str(file))).subject is model.subject
    assert isinstance(pickle.loads(pickle.dumps(model.subject.Cleaner())), model.subject.Cleaner)


def test_a_model_that_is_named_like_a_module_of_python_is_not_taken_for_it_by_later_imports(tmp_path):
    (tmp_path / "chunk_of.py").write_text("import colorsys\nassert colorsys.rgb_to_hsv\n")
    (tmp_path / "colorsys.py").write_text(f"import chunk_of\n{SHAPE}")
    code = "import sys; from tuner.domain.spec import ModelRef; from tuner.model import load_model; "
    code += f"load_model(ModelRef(file={str(tmp_path / 'colorsys.py')!r}, import_paths=({str(tmp_path)!r},)))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_a_model_that_does_not_import_leaves_other_modules_as_they_are(tmp_path):
    before = dict(sys.modules)
    assert before["statistics"] is statistics
    (tmp_path / "statistics.py").write_text("raise ValueError\n")
    refusal(tmp_path / "statistics.py")
    (tmp_path / "clears.py").write_text("import sys\ndel sys.modules[__name__]\nraise ValueError\n")
    assert "ValueError" in refusal(tmp_path / "clears.py")
    assert sys.modules == before


def test_a_neighbour_of_a_model_finds_it_by_the_name_of_its_file(tmp_path):
    (tmp_path / "neighbour_of_model.py").write_text("import model_with_neighbour\nfound = model_with_neighbour\n")
    file = tmp_path / "model_with_neighbour.py"
    file.write_text(f"import neighbour_of_model\n{SHAPE}")
    model = load_model(ModelRef(file=str(file)))
    assert model.subject.neighbour_of_model.found is model.subject


@pytest.mark.tf
def test_the_input_functions_of_a_tpu_estimator_get_its_batch_size_among_the_trials_params(tf, tmp_path):
    from tests.estimator.golden import tpu_estimator
    from tuner.domain.spec import TrainSettings
    from tuner.model.estimator_specs import build_specs

    said = []

    def read(params):
        said.append(params)
        return tf.data.Dataset.from_tensors(({"x": [[1.0]] * params["batch_size"]}, [2.0] * params["batch_size"]))

    subject = SimpleNamespace(estimator_fn=None, train_input_fn=read, eval_input_fn=read)
    model = UserModel(ModelRef(file="m.py"), subject, "estimator_fn")
    estimator = tpu_estimator(tf, str(tmp_path))
    specs = build_specs(model, {"rate": 0.1, "batch_size": 7}, TrainSettings(max_steps=2), estimator)
    tf.estimator.train_and_evaluate(estimator, specs.train, specs.eval)
    assert said == [{"rate": 0.1, "batch_size": 32}, {"rate": 0.1, "batch_size": 128}]


MODEL = "def model_fn(features): pass\ndef train_input_fn(): pass\ndef {}(): pass\n"


@pytest.mark.parametrize(
    ("there", "near"),
    [
        ("evaluate_input_fn", True),
        ("validation_input_fn", True),
        ("test_input_fn", True),
        ("input_fn_eval", True),
        ("eval_input_func", True),
        ("input_fn", True),
        ("training_input_fn", False),
        ("train_input_func", False),
        ("_evaluate_input_fn", False),
        ("rows", False),
    ],
)
def test_a_function_of_nearly_the_name_that_is_looked_for_is_named(tmp_path, there, near):
    file = tmp_path / f"lacking_{there}.py"
    file.write_text(MODEL.format(there))
    said = refusal(file)
    assert "has no function eval_input_fn(params), expected one that returns a Dataset" in said
    assert (f"(if {there} is that function, call it eval_input_fn)" in said) is near


def test_an_object_of_nearly_the_name_that_is_looked_for_is_named(tmp_path):
    file = tmp_path / "lacking_object.py"
    file.write_text("small_model = large_model = None\n")
    with pytest.raises(InvalidInput, match=r"found: large_model, small_model \(did you mean 'small_model'\?\)"):
        load_model(ModelRef(file=str(file), object="smal_model"))


def test_an_object_has_near_functions_too():
    model = UserModel(ModelRef(module="m"), SimpleNamespace(serving_input_fn=lambda: None, rows=3), "model_fn")
    assert model.near("serving_input_receiver_fn") == "serving_input_fn"
    assert UserModel(ModelRef(module="m"), SimpleNamespace(rows=3), "model_fn").near("eval_input_fn") == ""
