"""How long an attempt of a trial has run, and how much of that was its start."""

from __future__ import annotations


class Stopwatch:
    """Seconds on the loop's clock.

    Args:
        begun: When the process began; None until then.
    """

    def __init__(self, begun: float | None) -> None:
        self._begun = begun
        self._evaluated: float | None = None

    def start(self, now: float) -> None:
        """Count from here: until now it may have waited for room in a cluster."""
        self._begun = now

    def note_evaluation(self, now: float) -> None:
        """Note an evaluation of a step that no earlier attempt has shown: with the first one its start is over."""
        if self._evaluated is None:
            self._evaluated = now

    def seconds(self, now: float) -> float:
        """Return for how long the process has run."""
        return now - self._begun if self._begun is not None else 0.0

    def starting(self, now: float) -> float:
        """Return how long it took to the first evaluation, or for how long there is none."""
        return self.seconds(now if self._evaluated is None else self._evaluated)
