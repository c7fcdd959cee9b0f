"""Sets of parameters that are trained with several seeds: grouped, judged, drawn around."""

import math
from dataclasses import replace

import pytest

from tests.study.studies import spec
from tuner.domain.objective import Goal
from tuner.domain.repeats import SeedGroups, groups_of
from tuner.domain.spec import Budget, Named, SearchSettings
from tuner.domain.tags import REPEAT_OF
from tuner.domain.trial import TrialState
from tuner.driver.repeat_queue import RepeatQueue
from tuner.driver.stop_criteria import StopCriteria
from tuner.study import Study
from tuner.study.storage import memory_storage

COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL


def tags(first):
    return {REPEAT_OF: str(first)}


def test_a_set_is_judged_by_mean_and_spread_and_its_trial_nearest_to_the_mean_stands_for_it():
    groups = SeedGroups(3, Goal.MINIMIZE)
    groups.finish(4, {}, COMPLETE, 1.0)
    groups.finish(5, tags(4), COMPLETE, 4.0)
    assert groups.best is None and groups.best_of_all().typical == 4
    group = groups.finish(6, tags(4), COMPLETE, 2.0)
    assert (group.mean, group.spread, group.typical) == (7 / 3, pytest.approx(math.sqrt(7 / 3)), 6)
    assert groups.finish(6, tags(4), COMPLETE, 9.0) == group  # a record that comes twice counts once
    assert str(group) == "mean 2.33333, spread 1.53 over 3 seeds"


