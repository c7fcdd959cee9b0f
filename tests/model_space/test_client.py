"""A space that the model defines by running: drawn beside the driver, by its one sampler."""

import os
import signal
import sys

import pytest

import tuner
from tests.displays import Lines
from tuner.domain.spec import ModelRef
from tuner.domain.trial import TrialState
from tuner.errors import BackendError
from tuner.model_space.client import ModelSpace
from tuner.operations.verify import verify_sweep
from tuner.space import Categorical, Float, Int
from tuner.sweep import RunOptions

MODEL = """
from tests.data.models.tiny import *

def space(trial):
    rate = trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True)
    if trial.suggest_categorical("shape", [[1, 2], "plain"]) == "plain":
        for layer in range(trial.suggest_int("layers", 1, 2)):
            trial.suggest_int(f"units_{layer}", 16, 64, step=16)
    return {"batch": 32, "rate_text": f"{rate:.3g}"}
"""


@pytest.fixture
def model(tmp_path):
    file = tmp_path / "dynamic.py"
    file.write_text(MODEL)
    return file


@pytest.fixture
def dynamic_file(tmp_path, model):
    def write(search="{sampler: tpe, trials: 4, seed: 2}", name="dynamic"):
        file = tmp_path / f"{name}.yaml"
        file.write_text(
            f"name: {name}\nmodel: {model}\nobjective: {{metric: rmse}}\n"
            f"train: {{max_steps: 20, evaluate_every: 20}}\nsearch: {search}\n"
        )
        return file

    return write


def run(file, root, sources=(), **limits):
    sweep, lines = tuner.Sweep.from_file(file, root), Lines()
    return sweep.session(RunOptions(workers=1, **limits, sources=sources), lines).run(), sweep, lines.lines


@pytest.mark.slow
@pytest.mark.tf
def test_the_function_runs_in_a_process_of_its_own_and_its_faults_are_said_with_their_line(tmp_path):
    file = tmp_path / "faulty.py"
    file.write_text(
        "from tests.data.models.tiny import *\ndef space(trial):\n"
        "    if trial.suggest_int('n', 0, 4) == 1:\n        raise KeyError('no such key')\n"
        "    if trial.params['n'] == 4:\n        import tuner; raise tuner.Infeasible('four is too many')\n"
        "    if trial.params['n'] == 2:\n        trial.report(1.0, 1)\n"
        "    if trial.params['n'] == 3:\n        import os; os._exit(3)\n"
        "    trial.suggest_float('wrong', 2.0, 1.0)\n"
    )
    space = ModelSpace(ModelRef(file=str(file), import_paths=tuple(sys.path)), tmp_path / "log")
    try:
        assert space.ready()
        for value, said in (
            (1, r"KeyError: 'no such key' \(line 4 of .*faulty.py\)"),
            (2, r"trial.report is not there in space\(trial\)"),
            (0, r"wrong: low \(2.0\) is above high \(1.0\)"),
        ):
            with pytest.raises(tuner.InvalidInput, match=said):
                space.walk(lambda parameter, value=value: value)
        with pytest.raises(tuner.Infeasible, match="four is too many"):
            space.walk(lambda parameter: 4)
        with pytest.raises(BackendError, match="the process that runs space"):
            space.walk(lambda parameter: 3)
    finally:
        space.close()


@pytest.mark.slow
@pytest.mark.tf
def test_parameters_reach_the_driver_as_they_were_suggested_and_constants_come_after_them(model, tmp_path):
    asked = []

    def choose(parameter):
        asked.append(parameter)
        return {"learning_rate": 0.01, "shape": "plain", "layers": 2}.get(parameter.name, 32)

    space = ModelSpace(ModelRef(file=str(model), import_paths=tuple(sys.path)), tmp_path / "log")
    try:
        assert space.ready()
        found = space.walk(choose)
    finally:
        space.close()
    assert list(found) == ["learning_rate", "shape", "layers", "units_0", "units_1", "batch", "rate_text"]
    assert found["rate_text"] == "0.01" and found["batch"] == 32
    assert asked[:3] == [
        Float("learning_rate", 1e-3, 1e-1, log=True),
        Categorical("shape", ([1, 2], "plain")),
        Int("layers", 1, 2),
    ]


@pytest.mark.slow
def test_a_sweep_over_it_is_recorded_verified_and_goes_on_as_one_that_was_never_left(
    dynamic_file, root, tmp_path, database
):
    import shutil

    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(database, other / "mlflow.db")
    imported = "tensorflow" in sys.modules  # by another test
    search = "{sampler: tpe, trials: 4, seed: 2, enqueue: [{shape: [1, 2]}, {shape: plain, layers: 2}]}"
    whole, _, _ = run(dynamic_file(search), root)
    run(dynamic_file(search), other, trials=2)
    ran, sweep, _ = run(dynamic_file(search), other)
    params = [t.params for t in ran.result.trials]
    assert params == [t.params for t in whole.result.trials]
    assert [t.state for t in ran.result.trials] == [TrialState.COMPLETE] * 4
    assert params[0]["shape"] == [1, 2] and "layers" not in params[0]
    assert {"units_0", "units_1"} <= params[1].keys() and params[1]["batch"] == 32
    assert verify_sweep(sweep.dir, ran.result).differences == []
    _, _, lines = run(dynamic_file("{sampler: tpe, trials: 1}", "learning"), other, ["dynamic"])
    assert lines[0] == "from dynamic: 4 of 4 complete trials used"
    assert imported or "tensorflow" not in sys.modules


