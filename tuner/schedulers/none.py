"""Every trial runs to its end."""

from __future__ import annotations

from tuner.schedulers.base import Scheduler


class NoScheduler(Scheduler):
    """Stop nothing; see ``Scheduler``."""
