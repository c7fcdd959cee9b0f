"""Population based training: who is replaced by whom, what changes, and what a restarted driver decides."""

import random

import pytest

from tests.space.spaces import BATCH, KEEP
from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.errors import InvalidInput
from tuner.schedulers import Exploit, Promotion
from tuner.schedulers.pbt import PbtScheduler, _moved
from tuner.space import Categorical, Float, Int, Space
from tuner.space.drawing import drawn

SPACE = Space(
    (
        Float("learning_rate", 1e-4, 1e-1, log=True),
        Int("units", 16, 64, step=16),
        Categorical("optimizer", ("a", "b", "c")),
    )
)
TRAIN = TrainSettings(40, 10)


def pbt(**options):
    return PbtScheduler(TRAIN, SPACE, seed=0, **{"population": 4, "every": 10, **options})


def begin(scheduler, trials=range(4)):
    for trial in trials:
        assert scheduler.wants_new_trial()
        scheduler.on_begin(trial, {"learning_rate": 0.01 * (trial + 1), "units": 32, "optimizer": "b"})


def reach(scheduler, trial, step, loss):
    decision = scheduler.report(trial, step, [loss])
    if step < TRAIN.max_steps:
        assert decision is Decision.PAUSE
        scheduler.on_finished(trial, TrialState.PAUSED)


def test_members_wait_for_each_other_and_then_the_worst_quarter_goes_on_from_the_best():
    scheduler = pbt()
    begin(scheduler)
    assert not scheduler.wants_new_trial()
    for trial, loss in ((0, 0.3), (1, 0.1), (2, 0.9)):
        assert scheduler.next_stop(trial, 0) == 10
        reach(scheduler, trial, 10, loss)
        assert scheduler.next_resume(True) is None
    reach(scheduler, 3, 10, 0.5)
    found = scheduler.next_resume(True)
    assert isinstance(found, Exploit)
    assert (found.trial, found.donor, found.step) == (2, 1, 10)
    assert found.params["units"] == 32 and found.params["optimizer"] == "b"
    assert found.params["learning_rate"] != 0.02
    assert 1e-4 <= found.params["learning_rate"] <= 1e-1
    scheduler.on_begin(4, found.params, replaces=2, step=10)
    scheduler.on_finished(2, TrialState.PRUNED)
    promoted = []
    while isinstance(step := scheduler.next_resume(True), Promotion):
        promoted.append(step.trial)
        scheduler.next_stop(step.trial, 10)
    assert promoted == [0, 1, 3]
    assert scheduler.next_stop(4, 10) == 20


def test_a_generation_ends_when_all_members_have_paused_as_their_checkpoints_are_there_then():
    scheduler = pbt()
    begin(scheduler)
    for trial, loss in ((0, 0.3), (2, 0.9), (3, 0.5)):
        reach(scheduler, trial, 10, loss)
    assert scheduler.report(1, 10, [0.1]) is Decision.PAUSE
    assert scheduler.next_resume(True) is None  # it still runs
    scheduler.on_finished(1, TrialState.PAUSED)
    found = scheduler.next_resume(True)
    assert isinstance(found, Exploit) and (found.trial, found.donor) == (2, 1)


def test_without_room_for_another_trial_everybody_goes_on():
    scheduler = pbt()
    begin(scheduler)
    for trial in range(4):
        reach(scheduler, trial, 10, float(trial))
    promoted = []
    while (step := scheduler.next_resume(False)) is not None:
        promoted.append(step.trial)
        scheduler.next_stop(step.trial, 10)
    assert promoted == [0, 1, 2, 3]


def test_a_driver_that_died_between_two_exploits_takes_up_the_other_one():
    scheduler, other = pbt(quantile=0.5), pbt(quantile=0.5)
    begin(scheduler)
    for trial in range(4):
        reach(scheduler, trial, 10, float(trial))
    first = scheduler.next_resume(True)
    scheduler.on_begin(4, first.params, replaces=first.trial, step=10)
    scheduler.on_finished(first.trial, TrialState.PRUNED)
    second = scheduler.next_resume(True)
    assert isinstance(second, Exploit)
    begin(other)
    other.on_begin(4, first.params, replaces=first.trial, step=10)
    for trial in range(4):
        state = TrialState.PRUNED if trial == first.trial else TrialState.PAUSED
        other.replay(trial, {10: [float(trial)]}, state)
    other.replay(4, {}, TrialState.INTERRUPTED)
    assert other.next_resume(True) == second


