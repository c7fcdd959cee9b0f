"""Vertex AI files: what is taken, noted and refused."""

import pytest

from tests.importers.draws import FILES, spec_of
from tuner.domain.objective import Aggregation, Goal
from tuner.errors import InvalidInput
from tuner.importers import import_file, import_text

PARAMETER = "{parameterId: x, doubleValueSpec: {minValue: 1, maxValue: 2}}"


def study(parameters=PARAMETER, more="", metrics="[{metricId: rmse}]", job=""):
    return f"studySpec: {{metrics: {metrics}, parameters: [{parameters}]{more}}}\n{job}"


def text_of(text):
    return import_text(text, "job.yaml", "job").text


def problems(text):
    with pytest.raises(InvalidInput) as caught:
        import_text(text, "job.yaml", "job")
    return [str(problem) for problem in caught.value.problems]


def test_a_job_becomes_a_search_space_with_its_limits():
    spec = spec_of("vertex_ai.json")
    assert spec.name == "housing-tuning"
    (objective,) = spec.objectives
    assert (objective.metric, objective.goal, objective.of) == ("rmse", Goal.MINIMIZE, Aggregation("best"))
    search = spec.search
    assert (search.sampler.name, search.scheduler.name, search.trials, search.workers) == ("random", "median", 40, 4)
    assert (search.timeout_s, search.budget.plateau, search.max_failed_trials) == (5400, 15, 2)
    assert search.enqueue == ({"learning_rate": 0.001},)


def test_what_is_not_used_is_named_and_the_trainer_becomes_a_hint():
    found = import_file(FILES / "vertex_ai.json")
    assert {note.split()[0] for note in found.notes} == {"defaultValue", "trialJobSpec", "labels"}
    assert found.command == ("python", "-m", "trainer.task", "--steps=3000")


def test_the_python_clients_snake_case_and_a_bare_study_are_taken():
    found = text_of(
        "{metrics: [{metric_id: accuracy, goal: MAXIMIZE}], parameters: [{parameter_id: x, "
        "integer_value_spec: {min_value: 1, max_value: 8}, scale_type: UNIT_LOG_SCALE}]}"
    )
    assert "x: {type: int, low: 1, high: 8, log: true}" in found
    assert "objective: {metric: accuracy, goal: maximize}" in found


def test_several_metrics_are_several_objectives_and_an_unspecified_goal_is_to_maximize():
    found = text_of(study(metrics="[{metricId: accuracy}, {metricId: latency, goal: MINIMIZE}]"))
    assert "objective: [{metric: accuracy, goal: maximize}, {metric: latency, goal: minimize}]" in found


def test_the_container_of_a_job_becomes_a_hint():
    job = "trialJobSpec: {workerPoolSpecs: [{containerSpec: {command: [python, train.py], args: [--steps, '3']}}]}"
    found = import_text(study(job=job), "job.yaml", "job")
    assert found.command == ("python", "train.py", "--steps", "3")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (", decayCurveStoppingSpec: {}", "studySpec.decayCurveStoppingSpec: cannot be said"),
        (", convexAutomatedStoppingSpec: {maxStepCount: 3}", "(use medianAutomatedStoppingSpec)"),
        (", transferLearningConfig: {}", "studySpec.transferLearningConfig: cannot be said"),
        (", algorithm: GRID_SEARCH", "is a grid, and x has no finite list of values"),
        (", algoritm: GRID_SEARCH", "studySpec.algoritm: unknown key 'algoritm' (did you mean 'algorithm'?)"),
        (", measurementSelectionType: MEAN", "measurementSelectionType: found text 'MEAN'"),
        (", studyStoppingConfig: {minNumTrials: 3}", "studyStoppingConfig.minNumTrials: a least of time or trials"),
        (", studyStoppingConfig: {maxDurationNoProgress: 3s}", "(use maxNumTrialsNoProgress)"),
        (", studyStoppingConfig: {maximumRuntimeConstraint: {endTime: x}}", "(use maxDuration)"),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_nearest_that_can(more, expected):
    (line,) = problems(study(more=more))
    assert expected in line


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("{parameterId: x}", "'x' has no value spec (expected one of: doubleValueSpec"),
        ("{parameterId: x, doubleValueSpec: {minValue: 0}}", "doubleValueSpec.maxValue: is missing"),
        ("{parameterId: x, doubleValueSpec: {minValue: 0, maxValue: 1}, scaleType: UNIT_LOG_SCALE}", "begins above 0"),
        ("{parameterId: x, discreteValueSpec: {values: [2, 1]}}", "expected numbers in ascending order"),
        (
            "{parameterId: x, categoricalValueSpec: {values: [a, b]}, conditionalParameterSpecs: "
            "[{parentCategoricalValues: {values: [c]}, parameterSpec: " + PARAMETER.replace("x", "y") + "}]}",
            "parentCategoricalValues.values: found ['c'], expected values of 'x'",
        ),
        (
            "{parameterId: x, categoricalValueSpec: {values: [a, b]}, conditionalParameterSpecs: "
            "[{parentIntValues: {values: [1]}, parameterSpec: " + PARAMETER.replace("x", "y") + "}]}",
            "found parentIntValues under 'x', which has a categoricalValueSpec (expected parentCategoricalValues)",
        ),
        (
            "{parameterId: x, integerValueSpec: {minValue: 1, maxValue: 3}, conditionalParameterSpecs: "
            "[{parentIntValues: {values: [4]}, parameterSpec: " + PARAMETER.replace("x", "y") + "}]}",
            "found [4], expected values of 'x'",
        ),
        (PARAMETER + ", " + PARAMETER, "'x' is specified twice"),
        ("{}", "parameterId: is missing"),
    ],
)
def test_each_mistake_in_a_parameter_is_said_with_its_place(parameters, expected):
    assert any(expected in line and line.startswith("studySpec.parameters") for line in problems(study(parameters)))


def test_safety_metrics_are_refused_and_time_on_the_median_rule_is_noted():
    (line,) = problems(study(metrics="[{metricId: rmse, safetyConfig: {safetyThreshold: 1}}]"))
    assert "metrics[0].safetyConfig: a limit on a metric cannot be said" in line
    found = import_text(study(more=", medianAutomatedStoppingSpec: {useElapsedDuration: true}"), "job.yaml", "job")
    assert any("compared at equal steps" in note for note in found.notes)
