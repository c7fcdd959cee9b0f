"""What a study and the record log say of the same trials."""

import json

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions


@pytest.fixture
def sweep(tmp_path):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    assert verify_sweep(sweep.dir, sweep.result()).differences == []
    return sweep


def without(file, holds):
    """Take the lines out of a file of which something holds."""
    lines = [line for line in file.read_text().splitlines(True) if not holds(json.loads(line))]
    file.write_text("".join(lines))


def test_a_parameter_that_the_study_has_lost_is_a_difference(sweep):
    value = sweep.result().trials[1].params["units"]
    without(sweep.dir.journal_file, lambda line: line.get("param_name") == "units" and line["trial_id"] == 1)
    assert verify_sweep(sweep.dir, sweep.result()).differences == [
        f"trial 1: study: parameter units is None, curves.jsonl: {value}"
    ]


def test_an_end_that_the_study_has_lost_is_a_difference(sweep):
    without(sweep.dir.journal_file, lambda line: line["op_code"] in (6, 8) and line["trial_id"] == 0)
    assert verify_sweep(sweep.dir, sweep.result()).differences == [
        "trial 0: study: state RUNNING, curves.jsonl: COMPLETE"
    ]


def test_what_optuna_was_told_has_ended_though_our_own_line_of_it_is_lost_and_the_sweep_goes_on(sweep):
    without(
        sweep.dir.journal_file, lambda line: '"COMPLETE"' in json.dumps(line.get("user_attr")) and line["trial_id"] == 0
    )
    assert [trial.state.value for trial in sweep.result().trials] == ["COMPLETE", "COMPLETE"]
    assert len(sweep.session(RunOptions(trials=3, backend="simulated"), NullDisplay()).run().result.trials) == 3


def test_a_trial_that_the_study_has_begun_and_the_log_does_not_know_is_a_difference(sweep):
    lines = sweep.dir.journal_file.read_text().splitlines(True)
    (begin, *_) = [line for line in lines if json.loads(line)["op_code"] == 4]
    sweep.dir.journal_file.write_text("".join([*lines, begin]))
    assert "trial 2: is in the study but has no records in curves.jsonl" in (
        verify_sweep(sweep.dir, sweep.result()).differences
    )


def test_a_trial_of_which_the_log_has_lost_everything_is_a_difference(sweep):
    without(sweep.dir.records_file, lambda line: line.get("trial") == 1)
    assert "trial 1: is in the study but has no records in curves.jsonl" in (
        verify_sweep(sweep.dir, sweep.result()).differences
    )


def test_while_a_driver_is_at_work_the_two_are_not_held_against_each_other(sweep, monkeypatch):
    without(sweep.dir.journal_file, lambda line: line["op_code"] in (6, 8) and line["trial_id"] == 0)
    monkeypatch.setattr("tuner.operations.verify.at_work", lambda _: True)
    assert verify_sweep(sweep.dir, sweep.result()).differences == []
