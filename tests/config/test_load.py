"""Search space files: what is taken, and how every mistake is said."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.config import diff, from_json, load_spec, parse_spec, to_json
from tuner.domain.spec import ClusterSettings
from tuner.errors import InvalidInput
from tuner.space import Categorical, Float, Int

GOOD = """
name: housing
model: tuner.examples.housing
objective: {metric: rmse, goal: minimize, of: {mean: 3}}
parameters:
  momentum: {type: float, low: 0.0, high: 0.99, when: {optimizer: sgd}}
  learning_rate: {type: float, low: 1e-4, high: 1e-1, log: true}
  units: {type: int, low: 16, high: 256, step: 16}
  optimizer: {type: categorical, choices: [adam, ftrl, sgd]}
  layers: {type: categorical, choices: [[64, 32], [128], true, 1]}
  batch_size: 128
train: {max_steps: 3000, evaluate_every: 300}
search: {sampler: {name: tpe, n_startup_trials: 5}, scheduler: median, trials: 20, timeout: 1h30m}
"""


def parse(text, overrides=()):
    return parse_spec(text, "space.yaml", Path("/nowhere"), "stem", overrides)


def problems(text, overrides=()):
    with pytest.raises(InvalidInput) as caught:
        parse(text, overrides)
    return [str(problem) for problem in caught.value.problems]


def test_a_file_becomes_a_sweep_with_parents_before_children():
    spec = parse(GOOD)
    names = [p.name for p in spec.space.parameters]
    assert names.index("optimizer") < names.index("momentum")
    assert spec.space.constants == {"batch_size": 128}
    assert spec.search.timeout_s == 5400
    assert spec.search.sampler.options == {"n_startup_trials": 5}
    kinds = {p.name: type(p) for p in spec.space.parameters}
    assert kinds == {
        "learning_rate": Float,
        "units": Int,
        "optimizer": Categorical,
        "momentum": Float,
        "layers": Categorical,
    }


def test_the_shipped_search_spaces_are_valid_also_with_smaller_numbers():
    for file in (Path(__file__).parents[2] / "search_spaces").glob("*.yaml"):
        spec = load_spec(file, ["train.max_steps=30", "train.evaluate_every=10", "search.trials=2"])
        assert (spec.train.max_steps, spec.train.evaluate_every, spec.search.trials) == (30, 10, 2)


def test_starting_points_that_the_space_cannot_hold_are_refused_each_with_its_place():
    points = "[{learning_rate: 0.01, units: 32}, {learning_rat: 0.01}, {units: 33}, {batch_size: 1}, {optimizer: adm}]"
    found = problems(GOOD, [f"search.enqueue={points}"])
    assert len(found) == 4
    assert (
        found[0].startswith("search.enqueue.1.learning_rat: names the unknown parameter")
        and "learning_rate" in found[0]
    )
    assert found[1] == "search.enqueue.2.units: 33 is between two steps of 16"
    assert found[2].startswith("search.enqueue.3.batch_size: is a constant")
    assert "none of the choices 'adam', 'ftrl', 'sgd'" in found[3]


def test_a_date_that_stands_for_text_is_said_to_want_quotes():
    assert problems(GOOD.replace("name: housing", "name: 2024-01-01")) == [
        "name: found the date 2024-01-01 without quotes, expected text"
    ]
    (found,) = problems(GOOD.replace("batch_size: 128", "batch_size: 2024-01-01"))
    assert found.startswith("parameters.batch_size: found the date 2024-01-01 without quotes")


def test_a_starting_point_that_leaves_a_parameter_to_a_grid_is_refused():
    text = GOOD.replace("tpe, n_startup_trials: 5", "grid").replace(
        "low: 1e-4, high: 1e-1, log: true", "low: 0, high: 1, step: 0.5"
    )
    text = text.replace("high: 0.99, when", "high: 0.9, step: 0.3, when")
    overrides = ["search.enqueue=[{learning_rate: 0.5, units: 16, optimizer: ftrl}]"]
    assert problems(text, overrides) == [
        "search.enqueue.0: leaves out layers, momentum, which sampler grid does not draw "
        "(give whole points, or another sampler)"
    ]


def test_a_starting_point_whose_own_values_leave_a_parameter_out_is_refused():
    parse(GOOD, ["search.enqueue=[{optimizer: sgd, momentum: 0.5}, {momentum: 0.5}]"])
    (found,) = problems(GOOD, ["search.enqueue=[{optimizer: adam, momentum: 0.5}]"])
    assert found.startswith("search.enqueue.0.momentum: is there if optimizer is sgd, and this point has adam")


def test_constraints_without_a_bound_or_that_nothing_meets_are_refused():
    text = GOOD + "constraints: {latency: {max: 5}, size: {min: 2, max: 1}, recall: {}, rmse: {max: 1}, auc: {mx: 1}}\n"
    (unknown,) = problems(text)
    assert unknown.startswith("constraints.auc.mx: unknown key 'mx'") and "max" in unknown
    found = problems(text.replace(", auc: {mx: 1}", ""))
    assert [problem.split(":")[0] for problem in found] == [
        "constraints.size",
        "constraints.recall",
        "constraints.rmse",
    ]
    (constraint,) = parse(GOOD + "constraints: {latency: {max: 5, of: {mean: 3}}}\n").constraints
    assert constraint.violation(7.0) == 2.0 and constraint.violation(4.0) < 0
    assert constraint.value([1.0, 2.0, 3.0, 4.0]) == 3.0


def test_set_replaces_a_value_read_as_yaml_and_the_frozen_text_has_it():
    spec = parse(GOOD, ["train.max_steps=600", "parameters.units.high=64", "search.seed=7"])
    assert (spec.train.max_steps, spec.search.seed) == (600, 7)
    assert parse(spec.source) == spec


def test_a_file_that_is_set_counts_from_where_it_is_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "curves.csv").touch()
    (tmp_path / "model.py").touch()
    for override in ("simulation.curves=curves.csv", "simulation={curves: curves.csv}"):
        spec = parse(GOOD, [override])
        assert spec.simulation.curves == str(tmp_path / "curves.csv")
        assert str(tmp_path / "curves.csv") in spec.source
    ref = parse(GOOD, ["model=model.py:tuned"]).model
    assert (ref.file, ref.object) == (str(tmp_path / "model.py"), "tuned")
    assert parse(GOOD, ["model=package.module"]).model.module == "package.module"
    assert parse(GOOD, ["ray={storage: s3://bucket/x, working_dir: .}"]).ray.working_dir == str(tmp_path)


def test_a_sweep_goes_through_json_and_back_unchanged():
    import json

    spec = parse(GOOD)
    assert from_json(json.loads(json.dumps(to_json(spec)))) == spec


TWO = """
objective: [{metric: rmse, goal: minimize}, {metric: acc, goal: maximize}]
parameters: {flag: {type: categorical, choices: [0, 1]}, batch: 128}
train: {max_steps: 10, evaluate_every: 5}
model: m
name: two
"""


@pytest.mark.parametrize(
    ("replace", "by", "refused"),
    [
        (
            "[{metric: rmse, goal: minimize}, {metric: acc, goal: maximize}]",
            "[{metric: acc, goal: maximize}, {metric: rmse, goal: minimize}]",
            "objectives: [rmse, acc] -> [acc, rmse]",
        ),
        (
            "[0, 1]",
            "[false, true]",
            "parameters.flag: choices [0, 1] -> [false, true]",
        ),
        (
            "{metric: rmse, goal: minimize}",
            "{metric: rmse, goal: maximize, of: {mean: 3}}",
            "objective.rmse: goal minimize -> maximize, of last -> {mean: 3}",
        ),
        ("metric: acc", "metric: auc", "objectives: [rmse, acc] -> [rmse, auc]"),
        ("{type: categorical, choices: [0, 1]}", "1", "parameters.flag: {choices: [0, 1]} -> 1"),
        ("batch: 128", "batch: 128.0", "parameters.batch: 128 -> 128.0"),
    ],
)
def test_another_order_of_objectives_and_another_type_of_a_value_are_another_search_space(replace, by, refused):
    assert diff(parse(TWO), parse(TWO)) == ([], [])
    assert diff(parse(TWO), parse(TWO.replace(replace, by))) == ([], [refused])


@pytest.mark.parametrize(
    ("replace", "by", "said"),
    [
        ("metric: rmse", "metric: mse", "objective: metric rmse -> mse"),
        ("goal: minimize", "goal: maximize, of: best", "objective: goal minimize -> maximize, of last -> best"),
        ("scheduler: asha", "scheduler: {name: asha, eta: 4}", "search.scheduler: eta not set -> 4"),
        ("scheduler: asha", "scheduler: median", "search.scheduler: name asha -> median"),
        ("units: 128", "units: {type: int, low: 1, high: 9}", "parameters.units: 128 -> {low: 1, high: 9, step: 1}"),
    ],
)
def test_what_changed_is_said_once_and_as_the_file_has_it(replace, by, said):
    one = """
