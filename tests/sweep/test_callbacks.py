"""Functions of the user that are called as a sweep goes on."""

import pytest

from tests.sweep.simulated import simulated


def test_callbacks_are_called_in_the_order_of_events(tmp_path):
    seen = []
    result = simulated(tmp_path).run(
        backend="simulated",
        on_trial_start=lambda trial: seen.append(("start", trial.number, trial.state.value, trial.params["units"])),
        on_evaluation=lambda trial, step, values: seen.append(("evaluation", trial.number, step, values["rmse"])),
        on_trial_end=lambda trial: seen.append(("end", trial.number, trial.state.value, trial.value)),
        on_sweep_end=lambda ended: seen.append(("sweep", len(ended.trials), ended.best.number, ended.best.value)),
    )
    expected = []
    for trial in result.trials:
        expected.append(("start", trial.number, "RUNNING", trial.params["units"]))
        expected += [("evaluation", trial.number, step, value) for step, value in trial.record.curve.items()]
        expected.append(("end", trial.number, "COMPLETE", trial.value))
    assert seen == [*expected, ("sweep", 2, result.best.number, result.best.value)]


def test_a_callback_that_raises_is_said_and_the_sweep_goes_on(tmp_path):
    def fail(*_):
        raise ValueError("mine")

    names = ("on_trial_start", "on_evaluation", "on_trial_end", "on_sweep_end")
    with pytest.warns(RuntimeWarning) as warned:
        result = simulated(tmp_path).run(backend="simulated", **dict.fromkeys(names, fail))
    assert len(result.trials) == 2
    for name in names:
        assert any(str(w.message).startswith(f"{name} failed for ") for w in warned), name
