"""What is said, or refused, before a sweep begins."""

import pytest

import tuner
from tests.displays import Lines
from tests.spaces import SIMULATED
from tests.sweep.simulated import simulated
from tuner.config import load_spec
from tuner.config.spec_json import hidden_spec
from tuner.driver.missing_objective import missing_objective
from tuner.errors import InvalidInput
from tuner.hiding import HIDDEN
from tuner.schedulers import make_scheduler
from tuner.study.encoding import distribution
from tuner.sweep import RunOptions
from tuner.sweep.prechecks import check_script, hints


@pytest.mark.parametrize(("trials", "said"), [(8, True), (9, False)])
def test_a_population_that_leaves_no_trial_for_copies_is_said(space_file, trials, said):
    spec = load_spec(space_file(search=f"{{scheduler: pbt, trials: {trials}}}"))
    assert bool(hints(spec)) is said
    assert not said or "8 trials leave none for copies" in hints(spec)[0]


def test_a_command_that_is_not_told_its_folder_is_said(tmp_path):
    file = tmp_path / "script.yaml"
    file.write_text(
        "objective: {metric: rmse}\nparameters: {rate: {type: float, low: 0.1, high: 1.0}}\nsearch: {sampler: tpe}\n"
    )
    assert "{trial_dir}" in hints(load_spec(file, command=("python", "-m", "trainer.task")))[0]
    assert hints(load_spec(file, command=("python", "-m", "trainer.task", "--job-dir={trial_dir}"))) == []


def test_what_is_said_of_a_sweep_whose_secrets_are_hidden_is_what_was_said_before(space_file):
    constant = "db_password: c0nstant-pa55word\nrate: {type: float, low: 0.1, high: 1.0, step: 0.4}"
    spec = load_spec(space_file(parameters=constant, search="{trials: 4}"))
    assert HIDDEN in hidden_spec(spec).source  # which is no YAML then
    assert hints(hidden_spec(spec)) == hints(spec) != []


def test_a_constant_that_is_a_list_is_said_with_how_choices_are_written_if_one_of_it_may_be_meant(space_file):
    parameters = (
        "batch_size: [64, 128]\noptimizer: [adam, 'true']\nmixed: [1, a]\nrate: {type: float, low: 0.1, high: 1.0}\n"
        "same: [64, 64]\none: [64]\nempty: []\nnested: [[1, 2], [3, 4]]"
    )
    found = hints(load_spec(space_file(parameters=parameters)))
    assert found == [
        "parameters.batch_size is the constant list [64, 128] in every trial; "
        "for one of these: {type: discrete, values: [64, 128]}",
        "parameters.optimizer is the constant list ['adam', 'true'] in every trial; "
        'for one of these: {type: categorical, choices: ["adam", "true"]}',
        "parameters.mixed is the constant list [1, 'a'] in every trial; "
        'for one of these: {type: categorical, choices: [1, "a"]}',
    ]
    written = ", ".join(
        f"{name}: {line.partition('for one of these: ')[2]}" for name, line in zip("abc", found, strict=True)
    )
    a, b, c = load_spec(space_file(parameters=written.replace(", b:", "\nb:").replace(", c:", "\nc:"))).space.parameters
    assert (a.values, b.choices, c.choices) == ((64, 128), ("adam", "true"), (1, "a"))


@pytest.mark.parametrize(
    ("constant", "said"),
    [
        ("[0.001, 0.1]", "; for a number between them: {type: float, low: 0.001, high: 0.1}"),
        ("range(16, 256, 16)", "is the constant text 'range(16, 256, 16)' in every trial; for a range: {type: float, "),
        ("16..256", "is the constant text '16..256' in every trial; for a range: "),
        ("1e-4 to 1e-1", "is the constant text '1e-4 to 1e-1' in every trial; for a range: "),
        ("hp.uniform(0, 1)", "is the constant text 'hp.uniform(0, 1)' in every trial; for a range: "),
    ],
)
def test_a_range_as_it_is_written_elsewhere_is_said_to_be_a_constant_with_how_it_is_written_here(
    space_file, constant, said
):
    (found,) = hints(load_spec(space_file(parameters=f"units: {constant}\nrate: {{type: float, low: 0.1, high: 1.0}}")))
    assert said in found


