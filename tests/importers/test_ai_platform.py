"""AI Platform files: what is taken, noted and refused."""

import pytest

from tests.importers.draws import FILES, spec_of
from tuner.domain.objective import Goal
from tuner.errors import InvalidInput
from tuner.importers import import_file, import_text

SPEC = "hyperparameters: {{{keys} params: [{{parameterName: x, type: DOUBLE, minValue: 1, maxValue: 2{more}}}]}}"


def imported(keys="", more=""):
    return import_text(SPEC.format(keys=keys, more=more), "hp.yaml", "hp")


def problems(text):
    with pytest.raises(InvalidInput) as caught:
        import_text(text, "hp.yaml", "hp")
    return [str(problem) for problem in caught.value.problems]


def test_a_file_becomes_a_search_space_with_its_limits():
    spec = spec_of("ai_platform.yaml")
    assert (spec.objectives[0].metric, spec.objectives[0].goal) == ("rmse", Goal.MINIMIZE)
    search = spec.search
    assert (search.sampler.name, search.scheduler.name) == ("tpe", "median")
    assert (search.trials, search.workers, search.timeout_s) == (30, 2, 7200)
    # There the job fails when five trials have failed, here when more than four have.
    assert (search.max_failed_trials, search.max_consecutive_failures) == (4, 5)


def test_what_is_not_used_is_named_and_the_rest_of_the_job_becomes_a_hint():
    found = import_file(FILES / "ai_platform.yaml")
    named = {note.split()[0] for note in found.notes}
    assert named == {"trainingInput.scaleTier", "trainingInput.masterType", "trainingInput.runtimeVersion"}
    assert found.warm_start == "housing_1"
    assert found.command == ("python", "-m", "trainer.task", "--train-files", "data/train.csv")


def test_what_is_left_out_is_as_the_service_had_it():
    text = imported().text
    assert "objective: {metric: training/hptuning/metric, goal: maximize}" in text
    assert "trials: 1\n" in text and "workers: 1\n" in text and "scheduler" not in text and "failed" not in text


@pytest.mark.parametrize(
    ("word", "sampler"), [("ALGORITHM_UNSPECIFIED", "tpe"), ("RANDOM_SEARCH", "random"), ("GRID_SEARCH", "grid")]
)
def test_algorithms(word, sampler):
    text = (
        f"hyperparameters: {{algorithm: {word}, params: "
        "[{parameterName: x, type: INTEGER, minValue: '1', maxValue: 2.0}]}"
    )
    assert f"sampler: {sampler}\n" in import_text(text, "hp.yaml", "hp").text


def test_json_and_snake_case_name_the_same_fields():
    text = (
        '{"training_input": {"hyperparameters": {"max_trials": 7, "params":\n\t[{"parameter_name": "x", '
        '"type": "DISCRETE", "discrete_values": ["1.5", 2, 4]}]}}}'
    )
    found = import_text(text, "hp.json", "hp")
    assert "x: {type: discrete, values: [1.5, 2.0, 4.0]}" in found.text and "trials: 7" in found.text


def test_a_name_that_no_sweep_can_have_is_changed():
    assert "name: my-job-v1.2\n" in import_text(SPEC.format(keys="", more=""), "", "__my job/v1.2").text


@pytest.mark.parametrize(
    ("keys", "more", "expected"),
    [
        ("maxTrial: 3,", "", "hyperparameters.maxTrial: unknown key 'maxTrial' (did you mean 'maxTrials'?)"),
        ("goal: minimize,", "", "hyperparameters.goal: found text 'minimize' (did you mean 'MINIMIZE'?)"),
        ("maxTrials: 0,", "", "hyperparameters.maxTrials: is 0, expected at least 1"),
        ("maxTrials: many,", "", "hyperparameters.maxTrials: found text 'many', expected a whole number"),
        ("enableTrialEarlyStopping: 3,", "", "found the whole number 3, expected true or false"),
        ("algorithm: GRID_SEARCH,", "", "is a grid, and x has no finite list of values (make it discrete"),
        ("", ", scaleType: LOG", "hyperparameters.params[0].scaleType: found text 'LOG' (expected one of: NONE, UNIT"),
        ("", ", minvalue: 1", "params[0].minvalue: unknown key 'minvalue' (did you mean 'minValue'?)"),
    ],
)
def test_each_mistake_is_said_with_its_place(keys, more, expected):
    assert any(expected in line for line in problems(SPEC.format(keys=keys, more=more)))


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("type: DOUBLE, maxValue: 1", "minValue: is missing"),
        ("type: DOUBLE, minValue: 3, maxValue: 1", "minValue: is 3, above maxValue (1)"),
        ("type: DOUBLE, minValue: 0, maxValue: 1, scaleType: UNIT_REVERSE_LOG_SCALE", "begins above 0"),
        ("type: INTEGER, minValue: 0.5, maxValue: 1", "found the number 0.5, expected a whole number"),
        ("type: DISCRETE, discreteValues: [3, 1]", "expected numbers in ascending order"),
        ("type: DISCRETE, discreteValues: [a]", "found text 'a', expected finite numbers"),
        ("type: CATEGORICAL", "categoricalValues: is missing or empty"),
        ("type: CATEGORICAL, categoricalValues: [a, a]", "holds 'a' twice"),
        ("type: INT, minValue: 0, maxValue: 1", "type: found text 'INT' (did you mean"),
        ("minValue: 0, maxValue: 1", "type: is missing"),
    ],
)
def test_each_mistake_in_a_parameter_is_said_with_its_place(parameter, expected):
    (line,) = problems(f"hyperparameters: {{params: [{{parameterName: x, {parameter}}}]}}")
    assert line.startswith("hyperparameters.params[0].") and expected in line


def test_all_mistakes_are_said_at_once():
    text = "trainingInput: {hyperparameters: {goal: UP, params: [{parameterName: x}, {type: DOUBLE}, 3]}}"
    assert len(problems(text)) == 4


def test_a_search_space_of_ours_and_other_files_are_of_no_format_known_here():
    ours = (FILES.parents[2] / "search_spaces" / "housing.yaml").read_text()
    assert import_text(ours, "housing.yaml", "housing") is None
    assert import_text("{some: thing}", "some.yaml", "some") is None
