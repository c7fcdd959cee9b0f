"""Results folders of Ray Tune as finished trials."""

import json

import pytest

from tests.warm_start.folders import RMSE
from tuner.domain.objective import Aggregation, Constraint, Goal, Objective
from tuner.errors import InvalidInput
from tuner.warm_start import read_results


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


@pytest.mark.parametrize("last", [float("nan"), float("inf")])
def test_a_trial_that_diverged_has_no_value_and_not_the_last_one_that_was_a_number(tmp_path, last):
    ray_trial(tmp_path / "demo", "f_0", {"lr": 0.1}, [{"rmse": 0.9}, {"rmse": 0.5}, {"rmse": last}])
    ray_trial(tmp_path / "demo", "f_1", {"lr": 0.2}, [{"rmse": 0.9}, {"rmse": 0.7}, {"rmse": 0.6}])
    assert read_results(tmp_path / "demo", RMSE).trials == (({"lr": 0.1}, {}), ({"lr": 0.2}, {"rmse": 0.6}))


def test_what_a_constraint_is_on_is_read_if_it_was_reported(ray_folder):
    constraints = [Constraint("eval/loss", high=0.4)]
    values = [values for _, values in read_results(ray_folder, RMSE, constraints).trials]
    assert values == [{"rmse": 2.0}, {"rmse": 4.0, "eval/loss": 0.5}]


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
