"""Every trial runs to its end."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.values import TrialState, Verdict


class NoScheduler:
    """Stop nothing; see ``Scheduler``."""

    def next_stop(self, trial: int, step: int) -> int | None:
        del trial, step
        return None

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Verdict:
        del trial, step, losses
        return Verdict.GO_ON

    def settle(self, trial: int, state: TrialState) -> None:
        del trial, state

    def promote(self) -> int | None:
        return None
