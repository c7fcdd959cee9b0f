"""What a driver does while its study's database is away: wait, as long as nobody asks it to stop.

Trials are processes of their own and go on meanwhile; what they evaluate stands in their event files, and is
reported when the database is back.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

from tuner.errors import StoppedWaiting

_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0)
_LOOK_S = 0.1  # from one look at whether somebody asked to stop to the next
_PASSING = ("08", "40", "53", "57")  # classes of SQLSTATE: connection, conflict, resources, an operator at work
_OF_MYSQL = frozenset({1040, 1053, 1205, 1213})  # too many connections, shutdown, lock timeout, deadlock

T = TypeVar("T")


class Reconnection:
    """Make calls to a database again until it answers, if it has ever answered.

    Args:
        sweep: Its name, for what to type when it was stopped meanwhile.
        say: Shows a line: that the database is away, and that it is back. Without it nothing is waited for.
        asked: How often somebody has asked the sweep to stop; twice is at once.
        grace_s: How long the database is waited for after the first time, in seconds.
    """

    def __init__(
        self,
        sweep: str = "",
        say: Callable[[str], None] | None = None,
        asked: Callable[[], int] = int,
        grace_s: float = 30.0,
    ) -> None:
        self._sweep = sweep
        self._say = say
        self._asked = asked
        self._grace_s = grace_s
        self._answered = self._stopping = False

    def run(self, call: Callable[[], T], again: Callable[[], T] | None = None) -> T:
        """Return what a call returns that needs the database.

        Args:
            call: Makes it.
            again: Makes it when the database may have done the first one and not said so; ``call`` if None.

        Raises:
            StoppedWaiting: Somebody asked the sweep to stop while the database was away.
        """
        say, said, tries = self._say, False, 0
        while True:
            try:
                found = again() if again and tries else call()
            except Exception as error:
                reason = away(error)
                if say is None or not self._answered or not reason:
                    raise
                if tries:  # the first may have been a connection from before a restart
                    if not said:
                        say(f"the study's database is away, trials go on meanwhile: {reason}")
                    said, seconds = True, _BACK_OFF_S[min(tries, len(_BACK_OFF_S)) - 1]
                    self.pause(seconds, f"its study's database was away: {reason}")
                tries += 1
            else:
                self._answered = True
                if said and say is not None:
                    say("the study's database is back")
                return found

    def tell(self, line: str) -> None:
        """Show a line, if lines are shown."""
        if self._say is not None:
            self._say(line)

    def pause(self, seconds: float, reason: str) -> None:
        """Wait; no longer than the grace once somebody asked the sweep to stop.

        Args:
            seconds: How long.
            reason: While what.

        Raises:
            StoppedWaiting: The grace is over, or somebody asked twice.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(_LOOK_S, left))
            asked = self._asked()
            if asked and not self._stopping and self._say is not None:
                self._stopping = True
                self._say(f"stopping: {reason}; waiting {self._grace_s:g} s for it, asked again (Ctrl-C), not at all")
            self._grace_s -= min(_LOOK_S, left) if asked else 0
            if asked > 1 or self._grace_s <= 0:
                raise StoppedWaiting(
                    f"the sweep was stopped while {reason}",
                    f"what its trials have evaluated stands in their event files; then: tuner resume {self._sweep}",
                )


def away(error: BaseException) -> str:
    """Return why a database could not be used, if that may pass by waiting; else an empty string."""
    cause = database_error(error)
    return reason_of(cause) if cause is not None and _passes(cause) else ""


def database_error(error: BaseException) -> BaseException | None:
    """Return the error of a database that an error came of; None if it came of none."""
    from sqlalchemy.exc import DBAPIError

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, DBAPIError):
        cause = cause.__cause__ or cause.__context__
    return cause


def reason_of(error: BaseException) -> str:
    """Return what a database's error says, in one line and without the name of its class."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return re.sub(r"^\(\S+\) ", "", lines[0]) if lines else type(error).__name__


def _passes(error: BaseException) -> bool:
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    found = error.orig
    if type(found).__module__.startswith("sqlite3"):
        return "locked" in str(found) or "busy" in str(found)
    state = getattr(found, "sqlstate", None) or getattr(found, "pgcode", None)
    if state:
        return str(state)[:2] in _PASSING
    code = found.args[0] if found is not None and found.args else None
    return not isinstance(code, int) or 2000 <= code < 2100 or code in _OF_MYSQL
