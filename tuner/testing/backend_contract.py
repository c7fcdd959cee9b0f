"""What every backend must do, as tests to inherit.

    class TestMine(BackendContract):
        @pytest.fixture
        def backend(self, tmp_path):
            return MyBackend(self.model())

The model is a tiny real Estimator that comes with this module.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuner.backends import Backend, Ended, Message, Reported, Started
from tuner.domain.job import Job, JobStatus
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.files.paths import TrialDir

LIMIT_S = 120.0


class BackendContract:
    """Inherit, and give a fixture ``backend`` that returns one that is not open."""

    can_kill = True
    """Whether a trial can be ended at once; otherwise it stops at its next checkpoint."""

    @staticmethod
    def model() -> ModelRef:
        """Return the model that the jobs of this suite train."""
        return ModelRef(module="tuner.testing.tiny_model")

    @pytest.fixture
    def opened(self, backend: Backend) -> Iterator[Backend]:
        """Open the backend, and close it after the test."""
        backend.open()
        yield backend
        backend.close()

    def job(self, trial: int, **changed: Any) -> Job:
        """Return a job of 40 steps with an evaluation every 10."""
        params = {"learning_rate": 0.1, "sleep": changed.pop("sleep", 0.0), "fault": changed.pop("fault", "")}
        attempt = changed.pop("attempt", 1)
        train = changed.pop("train", TrainSettings(40, 10))
        return Job(trial, attempt, params, seed=trial, train=train, model=self.model(), **changed)

    def until_ended(self, backend: Backend, count: int = 1) -> list[Message]:
        """Return all messages until so many trials have ended."""
        messages: list[Message] = []
        deadline = time.monotonic() + LIMIT_S
        while sum(isinstance(message, Ended) for message in messages) < count:
            assert time.monotonic() < deadline, messages
            messages += backend.wait(0.5)
        return messages

    def test_a_trial_starts_reports_in_step_order_and_ends(self, opened: Backend, tmp_path: Path) -> None:
        """Started, then every evaluation, then the end: nothing comes after it."""
        opened.start(self.job(0), TrialDir(tmp_path / "0000"))
        messages = self.until_ended(opened)
        assert [type(message) for message in messages] == [Started, *[Reported] * 4, Ended]
        assert [m.evaluation.step for m in messages if isinstance(m, Reported)] == [10, 20, 30, 40]
        (end,) = [m for m in messages if isinstance(m, Ended)]
        assert (end.trial, end.result.ending, end.result.step) == (0, JobStatus.FINISHED, 40)

    def test_trials_side_by_side_keep_their_reports_apart(self, opened: Backend, tmp_path: Path) -> None:
        """Every message names its trial."""
        for trial in (3, 4):
            opened.start(self.job(trial), TrialDir(tmp_path / f"{trial:04d}"))
        messages = self.until_ended(opened, 2)
        for trial in (3, 4):
            steps = [m.evaluation.step for m in messages if isinstance(m, Reported) and m.trial == trial]
            assert steps == [10, 20, 30, 40]

    def test_a_job_with_a_rung_stops_there_and_the_next_life_goes_on_from_it(
        self, opened: Backend, tmp_path: Path
    ) -> None:
        """No step is trained or evaluated twice."""
        trial_dir = TrialDir(tmp_path / "0000")
        opened.start(self.job(0, stop_at=20), trial_dir)
        first = self.until_ended(opened)
        assert [m.result.ending for m in first if isinstance(m, Ended)] == [JobStatus.STOPPED]
        opened.start(self.job(0, attempt=2), trial_dir)
        second = self.until_ended(opened)
        steps = [m.evaluation.step for m in second if isinstance(m, Reported)]
        assert steps == [10, 20, 30, 40]  # a new attempt is followed from the first byte
        whole = TrialDir(tmp_path / "whole")
        opened.start(self.job(0), whole)
        undisturbed = self.until_ended(opened)
        assert _curve(second) == _curve(undisturbed)

    def test_a_trial_that_is_asked_to_stop_ends_at_a_checkpoint(self, opened: Backend, tmp_path: Path) -> None:
        """On the grid, with that checkpoint evaluated."""
        train = TrainSettings(100_000, 10)
        opened.start(self.job(0, sleep=0.01, train=train), TrialDir(tmp_path / "0000"))
        messages: list[Message] = []
        while not any(isinstance(message, Reported) for message in messages):
            messages += opened.wait(0.5)
        opened.stop(0, kill=False)
        messages += self.until_ended(opened)
        (end,) = [m for m in messages if isinstance(m, Ended)]
        steps = [m.evaluation.step for m in messages if isinstance(m, Reported)]
        assert end.result.ending is JobStatus.STOPPED
        assert end.result.step is not None
        assert end.result.step % 10 == 0
        assert steps == list(range(10, end.result.step + 1, 10))

    def test_a_trial_that_is_killed_ends(self, opened: Backend, tmp_path: Path) -> None:
        """At once if the backend can; the end says that it was killed."""
        train = TrainSettings(100_000, 10)
        opened.start(self.job(0, sleep=0.01, train=train), TrialDir(tmp_path / "0000"))
        while not any(isinstance(message, Reported) for message in opened.wait(0.5)):
            pass
        opened.stop(0, kill=True)
        (end,) = [m for m in self.until_ended(opened) if isinstance(m, Ended)]
        assert (end.result.ending is JobStatus.FAILED and end.result.died) or not self.can_kill

    def test_an_exception_ends_the_trial_with_its_last_line(self, opened: Backend, tmp_path: Path) -> None:
        """And the backend goes on."""
        opened.start(self.job(0, fault="raise"), TrialDir(tmp_path / "0000"))
        (end,) = [m for m in self.until_ended(opened) if isinstance(m, Ended)]
        assert (end.result.ending, end.result.reason) == (JobStatus.FAILED, "ValueError: this model always fails")
        opened.start(self.job(1), TrialDir(tmp_path / "0001"))
        assert isinstance(self.until_ended(opened)[-1], Ended)

    def test_closing_twice_is_allowed(self, opened: Backend) -> None:
        """The second time does nothing."""
        opened.close()
        opened.close()


def _curve(messages: list[Message]) -> list[tuple[int, dict[str, float]]]:
    found = [m.evaluation for m in messages if isinstance(m, Reported)]
    return [(evaluation.step, dict(evaluation.scalars)) for evaluation in found]
