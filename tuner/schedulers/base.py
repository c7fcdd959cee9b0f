"""What every scheduler does: judge trials by their evaluations, and say which paused ones go on.

A scheduler is a function of the history that it has been told: after a restart the history is told
again (with what became of each trial), and it decides as it would have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tuner.domain.spec import SearchSettings, TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.errors import Problem
from tuner.space.parameters import Params


@dataclass(frozen=True)
class Promotion:
    """A paused trial goes on.

    Attributes:
        why: Why it was chosen, in a few words for people; nothing if the scheduler has no more to say.
    """

    trial: int
    why: str = field(default="", compare=False)


@dataclass(frozen=True)
class Exploit:
    """A paused trial ends; a new one begins in its place from a better one's checkpoint.

    Attributes:
        trial: The one that ends.
        donor: Whose checkpoint the new one begins with. It has paused there or ended: one that runs may have its
            checkpoint on another machine.
        step: Global step of that checkpoint.
        params: Of the new trial, without constants.
    """

    trial: int
    donor: int
    step: int
    params: Params


@dataclass(frozen=True)
class Begin:
    """A new trial begins, unless one that was enqueued or that repeats another is due.

    Attributes:
        params: Of the new trial, without constants.
        memory: What the scheduler keeps with the trial, as JSON; ``on_begin`` gets it back in each driver.
        why: As of ``Promotion``.
    """

    params: Params
    memory: Mapping[str, Any] = field(default_factory=dict)
    why: str = field(default="", compare=False)


class Scheduler:
    """Judge trials; this one lets every trial run to its end.

    Losses are values of which lower is better, one for each objective. What breaks a constraint as of an evaluation has
    ``infeasible_loss`` there (``tuner.domain.scoring``), which is finite and behind all that keeps to them.

    A constructor's arguments are the options in a search space file; ``train``, ``space``, ``search``, ``objectives``
    and ``seed`` are given by the sweep to those that name them.

    Attributes:
        uses_rungs: Whether it judges at steps between ``train.evaluate_every`` and ``train.max_steps``, so that both
            must be there.
        goes_with_repeats: Whether it may judge trials of which several share their parameters.
        goes_with_several_objectives: Whether there may be several.
        needs_listed_parameters: Whether the file must have the parameters, rather than the model's ``space(trial)``.
        changes_parameters: Whether parameters change while a trial trains.
        pauses_anywhere: Whether it pauses trials at other steps than those that ``next_stop`` has named, by a kill
            once the checkpoint of the step is there.
        repeats_complete_trials: Whether a trial with another seed begins when the first one is complete.
        imports: Modules that its decisions need and that it imports itself when they do: they are imported before the
            first trial begins, so that no trial trains on while its decision waits for them.
    """

    uses_rungs: ClassVar[bool] = False
    goes_with_repeats: ClassVar[bool] = True
    goes_with_several_objectives: ClassVar[bool] = True
    needs_listed_parameters: ClassVar[bool] = False
    changes_parameters: ClassVar[bool] = False
    pauses_anywhere: ClassVar[bool] = False
    repeats_complete_trials: ClassVar[bool] = False
    imports: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def check(cls, options: Mapping[str, Any], train: TrainSettings) -> Iterator[Problem]:  # noqa: ARG003
        """Yield what is wrong with options whose types are right."""
        if (rank := options.get("rank", "first")) not in ("first", "nondominated"):
            yield Problem("search.scheduler.rank", f"is {rank!r}, expected first or nondominated")

    @classmethod
    def hints(cls, search: SearchSettings) -> Iterator[str]:  # noqa: ARG003
        """Yield what is allowed and rarely meant."""
        yield from ()

    def on_begin(
        self,
        trial: int,
        params: Params,
        replaces: int | None = None,
        step: int = 0,
        memory: Mapping[str, Any] | None = None,
        repeat_of: int | None = None,
    ) -> None:
        """Note that a trial exists; called again with all parameters if it had not drawn all of them at first.

        Args:
            trial: Its number.
            params: Its parameters and constants.
            replaces: The trial that ended for it, see ``Exploit``, or None.
            step: Global step at which it began, above 0 if it began with another one's checkpoint.
            memory: What was kept with it, see ``Begin``.
            repeat_of: The trial whose parameters it trains with another seed, or None.
        """

    def learn(self, params: Params, loss: float) -> None:
        """Take a trial of an earlier sweep that trained to its end."""

    def next_stop(self, trial: int, step: int) -> int | None:  # noqa: ARG002
        """Return the global step after ``step`` at which a trial pauses by itself, or None for its end."""
        return None

    def report(self, trial: int, step: int, losses: Sequence[float]) -> Decision:  # noqa: ARG002
        """Take an evaluation of a running trial, in step order, and say what becomes of the trial."""
        return Decision.CONTINUE

    def took(self, trial: int, seconds: float, starting: float, steps: int, attempts: int) -> None:
        """Take what a trial has taken so far, as one of its processes has ended.

        Args:
            trial: Its number.
            seconds: In which it had a process, pauses left out.
            starting: Of these, from the start of each process to its first evaluation.
            steps: Global steps that its processes trained.
            attempts: How many processes those were.
        """

    def on_finished(self, trial: int, state: TrialState) -> None:
        """Note that a trial was paused, or will not run again."""

    def replay(self, trial: int, curve: Mapping[int, Sequence[float]], state: TrialState) -> None:
        """Take what an earlier driver saw of a trial; ``on_begin`` and ``took`` came before.

        A trial that is neither finished nor paused runs again, and its evaluations are reported again. A scheduler that
        pauses trials therefore has a ``replay`` of its own.
        """
        if state.is_finished:
            for step, losses in curve.items():
                self.report(trial, step, losses)
            self.on_finished(trial, state)

    def next_resume(self, may_begin: bool) -> Promotion | Exploit | Begin | None:  # noqa: ARG002
        """Return what is to be done before a new trial is drawn, or None.

        Args:
            may_begin: Whether the sweep's limits allow another trial.
        """
        return None

    def planned_steps(self, trials: int) -> int | None:  # noqa: ARG002
        """Return the global steps that a sweep of so many trials will train in all, about; None if that is not known.

        Then what its trials have trained before they ended or paused tells how much is left.
        """
        return None

    def wants_new_trial(self) -> bool:
        """Whether a new trial may be drawn now."""
        return True
