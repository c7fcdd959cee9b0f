"""Whose end means what for a cluster."""

import pytest

from tests.cluster import EVALUATOR, KILLED, NAMES, PS, WORKER
from tuner.backends.tf_cluster.supervision import RESTARTS, Start, Stop, Supervision
from tuner.domain.job import JobResult, JobStatus
from tuner.domain.tags import RESTARTED
from tuner.domain.tf_cluster import CHIEF

DONE = JobResult(JobStatus.FINISHED, 1, 60)


class TestSupervision:
    def test_when_the_chief_is_done_the_others_are_asked_and_the_ps_ended_after_them(self):
        supervision = Supervision(NAMES)
        assert supervision.ended(CHIEF, DONE) == [Stop(EVALUATOR, False), Stop(WORKER, False)]
        assert supervision.ended(WORKER, DONE) == []
        assert supervision.ended(EVALUATOR, DONE) == [Stop(PS, True)]
        assert not supervision.over
        supervision.ended(PS, KILLED)
        assert supervision.over
        assert supervision.result == DONE

    @pytest.mark.parametrize("name", [WORKER, PS, EVALUATOR], ids=str)
    def test_a_task_that_died_is_started_again_and_that_is_said_on_the_run(self, name):
        supervision = Supervision(NAMES)
        assert supervision.ended(name, KILLED) == [Start(name, "killed by SIGKILL")]
        supervision.ended(CHIEF, DONE)
        assert supervision.result.tags == {RESTARTED: f"{name}: once (killed by SIGKILL)"}

    def test_a_task_that_dies_again_and_again_fails_the_trial(self):
        supervision = Supervision(NAMES)
        for _ in range(RESTARTS):
            supervision.ended(WORKER, KILLED)
        assert set(supervision.ended(WORKER, KILLED)) == {Stop(n, True) for n in (CHIEF, PS, EVALUATOR)}
        for name in (CHIEF, PS, EVALUATOR):
            assert supervision.ended(name, KILLED) == []
        assert supervision.over
        assert "worker 0 ended 6 times, the last: killed by SIGKILL" in supervision.result.reason
        assert supervision.result.died

    def test_a_chief_that_died_takes_all_with_it(self):
        supervision = Supervision(NAMES)
        assert supervision.ended(CHIEF, KILLED) == [Stop(n, True) for n in (EVALUATOR, PS, WORKER)]
        for name in (EVALUATOR, PS, WORKER):
            supervision.ended(name, KILLED)
        assert (supervision.over, supervision.result) == (True, KILLED)

    def test_an_error_of_an_evaluator_is_the_trials(self):
        supervision = Supervision(NAMES)
        orders = supervision.ended(EVALUATOR, JobResult(JobStatus.FAILED, 1, reason="ValueError: no rows"))
        assert Stop(CHIEF, True) in orders
        assert supervision.result.reason == "evaluator: ValueError: no rows"

    def test_a_nan_loss_of_a_worker_is_the_trials(self):
        supervision = Supervision(NAMES)
        supervision.ended(WORKER, JobResult(JobStatus.NAN, 1, reason="NaN loss"))
        assert supervision.result.ending is JobStatus.NAN

    @pytest.mark.parametrize("name", [WORKER, PS, EVALUATOR], ids=str)
    def test_a_task_on_a_machine_that_was_lost_loses_the_trial(self, name):
        supervision = Supervision(NAMES)
        orders = supervision.ended(name, JobResult(JobStatus.LOST, 1, reason="node 10.0.0.2 was lost"))
        assert Stop(CHIEF, True) in orders
        assert supervision.result.ending is JobStatus.LOST
        assert supervision.result.reason == f"{name}: node 10.0.0.2 was lost"

    def test_a_trial_that_is_killed_starts_nothing_again(self):
        supervision = Supervision(NAMES)
        assert supervision.kill() == [Stop(n, True) for n in sorted(NAMES, key=str)]
        assert [supervision.ended(name, KILLED) for name in NAMES] == [[], [], [], []]
        assert supervision.over

    def test_exporters_that_fail_after_the_last_evaluation_fail_the_trial(self):
        supervision = Supervision(NAMES)
        supervision.ended(CHIEF, DONE)
        supervision.ended(EVALUATOR, JobResult(JobStatus.FAILED, 1, reason="OSError: disk full"))
        assert (supervision.result.ending, supervision.result.reason) == (
            JobStatus.FAILED,
            "evaluator: OSError: disk full",
        )
