"""A real journal: asked, told, cut off, locked."""

import json
import os
from dataclasses import replace

import pytest

from tests.study.studies import spec, study
from tuner.domain.objective import Goal, Objective
from tuner.domain.spec import Named, SearchSettings, SweepSpec, TrainSettings
from tuner.domain.trial import TrialState
from tuner.driver.peers import SoleDriver
from tuner.files.driver_lock import DriverLock
from tuner.files.paths import SweepDir
from tuner.space import Int, Space
from tuner.study import Study, read_trials
from tuner.study.storage import memory_storage, open_journal


def drawn(sweep_dir, count, **kwargs):
    found = []
    one = study(sweep_dir, **kwargs)
    for _ in range(count):
        record = one.ask()
        one.finish(record.number, TrialState.COMPLETE, {"rmse": record.params["rate"]})
        found.append(record.params)
    return found


@pytest.mark.parametrize("sampler", ["random", "tpe", "qmc"])
def test_a_restarted_driver_draws_what_an_undisturbed_one_would_have_drawn(sampler, sweep_dir, tmp_path):
    other = SweepDir(tmp_path / "mlruns" / "sweeps" / "t")
    other.path.mkdir()
    whole = drawn(sweep_dir, 14, sampler=sampler)
    assert drawn(other, 12, sampler=sampler) + drawn(other, 2, sampler=sampler) == whole


def test_parameters_come_back_as_the_model_sees_them_with_lists_and_kinds_kept(sweep_dir):
    one = study(sweep_dir)
    asked = [one.ask() for _ in range(40)]
    read = read_trials(sweep_dir, spec())
    assert [r.params for r in read] == [a.params for a in asked]
    assert {repr(r.params["shape"]) for r in read} == {"[1, 2]", "[3]", "True", "1"}
    assert all(("momentum" in r.params) == (r.params["units"] in (16, 32)) for r in read)
    assert all(r.params["batch"] == 8 for r in read)


def test_a_trial_left_half_drawn_is_taken_up_with_the_rest_of_its_parameters(sweep_dir, tmp_path):
    one = study(sweep_dir)
    expected = one.ask().params
    lines = sweep_dir.journal_file.read_bytes().splitlines(keepends=True)
    sweep_dir.journal_file.write_bytes(b"".join(lines[:-2]))
    assert len(read_trials(sweep_dir, spec())[0].params) < len(expected)
    assert study(sweep_dir).take_up(0).params == expected


def test_a_trial_whose_driver_died_before_it_had_told_optuna_is_told_again(sweep_dir):
    one = study(sweep_dir)
    number = one.ask().number
    one.note(number, state="COMPLETE", values={"rmse": 0.5}, reason="")  # killed here
    (left,) = read_trials(sweep_dir, spec())
    assert (left.state, left.told) == (TrialState.COMPLETE, False)
    again = study(sweep_dir)
    again.tell_again(left)
    (record,) = read_trials(sweep_dir, spec())
    assert (record.state, record.values, record.told) == (TrialState.COMPLETE, {"rmse": 0.5}, True)
    storage = open_journal(sweep_dir.journal_file)
    (frozen,) = storage.get_all_trials(storage.get_study_id_from_name("s"))
    assert (frozen.state.name, frozen.values) == ("COMPLETE", [0.5])


def test_a_starting_point_is_tried_once_though_a_driver_died_before_it_had_counted_it(sweep_dir):
    points = [{"rate": 1e-3}, {"rate": 1e-2}]
    one = study(sweep_dir)
    counted = one.set_attributes
    one.set_attributes = lambda **values: None if "enqueued" in values else counted(**values)
    one.enqueue(points[:1])  # killed here
    again = study(sweep_dir)
    again.enqueue(points)
    assert [again.ask().params["rate"] for _ in range(2)] == [1e-3, 1e-2]
    again.enqueue(points)
    assert again.ask().params["rate"] not in (1e-3, 1e-2)


def test_states_that_optuna_does_not_know_are_kept(sweep_dir):
    one = study(sweep_dir)
    one.ask()
    one.note(0, state="PAUSED", reason="at its rung")
    one.report(0, 10, {"rmse": 1.5})
    (record,) = read_trials(sweep_dir, spec())
    assert (record.state, record.reason, record.curve) == (TrialState.PAUSED, "at its rung", {10: 1.5})
    one.finish(0, TrialState.PRUNED, {"rmse": 1.5}, reason="paused when the sweep ended")
    (record,) = read_trials(sweep_dir, spec())
    assert (record.state, record.values) == (TrialState.PRUNED, {"rmse": 1.5})


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsgaii", "nsgaiii"])
def test_samplers_draw_beside_pruned_and_paused_trials_with_several_objectives(sweep_dir, sampler):
    both = replace(spec(sampler), objectives=(Objective("rmse"), Objective("loss", Goal.MAXIMIZE)))
    one = Study(both, open_journal(sweep_dir.journal_file))
    for number in range(24):
        values = {"rmse": one.ask().params["rate"], "loss": float(number)}
        one.report(number, 10, values)
        if number % 3:
            one.finish(number, TrialState.PRUNED if number % 3 == 1 else TrialState.COMPLETE, values)
        else:
            one.note(number, state="PAUSED")
    (record, *_) = read_trials(sweep_dir, both)
    assert (record.state, record.others) == (TrialState.PAUSED, {"loss": {10: 0.0}})


