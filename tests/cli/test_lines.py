"""Lines fit a terminal, and a command in one of them stays whole."""

import re
import shlex

import pytest

from tuner.cli.lines import fitted

COMMANDS = "tuner retry mine", "tuner resume mine --trials 22", "tuner logs mine:7"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize(
    "line",
    [
        "2 trials failed; when their cause is mended, run them again, under their numbers: {0}; or {1} ({2}), as before",
        "  to go on: {1}, {2}",
        "tuner: sweep mine: what was recorded keeps its meaning (give this one another name, or type `{0}`)",
    ],
)
def test_no_command_is_broken_in_two_and_no_word_is_lost(line, width):
    line = line.format(*COMMANDS)
    lines = fitted(line, width).splitlines()
    for command in COMMANDS:
        if command in line:
            assert sum(command in part for part in lines) == 1
    assert " ".join(" ".join(lines).split()) == " ".join(line.split())
    assert all(len(part) <= max(width, 34) for part in lines)
    indent = re.match(" *", line)[0]
    assert all(re.match(" *", part)[0] == f"{indent}  " for part in lines[1:])


def test_a_line_that_fits_stays_as_it_is_and_a_long_command_is_left_to_the_terminal():
    assert fitted("a  b: tuner show x", 18) == "a  b: tuner show x"
    command = f"mv {shlex.quote('/a folder/' + 'x' * 50)} {shlex.quote('/b folder')}"
    assert fitted(f"rename it back: {command}", 40) == f"rename it back:\n  {command}"


def test_what_stands_in_columns_keeps_its_blanks_and_goes_on_below_its_text():
    line = "time         20s in 4 attempts, begun 2026-11-29 11:26:25"
    assert fitted(line, 40, hang=13) == "time         20s in 4 attempts, begun\n             2026-11-29 11:26:25"
    assert fitted("             while it is there: tuner ui x", 34, hang=13) == (
        "             while it is there:\n               tuner ui x"
    )
