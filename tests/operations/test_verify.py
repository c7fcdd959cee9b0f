"""Exported models, compared with what was recorded of their trials."""

from dataclasses import replace

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.domain.trial import Evaluation, TrialState
from tuner.driver.progress import NullDisplay
from tuner.operations.trial_comparison import Report, TrialComparison
from tuner.operations.verify import _compare_model, verify_now, verify_sweep
from tuner.recorders.mlflow.reader import RecordedModel, RecordedRun
from tuner.recorders.mlflow.statuses import STATUS
from tuner.records.log import RecordLog
from tuner.records.record import ModelExported, TrialChanged
from tuner.records.trials import settled_trials
from tuner.results import Trial
from tuner.sweep import RunOptions


@pytest.fixture
def finished(tmp_path):
    """A sweep that ended, and its best trial, which was evaluated at three steps."""
    file = tmp_path / "sim.yaml"
    file.write_text(SIMULATED.replace("evaluate_every: 90", "evaluate_every: 30"))
    sweep = tuner.Sweep.from_file(file, tmp_path)
    return sweep, sweep.session(RunOptions(backend="simulated"), NullDisplay()).run().result.best


def report_of(sweep, record):
    log = RecordLog(sweep.dir.records_file)
    log.append(record)
    log.close()
    return verify_sweep(sweep.dir, sweep.result())


def test_an_export_of_the_best_step_with_its_score_is_no_difference(finished):
    sweep, best = finished
    step = best.ranked_steps[0]
    report = report_of(sweep, ModelExported(1.0, best.number, step, values=best.values_at(step)))
    assert report.differences == []


def test_an_export_of_another_step_or_score_is_a_difference_unless_it_was_said_that_the_best_is_gone(finished):
    sweep, best = finished
    first, second = best.ranked_steps[:2]
    gone = report_of(sweep, ModelExported(1.0, best.number, second, values=best.values_at(second), gone="it is gone"))
    assert gone.differences == []
    assert any(f"exported at step {second}" in note and "it is gone" in note for note in gone.notes)
    wrong = report_of(sweep, ModelExported(2.0, best.number, first, values={"rmse": 7.0}))
    assert wrong.differences == [
        f"trial {best.number}: exported at step {first}: rmse is 7.0, study: {best.record.curve[first]!r}"
    ]
    old = report_of(sweep, ModelExported(3.0, best.number, second))  # of a version that did not say so
    (line,) = [line for line in old.differences if "though" in line]
    assert f"exported at step {second}" in line and f"step {first} has" in line
    never = report_of(sweep, ModelExported(4.0, best.number, 31))
    assert f"trial {best.number}: exported at step 31, at which it was not evaluated" in never.differences


@pytest.mark.parametrize(
    ("step", "metadata", "said"),
    [
        (0, {}, ""),
        (0, {"step": 31}, "it says"),
        (0, {"rmse": 7.0}, "it says"),
        (0, None, "cannot be read"),
        (31, {}, "it was not evaluated there"),
    ],
)
def test_a_model_in_mlflow_has_the_step_and_the_score_of_its_trial(finished, step, metadata, said):
    _, best = finished
    step = step or best.ranked_steps[0]
    says = {"trial": best.number, "step": step, **best.values_at(step)}
    tags = {"tuner.trial": str(best.number), "tuner.step": str(step)}
    report = Report()
    model = RecordedModel("m-1", "run", tags, None if metadata is None else {**says, **metadata})
    _compare_model(model, {best.number: best}, report)
    found = [*report.differences, *report.notes]
    assert [said in line for line in found] == [True] * bool(said)


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.PRUNED, TrialState.INTERRUPTED, TrialState.RUNNING])
@pytest.mark.parametrize("reported", [True, False])
def test_of_a_trial_that_was_decided_early_what_was_recorded_counts_and_what_came_too_late_does_not(
    finished, state, reported
):
    sweep, best = finished
    record = replace(best.record, state=state, values={}, curve={30: 1.0} if reported else {})
    taken = {"loss": 2.0, **({"rmse": 1.0} if reported else {})}
    trial = Trial(record, best.objectives, "run", best.trial_dir)
    evaluations = [
        Evaluation(30, 1.0, "eval", taken),
        Evaluation(30, 1.0, "eval_train", {"rmse": 3.0}, is_secondary=True),  # when it had been pruned
        Evaluation(60, 2.0, "eval", {"loss": 4.0}),
    ]
    metrics = {f"eval/{tag}": {30: value} for tag, value in taken.items()}
    run = RecordedRun("run", STATUS[state], {}, {"tuner.state": state.value}, metrics)
    beyond = {("eval", 30, tag) for tag in taken}

    def differences(run, beyond):
        report = Report()
        TrialComparison(sweep.dir, trial, run, report, evaluations, beyond=beyond).run()
        return [line for line in report.differences if "parameter" not in line]

    assert differences(run, beyond) == []
    (lost,) = differences(replace(run, metrics={**metrics, "eval/loss": {}}), beyond)
    assert "MLflow, eval/loss: step 30 is missing, event files: 2.0" in lost


def test_what_a_driver_may_still_write_is_not_compared_while_it_is_at_work(finished, monkeypatch):
    sweep, best = finished
    study = sweep.result()
    stale = replace(best.record, state=TrialState.RUNNING)  # as it was when the study was read, before it ended
    study.trials = [replace(trial, record=stale) if trial.number == best.number else trial for trial in study.trials]
    assert any("is in" in line or "RUNNING" in line for line in verify_sweep(sweep.dir, study).differences)
    report = verify_sweep(sweep.dir, study, working=True)
    assert (report.differences, report.trials, report.unsettled) == ([], 1, 1)


def test_a_driver_that_begins_while_records_are_read_is_no_reason_for_a_difference(finished, monkeypatch):
    sweep, best = finished
    stale, held = sweep.result(), []
    record = replace(best.record, state=TrialState.RUNNING)
    stale.trials = [replace(trial, record=record) if trial.number == best.number else trial for trial in stale.trials]
    monkeypatch.setattr("tuner.operations.verify.at_work", lambda _: list(held))

    def read():
        held.append({})
        return stale

    assert verify_now(sweep.dir, read).differences == []


def test_a_trial_is_settled_when_its_end_has_arrived(tmp_path):
    log, file = RecordLog(tmp_path / "log"), tmp_path / "log"
    log.append(TrialChanged(0, 1.0, TrialState.RUNNING))
    assert settled_trials(file, None) == set()
    log.append(TrialChanged(0, 2.0, TrialState.FAIL))
    assert settled_trials(file, None) == settled_trials(file, file.stat().st_size) == {0}
    assert settled_trials(file, file.stat().st_size - 1) == set()
    log.append(TrialChanged(0, 3.0, TrialState.RUNNING))  # by tuner retry
    assert settled_trials(file, None) == set()
    log.close()
