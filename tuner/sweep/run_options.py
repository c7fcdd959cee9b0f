"""What may be asked of one call of run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tuner.backends import DEFAULT
from tuner.sweep.callbacks import Callbacks


@dataclass(frozen=True)
class RunOptions:
    """What is asked of one call of run; see ``tuner.Sweep.run``. None leaves a limit as the sweep has it.

    Attributes:
        trials: Total number of trials of the sweep, over all calls.
        workers: Trials at a time.
        timeout_s: Running time of the sweep over all calls, in seconds.
        trial_timeout_s: Running time of one trial without pauses, in seconds.
        seed: Seed of the sweep.
        backend: Where trials run.
        tags: Tags of all runs.
        sources: What a new sweep learns from.
        export: Whether the best model of a finished sweep is exported.
        retry: Numbers of trials that failed and are to run again.
        callbacks: The functions of a user.
    """

    trials: int | None = None
    workers: int | None = None
    timeout_s: float | None = None
    trial_timeout_s: float | None = None
    seed: int | None = None
    backend: str = DEFAULT
    tags: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ()
    export: bool = True
    retry: Sequence[int] = ()
    callbacks: Callbacks = field(default_factory=Callbacks)

    @property
    def limits(self) -> dict[str, int | float]:
        """The limits that were given, by name."""
        names = ("trials", "workers", "timeout_s", "trial_timeout_s", "seed")
        return {name: value for name in names if (value := getattr(self, name)) is not None}
