"""One attempt of a trial: what it has evaluated, what was decided of it, when it is stopped."""

from dataclasses import replace

import pytest

from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.objective import Constraint, Objective
from tuner.domain.spec import TrainSettings
from tuner.domain.tags import STOPPED_AT
from tuner.domain.trial import Evaluation, TrialOutcome, TrialRecord, TrialState
from tuner.driver.running_trial import RunningTrial

PAUSED, PRUNED = TrialOutcome(TrialState.PAUSED, "at its rung"), TrialOutcome(TrialState.PRUNED, "by asha")
INTERRUPTED = TrialOutcome(TrialState.INTERRUPTED, "the sweep was stopped")


def running(record=None, began_at=0, objectives=("rmse",), started=100.0, stop_at=None, constraints=()):
    job = Job(3, 1, {}, 0, TrainSettings(40, 10), stop_at=stop_at)
    record = record or TrialRecord(3, TrialState.RUNNING, {}, seconds=5.0)
    return RunningTrial(record, job, started, [Objective(m) for m in objectives], constraints, began_at)


def evaluation(step, folder="eval", **scalars):
    return Evaluation(step, 0.0, folder, scalars)


def test_an_evaluation_is_complete_when_the_last_of_its_objectives_has_come():
    trial = running(objectives=("rmse", "mae"))
    first, again, second = (
        trial.report(evaluation(10, **values)) for values in ({"rmse": 1.0}, {"rmse": 9.0}, {"mae": 2.0})
    )
    assert not first.is_complete and again is None and second.is_complete
    assert trial.at(10) == {"rmse": 1.0, "mae": 2.0}
    assert (trial.step, trial.latest, trial.trained) == (10, 1.0, 10)


def test_a_constraint_behind_its_objective_is_told_to_the_study_once():
    def late(record):
        trial = running(record, constraints=[Constraint("size", high=3.0)])
        reports = [trial.report(evaluation(10, **values)) for values in ({"size": 1.0}, {"rmse": 1.0})]
        reports += [trial.report(evaluation(20, **values)) for values in ({"rmse": 1.0}, {"size": 1.0})]
        assert [report.is_complete for report in reports] == [False, True, True, False]
        return [report.is_late for report in reports]

    record = TrialRecord(3, TrialState.RUNNING, {})
    assert late(record) == [False, False, False, True]
    assert not any(late(replace(record, curve={10: 1.0, 20: 1.0}, others={"size": {10: 1.0, 20: 1.0}})))
    assert late(replace(record, curve={10: 1.0, 20: 1.0}, others={"size": {10: 1.0}}))[-1]


def test_of_a_model_its_own_evaluations_count_in_whatever_folder_they_are():
    trial = running()
    assert not trial.report(Evaluation(10, 0.0, "eval_train", {"rmse": 9.0}, is_secondary=True)).is_complete
    assert trial.curve == {}
    assert trial.report(evaluation(10, rmse=1.0)).is_complete
    assert trial.report(evaluation(20, "eval_test", rmse=2.0)).is_complete
    assert trial.curve == {10: 1.0, 20: 2.0} and trial.folder_tags == {} and trial.choices == []


def test_nothing_counts_after_a_trial_was_decided_but_the_steps_that_it_trained():
    trial = running(began_at=20)
    trial.decide(PRUNED)
    assert trial.report(evaluation(30, rmse=1.0)) is None
    assert trial.curve == {} and trial.trained == 10


def test_what_finishes_a_trial_stands_above_a_pause_and_that_above_an_interruption():
    trial = running()
    trial.decide(INTERRUPTED)
    trial.decide(PAUSED)
    trial.decide(INTERRUPTED)
    assert trial.outcome == PAUSED and not trial.is_outcome_final  # it still comes to its rung by itself
    trial.decide(PRUNED)
    assert trial.outcome == PRUNED and trial.is_outcome_final


def test_the_outcome_of_a_pause_by_a_kill_is_final_at_once():
    trial = running()
    trial.decide(PAUSED)
    assert trial.note_stop_request(101.0, kill=True)
    assert trial.is_outcome_final