def test_a_member_that_failed_is_not_waited_for():
    scheduler = pbt()
    begin(scheduler)
    scheduler.on_finished(0, TrialState.FAIL)
    for trial in (1, 2, 3):
        reach(scheduler, trial, 10, float(trial))
    assert isinstance(scheduler.next_resume(True), Exploit)


def test_another_population_is_drawn_when_the_first_is_done():
    scheduler = pbt()
    begin(scheduler)
    for trial in range(4):
        scheduler.on_finished(trial, TrialState.COMPLETE)
    assert scheduler.wants_new_trial()
    begin(scheduler, [4])
    assert scheduler.wants_new_trial()


@pytest.mark.parametrize("names", [["units"], ["optimizer"], ["learning_rate", "units"]])
def test_only_named_parameters_change_and_stay_in_their_space(names):
    scheduler = pbt(perturb=names)
    begin(scheduler)
    for trial in range(4):
        reach(scheduler, trial, 10, float(trial))
    found = scheduler.next_resume(True)
    before = {"learning_rate": 0.01 * (found.donor + 1), "units": 32, "optimizer": "b"}
    assert {name for name in before if before[name] != found.params[name]} <= set(names)
    assert found.params["units"] in (16, 32, 48, 64)
    assert found.params["optimizer"] in ("a", "b", "c")


@pytest.mark.parametrize(
    "options",
    [{"population": 1}, {"quantile": 0.7}, {"resample": 2.0}, {"perturb": ["learning_rat"]}, {"perturb": []}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InvalidInput):
        pbt(**options)


def test_a_parameter_that_is_not_there_is_answered_with_the_near_one():
    with pytest.raises(InvalidInput, match=r"no parameter 'learning_rat'; .* \(did you mean 'learning_rate'\?\)"):
        pbt(perturb=["learning_rat"])


def test_a_donor_that_had_not_drawn_all_of_its_parameters_when_it_was_told_passes_on_those_that_it_drew_later():
    scheduler = pbt()
    scheduler.on_begin(0, {"learning_rate": 0.01})
    begin(scheduler, range(1, 4))
    scheduler.on_begin(0, {"learning_rate": 0.01, "units": 32, "optimizer": "b"})
    assert not scheduler.wants_new_trial()
    for trial, loss in ((0, 0.1), (1, 0.2), (2, 0.9), (3, 0.5)):
        reach(scheduler, trial, 10, loss)
    found = scheduler.next_resume(True)
    assert (found.donor, found.params.keys()) == (0, {"learning_rate", "units", "optimizer"})


def test_a_population_by_front_replaces_the_one_that_is_dominated():
    space = Space((Float("x", 0.0, 1.0),))
    scheduler = PbtScheduler(TrainSettings(40, 10), space, 0, population=4, every=10, rank="nondominated")
    for trial, losses in enumerate([(0.1, 0.9), (0.9, 0.1), (0.5, 0.5), (0.6, 0.6)]):
        scheduler.on_begin(trial, {"x": 0.5})
        scheduler.report(trial, 10, losses)
        scheduler.on_finished(trial, TrialState.PAUSED)
    assert scheduler.next_resume(True).trial == 3


def test_a_population_moves_to_neighbours_and_draws_on_their_scale():
    chance = random.Random(0)
    assert {_moved(BATCH, 32, chance) for _ in range(50)} == {16, 100}
    assert {_moved(BATCH, 16, chance) for _ in range(50)} == {16, 32}


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (Int("layers", 1, 8), 2, {1, 3}),
        (Int("layers", 1, 8), 1, {1, 2}),
        (Int("units", 16, 256, step=16), 32, {16, 48}),
        (Float("momentum", 0.0, 0.9, step=0.1), 0.2, {0.1, 0.30000000000000004}),
        (Float("dropout", 0.0, 0.5), 0.0, {0.0, 0.1}),
        (Float("rate", 0.1, 1.0), 0.5, {0.4, 0.6}),
    ],
)
def test_a_number_moves_by_a_fifth_or_if_that_is_nothing_by_a_step(parameter, value, expected):
    chance = random.Random(0)
    assert {_moved(parameter, value, chance) for _ in range(50)} == expected
    values = [drawn(KEEP, chance) for _ in range(2000)]
    assert min(values) >= 0.01 and max(values) <= 0.999
    # Half of a logarithmic scale lies between the low end and the geometric mean; mirrored, at the top.
    middle = 0.01 + 0.999 - (0.01 * 0.999) ** 0.5
    assert sum(value > middle for value in values) == pytest.approx(1000, abs=100)
