"""A trial is named as NAME:N, or by --trial, wherever one is taken."""

import pytest

import tuner
from tests.cli.command import call
from tuner.cli.targets import split
from tuner.errors import InvalidInput


@pytest.mark.parametrize("arguments", [["export", "sim:1", "out"], ["rerun", "sim:1"]])
def test_export_and_rerun_take_a_trial_either_way_but_not_two(named, arguments, monkeypatch, tmp_path):
    from tuner.operations import rerun

    class Reached(InvalidInput):
        pass

    def reached(*arguments):
        trial = next(argument for argument in arguments if isinstance(argument, tuner.Trial))
        raise Reached("", f"reached trial {trial.number}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tuner.export.choose_checkpoint", reached)
    monkeypatch.setattr(rerun, "rerun", reached)
    assert "reached trial 1" in call(*arguments, "--root", named).output
    assert "reached trial 1" in call(*arguments, "--trial", 1, "--root", named).output
    other_way = ["sim" if argument == "sim:1" else argument for argument in arguments]
    assert "reached trial 1" in call(*other_way, "--trial", 1, "--root", named).output
    assert "expected one trial" in call(*arguments, "--trial", 0, "--root", named).output


def test_what_comes_after_a_colon_is_the_number_of_a_trial():
    assert split("housing:7") == ("housing", 7)
    assert split("housing") == ("housing", None)
    for text in ("housing:", "housing:x", ":"):
        with pytest.raises(InvalidInput, match="expected NAME, or NAME:N with the number of a trial"):
            split(text)
