"""Results folders of Ray Tune and Keras Tuner as finished trials."""

import json
import subprocess
import sys

import pytest

from tuner.domain.objective import Aggregation, Goal, Objective
from tuner.errors import InvalidInput
from tuner.warm_start import read_results

RMSE = (Objective("rmse"),)


def ray_trial(folder, name, params, reports, status="TERMINATED", done=False):
    place = folder / name
    place.mkdir(parents=True)
    (place / "params.json").write_text(json.dumps(params))
    rows = [
        {**report, "training_iteration": index, "done": done and index == len(reports), "config": params}
        for index, report in enumerate(reports, 1)
    ]
    (place / "result.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [json.dumps({"relative_logdir": name, "status": status}), "{}"]


@pytest.fixture
def ray_folder(tmp_path):
    folder = tmp_path / "demo"
    params = {"lr": 0.1, "nested": {"a": 1}, "layers": [64, 32]}
    state = [
        ray_trial(folder, "f_0", params, [{"rmse": 3.0}, {"rmse": 1.0}, {"rmse": 2.0}]),
        ray_trial(folder, "f_1", {**params, "lr": 0.2}, [{"rmse": 5.0}], done=True),
        ray_trial(folder, "f_2", {**params, "lr": 0.3}, [{"rmse": 4.0}], status="ERROR"),
        ray_trial(folder, "f_3", {**params, "lr": 0.4}, [{"rmse": 4.0, "eval": {"loss": 0.5}}]),
        ray_trial(folder, "f_4", {**params, "lr": 0.5}, [{"loss": 4.0}]),
    ]
    (folder / "experiment_state-2026-01-02.json").write_text(json.dumps({"trial_data": state}))
    return folder


def test_ray_trials_that_ran_to_their_end_are_read_with_nested_parameters_flattened(ray_folder):
    found = read_results(ray_folder, RMSE)
    assert found.format == "Ray Tune"
    # f_3 returned by itself after one report; f_1 was stopped before the others' last one.
    assert found.trials == (
        ({"lr": 0.1, "nested.a": 1, "layers": [64, 32]}, {"rmse": 2.0}),
        ({"lr": 0.4, "nested.a": 1, "layers": [64, 32]}, {"rmse": 4.0}),
    )
    assert found.notes == (
        "1 of Ray Tune failed or did not finish",
        "1 of Ray Tune were stopped early",
        "1 of Ray Tune have no objective",
    )


def test_the_value_of_a_trial_follows_the_sweeps_own_rule(ray_folder):
    for of, value in ((Aggregation("best"), 1.0), (Aggregation("mean", 2), 1.5), (Aggregation("last"), 2.0)):
        assert read_results(ray_folder, (Objective("rmse", Goal.MINIMIZE, of),)).trials[0][1] == {"rmse": value}
    (trial,) = read_results(ray_folder, (Objective("eval/loss"),)).trials
    assert trial[1] == {"eval/loss": 0.5}


def test_an_objective_that_was_never_reported_is_refused_with_those_that_were(ray_folder):
    with pytest.raises(InvalidInput, match=r"has reported accuracy; reported were: eval/loss, loss, rmse"):
        read_results(ray_folder, (Objective("accuracy"),))


def test_ray_files_that_were_cut_off_cost_a_report_and_no_more(ray_folder):
    with (ray_folder / "f_0" / "result.json").open("a") as stream:
        stream.write('{"rmse": 0.')
    (ray_folder / "experiment_state-2026-01-03.json").write_text('{"trial_data": [')
    (ray_folder / "f_2" / "error.txt").write_text("ValueError")
    assert read_results(ray_folder, RMSE).trials[0][1] == {"rmse": 2.0}
    assert len(read_results(ray_folder, RMSE).trials) == 2


def keras_trial(folder, number, values, metrics, status="COMPLETED"):
    place = folder / f"trial_{number}"
    place.mkdir(parents=True)
    histories = {
        name: {"direction": "min", "observations": [{"value": v, "step": s} for s, v in enumerate(curve)]}
        for name, curve in metrics.items()
    }
    data = {"hyperparameters": {"space": [], "values": values}, "metrics": {"metrics": histories}, "status": status}
    (place / "trial.json").write_text(json.dumps(data))


@pytest.fixture
def keras_folder(tmp_path):
    folder = tmp_path / "around" / "demo"
    keras_trial(folder, "0", {"lr": 0.1, "tuner/epochs": 9}, {"val_loss": [[3.0, 5.0], [1.0, 2.0]], "loss": [[9], [8]]})
    keras_trial(folder, "1", {"lr": 0.2, "tuner/epochs": 3}, {"val_loss": [[1.0]], "loss": [[1.0]]})
    keras_trial(folder, "2", {"lr": 0.3}, {}, status="FAILED")
    (folder / "oracle.json").write_text("{}")
    return folder


def test_keras_tuners_trials_are_read_with_the_value_of_the_evaluation(keras_folder):
    for folder in (keras_folder, keras_folder.parent):
        found = read_results(folder, (Objective("loss"),))
        # Executions of one trial are averaged; Hyperband's shorter trial is left out.
        assert found.trials == (({"lr": 0.1}, {"loss": 1.5}),)
        assert [note.split()[0] for note in found.notes] == ["1", "1"]


def test_keras_tuners_objective_that_goes_the_other_way_is_refused(keras_folder):
    with pytest.raises(InvalidInput, match="val_loss is to minimize there, expected to maximize it"):
        read_results(keras_folder, (Objective("loss", Goal.MAXIMIZE),))


def test_another_folder_is_neither_tools(tmp_path):
    assert read_results(tmp_path, RMSE) is None
    assert read_results(tmp_path / "nowhere", RMSE) is None


KERAS_TUNER = """
import keras_tuner
class Tuner(keras_tuner.RandomSearch):
    def run_trial(self, trial):
        rate = trial.hyperparameters.Float("lr", 1e-4, 1e-1, sampling="log")
        kind = trial.hyperparameters.Choice("kind", ["a", "b"])
        return {"rmse": rate * (2 if kind == "a" else 1)}
Tuner(objective=keras_tuner.Objective("rmse", "min"), max_trials=4, directory=".", project_name="demo", seed=1).search()
"""

RAY = """
import ray
from ray import tune
ray.init(num_cpus=1, include_dashboard=False, configure_logging=False)
def train(config):
    for step in range(3):
        tune.report({"rmse": config["lr"] * (2 if config["kind"] == "a" else 1) * (3 - step)})
space = {"lr": tune.loguniform(1e-4, 1e-1), "kind": tune.choice(["a", "b"])}
tune.Tuner(train, param_space=space, tune_config=tune.TuneConfig(num_samples=4),
    run_config=tune.RunConfig(name="demo", storage_path=STORAGE)).fit()
"""


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.parametrize(("package", "program"), [("keras_tuner", KERAS_TUNER), ("ray", RAY)])
def test_folders_that_the_tools_themselves_wrote_are_read(package, program, tmp_path):
    pytest.importorskip(package)
    program = program.replace("STORAGE", repr(str(tmp_path)))
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, timeout=240)
    found = read_results(tmp_path / "demo", RMSE)
    assert len(found.trials) == 4 and found.notes == ()
    for params, values in found.trials:
        assert values["rmse"] == pytest.approx(params["lr"] * (2 if params["kind"] == "a" else 1))