def test_a_backend_is_told_once_to_stop_and_once_to_kill():
    trial = running()
    asked = [
        trial.note_stop_request(now, kill)
        for now, kill in ((110.0, False), (111.0, False), (112.0, True), (113.0, True))
    ]
    assert asked == [True, False, True, False]


def test_a_trial_that_comes_to_no_checkpoint_is_overdue_and_says_so():
    trial = running()
    assert not trial.is_overdue(1e9, 30.0)
    trial.decide(INTERRUPTED)
    trial.note_stop_request(110.0, kill=False)
    assert not trial.is_overdue(140.0, 30.0) and trial.is_overdue(140.1, 30.0)
    trial.note_kill_without_checkpoint(30.0)
    assert trial.outcome.reason == "the sweep was stopped; killed 30 s later, as it came to no checkpoint"


def test_a_trial_that_shows_what_the_sweep_is_after_is_complete_even_if_its_scheduler_ended_it_there():
    trial = running()
    trial.report(evaluation(10, rmse=0.1))
    trial.decide(PRUNED)
    trial.complete_at_target(10)
    assert trial.reached_target and trial.outcome.state is TrialState.COMPLETE
    assert trial.record.tags[STOPPED_AT] == "10"


@pytest.mark.parametrize("step, judged", [(10, True), (20, False), (30, False)])
def test_of_what_an_earlier_attempt_has_shown_the_last_decision_is_obeyed_again(step, judged):
    record = TrialRecord(3, TrialState.RUNNING, {}, curve={10: 1.0, 20: 0.5})
    assert running(record).was_judged(step) is judged


def test_an_attempt_ends_as_a_record_with_its_seconds_steps_and_curves():
    trial = running(began_at=10)
    trial.mark_begun(103.0)  # it waited for room
    for step, now in ((20, 107.0), (30, 109.0)):
        trial.report(evaluation(step, rmse=60.0 / step))
        trial.mark_evaluated(now)
    trial.add_result(JobResult(JobStatus.FINISHED, 1, step=40))
    record = trial.ended(
        TrialOutcome(TrialState.COMPLETE), JobResult(JobStatus.FINISHED, 1, step=40), 113.0, 1.7e9, {"a": "b"}
    )
    assert (record.seconds, record.starting, record.trained) == (15.0, 4.0, 30)
    assert record.values == {"rmse": 2.0}
    assert record.curve == {20: 3.0, 30: 2.0} and record.tags == {"a": "b"}


def test_an_attempt_without_an_evaluation_was_nothing_but_a_start():
    record = TrialRecord(3, TrialState.RUNNING, {}, seconds=5.0, starting=2.0)
    trial = running(record)
    ended = trial.ended(PAUSED, JobResult(JobStatus.STOPPED, 1, step=0), 113.0, 1.7e9, {})
    assert (ended.seconds, ended.starting) == (18.0, 15.0)


@pytest.mark.parametrize(
    "ending, newest, since",
    [(JobStatus.STOPPED, 90.0, 100.0), (JobStatus.FAILED, 130.0, 130.0), (JobStatus.LOST, 90.0, 0.0)],
)
def test_a_trial_is_idle_since_its_end_by_the_clock_of_its_events_unless_it_was_lost(ending, newest, since):
    trial = running()
    assert trial.noted_at_start["idle_since"] == 0.0
    trial.report(Evaluation(10, newest, "eval", {"rmse": 1.0}))
    record = trial.ended(PAUSED, JobResult(ending, 1, step=10), 113.0, 100.0, {})
    assert record.idle_since == since


def test_a_trial_that_waits_for_room_in_a_cluster_spends_no_time():
    trial = running(started=None)
    assert trial.seconds(1e9) == 5.0
    trial.mark_begun(200.0)
    assert trial.seconds(203.0) == 8.0


@pytest.mark.parametrize(
    "decided, kill, applies",
    [(None, False, True), (PAUSED, False, True), (PAUSED, True, False), (INTERRUPTED, False, False)],
)
def test_a_time_limit_applies_also_to_a_process_that_hangs_at_its_rung(decided, kill, applies):
    trial = running()
    if decided is not None:
        trial.decide(decided)
    if kill:
        trial.note_stop_request(101.0, kill=True)
    assert trial.may_time_out is applies
