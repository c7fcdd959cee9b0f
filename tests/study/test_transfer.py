"""Warm start: what becomes of finished trials in another space, and that each sampler learns from them."""

import importlib.util
from functools import partial

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.cli.tables import write_csv
from tuner.domain.objective import Goal, Objective
from tuner.domain.spec import Named, SearchSettings, SweepSpec, TrainSettings
from tuner.domain.trial import FinishedTrial, Source, TrialState
from tuner.errors import InvalidInput, StoreError
from tuner.files.paths import Root
from tuner.space import Categorical, Discrete, Float, Int, Space
from tuner.space.conditions import walk
from tuner.space.drawing import drawn, fitted, read_value
from tuner.study import Study
from tuner.study.storage import open_journal
from tuner.study.transfer import as_optuna_trials
from tuner.warm_start.sources import read_source

optuna.logging.set_verbosity(optuna.logging.WARNING)

SPACE = Space(
    (
        Float("rate", 1e-4, 1e-1, log=True),
        Int("units", 16, 64, step=16),
        Categorical("optimizer", ("adam", "sgd")),
        Float("momentum", 0.0, 0.9, when={"optimizer": ("sgd",)}),
    ),
    {"batch": 8},
)


RMSE = (Objective("rmse"),)


def spec(space=SPACE, sampler="tpe", objectives=RMSE, **options):
    search = SearchSettings(sampler=Named(sampler, options))
    return SweepSpec("s", objectives, space, TrainSettings(100, 10), search)


def translate(trials, wanted=None):
    wanted = wanted or spec()
    return as_optuna_trials([Source("old", tuple(trials))], wanted, partial(walk, wanted.space))


def finished(rmse=1.0, **params):
    return FinishedTrial({"rate": 0.01, "units": 32, "optimizer": "adam", **params}, {"rmse": rmse})


def test_a_trial_of_the_same_space_is_taken_as_it_is():
    (found,), lines = translate([finished(0.5, batch=8)])
    assert found.params == {"rate": 0.01, "units": 32, "optimizer": "adam"}
    assert found.values == [0.5]
    assert lines == ["from old: 1 of 1 complete trials used"]


def test_what_it_did_not_have_is_drawn_and_what_has_no_place_is_passed_over_and_said():
    found, lines = translate([FinishedTrial({"rate": 0.01, "dropout": 0.5}, {"rmse": 1.0})] * 30)
    assert {trial.params["units"] for trial in found} == {16, 32, 48, 64}
    assert all(("momentum" in t.params) == (t.params["optimizer"] == "sgd") for t in found)
    assert all("dropout" not in t.params for t in found)
    assert lines == [
        "from old: 30 of 30 complete trials used; momentum, optimizer, units: drawn at random if it was not "
        "there; dropout: passed over, because this space has it not"
    ]


def test_values_of_several_types_that_were_drawn_in_the_place_of_what_was_not_there_are_no_trouble():
    mixed = spec(Space((Float("rate", 0.0, 1.0), Categorical("choice", ("text", None, 1e-3, True)))))
    found, lines = translate([FinishedTrial({"rate": 0.5}, {"rmse": 1.0})] * 20, mixed)
    assert {trial.params["choice"] for trial in found} == {"text", None, 1e-3, True}
    assert lines == ["from old: 20 of 20 complete trials used; choice: drawn at random if it was not there"]


def test_a_value_out_of_this_space_or_no_objective_leaves_the_trial_out():
    trials = [finished(units=33), finished(units=128), finished(rate="fast"), finished(optimizer="ftrl")]
    nothing_in_common = FinishedTrial({"depth": 3}, {"rmse": 1.0})
    found, (line,) = translate([*trials, finished(float("nan")), nothing_in_common, finished()])
    assert len(found) == 1
    assert line.startswith("from old: 1 of 7 complete trials used")
    assert "2 left out (units is not among the values it has here)" in line
    assert "1 left out (no value of rmse)" in line
    assert "1 left out (no parameter in common)" in line


def test_the_same_trials_are_made_again_when_the_study_is_opened_again():
    trials = [FinishedTrial({"rate": 0.01}, {"rmse": 1.0})] * 5
    first, second = translate(trials)[0], translate(trials)[0]
    assert [t.params for t in first] == [t.params for t in second]


