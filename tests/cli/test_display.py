"""The live display of a sweep on a terminal."""

import functools
import io
import re

import pytest
import rich.console

from tuner.cli.display import Live
from tuner.domain.trial import TrialState
from tuner.driver.progress import Progress


@pytest.fixture
def terminal(monkeypatch):
    """Return what is written to a terminal of 40 columns."""
    file = io.StringIO()
    made = functools.partial(rich.console.Console, file=file, force_terminal=True, width=40, legacy_windows=False)
    monkeypatch.setattr(rich.console, "Console", lambda **_: made())
    return file


def test_what_is_shown_first_is_taken_away_if_nothing_of_the_sweep_was_shown(terminal):
    with Live("starting"):
        pass
    assert "starting" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")  # the line is erased


def test_the_last_state_of_a_sweep_stays_and_a_command_in_a_line_stays_whole(terminal):
    with Live("starting") as live:
        live.line("the best model was not exported; try to do it again with: tuner export mine OUT_DIR")
        live.update(Progress((), 2, {}, None, 5.0, None))
    said = terminal.getvalue()
    assert "\n  tuner export mine OUT_DIR\n" in said
    assert not said.endswith("\x1b[2K")


def test_what_is_shown_first_is_erased_by_the_first_line_and_what_is_below_a_line_is_not_made_longer(terminal):
    with Live("starting") as live:
        live.update(Progress((), 2, {TrialState.COMPLETE: 1}, (0, 0.123456), 5.0, 3.0))
        live.line("trial 0: COMPLETE")
    said = terminal.getvalue()
    assert "starting\x1b[0m\r\x1b[2K" in said
    drawn = said[said.rindex("COMPLETE") :].splitlines()
    assert all(len(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", line)) <= 40 for line in drawn), drawn