objective: {metric: rmse, goal: minimize}
parameters: {rate: {type: float, low: 0.1, high: 1.0}, units: 128}
train: {max_steps: 10, evaluate_every: 5}
search: {scheduler: asha}
model: m
name: one
"""
    harmless, refused = diff(parse(one), parse(one.replace(replace, by)))
    assert [*harmless, *refused] == [said]


def test_limits_may_change_and_what_gives_trials_their_meaning_may_not():
    harmless, refused = diff(
        parse(GOOD),
        parse(
            GOOD,
            [
                "search.trials=40",
                "search.scheduler=none",
                "parameters.units.high=64",
                "train.max_steps=600",
                "search.seed=1",
            ],
        ),
    )
    assert [line.split(":")[0] for line in harmless] == ["search.scheduler", "search.trials"]
    assert [line.split(":")[0] for line in refused] == ["parameters.units", "train.max_steps", "search.seed"]


@pytest.mark.parametrize(
    ("replace", "by", "expected"),
    [
        ("high: 1e-1, log", "high: 1e-5, log", "parameters.learning_rate: low (0.0001) is above high (1e-05)"),
        ("low: 1e-4, high", "low: 0, high", "parameters.learning_rate.low: is 0, expected a number above 0 because log is true"),
        (
            "of: {mean: 3}",
            "folder: eval_test",
            "objective.folder: is for commands, which may evaluate in several folders",
        ),
        ("low: 16", "low: '16'", "parameters.units.low: found text '16', expected a whole number"),
        ("low: 16", "low: true", "parameters.units.low: found true".replace("true", "True") + ", expected a whole number"),
        ("step: 16}", "stepp: 16}", "parameters.units.stepp: unknown key 'stepp' (did you mean 'step'?)"),
        ("type: int", "type: integer", "parameters.units.type: unknown type 'integer' (did you mean 'int'?)"),
        ("{optimizer: sgd}", "{optimiser: sgd}", "parameters.momentum.when: names the unknown parameter 'optimiser' (did you mean 'optimizer'?)"),
        ("{optimizer: sgd}", "{optimizer: sgdd}", "parameters.momentum.when: optimizer never is 'sgdd'"),
        ("{optimizer: sgd}", "{momentum: 0.5}", "the conditions of momentum go round in a circle"),
        ("choices: [adam, ftrl, sgd]", "choices: []", "parameters.optimizer.choices: found a list [], expected a list with at least one choice"),
        ("choices: [adam, ftrl, sgd]", "choices: [adam, adam, sgd]", "parameters.optimizer.choices: 'adam' stands there twice"),
        ("max_steps: 3000", "max_steps: [1, 2]", "train.max_steps: found a list [1, 2], expected a whole number"),
        ("max_steps: 3000", "max_steps: 100", "train.evaluate_every: is 300, above max_steps (100)"),
        ("max_steps: 3000", "max_stepz: 3000", "train.max_stepz: unknown key 'max_stepz' (did you mean 'max_steps'?)"),
        ("name: tpe", "name: tpee", "search.sampler: unknown sampler 'tpee' (did you mean 'tpe'?)"),
        ("n_startup_trials: 5", "n_startup_trials: five", "search.sampler.n_startup_trials: found text 'five', expected a whole number"),
        ("scheduler: median", "scheduler: meridian", "search.scheduler: unknown scheduler 'meridian' (did you mean 'median'?)"),
        ("scheduler: median", "scheduler: {name: asha, eta: 1}", "search.scheduler.eta: is 1, expected at least 2"),
        ("scheduler: median", "scheduler: hyperband, repeats: 3", "search.repeats: is 3, and scheduler hyperband promotes or replaces single trials"),
        ("trials: 20", "trials: 20, repeats: 0", "search.repeats: is 0, expected at least 1"),
        ("trials: 20", "trials: 0", "search.trials: is 0, expected at least 1"),
        ("timeout: 1h30m", "timeout: soon", "search.timeout: expected a duration like 90s, 15m or 2h, found 'soon'"),
        ("goal: minimize", "goal: minimise", "objective.goal: found text 'minimise', expected minimize or maximize"),
        ("model: tuner.examples.housing", "model: no.py", "model: no such file '/nowhere/no.py'"),
        ("model: tuner.examples.housing", "", "model: is missing"),
        ("name: housing", "name: ../../etc", "name: '../../etc' cannot name a sweep"),
        ("name: housing", "name: housing\nserch: {}", "serch: unknown key 'serch' (did you mean 'search'?)"),
    ],
)  # fmt: skip
def test_each_mistake_is_said_with_its_place_what_was_found_and_what_to_do(replace, by, expected):
    assert replace in GOOD
    found = problems(GOOD.replace(replace, by, 1))
    assert any(expected in line for line in found), found


def test_several_mistakes_are_said_at_once():
    text = GOOD.replace("low: 16", "low: 1600").replace("trials: 20", "trials: many").replace("goal", "gaol")
    found = problems(text)
    assert len(found) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b",
        "a: b: c",
        "a: 1\na: 2",
        "x: !!python/object/apply:os.system [id]",
        "\t- x",
        "a: &a [*a]",
    ],
)
def test_what_is_no_mapping_of_plain_yaml_is_refused(text):
    with pytest.raises(InvalidInput):
        parse(text)


def test_aliases_that_multiply_a_file_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(InvalidInput, match="line 5, column 5: more than 20000 values, aliases written out"):
        parse("\n".join(lines))


def test_a_file_that_is_not_there_is_named_with_its_near_match(tmp_path):
    (tmp_path / "housing.yaml").write_text(GOOD)
    with pytest.raises(InvalidInput, match=r"no such file \(did you mean 'housing.yaml'\?\)"):
        load_spec(tmp_path / "hosing.yaml")


def test_a_file_of_ten_megabytes_is_refused(tmp_path):
    (tmp_path / "large.yaml").write_text("a" * 10_000_000)
    with pytest.raises(InvalidInput, match="10000000 bytes"):
        load_spec(tmp_path / "large.yaml")


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_the_text_there_is_a_sweep_or_an_error_of_ours(data):
    at = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(at, min(len(GOOD), at + 30)))
    text = GOOD[:at] + data.draw(st.text(max_size=20)) + GOOD[end:]
    try:
        parse(text)
    except InvalidInput as error:
        assert error.problems


def test_trials_that_are_clusters_have_a_worker_and_a_ps_unless_the_file_says_otherwise():
    assert parse(GOOD).cluster is None
    assert parse(GOOD + "cluster: {}\n").cluster == ClusterSettings(workers=1, ps=1, evaluator=True)
    spec = parse(GOOD + "cluster: {workers: 3, ps: 2}\n")
    assert spec.cluster.tasks == 7
    assert from_json(to_json(spec)) == spec
    assert diff(parse(GOOD), spec)[1] == [
        "cluster.workers: not set -> 3",
        "cluster.ps: not set -> 2",
        "cluster.evaluator: not set -> true",
    ]


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ("{workers: -1}", "cluster.workers: is -1, expected at least 0"),
        (
            "{workers: 2, ps: 0}",
            "cluster.ps: is 0, and the workers beside the chief (2) share their variables through a ps",
        ),
        (
            "{evaluator: false}",
            "cluster.evaluator: is false, and in a cluster train_and_evaluate leaves evaluations to",
        ),
        ("{evaluator: 1}", "cluster.evaluator: found the whole number 1, expected true or false"),
        ("{workers: 1.5}", "cluster.workers: found the number 1.5, expected a whole number"),
        ("{worker: 2}", "cluster.worker: unknown key 'worker' (did you mean 'workers'?)"),
        ("4", "cluster: found the whole number 4, expected a mapping"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(cluster, said):
    (problem,) = problems(GOOD + f"cluster: {cluster}\n")
    assert problem.startswith(said)


def test_a_cluster_goes_with_neither_a_command_nor_a_position_in_the_input():
    text = GOOD.replace("model: tuner.examples.housing\n", "") + "cluster: {}\n"
    with pytest.raises(InvalidInput, match="cluster: makes clusters of trials of a model, and there is a command"):
        parse_spec(text, "space.yaml", Path("/nowhere"), "stem", (), ("python", "train.py"))
    (problem,) = problems(GOOD + "cluster: {}\n", ["train.checkpoint_input=true"])
    assert problem.startswith("train.checkpoint_input: is true, and the tasks of a cluster read their inputs")


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (
            "objective: ",
            "objective: accuracy\n# ",
            "(write objective: {metric: accuracy, goal: minimize}, or goal: maximize)",
        ),
        ("objective: ", "# ", "objective: is missing (as in objective: {metric: rmse, goal: minimize})"),
        ("goal: minimize", "goal: max", "expected minimize or maximize (did you mean 'maximize'?)"),
        ("low: 1e-4", "low: '1e-4'", "(write 1e-4 without quotes)"),
        ("low: 1e-4", "low: 1e\u22124", "(write 1e-4, with the plain minus -)"),
        ("train: ", "# ", "train: is missing (as in train: {max_steps: 3000, evaluate_every: 300})"),
        (
            "metric: rmse, ",
            "",
            "objective.metric: is missing (a name of the evaluation's metrics, as in metric: rmse)",
        ),
        ("train: ", "\ttrain: ", "found a tab (lines are indented by blanks)"),
        ("high: 1e-1, log: true}", "high: 1e-1, log: true", "expected , or } (is a , or a } missing before it?)"),
        ("train: ", "train: {max_steps: 3}\ntrain: ", "the key train stands twice (leave one of the two out)"),
        ("name: housing", "name: 7", "name: found the whole number 7, expected text (write '7', with quotes)"),
    ],
)
def test_a_slip_is_answered_with_what_to_write(was, now, expected):
    assert GOOD.count(was) == 1
    with pytest.raises(InvalidInput) as error:
        parse(GOOD.replace(was, now))
    assert expected in str(error.value)
