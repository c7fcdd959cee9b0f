"""One trial in a process of this machine: what it reports, and what its end says."""

from __future__ import annotations

from tuner.backends.base import Message, Reported
from tuner.domain.job import EXITED, Job, JobResult, JobStatus, killed_by
from tuner.events import Follower, ScriptFollower
from tuner.files import backup
from tuner.files.checkpoints import newest_step, newest_step_below
from tuner.files.paths import TrialDir


class LocalTrial:
    """A trial that runs: its folder, its attempt, its follower, and its process if it has one yet.

    Args:
        offered: Of a program of its own, the checkpoints that it is given to go on from.
    """

    def __init__(
        self, job: Job, trial_dir: TrialDir, follower: Follower | ScriptFollower, offered: backup.Offered | None
    ) -> None:
        self.job = job
        self.dir = trial_dir
        self.follower = follower
        self.pid = 0
        self.asked = False
        self.offered = offered
        self.cleared = False
        # What former attempts wrote, read before a command can clear its folder.
        self._earlier = follower.poll() if job.command else []

    @property
    def trains_anew(self) -> bool:
        """Whether it is another trial's copy and has cleared the checkpoint that makes it one."""
        return self.cleared and self.job.attempt == 1

    def new_reports(self) -> list[Message]:
        self.cleared = self.cleared or (self.offered is not None and self.offered.is_cleared())
        earlier, self._earlier = self._earlier, []
        found = [*earlier, *self.follower.poll()]
        return [] if self.trains_anew else [Reported(self.job.trial, evaluation) for evaluation in found]

    def with_clearing_note(self, result: JobResult) -> JobResult:
        """Return how it ended with what is to be said of a checkpoint that it has cleared."""
        if self.offered is None or not self.cleared:
            return result
        step = max(self.offered.steps.values())
        what = f"the command clears its folder when it begins, the checkpoint of step {step} with it"
        keep = "have it keep what is there and go on from it"
        if self.trains_anew:
            return JobResult(
                JobStatus.FAILED, self.job.attempt, None, f"{what}, and so is no copy of the other trial: {keep}"
            )
        note = f"{what}, and trains from nothing; what was evaluated before counts: {keep}"
        return result.noted(note)

    def result(self, status: int) -> JobResult:
        """Return what the trial said of its end, or what its exit status says if it said nothing."""
        found = JobResult.read(self.dir.result_file, self.job.attempt)
        if found is not None:
            return found
        if self.job.command and status >= 0:
            return self._result_of_command(status)
        reason = killed_by(status) if status < 0 else f"the process ended with status {status} and left no result"
        return JobResult(JobStatus.FAILED, self.job.attempt, newest_step(self.dir.path), reason, died=True)

    def _result_of_command(self, status: int) -> JobResult:
        """Return what the exit status of a program says; one that was asked to stop and did so may be at no end."""
        attempt, step = self.job.attempt, newest_step_below(self.dir.path)
        if status == 0:
            return JobResult(JobStatus.STOPPED if self.asked else JobStatus.FINISHED, attempt, step)
        return JobResult(JobStatus.FAILED, attempt, step, f"{EXITED} {status}")
