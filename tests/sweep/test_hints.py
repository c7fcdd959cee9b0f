"""What is said, or refused, before a sweep begins."""

import pytest

import tuner
from tuner.schedulers import make_scheduler
from tuner.spacefile import load_spec
from tuner.sweep.hints import hints
from tuner.sweep.running import missing_objective


@pytest.mark.parametrize(("trials", "said"), [(8, True), (9, False)])
def test_a_population_that_leaves_no_trial_for_copies_is_said(space_file, trials, said):
    spec = load_spec(space_file(search=f"{{scheduler: pbt, trials: {trials}}}"))
    assert bool(hints(spec)) is said
    assert not said or "8 trials leave none for copies" in hints(spec)[0]


def test_a_command_that_is_not_told_its_folder_is_said(tmp_path):
    file = tmp_path / "script.yaml"
    file.write_text("objective: {metric: rmse}\nparameters: {rate: {type: float, low: 0.1, high: 1.0}}\n")
    assert "{trial_dir}" in hints(load_spec(file, command=("python", "-m", "trainer.task")))[0]
    assert hints(load_spec(file, command=("python", "-m", "trainer.task", "--job-dir={trial_dir}"))) == []


@pytest.mark.parametrize("scheduler", ["asha", "asha_stopping", "hyperband"])
def test_a_trial_that_is_evaluated_once_has_no_rung(space_file, scheduler):
    spec = load_spec(space_file(train="{max_steps: 20, evaluate_every: 20}", search=f"{{scheduler: {scheduler}}}"))
    assert make_scheduler(spec).next_stop(0, 0) is None


def test_a_first_rung_behind_the_end_of_a_trial_is_refused(space_file):
    with pytest.raises(tuner.InvalidInput, match=r"min_steps: is 500.*ends at train.max_steps \(60\)"):
        load_spec(space_file(search="{scheduler: {name: asha, min_steps: 500}}"))


@pytest.mark.parametrize("limits", [{"trials": -1}, {"trials": "x"}, {"workers": 0}, {"timeout_s": -1.0}])
def test_limits_from_python_are_checked_before_anything_is_written(space_file, root, limits):
    with pytest.raises(tuner.InvalidInput, match=next(iter(limits))):
        tuner.Sweep.from_file(space_file(), root).run(**limits)
    assert list((root / "mlruns").glob("**/*.json")) == []


def test_a_constraint_that_never_came_is_not_called_the_objective():
    assert missing_objective(["size"], ["rmse"], "constraint").startswith("the constraint 'size' never came")
