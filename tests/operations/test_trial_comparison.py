"""One trial's event files beside what study and MLflow hold of it."""

from types import SimpleNamespace

import pytest

from tests.events.event_records import record, several_event
from tuner.domain.objective import Objective
from tuner.domain.trial import TrialRecord, TrialState
from tuner.events.foreign import list_foreign_events
from tuner.files.paths import SweepDir
from tuner.operations.trial_comparison import Report, TrialComparison
from tuner.recorders.mlflow.reader import RecordedRun
from tuner.results import Trial

ENDED = 1000.0


@pytest.fixture
def compared(tmp_path):
    """A complete trial with an evaluation of its own rows and one of others, all of it recorded."""
    sweep_dir = SweepDir(tmp_path)
    trial_dir = sweep_dir.trial(7)
    written = TrialRecord(7, TrialState.COMPLETE, {"units": 16}, values={"rmse": 0.25}, curve={30: 0.5, 60: 0.25})
    metrics = {"eval/rmse": {30: 0.5, 60: 0.25}, "eval/loss": {60: 4.0}, "objective": {60: 0.25}}

    def write(folder, begun, *events):
        (trial_dir.path / folder).mkdir(parents=True, exist_ok=True)
        data = [several_event(step, scalars, begun + index) for index, (step, scalars) in enumerate(events)]
        (trial_dir.path / folder / f"events.out.tfevents.{int(begun):010d}.h").write_bytes(b"".join(map(record, data)))

    def compare(curve=None, metrics=metrics, since=ENDED):
        held = written if curve is None else TrialRecord(**{**vars(written), "curve": curve})
        trial = Trial(held, (Objective("rmse"),), "run", trial_dir.path)
        run = RecordedRun("run", "FINISHED", {"units": "16"}, {"tuner.state": "COMPLETE"}, metrics)
        report = Report()
        TrialComparison(sweep_dir, trial, run, report, idle_since=since).run()
        return report

    write("eval", 900.0, (30, {"rmse": 0.5}), (60, {"rmse": 0.25, "loss": 4.0}))
    return SimpleNamespace(write=write, compare=compare, dir=trial_dir, metrics=metrics)


def test_what_is_recorded_of_what_a_trial_evaluated_is_no_difference(compared):
    report = compared.compare()
    assert report.differences == report.notes == []


@pytest.mark.parametrize("folder", ["eval_test_rows", "eval"])
@pytest.mark.parametrize("step", [60, 90])
def test_what_was_evaluated_after_a_trial_had_ended_is_a_note_that_names_the_folder_and_no_difference(
    compared, folder, step
):
    compared.write(folder, ENDED + 0.5, (step, {"rmse": 0.75, "auc": 0.5}))
    report = compared.compare()
    assert report.differences == []
    (note,) = report.notes
    assert note == (
        f"trial 7: event files in {folder} were begun after it had ended: what they say is no part of the record and "
        "is not compared"
    )


def test_what_was_evaluated_between_two_attempts_is_a_note_too(compared):
    compared.write("eval_test_rows", 500.0, (30, {"rmse": 0.75}))
    list_foreign_events(compared.dir, 400.0)
    listed = compared.dir.foreign_events_file.read_text()
    compared.dir.foreign_events_file.write_text(listed.replace("eval/", "gone/"))
    report = compared.compare()
    assert report.differences == []
    (note,) = report.notes
    assert "event files in eval_test_rows were begun while it did not run" in note


@pytest.mark.parametrize("later", [False, True])
def test_a_value_that_is_lost_is_a_difference_with_a_later_evaluation_beside_it_or_not(compared, later):
    if later:  # of the same step, with the value that was lost
        compared.write("eval", ENDED + 5, (60, {"rmse": 0.25, "loss": 4.0}))
    lost = compared.compare(metrics={**compared.metrics, "eval/loss": {}})
    assert lost.differences == ["trial 7: MLflow, eval/loss: step 60 is missing, event files: 4.0"]
    lost = compared.compare(curve={60: 0.25})
    assert lost.differences == ["trial 7: study, rmse: step 30 is missing, event files: 0.5"]


def test_what_the_trial_evaluated_itself_beside_its_own_rows_is_compared_up_to_its_end(compared):
    compared.write("eval_train", ENDED - 0.5, (60, {"rmse": 0.125}))  # begun before, written to its end
    report = compared.compare()
    assert report.differences and not report.notes
    assert all("eval_train" in line or "rmse" in line for line in report.differences)


def test_a_later_evaluation_that_got_into_the_record_is_a_difference(compared):
    compared.write("eval", ENDED + 5, (90, {"rmse": 0.125}))
    report = compared.compare(metrics={**compared.metrics, "eval/rmse": {30: 0.5, 60: 0.25, 90: 0.125}})
    assert report.differences == ["trial 7: MLflow, eval/rmse: step 90 is 0.125, the event files have none"]


def test_of_a_trial_whose_end_is_not_known_all_files_are_compared(compared):
    compared.write("eval", ENDED + 5, (90, {"rmse": 0.125}))
    report = compared.compare(since=float("inf"))
    assert len(report.differences) >= 2 and not report.notes
