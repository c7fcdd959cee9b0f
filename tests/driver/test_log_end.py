"""An error that a command caught and printed is found at the end of its log, and nowhere else."""

import sys

import pytest

from tuner.domain.trial import TrialOutcome, TrialState
from tuner.driver.log_end import last_error, with_last_error
from tuner.hiding import Hiding

ATTEMPT = "tuner: trial 3, attempt {}, began 2026-01-01 00:00:00\n"
ERROR = f'''Traceback (most recent call last):
  File "/home/me/task.py", line 31, in main
    read(rows)
    ~~~~^^^^^^
  File "{sys.prefix}/lib/python3/site-packages/pandas/io.py", line 7, in read
    raise KeyError("price")
KeyError: 'price'
'''


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (ATTEMPT.format(1) + "trains\n" + ERROR + "saved nothing\n", "KeyError: 'price' (line 31 of task.py)"),
        (ATTEMPT.format(1) + ERROR + "goes on\n" * 20, ""),
        (ATTEMPT.format(1) + ERROR + ATTEMPT.format(2) + "all well\n", ""),
        (ATTEMPT.format(1) + ERROR.replace("'price'", "'a'") + ERROR, "KeyError: 'price' (line 31 of task.py)"),
        (ATTEMPT.format(1) + "Traceback (most recent call last):\n", ""),
        ("", ""),
    ],
)
def test_the_last_error_of_the_last_attempt_is_quoted_with_the_users_line(tmp_path, log, error):
    file = tmp_path / "log.txt"
    file.write_text(log)
    assert last_error(file) == error


def test_the_attempts_of_logs_of_former_versions_are_told_apart(tmp_path):
    file = tmp_path / "log.txt"
    former = ATTEMPT.replace("attempt", "life")
    file.write_text(former.format(1) + ERROR + former.format(2) + "all well\n")
    assert last_error(file) == ""
    file.write_text(former.format(1) + "all well\n" + former.format(2) + ERROR)
    assert last_error(file) == "KeyError: 'price' (line 31 of task.py)"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (
            "usage: task.py [-h] [--rate RATE]\ntask.py: error: unrecognized arguments: --units=3\n",
            "task.py: error: unrecognized arguments: --units=3",
        ),
        (
            "FATAL Flags parsing error:\n  Unknown command line flag 'units'.\nPass --help to see flags.\n",
            "Unknown command line flag 'units'. Pass --help to see flags.",
        ),
        ("step 1\nerror: a shape\n" + "step 2\n" * 20, ""),
        ("2026-01-01 00:00:00.1: E external/cuda.cc:1] failed call: UNKNOWN ERROR (303)\ndone\n", ""),
        ("task: error: --api_key=abc123def is unknown", "task: error: --api_key=*** is unknown"),
        ("", ""),
    ],
)
def test_a_command_that_exits_with_a_status_is_given_the_reason_that_it_printed(tmp_path, log, words):
    file = tmp_path / "log.txt"
    file.write_text("error: of the attempt before\n" + ATTEMPT.format(2) + log)
    failed = TrialOutcome(TrialState.FAIL, "the command exited with status 2")
    reason = f"{failed.reason}; its log ends with {words}" if words else failed.reason
    assert with_last_error(failed, file, True, Hiding()).reason == reason
    other = TrialOutcome(TrialState.FAIL, "ValueError: a shape")
    assert with_last_error(other, file, True, Hiding()).reason == other.reason


def test_no_log_has_no_error(tmp_path):
    assert last_error(tmp_path / "log.txt") == ""
