"""A trial is named as NAME:N, or by --trial, wherever one is taken; where none is, the error says what to type."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import tuner
from tests.spaces import SIMULATED
from tuner.cli.targets import split
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput
from tuner.files.driver_lock import DriverLock
from tuner.files.paths import Root
from tuner.sweep import RunOptions


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    (folder / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(folder / "sim.yaml", folder)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    for number in range(2):
        sweep.dir.trial(number).path.mkdir(exist_ok=True)
        sweep.dir.trial(number).log_file.write_text(f"the log of {number}\n")
    return folder


def call(*arguments):
    from tuner.cli import export, listing, logs, rerun, show, stop  # noqa: F401
    from tuner.cli.app import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_show_of_a_trial_has_that_trial_alone(root):
    (row,) = json.loads(call("show", "sim:1", "--root", root, "--format", "json").stdout)
    assert row["trial"] == 1
    assert len(json.loads(call("show", "sim", "--root", root, "--format", "json").stdout)) == 2
    missing = call("show", "sim:7", "--root", root)
    assert missing.exit_code == 2
    assert "has no trial 7: it has trials 0 to 1" in missing.output
    assert "did you mean 'sim'? sweeps here: sim" in call("show", "simm", "--root", root).output


def test_logs_takes_a_trial_either_way_and_says_what_to_type_where_there_is_none(root):
    assert call("logs", "sim:1", "--root", root).stdout == "the log of 1\n"
    assert call("logs", "sim", "--trial", 1, "--root", root).stdout == "the log of 1\n"
    command = [sys.executable, "-m", "tuner", "logs", "sim", "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"expected a trial (type: tuner logs sim:0 --root {root})" in done.stderr


def test_logs_of_a_cluster_are_those_of_its_tasks(root):
    from tuner.sweep import Sweep

    alone = call("logs", "sim:0", "--task", "worker-0", "--root", root)
    assert alone.exit_code == 2 and "it is one process" in alone.output
    trial_dir = Sweep.open("sim", root).dir.trial(1)
    for name in ("worker-0", "ps-0"):
        trial_dir.task(name).path.mkdir(parents=True)
        trial_dir.task(name).log_file.write_text(f"the log of {name}\n")
    assert call("logs", "sim:1", "--task", "worker-0", "--root", root).stdout == "the log of worker-0\n"
    for arguments in (["--task", "chief"], []):
        assert call("logs", "sim:1", *arguments, "--root", root).stdout == "the log of 1\n"
    wrong = call("logs", "sim:1", "--task", "worker0", "--root", root)
    assert wrong.exit_code == 2
    assert (
        "no task 'worker0': it has chief, ps-0, worker-0" in wrong.output and "did you mean 'worker-0'?" in wrong.output
    )


@pytest.mark.parametrize("arguments", [["export", "sim:1", "out"], ["rerun", "sim:1"]])
def test_export_and_rerun_take_a_trial_either_way_but_not_two(root, arguments, monkeypatch, tmp_path):
    from tuner.operations import rerun

    class Reached(InvalidInput):
        pass

    def reached(*arguments):
        trial = next(argument for argument in arguments if isinstance(argument, tuner.Trial))
        raise Reached("", f"reached trial {trial.number}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tuner.export.choose_checkpoint", reached)
    monkeypatch.setattr(rerun, "rerun", reached)
    assert "reached trial 1" in call(*arguments, "--root", root).output
    assert "reached trial 1" in call(*arguments, "--trial", 1, "--root", root).output
    other_way = ["sim" if argument == "sim:1" else argument for argument in arguments]
    assert "reached trial 1" in call(*other_way, "--trial", 1, "--root", root).output
    assert "expected one trial" in call(*arguments, "--trial", 0, "--root", root).output


def test_what_comes_after_a_colon_is_the_number_of_a_trial():
    assert split("housing:7") == ("housing", 7)
    assert split("housing") == ("housing", None)
    for text in ("housing:", "housing:x", ":"):
        with pytest.raises(InvalidInput, match="expected NAME, or NAME:N with the number of a trial"):
            split(text)


def test_a_sweep_that_has_only_begun_can_be_stopped_and_a_folder_that_is_not_there_holds_no_sweeps(tmp_path):
    sweep_dir = Root(tmp_path).sweep("begins")
    sweep_dir.path.mkdir(parents=True)
    assert "no sweep 'begins'" in call("stop", "begins", "--root", tmp_path).output
    with DriverLock(sweep_dir.driver_file):
        assert "asked process" in call("stop", "begins", "--root", tmp_path).output
    assert sweep_dir.stop_file.exists()
    assert "there is no folder" in call("list", "--root", tmp_path / "none").output
