"""What went wrong, as the end of a trial's log says: an error that its command printed before it ended."""

from __future__ import annotations

import os
import re
import sysconfig
import textwrap
from dataclasses import replace
from pathlib import Path

from tuner.domain.job import EXITED
from tuner.domain.trial import TrialOutcome, TrialState
from tuner.hiding import Hiding

_BEGINS = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s+File "(.+)", line (\d+)')
_ATTEMPT = re.compile(r"tuner: trial \d+, (attempt|life) \d+, began ")  # life: in logs of former versions
# TensorFlow logs "errors" of its own that are none, about a GPU that is not there for instance.
_OF_LIBRARIES = re.compile(r"tuner: |\d{4}-\d\d-\d\d [\d:.]+: [IWE] |[IWE]\d{4} ")
_ERROR = re.compile(r"\b(error|fatal|invalid|no such|not found|unknown|unrecognized)\b", re.IGNORECASE)
_BYTES = 1 << 16
_LONGEST = 200  # characters of last words
_LINES = 10  # a command may say a little more after an error


def with_last_error(outcome: TrialOutcome, log_file: Path, of_command: bool, hide: Hiding) -> TrialOutcome:
    """Return a trial's outcome with the error that the trial printed at its end, if it did.

    Args:
        outcome: What becomes of the trial.
        log_file: Its log.
        of_command: Whether it is a user's command, which may have caught the error that ended its training.
        hide: Hides secrets.
    """
    by_status = of_command and EXITED in outcome.reason
    if not (outcome.objective_missing or by_status or (of_command and outcome.state is TrialState.COMPLETE)):
        return outcome
    error = hide(last_error(log_file) or (last_words(log_file) if by_status else ""))
    reason = "; ".join(part for part in (outcome.reason, error and f"its log ends with {error}") if part)
    return replace(outcome, reason=reason)


def last_error(log_file: Path) -> str:
    """Return the error of the traceback with which the log of a trial's last attempt ends, in a line; empty if none.

    The user's own line is named if the traceback has one.
    """
    lines = _end(log_file)
    begins = [number for number, line in enumerate(lines) if line.strip() == _BEGINS]
    if not begins:
        return ""
    said, place = lines[begins[-1] + 1 :], ""
    for number, line in enumerate(said):
        frame = _FRAME.match(line)
        if frame and _is_own(frame[1]):
            place = f" (line {frame[2]} of {Path(frame[1]).name})"
        if line.strip() and not line[0].isspace():
            return f"{line.strip()}{place}" if len(said) - number <= _LINES else ""
    return ""


def last_words(log_file: Path) -> str:
    """Return the error with which the log of a trial's last attempt ends, in a line; empty if none is named there.

    A command that does not know a flag says so in a line or two, and ends with a status that says nothing.
    """
    lines = [line.strip() for line in _end(log_file) if line.strip() and not _OF_LIBRARIES.match(line)][-_LINES:]
    errors = [number for number, line in enumerate(lines) if _ERROR.search(line)]
    return textwrap.shorten(" ".join(lines[errors[-1] :]), _LONGEST, placeholder=" ...") if errors else ""


def _end(log_file: Path) -> list[str]:
    """Return the last lines of a log that are of the trial's last attempt."""
    try:
        with log_file.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _BYTES))
            lines = stream.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    attempts = [number for number, line in enumerate(lines) if _ATTEMPT.match(line)]
    return lines[attempts[-1] :] if attempts else lines


def _is_own(file: str) -> bool:
    """Whether a file is neither Python's nor that of an installed package."""
    others = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return not any(Path(file).is_relative_to(other) for other in others) and "site-packages" not in Path(file).parts