def test_text_of_a_table_is_read_as_the_parameter_wants_it():
    assert read_value(Float("x", 0, 1), "5e-1") == 0.5
    assert read_value(Int("x", 0, 256, step=16), "128.0") == 128
    assert read_value(Categorical("x", ([1, 2], [3])), "[1, 2]") == [1, 2]
    assert read_value(Categorical("x", (True, 1)), "True") is True
    assert read_value(Categorical("x", ("1", 1)), "1") == "1"
    assert read_value(Categorical("x", (16, 32)), "16.0") == 16
    for parameter, wrong in ((Float("x", 0, 1), "2"), (Int("x", 0, 8, step=4), 2), (Int("x", 0, 8), True)):
        with pytest.raises(ValueError):
            read_value(parameter, wrong)


@given(
    low=st.integers(-50, 50), width=st.integers(0, 200), step=st.integers(1, 17), log=st.booleans(), seed=st.integers()
)
def test_numbers_drawn_are_on_their_grid_and_are_values_of_their_parameter(low, width, step, log, seed):
    import random

    chance = random.Random(seed)
    parameters = [Int("i", low, low + width, step=step), Float("f", low, low + width, step=float(step))]
    if log:
        parameters = [Int("i", abs(low) + 1, abs(low) + 1 + width, log=True), Float("f", abs(low) + 0.5, 400.0, True)]
    for parameter in parameters:
        value = drawn(parameter, chance)
        assert parameter.low <= value <= parameter.high
        if parameter.step and not log:
            assert (value - parameter.low) % parameter.step == 0
        assert read_value(parameter, value) == value == fitted(parameter, value)


def best_draws(tmp_path, sampler, sources, space=SPACE, **options):
    folder = tmp_path / ("with" if sources else "without")
    folder.mkdir()
    study = Study(spec(space, sampler, **options), open_journal(folder / "study.journal"), sources)
    rates = []
    for _ in range(12):
        record = study.ask()
        rates.append(record.params["rate"])
        study.finish(record.number, TrialState.COMPLETE, {"rmse": abs(record.params["rate"] - 0.05)})
    return rates


def test_cma_es_begins_near_what_was_good_before_beside_parameters_that_it_does_not_search(tmp_path):
    pytest.importorskip("cmaes")
    space = Space((Float("rate", 0.0, 1.0), Float("other", 0.0, 1.0), Categorical("kind", ("a", "b"))))
    trials = [
        FinishedTrial({"rate": i / 60, "other": (i * 7 % 60) / 60, "kind": "ab"[i % 2]}, {"rmse": abs(i / 60 - 0.05)})
        for i in range(60)
    ]
    with_them = best_draws(tmp_path, "cmaes", [Source("old", tuple(trials))], space)[2:]
    without = best_draws(tmp_path, "cmaes", [], space)[2:]
    near = [sum(abs(rate - 0.05) < 0.2 for rate in rates) for rates in (with_them, without)]
    assert near[0] > near[1]


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii", "nsgaiii", "cmaes", "gp"])
def test_a_sampler_that_learns_draws_near_what_was_good_before(tmp_path, sampler):
    needs = {"cmaes": "cmaes", "gp": "torch"}.get(sampler)
    if needs and not importlib.util.find_spec(needs):
        pytest.skip(f"{needs} is not installed")
    space = Space((Float("rate", 0.0, 1.0), Float("other", 0.0, 1.0)))
    trials = [
        FinishedTrial({"rate": i / 60, "other": (i * 7 % 60) / 60}, {"rmse": abs(i / 60 - 0.05)}) for i in range(60)
    ]
    sources = [Source("old", tuple(trials))]
    # The first trials alone: nothing of this study can have been learned from yet.
    options = {"population_size": 10, "mutation_prob": 0.1} if sampler.startswith("nsga") else {}
    with_them = best_draws(tmp_path, sampler, sources, space, **options)[:6]
    without = best_draws(tmp_path, sampler, [], space, **options)[:6]
    near = [sum(abs(rate - 0.05) < 0.2 for rate in rates) for rates in (with_them, without)]
    assert near[0] > near[1]


def test_a_sampler_that_learns_nothing_says_so():
    assert translate([finished()], spec(sampler="random"))[1][-1] == "sampler random learns nothing from earlier trials"