@pytest.mark.slow
@pytest.mark.parametrize("search", ["{sampler: grid}", "{scheduler: pbt}"])
def test_what_needs_parameters_in_the_file_is_refused(dynamic_file, root, search):
    with pytest.raises(tuner.InvalidInput, match=r"parameter"):
        run(dynamic_file(search), root)


PICKY = (
    MODEL
    + """
def picky(trial):
    import tuner
    params = original(trial)
    if trial.params.get("layers") == 2:
        raise tuner.Infeasible("two layers are too many")
    return params

original, space = space, picky
"""
)


@pytest.mark.slow
def test_what_the_space_calls_infeasible_is_a_trial_as_if_the_model_did(dynamic_file, model, root):
    model.write_text(PICKY)
    search = (
        "{sampler: tpe, trials: 3, enqueue: [{shape: plain, layers: 2}, {shape: plain, layers: 1}, {shape: [1, 2]}]}"
    )
    ran, sweep, lines = run(dynamic_file(search), root)
    assert [t.state for t in ran.result.trials] == [TrialState.PRUNED, TrialState.COMPLETE, TrialState.COMPLETE]
    refused = ran.result.trials[0]
    assert refused.record.reason == "infeasible: two layers are too many"
    assert refused.params["layers"] == 2 and "units_1" in refused.params and "batch" not in refused.params
    assert "trial 0: PRUNED (infeasible: two layers are too many)" in lines
    assert refused.run_id is not None
    assert verify_sweep(sweep.dir, ran.result).differences == []


def refuses(choose):
    from tuner.space import Int

    layers = choose(Int("layers", 1, 2))
    if layers == 2:
        raise tuner.Infeasible("too many")
    return {"layers": layers, "units": choose(Int("units", 1, 8))}


def spec():
    from tuner.domain.objective import Objective
    from tuner.domain.spec import SearchSettings, SweepSpec, TrainSettings
    from tuner.space import Space

    return SweepSpec("picky", (Objective("rmse"),), Space(()), TrainSettings(20, 20), SearchSettings())


def test_a_study_returns_what_is_infeasible_as_pruned_with_what_was_drawn_also_when_it_is_taken_up():
    from tuner.study import Study
    from tuner.study.storage import memory_storage

    study = Study(spec(), memory_storage(), walk=refuses)
    study.enqueue([{"layers": 2}, {"layers": 1}])
    refused, whole = study.ask(), study.ask()
    assert (refused.state, refused.reason, refused.params) == (TrialState.PRUNED, "infeasible: too many", {"layers": 2})
    assert whole.state is TrialState.RUNNING and whole.params.keys() == {"layers", "units"}
    again = study.take_up(refused.number)
    assert (again.state, again.params) == (TrialState.PRUNED, {"layers": 2})


def test_a_finished_trial_that_is_infeasible_here_teaches_nothing():
    from tuner.domain.trial import FinishedTrial, Source
    from tuner.study.transfer import as_optuna_trials

    trials = tuple(FinishedTrial({"layers": layers, "units": 3}, {"rmse": 1.0}) for layers in (1, 2))
    found, (line, *_) = as_optuna_trials([Source("other", trials)], spec(), refuses)
    assert [trial.params["layers"] for trial in found] == [1]
    assert "1 of 2 complete trials used" in line and "1 left out (infeasible in this space)" in line


def test_a_check_draws_again_where_the_space_says_infeasible_but_not_for_ever():
    import random

    from tuner.operations.check import _feasible

    assert _feasible(refuses, spec(), random.Random(1))["layers"] == 1
    with pytest.raises(tuner.InvalidInput, match=r"100 of 100 draws infeasible, the last: too many"):
        _feasible(lambda choose: refuses(lambda parameter: 2), spec(), random.Random(1))


@pytest.mark.slow
@pytest.mark.tf
def test_a_signal_to_all_processes_leaves_the_end_of_the_models_space_to_the_driver(model, tmp_path):
    space = ModelSpace(ModelRef(file=str(model)), tmp_path / "space.log")
    os.kill(space._process.pid, signal.SIGTERM)  # while it starts
    assert space.ready()
    os.kill(space._process.pid, signal.SIGTERM)
    assert space.walk(lambda parameter: parameter.choices[1] if isinstance(parameter, Categorical) else parameter.low)
    space.close()
    assert space._process.returncode == 0