def test_a_set_with_a_trial_that_is_not_complete_never_wins_over_whole_ones():
    groups = SeedGroups(2, Goal.MAXIMIZE)
    groups.finish(0, {}, COMPLETE, 9.0)
    groups.finish(1, tags(0), FAIL, None)
    assert groups.best is None and groups.best_of_all().first == 0
    for number, value in ((2, 1.0), (3, 3.0), (4, 2.0), (5, 2.0), (6, 0.0), (7, 5.0)):
        groups.finish(number, tags(number // 2 * 2) if number % 2 else {}, COMPLETE, value)
    assert (groups.best.first, groups.best.typical, groups.best.mean) == (6, 6, 2.5)


def test_of_two_seeds_the_first_stands_for_both_whatever_their_mean_is_rounded_to():
    for step in range(1, 200):
        groups = SeedGroups(2, Goal.MINIMIZE)
        groups.finish(0, {}, COMPLETE, 0.1 * step)
        assert groups.finish(1, tags(0), COMPLETE, 0.7 / step).typical == 0


def test_an_infinite_value_makes_an_infinite_mean_and_no_error():
    groups = SeedGroups(2, Goal.MINIMIZE)
    groups.finish(0, {}, COMPLETE, math.inf)
    group = groups.finish(1, tags(0), COMPLETE, 1.0)
    assert group.mean == math.inf and math.isnan(group.spread) and group.typical == 0


def test_a_set_is_over_when_all_have_finished_or_one_was_pruned():
    groups = SeedGroups(2, Goal.MINIMIZE)
    assert not groups.is_decided(groups.finish(0, {}, COMPLETE, 1.0))
    assert groups.is_decided(groups.finish(1, tags(0), FAIL, None))
    assert groups.is_decided(groups.finish(2, {}, PRUNED, 1.0))


def test_a_plateau_counts_sets_of_parameters():
    limits = StopCriteria(SearchSettings(repeats=2, budget=Budget(plateau=2)), Goal.MINIMIZE)
    for mean, judged in ((None, False), (1.0, True), (None, False), (1.5, True), (None, False)):
        limits.count_finished(COMPLETE, "", mean, judged)
        assert limits.reached(0.0) is None
    limits.count_finished(COMPLETE, "", 1.2, True)
    assert limits.reached(0.0).reason == "no better set of parameters among the last 2"


def run(study, repeating, count, outcome=lambda number, rate: (COMPLETE, rate + number % 2)):
    """Begin and finish trials one after another, as a sweep with one worker does."""
    for _ in range(count):
        again = repeating.next()
        record = study.begin(*again) if again else study.ask()
        repeating.add(record)
        state, value = outcome(record.number, record.params["rate"])
        record = replace(record, state=state)
        study.finish(record.number, state, {"rmse": value} if value is not None else {}, tags=dict(record.tags))
        repeating.add(record)


def repeated(sampler, repeats=2, storage=None, **search):
    made = spec(sampler)
    made = replace(made, search=replace(made.search, repeats=repeats, **search))
    study, repeating = Study(made, storage or memory_storage()), RepeatQueue(repeats)
    for record in study.trials():
        repeating.add(record)
    return made, study, repeating


@pytest.mark.parametrize("sampler", ["random", "tpe", "qmc"])
def test_trials_of_a_set_have_its_parameters_and_a_restarted_driver_goes_on_in_the_middle_of_one(sampler):
    _, whole, repeating = repeated(sampler)
    run(whole, repeating, 30)
    storage = memory_storage()
    for part in (1, 12, 17):
        _, study, repeating = repeated(sampler, storage=storage)
        run(study, repeating, part)
    found = [(t.params, t.values, t.tags) for t in study.trials()]
    assert found == [(t.params, t.values, t.tags) for t in whole.trials()]
    assert all(a[0] == b[0] and b[2] == {REPEAT_OF: str(2 * i), "tuner.repeat": "1"}
               for i, (a, b) in enumerate(zip(found[::2], found[1::2], strict=True)))  # fmt: skip
    assert len({str(params) for params, *_ in found}) == 15


def test_the_sampler_is_shown_one_trial_for_a_set_with_the_mean():
    from optuna.trial import TrialState as Optuna

    _, study, repeating = repeated("tpe")
    run(study, repeating, 8)
    seen = study._study.sampler._seen(study._study)._get_trials(deepcopy=False, states=(Optuna.COMPLETE,))
    assert [t.number for t in seen] == [0, 2, 4, 6]
    rates = [t.params["rate"] for t in study.trials()[::2]]
    assert [t.value for t in seen] == pytest.approx([rate + 0.5 for rate in rates])
    assert study._study.trials[0].value == rates[0]  # what stands in the study is each trial's own


def test_a_set_of_which_a_trial_was_pruned_is_pruned_to_the_sampler_and_is_not_trained_again():
    from optuna.trial import TrialState as Optuna

    made, study, repeating = repeated("tpe", repeats=3)
    run(study, repeating, 5, lambda number, rate: (PRUNED if number == 1 else COMPLETE, rate))
    assert [t.tags.get(REPEAT_OF) for t in study.trials()] == [None, "0", None, "2", "2"]
    seen = study._study.sampler._seen(study._study)._get_trials(deepcopy=False)
    assert [(t.number, t.state) for t in seen] == [(0, Optuna.PRUNED), (2, Optuna.COMPLETE)]
    assert repeating.left_out == 1
    assert groups_of(study.trials(), made).best.first == 2


def test_a_grid_is_gone_through_once_with_each_seed():
    made, _, repeating = repeated("random")
    space = replace(made.space, parameters=(made.space.parameters[1],))  # four values
    study = Study(replace(made, space=space, search=replace(made.search, sampler=Named("grid"))), memory_storage())
    for number in range(8):
        again = repeating.next()
        record = study.begin(*again) if again else study.ask()
        repeating.add(record)
        study.finish(number, COMPLETE, {"rmse": 1.0}, tags=dict(record.tags))
    units = [t.params["units"] for t in study.trials()]
    assert units[::2] == units[1::2] and sorted(units[::2]) == [16, 32, 48, 64]


def test_points_to_begin_with_are_repeated_too():
    _, study, repeating = repeated("random")
    study.enqueue([{"rate": 0.01}, {"rate": 0.02}])
    run(study, repeating, 5)
    by_number = {t.number: t for t in study.trials()}
    assert [by_number[n].params["rate"] for n in (0, 1, 2, 3)] == [0.01, 0.02, 0.01, 0.02]
    assert [by_number[n].tags.get(REPEAT_OF) for n in (0, 1, 2, 3, 4)] == [None, None, "0", "1", None]


def test_the_line_of_the_best_so_far_goes_by_means():
    from tuner.domain.trial import TrialRecord
    from tuner.plots.sweep_charts import history

    made, *_ = repeated("random")
    records = [
        TrialRecord(number, COMPLETE, {}, values={"rmse": value}, tags=tags(number - 1) if number % 2 else {})
        for number, value in enumerate((1.0, 5.0, 2.0, 2.5))
    ]
    line = history(made, records).panels[0].series[-1]
    assert (line.name, list(line.x), list(line.y)) == ("best so far", [1, 3, 3], [3.0, 2.25, 2.25])