def test_what_a_driver_that_died_or_failed_was_at_work_is_known_to_the_next_and_to_no_other(tmp_path):
    file = tmp_path / "driver.lock"
    lock = DriverLock(file)
    with pytest.raises(OSError, match="full"), lock:
        raise OSError("full")
    assert lock.left is None
    written = json.loads(file.read_text())
    file.write_text(json.dumps({**written, "time": 1000.0}))
    os.utime(file, (1030.0, 1030.0))
    with DriverLock(file) as after:
        assert after.left == (1000.0, 1030.0)
        assert SoleDriver(after).unrecorded_s(noted_at=0.0) == 30.0
        assert SoleDriver(after).unrecorded_s(noted_at=1020.0) == 0.0  # it had
    with DriverLock(file) as later:
        assert later.left is None


POINTS = [{"units": 32}, {"rate": 0.01, "units": 64, "momentum": 0.5}, {"shape": [3]}, {}]


def of_optuna(seed):
    """What Optuna's own loop tries of the same points, over the same space."""
    import optuna

    def objective(trial):
        trial.suggest_float("rate", 1e-4, 1e-1, log=True)
        units = trial.suggest_int("units", 16, 64, step=16)
        trial.suggest_categorical("shape", ["[1, 2]", "[3]", "true", "1"])
        if units in (16, 32):
            trial.suggest_float("momentum", 0.0, 0.9)
        return 0.0

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    one = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    for point in POINTS:
        one.enqueue_trial({**point, **({"shape": "[3]"} if "shape" in point else {})})
    one.optimize(objective, n_trials=len(POINTS))
    return [trial.params for trial in one.trials]


def of_ours(seed, sampler):
    one = Study(spec(sampler, seed), memory_storage())
    one.enqueue(POINTS)
    return [one.ask().params for _ in POINTS]


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_starting_point_fixes_what_it_names_and_the_sampler_draws_the_rest_as_in_optuna(sampler):
    ours = [of_ours(seed, sampler) for seed in range(6)]
    theirs = [of_optuna(seed) for seed in range(6)]
    for place, point in enumerate(POINTS):
        for tried in (ours, theirs):
            drawn = [params[place] for params in tried]
            free = ("rate", "units", "shape")
            assert {name for name in free if len({str(params[name]) for params in drawn}) == 1} == point.keys() & {
                *free
            }
            assert all(("momentum" in params) == (params["units"] in (16, 32)) for params in drawn)
    assert all(params[0]["units"] == 32 for params in ours)
    assert all((params[1]["rate"], "momentum" in params[1]) == (0.01, False) for params in ours)
    assert all(params[2]["shape"] == [3] for params in ours)


@pytest.mark.parametrize("sampler", ["random", "tpe", "grid"])
def test_a_failed_trial_runs_again_under_its_number_and_what_failed_stays_in_optuna(sampler, sweep_dir):
    if sampler == "grid":
        space = Space((Int("units", 16, 64, step=16),), {})
        search = SearchSettings(sampler=Named("grid"))
        wanted = SweepSpec("s", (Objective("rmse"),), space, TrainSettings(100, 10), search)
    else:
        wanted = spec(sampler=sampler)
    one = Study(wanted, open_journal(sweep_dir.journal_file))
    first, second, third = (one.ask() for _ in range(3))
    one.report(second.number, 10, {"rmse": 2.0})
    one.note(second.number, attempts=1, tags={"mine": "kept"})
    one.finish(first.number, TrialState.COMPLETE, {"rmse": 1.0})
    one.finish(second.number, TrialState.FAIL, {}, reason="it raised", seconds=3.0)
    one.finish(third.number, TrialState.COMPLETE, {"rmse": 3.0})
    for number in (0, 1):  # one that is complete stays so
        one.reopen(number)
    again = Study(wanted, open_journal(sweep_dir.journal_file))  # as after a driver's death
    (waits,) = [record for record in again.trials() if record.state is TrialState.INTERRUPTED]
    assert [record.number for record in again.trials()] == [0, 1, 2]
    assert (waits.number, waits.params, waits.curve) == (1, second.params, {10: 2.0})
    assert (waits.reason, waits.seconds, waits.attempts, waits.tags) == ("", 3.0, 1, {"mine": "kept"})
    assert one._storage.get_trial(1).user_attrs["tuner"]["lives"] == 1  # on the disk as in the first version
    assert again.take_up(1).params == second.params
    again.report(1, 20, {"rmse": 0.5})
    again.finish(1, TrialState.COMPLETE, {"rmse": 0.5})
    found = read_trials(sweep_dir, wanted)
    assert [(t.number, t.state, t.values) for t in found][1] == (1, TrialState.COMPLETE, {"rmse": 0.5})
    fresh = again.ask()
    assert fresh.number not in {0, 1, 2}
    if sampler == "grid":
        assert {t.params["units"] for t in (*found, fresh)} == {16, 32, 48, 64}
    in_optuna = [t.state.name for t in again._study.get_trials(deepcopy=False)]
    assert in_optuna == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE", "RUNNING"]


def test_samplers_take_an_infinite_objective_for_the_worst_whatever_its_sign(sweep_dir):
    import optuna

    from tuner.study.encoding import SamplerView

    one = study(sweep_dir)
    number = one.ask().number
    one.report(number, 10, {"rmse": float("-inf")})
    one.finish(number, TrialState.PRUNED, {"rmse": float("-inf")})
    held = optuna.load_study(study_name="s", storage=open_journal(sweep_dir.journal_file)).trials[0]
    seen = SamplerView().trial(held)
    assert held.intermediate_values == {10: float("-inf")} and str(seen.intermediate_values) == "{10: nan}"
    assert held.value == float("inf")
    assert read_trials(sweep_dir, spec())[0].values == {"rmse": float("-inf")}
