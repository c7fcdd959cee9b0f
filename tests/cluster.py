"""Tasks of a cluster, and a chief that steps, for tests."""

from tuner.domain.job import JobResult, JobStatus
from tuner.domain.tf_cluster import CHIEF, Kind, Name

WORKER, PS, EVALUATOR = Name(Kind.WORKER), Name(Kind.PS), Name(Kind.EVALUATOR)
NAMES = [PS, CHIEF, WORKER, EVALUATOR]
SECRET = "0123abcd"
KILLED = JobResult(JobStatus.FAILED, 1, reason="killed by SIGKILL", died=True)


def chief(gate, steps, done):
    """Take steps as a chief does, noting the global step at each multiple of 10."""
    for _ in range(steps):
        gate.chief_may_step(lambda: done[0])
        done[0] += 1
        if done[0] % 10 == 0:
            done.append(done[0])
        gate.chief_stepped()
        if gate._closed:
            return
