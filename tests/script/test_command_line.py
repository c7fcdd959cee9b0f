"""The command of script mode: filled in for a trial, and recognised."""

import sys
from pathlib import Path

import pytest

from tuner.errors import InvalidInput
from tuner.script.command_line import Program, check_command, fill, flag_value, recognise

NAMES = ["units", "rate", "momentum", "batch"]
PARAMS = {"units": 16, "rate": 0.5, "batch": 32.0}


def filled(*command, params=PARAMS):
    return fill(command, params, NAMES, 7, Path("/t/0007"))


def test_parameters_are_appended_as_flags_in_their_order_and_whole_numbers_have_no_point():
    assert filled("train") == ("train", "--units=16", "--rate=0.5", "--batch=32")


def test_a_placed_parameter_is_not_appended_again():
    assert filled("train", "-u", "{units}", "--out={trial_dir}/x", "{trial}") == (
        "train",
        "-u",
        "16",
        "--out=/t/0007/x",
        "7",
        "--rate=0.5",
        "--batch=32",
    )


def test_a_parameter_that_does_not_hold_takes_its_flag_with_it():
    assert filled("train", "--momentum", "{momentum}", "--m={momentum}", "end")[:2] == ("train", "end")
    assert filled("sh", "-c", "echo {momentum}.")[2] == "echo ."
    assert "momentum" not in " ".join(filled("train"))


def test_null_is_no_flag_and_a_list_is_json():
    assert filled("train", params={"units": None, "rate": [1, "a"]}) == ("train", '--rate=[1, "a"]')


def test_double_braces_are_literal_and_other_braces_mean_nothing():
    words = ("{{units}}", '{"a": {"b": 1}}', "${HOME}", "{print $1}", "a{,b}")
    assert filled(*words)[:5] == ("{units}", *words[1:])


@pytest.mark.parametrize(
    ("value", "flag"),
    [(1.0, "1"), (1e-05, "1e-05"), (0.1, "0.1"), (True, "True"), ("a b", "a b"), (1e300, "1e+300"), (-3.0, "-3")],
)
def test_values_are_written_as_a_command_line_has_them(value, flag):
    assert flag_value(value) == flag


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("python -m trainer.task --a", Program("module", "trainer.task", ("--a",))),
        ("python3 -u task.py x", Program("file", "task.py", ("x",))),
        (f"{sys.executable} task.py", Program("file", "task.py")),
        ("python -c pass", Program("program", sys.executable, ("-c", "pass"))),
        ("python -O task.py", Program("program", sys.executable, ("-O", "task.py"))),
    ],
)
def test_python_of_the_interpreter_in_use_is_recognised(command, program, tmp_path):
    assert recognise(command.split(), tmp_path) == program


def test_python_of_another_environment_is_a_program(tmp_path):
    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    other.symlink_to(Path(sys.executable).resolve())
    assert recognise([str(other), "task.py"], tmp_path).kind == "program"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("pythom task.py", "no such program: 'pythom'"),
        ("python tusk.py", "did you mean 'task.py'?"),
        ("python -m trainer.tusk", "did you mean 'trainer.task'?"),
        ("python -m tainer.task", "did you mean 'trainer'?"),
        ("python -m trainer", "no such module: 'trainer'"),
        ("./run.sh", "chmod +x ./run.sh"),
        ("run.sh", "did you mean './run.sh'?"),
        ("python task.py {unit}", "did you mean 'units'?"),
        ("python task.py {trial_dri}", "did you mean 'trial_dir'?"),
    ],
)
def test_a_command_that_cannot_run_is_refused_with_what_may_have_been_meant(command, said, tmp_path):
    (tmp_path / "task.py").touch()
    (tmp_path / "run.sh").touch()
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__init__.py").touch()
    (tmp_path / "trainer" / "task.py").touch()
    with pytest.raises(InvalidInput) as caught:
        check_command(command.split(), NAMES, tmp_path)
    assert said in str(caught.value)
    assert check_command(["python", "-m", "trainer.task", "{units}", "{{x}}"], NAMES, tmp_path).forked
