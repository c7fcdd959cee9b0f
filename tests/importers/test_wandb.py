"""W&B sweeps: what is taken, noted and refused."""

import pytest

from tests.importers.draws import FILES, spec_of
from tuner.errors import InvalidInput
from tuner.importers import import_file, import_text
from tuner.importers.wandb import WandB


def sweep(parameters="x: {min: 0.0, max: 1.0}", more="", method="random", metric="metric: {name: loss}"):
    return f"method: {method}\n{metric}\n{more}\nparameters:\n  {parameters}\n"


def imported(**parts):
    return import_text(sweep(**parts), "sweep.yaml", "sweep")


def problems(**parts):
    with pytest.raises(InvalidInput) as caught:
        imported(**parts)
    return [str(problem) for problem in caught.value.problems]


def test_a_sweep_becomes_a_search_space_with_its_limits():
    spec = spec_of("wandb.yaml")
    assert spec.name == "housing-sweep"
    search = spec.search
    assert (search.sampler.name, search.trials, search.budget.target) == ("random", 25, 0.4)
    assert (search.scheduler.name, dict(search.scheduler.options)) == ("asha_stopping", {"eta": 2})


def test_what_is_not_used_is_named_and_the_program_becomes_a_hint():
    found = import_file(FILES / "wandb.yaml")
    named = {note.split()[0] for note in found.notes}
    assert named == {"description", "project", "early_terminate.min_iter", "parameters.optimizer", "scheduler"}
    assert found.command == ("python", "train.py", "--verbose")


def test_commands_without_hyphens_name_each_parameter():
    more = "program: t.py\ncommand: ['${env}', python3, '${program}', '${args_no_hyphens}']"
    assert imported(more=more).command == ("python3", "t.py", "x={x}")
    assert imported(more="program: t.py").command == ("python", "t.py")


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("x: {min: 1, max: 5}", "x: {type: int, low: 1, high: 5}"),
        ("x: {min: 1, max: 5.0}", "x: {type: float, low: 1.0, high: 5.0}"),
        ("x: {distribution: uniform, min: 1, max: 5}", "x: {type: float, low: 1.0, high: 5.0}"),
        ("x: {distribution: q_uniform, min: 1, max: 5}", "x: {type: float, low: 1.0, high: 5.0, step: 1.0}"),
        ("x: {distribution: q_uniform, min: 3, max: 29, q: 8}", "x: {type: int, low: 0, high: 32, step: 8}"),
        (
            "x: {distribution: q_uniform, min: 0.0, max: 0.3, q: 0.1}",
            "x: {type: float, low: 0.0, high: 0.3, step: 0.1}",
        ),
        ("x: {distribution: q_log_uniform, min: 0, max: 3, q: 1}", "x: {type: int, low: 1, high: 20, log: true}"),
        ("x: {values: [1, 2], probabilities: [0.5, 0.5]}", "x: {type: categorical, choices: [1, 2]}"),
        ("x: {values: [[1, 2], null]}", "choices: [[1, 2], null]"),
        ("x: {value: 3}", "  x: 3\n"),
        ("x: {value: null}", "  x: null\n"),
    ],
)
def test_parameters(parameter, expected):
    assert expected in imported(parameters=parameter).text


def test_a_file_of_ours_with_a_method_at_its_top_is_none():
    theirs = {"method": "random", "parameters": {"rate": {"min": 0.1, "max": 1.0}}}
    assert WandB().recognises(theirs)
    assert not WandB().recognises({**theirs, "objective": {"metric": "rmse"}})


def test_a_grid_without_a_cap_has_as_many_trials_as_values():
    found = imported(method="grid", parameters="x: {values: [a, b, c]}\n  y: {min: 1, max: 4}\n  z: {value: 0}")
    assert "trials: 12\n" in found.text
    assert "trials: 5\n" in imported(method="grid", parameters="x: {values: [a]}", more="run_cap: 5").text


def test_a_search_without_a_cap_says_when_it_ends_and_bayes_what_it_becomes():
    found = imported(method="bayes")
    assert "sampler: tpe\n" in found.text
    assert any("run_cap is not given" in note for note in found.notes)
    assert any("bayes becomes tpe" in note for note in found.notes)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"method": "custom"}, "method: 'custom' cannot be said (use bayes)"),
        ({"method": "grid"}, "is grid, and x has no finite list of values (give it values or q)"),
        ({"metric": ""}, "metric: is missing, and a sweep here has an objective"),
        ({"metric": "metric: {name: loss, goal: min}"}, "metric.goal: found text 'min'"),
        ({"more": "early_terminate: {type: envelope}"}, "early_terminate.type: 'envelope' cannot be said"),
        ({"more": "early_terminate: {type: hyperband, eta: 1.5}"}, "early_terminate.eta: is 1.5"),
        ({"more": "runcap: 3"}, "runcap: unknown key 'runcap' (did you mean 'run_cap'?)"),
        ({"more": "run_cap: 0"}, "run_cap: is 0, expected at least 1"),
        ({"parameters": "x: {distribution: normal, mu: 1}"}, "x.distribution: normal cannot be said (use uniform"),
        ({"parameters": "x: {distribution: beta, a: 1, b: 2}"}, "beta cannot be said (use uniform"),
        ({"parameters": "x: {distribution: unifrom, min: 0, max: 1}"}, "unknown distribution 'unifrom' (did you"),
        ({"parameters": "x: {values: [1, 2], probabilities: [0.9, 0.1]}"}, "every choice is as likely as another"),
        ({"parameters": "x: {values: [{a: 1}]}"}, "x.values: found a mapping"),
        ({"parameters": "x: {value: {a: 1}}"}, "name each of its values as a parameter of its own"),
        ({"parameters": "x: {distribution: log_uniform_values, min: 0, max: 1}"}, "x.min: is 0, and a logarithmic"),
        ({"parameters": "x: {distribution: log_uniform, min: 0, max: 1000}"}, "x.max: is an exponent"),
        ({"parameters": "x: {distribution: q_log_uniform_values, min: 1, max: 9, q: 2}"}, "x.q: cannot be said beside"),
        (
            {"parameters": "x: {distribution: q_uniform, min: 1, max: 9.5, q: 5.0e-324}"},
            "x.q: is 5e-324, and from 1 to",
        ),
        ({"parameters": "x: {distribution: q_uniform, min: -1.0e308, max: 1.0e308, q: 1.0e300}"}, "than can be told"),
        ({"parameters": "x: {min: 1}"}, "x.max: is missing"),
        ({"parameters": "x: {min: 3, max: 1}"}, "x.min: is 3, above max (1)"),
        ({"parameters": "x: {min: 1, max: 3, mix: 1}"}, "x.mix: unknown key 'mix'"),
        ({"parameters": "x: 3"}, "parameters.x: found the whole number 3, expected a mapping"),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_nearest_that_can(parts, expected):
    found = problems(**parts)
    assert any(expected in line for line in found), found
