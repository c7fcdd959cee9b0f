"""When a script that builds its own Estimators stops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tuner.estimator.stop_control import StopControl


class TrialStopped(BaseException):
    """Ends a script that was asked to stop; no ``except Exception`` of it takes this for an error."""


@dataclass
class ScriptControl(StopControl):
    """When a script stops, and whether an Estimator of it is at work.

    Attributes:
        calls: How many calls of Estimators are under way.
    """

    calls: int = 0

    @property
    def busy(self) -> bool:
        """Whether an Estimator is at work, which obeys at its next checkpoint."""
        return self.calls > 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a call of an Estimator."""
        self.calls += 1
        try:
            yield
        finally:
            self.calls -= 1

    def leave(self, stopped: bool) -> None:
        """End the script if it was asked to stop, or ``stopped``.

        Raises:
            TrialStopped: It was.
        """
        if stopped or self.request.asked:
            self.stopped = True
            raise TrialStopped
