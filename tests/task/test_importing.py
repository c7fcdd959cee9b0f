"""A model that does not import: what is said of it."""

import pytest

from tuner.errors import InvalidInput
from tuner.spec import ModelRef
from tuner.task import load_model
from tuner.task.faults import in_a_line


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


def test_an_error_without_a_line_is_said_as_it_is(tmp_path):
    file = tmp_path / "null.py"
    file.write_bytes(b"x = 1\0\n")
    assert "null bytes" in refusal(file)


def test_a_trial_that_meets_such_a_line_has_it_in_its_reason():
    with pytest.raises(SyntaxError) as caught:
        compile("import os\nrate = = 3\n", "trainer/task.py", "exec")
    assert in_a_line(caught.value) == "SyntaxError: invalid syntax (line 2 of trainer/task.py: rate = = 3)"


def test_a_model_that_is_not_there_any_more_may_have_been_moved(tmp_path):
    said = refusal(tmp_path / "gone.py")
    assert "is not there" in said
    assert "if it was moved, tuner run with its search space file takes the new place" in said
