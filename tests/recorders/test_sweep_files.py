"""The process that makes a sweep's files: started when they are due, or before, with nothing to do yet."""

import sys
import time

import pytest

from tuner.files.paths import SweepDir
from tuner.recorders import sweep_files
from tuner.recorders.sweep_files import SweepFiles

DRAWS = """
import json, sys
line = sys.stdin.readline()
if line:
    order = json.loads(line)
    open(order["folder"] + "/drawn", "w").write(str(order["closing"]))
"""


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Processes that were started, of a program without imports."""
    found = []
    popen = sweep_files.subprocess.Popen

    def start(command, **kwargs):
        assert command[1:3] == ["-m", "tuner.recorders.drawing_process"]
        found.append(popen([sys.executable, "-c", DRAWS], **kwargs))
        return found[-1]

    monkeypatch.setattr(sweep_files.subprocess, "Popen", start)
    yield found
    for process in found:
        process.stdin.close()
        process.wait(60)


def drawn(making, folder):
    while not making.done():
        time.sleep(0.01)
    return (folder / "drawn").read_text()


def test_the_last_files_are_made_by_the_process_that_waits_for_them_and_others_by_one_of_their_own(started, tmp_path):
    files = SweepFiles(SweepDir(tmp_path))
    files.prepare()
    files.prepare()
    assert len(started) == 1
    assert drawn(files(tmp_path, False), tmp_path) == "False"
    assert len(started) == 2
    assert drawn(files(tmp_path, True), tmp_path) == "True"
    assert len(started) == 2
    assert drawn(files(tmp_path, True), tmp_path) == "True"
    assert len(started) == 3


def test_a_process_that_was_killed_while_it_waited_is_replaced(started, tmp_path):
    files = SweepFiles(SweepDir(tmp_path))
    files.prepare()
    started[0].kill()
    started[0].wait()
    assert drawn(files(tmp_path, True), tmp_path) == "True"


def test_one_that_waits_ends_with_whoever_started_it(started, tmp_path):
    SweepFiles(SweepDir(tmp_path)).prepare()
    started[0].stdin.close()
    assert started[0].wait(60) == 0