@pytest.mark.parametrize("search", ["{method: freeze_thaw}", "{sampler: random, scheduler: asha}"])
def test_that_one_evaluation_leaves_nothing_to_choose_by_on_the_way_is_said(space_file, search):
    once = load_spec(space_file(train="{max_steps: 20, evaluate_every: 20}", search=search))
    assert [line for line in hints(once) if "evaluated once, at their end" in line]
    twice = load_spec(space_file(train="{max_steps: 20, evaluate_every: 10}", search=search))
    assert hints(twice) == []


def test_that_no_parameter_varies_is_said_unless_there_is_one_trial(space_file):
    (found,) = hints(load_spec(space_file(parameters="units: 16")))
    assert found.startswith("no parameter varies, so all trials train the same; a range is {")
    assert hints(load_spec(space_file(parameters="units: 16", search="{trials: 1, scheduler: none}"))) == []


@pytest.mark.parametrize("name", ["learn rate", "a=b", "-rate"])
def test_a_name_that_no_flag_has_is_refused_before_any_trial_unless_it_has_a_place_in_the_command(tmp_path, name):
    file = tmp_path / "script.yaml"
    file.write_text(f'objective: {{metric: m}}\nparameters: {{"{name}": {{type: float, low: 0.1, high: 1.0}}, b: 1}}\n')
    (tmp_path / "task.py").write_text("")
    program = ("python", str(tmp_path / "task.py"), "--job-dir={trial_dir}")
    with pytest.raises(tuner.InvalidInput, match="is no flag that a command reads as ") as refused:
        check_script(load_spec(file, command=program))
    (problem,) = refused.value.problems
    assert problem.where == f"parameters.{name}"
    assert f"--FLAG={{{name}}}" in problem.hint
    check_script(load_spec(file, command=(*program, f"--rate={{{name}}}")))


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


def test_steps_that_do_not_come_to_the_upper_bound_are_said_and_optuna_says_nothing(space_file, recwarn):
    parameters = (
        "units: {type: int, low: 4, high: 9, step: 4}\nrate: {type: float, low: 0.0, high: 0.95, step: 0.1}\n"
        "fits: {type: int, low: 4, high: 12, step: 4}\neven: {type: float, low: 0.0, high: 0.3, step: 0.1}"
    )
    spec = load_spec(space_file(parameters=parameters))
    assert hints(spec) == [
        "parameters.units: steps of 4 from 4 do not come to 9; the last is 8",
        "parameters.rate: steps of 0.1 from 0 do not come to 0.95; the last is 0.9",
    ]
    assert [distribution(parameter).high for parameter in spec.space.parameters] == [8, 0.9, 12, 0.3]
    assert not [warning for warning in recwarn if "step" in str(warning.message)]


@pytest.mark.parametrize(("sampler", "said"), [("cmaes", True), ("tpe", False), ("random", False)])
def test_a_sampler_that_learns_and_does_not_know_constraints_is_said(space_file, sampler, said):
    file = space_file(search=f"{{sampler: {sampler}}}")
    assert hints(load_spec(file)) == []
    file.write_text(file.read_text() + "constraints: {loss: {max: 1}}\n")
    bounded = load_spec(file)
    assert [hint for hint in hints(bounded) if f"sampler {sampler} does not know constraints" in hint] == hints(bounded)
    assert bool(hints(bounded)) is said


def test_a_model_whose_text_has_changed_is_said_once_and_the_sweep_goes_on(tmp_path):
    (tmp_path / "model.py").write_text("first = 1\n")
    (tmp_path / "sim.yaml").write_text(SIMULATED + "model: model.py\n")

    def run(trials):
        lines = Lines()
        tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path).session(
            RunOptions(trials=trials, backend="simulated"), lines
        ).run()
        return [line for line in lines.lines if "its text" in line]

    assert run(1) == run(2) == []
    (tmp_path / "model.py").write_text("second = 2\n")
    assert run(3) == [
        f"changed: {tmp_path / 'model.py'}: its text; the trials that are there were trained by what it was before"
    ]
    assert run(4) == []


def test_a_sweep_that_is_refused_for_what_it_learns_from_leaves_no_folder(tmp_path):
    sweep = simulated(tmp_path)
    with pytest.raises(InvalidInput, match="no sweep 'gone'"):
        sweep.run(backend="simulated", sources=["gone"])
    assert not sweep.dir.path.exists()
    sweep.run(backend="simulated")
    with pytest.raises(InvalidInput, match="was made without it"):
        sweep.run(backend="simulated", sources=["gone"])
    assert len(sweep.result().trials) == 2