def test_earlier_trials_are_no_trials_of_the_study(tmp_path):
    study = Study(spec(), open_journal(tmp_path / "study.journal"), [Source("old", (finished(),) * 20)])
    assert study.ask().number == 0
    assert len(study.trials()) == 1


def test_a_table_is_read_with_plain_prefixed_and_pandas_columns(tmp_path):
    for head in ("rate,units,rmse", "params.rate,params.units,values.rmse", "params_rate,params_units,value"):
        file = tmp_path / "trials.csv"
        file.write_text(
            f"trial,state,{head}\n0,COMPLETE,0.01,32,0.5\n1,PRUNED,0.02,32,0.7\n2,COMPLETE,,16,0.6\n3,COMPLETE,0.1,16,\n"
        )
        source = read_source(str(file), Root(tmp_path), spec())
        assert [t.values for t in source.trials] == [{"rmse": 0.5}, {"rmse": 0.6}]
        assert source.trials[0].params["rate"] == "0.01"
        assert "rate" not in source.trials[1].params
    file.write_text("a,rmes\n1,2\n")
    with pytest.raises(InvalidInput, match=r"the objective rmse; columns: a, rmes \(did you mean 'rmes'\?\)"):
        read_source(str(file), Root(tmp_path), spec())


def test_an_optuna_study_is_read_by_url_and_by_file_and_its_goals_are_checked(tmp_path):
    url = f"sqlite:///{tmp_path}/other.db"
    study = optuna.create_study(study_name="one", storage=url)
    study.enqueue_trial({"rate": 0.01})
    study.optimize(lambda trial: trial.suggest_float("rate", 1e-3, 1.0), n_trials=3)
    for named in (url, f"{tmp_path}/other.db", f"{url}#one"):
        source = read_source(named, Root(tmp_path), spec())
        assert source.trials[0] == FinishedTrial({"rate": 0.01}, {"rmse": 0.01})
    for wrong in (f"sqlite:///{tmp_path}/nosuch.db", f"{tmp_path}/nosuch.db", "sqlite://x:y/z"):
        with pytest.raises((InvalidInput, StoreError)):
            read_source(wrong, Root(tmp_path), spec())
    assert not (tmp_path / "nosuch.db").exists()
    for near in (f"sqlite:///{tmp_path}/ohter.db", f"{tmp_path}/ohter.db"):
        with pytest.raises(InvalidInput, match=r"did you mean 'other\.db'"):
            read_source(near, Root(tmp_path), spec())
    optuna.create_study(study_name="two", storage=url)
    with pytest.raises(InvalidInput, match="one of its studies: one, two"):
        read_source(url, Root(tmp_path), spec())
    with pytest.raises(InvalidInput, match="minimize rmse, expected maximize rmse"):
        read_source(f"{url}#one", Root(tmp_path), spec(objectives=(Objective("rmse", Goal.MAXIMIZE),)))


def test_a_name_that_is_no_sweep_is_refused_with_those_that_are_there(tmp_path):
    with pytest.raises(InvalidInput, match="no sweep 'housng'"):
        read_source("housng", Root(tmp_path), spec())


def test_values_that_optuna_holds_otherwise_come_back_from_a_journal_without_its_sweep(tmp_path):
    space = Space((Float("keep", 0.01, 0.99, log=True, reverse=True), Discrete("batch", (16, 32, 64)), Int("n", 1, 9)))
    study = Study(spec(space), open_journal(tmp_path / "study.journal"))
    drawn = [study.ask() for _ in range(4)]
    for trial in drawn:
        study.finish(trial.number, TrialState.COMPLETE, {"rmse": 1.0})
    source = read_source(str(tmp_path / "study.journal"), Root(tmp_path), spec(space))
    assert [dict(trial.params) for trial in source.trials] == [dict(trial.params) for trial in drawn]


def test_a_table_that_show_writes_brings_back_a_choice_that_is_null(tmp_path, capsys):
    row = {"state": "COMPLETE", "params": {"rate": 0.01, "choice": None}, "values": {"rmse": 0.5}}
    write_csv([row, {**row, "params": {"rate": 0.02}}])
    (tmp_path / "t.csv").write_text(capsys.readouterr().out)
    first, second = read_source(str(tmp_path / "t.csv"), Root(tmp_path), spec()).trials
    assert read_value(Categorical("choice", ("text", None)), first.params["choice"]) is None
    assert "choice" not in second.params
