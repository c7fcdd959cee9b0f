"""Katib's experiments: what is taken, noted and refused."""

import pytest

from tests.importers.draws import FILES, spec_of
from tuner.domain.objective import Aggregation, Goal
from tuner.errors import InvalidInput
from tuner.importers import import_file, import_text

FILE = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {{generateName: mine-}}
spec:
  objective: {{type: minimize, objectiveMetricName: loss{objective}}}
  algorithm: {{algorithmName: {algorithm}, algorithmSettings: [{settings}]}}
  maxTrialCount: 9
  parameters:
  - {{name: x, parameterType: {parameter}}}
  - {{name: epochs, parameterType: int, feasibleSpace: {{min: "1", max: "27"}}}}
{spec}
"""
DOUBLE = 'double, feasibleSpace: {min: "0", max: "1"}'


def experiment(objective="", algorithm="random", settings="", parameter=DOUBLE, spec=""):
    return FILE.format(objective=objective, algorithm=algorithm, settings=settings, parameter=parameter, spec=spec)


def setting(name, value):
    return f'{{name: {name}, value: "{value}"}}'


def imported(**parts):
    return import_text(experiment(**parts), "experiment.yaml", "experiment")


def problems(**parts):
    with pytest.raises(InvalidInput) as caught:
        imported(**parts)
    return [str(problem) for problem in caught.value.problems]


def test_an_experiment_becomes_a_search_space_with_its_limits():
    spec = spec_of("katib.yaml")
    assert spec.name == "housing-tpe"
    (objective,) = spec.objectives
    # Katib takes the best value of a trial unless a strategy says otherwise.
    assert (objective.metric, objective.goal, objective.of) == ("accuracy", Goal.MAXIMIZE, Aggregation("best"))
    search = spec.search
    assert (search.sampler.name, dict(search.sampler.options), search.seed) == ("tpe", {"n_ei_candidates": 30}, 11)
    assert (search.scheduler.name, dict(search.scheduler.options)) == ("median", {"startup_trials": 2})
    assert (search.trials, search.workers, search.max_failed_trials, search.budget.target) == (24, 2, 2, 0.99)


def test_what_is_not_used_is_named_and_the_trial_template_becomes_a_hint():
    found = import_file(FILES / "katib.yaml")
    named = {note.split()[0] for note in found.notes}
    assert named == {
        "metadata.namespace",
        "spec.objective.additionalMetricNames",
        "spec.algorithm.algorithmSettings[1].value",
        "spec.earlyStopping.algorithmSettings[1].value",
        "spec.trialTemplate",
        "spec.resumePolicy",
        "spec.metricsCollectorSpec",
    }
    assert found.command == ("python", "-m", "trainer.task", "--learning-rate={lr}", "--optimizer={optimizer}")


@pytest.mark.parametrize(
    ("algorithm", "settings", "expected"),
    [
        ("random", setting("random_state", 3), ["sampler: random\n", "seed: 3\n"]),
        ("tpe", setting("prior_weight", 1.5), ["sampler: {name: tpe, prior_weight: 1.5}"]),
        ("multivariate-tpe", setting("n_startup_trials", 4), ["{name: tpe, n_startup_trials: 4, multivariate: true}"]),
        ("bayesianoptimization", setting("n_initial_points", 7), ["{name: tpe, n_startup_trials: 7}"]),
        ("cmaes", setting("sigma", 0.2) + ", " + setting("restart_strategy", "none"), ["{name: cmaes, sigma0: 0.2}"]),
        ("sobol", "", ["sampler: {name: qmc, qmc_type: sobol}"]),
        (
            "hyperband",
            setting("resource_name", "epochs") + ", " + setting("eta", 3) + ", " + setting("r_l", 9),
            ["sampler: random\n", "scheduler: {name: hyperband, eta: 3}", "  epochs: 9\n"],
        ),
        (
            "pbt",
            setting("n_population", 8) + ", " + setting("truncation_threshold", 0.25) + ", "
            + setting("resample_probability", 0.3) + ", " + setting("suggestion_trial_dir", "/var/x"),
            ["scheduler: {name: pbt, population: 8, quantile: 0.25, resample: 0.3}"],
        ),
    ],
)  # fmt: skip
def test_algorithms_and_their_settings(algorithm, settings, expected):
    found = imported(algorithm=algorithm, settings=settings).text
    assert all(part in found for part in expected), found
    from tests.importers.draws import parse_spec

    parse_spec(found + "train: {max_steps: 9, evaluate_every: 1}\n", "", FILES, command=["true"])


def test_the_latest_value_of_a_trial_is_the_objective_where_a_strategy_says_so():
    strategies = ", metricStrategies: [{name: loss, value: latest}, {name: accuracy, value: max}]"
    found = imported(objective=strategies)
    assert "objective: {metric: loss, goal: minimize, of: last}" in found.text
    assert any("metricStrategies[1]" in note for note in found.notes)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"algorithm": "darts"}, "darts searches architectures, which cannot be said (use tpe)"),
        ({"algorithm": "randm"}, "unknown algorithm 'randm' (did you mean 'random'?)"),
        ({"algorithm": "grid"}, "spec.algorithm.algorithmName: is grid, and x has no step (give it a step)"),
        ({"algorithm": "hyperband"}, "hyperband needs resource_name"),
        ({"algorithm": "cmaes", "settings": setting("restart_strategy", "ipop")}, "'ipop' cannot be said (use none)"),
        ({"settings": setting("random_stat", 1)}, "'random_stat' is no setting of random that is known here (did"),
        ({"algorithm": "tpe", "settings": setting("n_EI_candidates", "many")}, "found 'many', expected a number"),
        ({"objective": ", metricStrategies: [{name: loss, value: max}]"}, "is max, but the objective is to minimize"),
        ({"spec": "  nasConfig: {}"}, ""),
        ({"spec": "  nasConfig: {graphConfig: {}}"}, "a search for architectures cannot be said"),
        ({"spec": "  earlyStopping: {algorithmName: curve}"}, "unknown algorithm 'curve' (expected medianstop)"),
        ({"spec": "  maxTrials: 3"}, "spec.maxTrials: unknown key 'maxTrials' (did you mean 'maxTrialCount'?)"),
        ({"parameter": "float, feasibleSpace: {min: '0', max: '1'}"}, "parameterType: found text 'float'"),
        ({"parameter": "double, feasibleSpace: {min: '0'}"}, "spec.parameters[0].feasibleSpace.max: is missing"),
        ({"parameter": "double, feasibleSpace: {min: '1', max: '2', distribution: normal}"}, "normal cannot be said (use uniform"),
        ({"parameter": "double, feasibleSpace: {min: '1', max: '2', distribution: logUniform, step: '1'}"}, "cannot stand beside logUniform"),
        ({"parameter": "int, feasibleSpace: {min: '0', max: '1', distribution: logUniform}"}, "begins above 0"),
        ({"parameter": "categorical, feasibleSpace: {min: '0', max: '1'}"}, "feasibleSpace.list: is missing or empty"),
        ({"parameter": "discrete, feasibleSpace: {list: ['1', x]}"}, "found text 'x', expected finite numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_with_the_nearest_that_can(parts, expected):
    found = problems(**parts)
    assert any(expected in line for line in found), found
