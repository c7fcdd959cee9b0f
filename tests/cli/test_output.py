"""Where a command cannot write, and what the system or a database does to it: a clear line, status 2."""

import errno
import os

import pytest
from typer.testing import CliRunner

import tuner
from tests.spaces import SIMULATED
from tuner.cli import app as cli
from tuner.cli import compare, curves, plot, verify  # noqa: F401
from tuner.driver.progress import NullDisplay
from tuner.sweep import RunOptions


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("output")
    (folder / "sim.yaml").write_text(SIMULATED)
    tuner.Sweep.from_file(folder / "sim.yaml", folder).session(RunOptions(backend="simulated"), NullDisplay()).run()
    return folder


def call(root, *words):
    return CliRunner().invoke(cli.app, [*map(str, words), "--root", str(root)])


COMMANDS = {
    "compare": ["compare", "sim:0", "sim:1", "--html"],
    "report": ["report", "sim"],
    "curves": ["curves", "sim"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_file_that_cannot_be_written_is_refused_before_any_work(root, tmp_path, command, monkeypatch):
    def worked(*_, **__):
        raise AssertionError("it has worked")

    for place in (
        "results.sweep_result.SweepResult.report",
        "operations.compare.to_page",
        "operations.curves.write_curves",
    ):
        monkeypatch.setattr(f"tuner.{place}", worked)
    (tmp_path / "file").write_text("")
    missing = call(root, *command, tmp_path / "none" / "page.csv")
    assert missing.exit_code == 2
    assert f"cannot write {tmp_path}/none/page.csv: there is no folder {tmp_path}/none" in missing.output
    assert f"mkdir -p {tmp_path}/none" in missing.output
    folder = call(root, *command, tmp_path)
    assert folder.exit_code == 2 and f"{tmp_path} is a folder, expected a file" in folder.output
    below = call(root, *command, tmp_path / "file" / "page.csv")
    assert below.exit_code == 2 and f"there is no folder {tmp_path}/file" in below.output
    denied = call(root, *command, "/proc/page.csv")  # which nobody can, whatever the rights are
    assert denied.exit_code == 2 and "its owner, mode or file system forbids it" in denied.output
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_for_plots_that_cannot_be_written_is_refused_before_any_work(root, tmp_path):
    (tmp_path / "file").write_text("")
    done = call(root, "plot", "sim", tmp_path / "file" / "plots")
    assert done.exit_code == 2
    assert f"cannot write to {tmp_path}/file/plots: {tmp_path}/file is a file, expected a folder" in done.output
    denied = call(root, "plot", "sim", "/proc/plots")
    assert denied.exit_code == 2 and "of /proc forbids it (name another folder)" in denied.output
    assert os.listdir(tmp_path) == ["file"]


def database_error():
    from sqlalchemy.exc import OperationalError

    try:
        try:
            raise OperationalError("SELECT 1", {}, Exception("server closed the connection\nthis means"))
        except OperationalError as error:
            raise RuntimeError("An exception is raised during the commit") from error
    except RuntimeError as error:
        return error


ERRORS = {
    "full": (OSError(errno.ENOSPC, "No space left on device", "/there/file"), "/there/file: No space left on device"),
    "read-only": (OSError(errno.EROFS, "Read-only file system"), "Read-only file system"),
    "denied": (PermissionError(errno.EACCES, "Permission denied", "/there"), "cannot write to /there: its owner, mode"),
    "away": (ConnectionError("http://host: connection refused"), "http://host: connection refused"),
    "no words": (TimeoutError(), "TimeoutError"),
    "database": (database_error(), "the database cannot be used: server closed the connection"),
    "fault": (KeyError("a"), "unexpected KeyError: 'a'"),
}


@pytest.mark.parametrize(("error", "said"), ERRORS.values(), ids=ERRORS)
def test_what_a_command_meets_is_a_line_and_status_2_as_1_is_what_it_found(root, monkeypatch, error, said):
    def meets(*_):
        raise error

    monkeypatch.setattr("tuner.operations.verify.verify_sweep", meets)
    done = call(root, "verify", "sim")
    assert done.exit_code == 2
    first, hint = done.output.splitlines()
    assert first.startswith(f"tuner: {said}")
    assert ("fault of tuner" in hint) == isinstance(error, KeyError)
    assert call(root, "verify", "sim", "--debug").exit_code == 2
