"""What else happens as trials go on: checkpoints are thinned, a target ends a trial, unused parameters are said."""

from dataclasses import replace

import pytest

from tests.driver.test_running_trial import evaluation, running
from tests.study.studies import spec
from tuner.domain.objective import Constraint, Goal, Objective
from tuner.domain.spec import Budget
from tuner.domain.tags import UNREAD
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.reactions import CheckpointKeeper, TargetReached, UnusedParametersNote
from tuner.files import checkpoints
from tuner.files.paths import SweepDir


def checkpoint(folder, step, size=100):
    folder.mkdir(parents=True, exist_ok=True)
    for end in ("index", "data-00000-of-00001"):
        (folder / f"model.ckpt-{step}.{end}").write_bytes(b"x" * size)
    paths = "".join(f'all_model_checkpoint_paths: "model.ckpt-{s}"\n' for s in checkpoints.steps(folder))
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "model.ckpt-{step}"\n{paths}')


def test_of_a_trials_checkpoints_its_best_and_what_it_resumes_from_are_kept(tmp_path):
    sweep_dir = SweepDir(tmp_path)
    keeper, trial = CheckpointKeeper(spec(), sweep_dir, pytest.fail), running()
    keeper.on_begin(trial)
    for step, value in {10: 1.0, 20: 0.1, 30: 0.5, 40: 0.6}.items():
        checkpoint(sweep_dir.trial(3).path, step)
        trial.report(evaluation(step, rmse=value))
        keeper.on_evaluation(trial, step)
    assert checkpoints.steps(sweep_dir.trial(3).path) == [20, 30, 40]


def test_when_a_sweeps_checkpoints_take_too_much_the_worst_of_the_finished_trials_keep_one(tmp_path):
    sweep_dir, made, said = SweepDir(tmp_path), spec(), []
    made = replace(made, search=replace(made.search, max_checkpoint_bytes=1100))
    keeper = CheckpointKeeper(made, sweep_dir, said.append)
    for number, value in ((0, 0.2), (1, 0.9)):
        for step in (10, 20):
            checkpoint(sweep_dir.trial(number).path, step)
        keeper.on_finished(
            TrialRecord(number, TrialState.COMPLETE, {}, values={"rmse": value}, curve={10: value, 20: 1.0})
        )
    trial = running()
    keeper.on_begin(trial)
    for step in (10, 20):
        checkpoint(sweep_dir.trial(3).path, step)
        trial.report(evaluation(step, rmse=0.5))
        keeper.on_evaluation(trial, step)
    left = [checkpoints.steps(sweep_dir.trial(number).path) for number in (0, 1, 3)]
    assert left == [[10, 20], [10], [10, 20]] and said == []


@pytest.mark.parametrize(
    "values, at, constraint, reached",
    [
        ({10: 0.4}, 10, None, True),
        ({10: 0.6}, 10, None, False),
        ({40: 0.4}, 40, None, False),  # it is at its end anyway
        ({10: 0.4}, 10, Constraint("size", high=1.0), False),
        ({10: 0.4}, 10, Constraint("size", high=3.0), True),
        ({10: 0.4}, 10, Constraint("later", high=3.0), False),  # a command may write it behind its objective
    ],
)
def test_a_target_completes_a_trial_that_keeps_to_the_constraints(values, at, constraint, reached):
    made = spec()
    bounds = (constraint,) if constraint else ()
    search = replace(made.search, budget=Budget(target=0.5))
    made = replace(made, objectives=(Objective("rmse", Goal.MINIMIZE),), constraints=bounds, search=search)
    trial = running(constraints=bounds)
    for step, value in values.items():
        trial.report(evaluation(step, rmse=value, size=2.0))
    TargetReached(made).on_evaluation(trial, at)
    assert trial.reached_target is reached


def test_parameters_that_no_trial_has_read_are_said_when_enough_are_complete():
    said, records = [], []
    note = UnusedParametersNote(spec(), lambda: records, lambda line: said.append(line) if line else None)
    for number in range(3):
        record = TrialRecord(number, TrialState.COMPLETE, {}, curve={10: 1.0}, tags={UNREAD: '["momentum"]'})
        records.append(record)
        note.on_finished(record)
        assert bool(said) is (number == 2)
    assert said == ["no trial has read the parameter 'momentum': is it spelled so in the model?"]
