"""Successive halving in its forms, against the papers' examples and a plain transcription of the algorithm."""

import random

import pytest

from tuner.domain.spec import TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers import Promotion
from tuner.schedulers.asha import AshaScheduler
from tuner.schedulers.asha_stopping import StoppingAshaScheduler
from tuner.schedulers.hyperband import HyperbandScheduler


def train(max_steps, every=1):
    return TrainSettings(max_steps, every)


def pause(scheduler, trial, step, loss):
    assert scheduler.report(trial, step, [loss]) is Decision.PAUSE
    scheduler.on_finished(trial, TrialState.PAUSED)


def test_nine_trials_with_eta_three_are_halved_to_three_and_one_as_in_the_papers_figure():
    asha = AshaScheduler(train(9), eta=3)
    losses = [0.5, 0.9, 0.1, 0.8, 0.3, 0.7, 0.2, 0.6, 0.4]
    for trial, loss in enumerate(losses):
        assert asha.next_stop(trial, 0) == 1
        pause(asha, trial, 1, loss)
    promoted = []
    while (found := asha.next_resume(True)) is not None:
        promoted.append(found.trial)
        assert asha.next_stop(found.trial, 1) == 3
    assert promoted == [2, 6, 4]
    for trial in promoted:
        pause(asha, trial, 3, losses[trial])
    last = asha.next_resume(True)
    assert last == Promotion(2)
    assert asha.next_stop(2, 3) is None  # to its end
    asha.on_finished(2, TrialState.COMPLETE)
    assert asha.next_resume(True) is None


def test_when_no_trial_is_left_to_draw_the_best_of_the_highest_rung_trains_to_the_end():
    asha = AshaScheduler(train(16), eta=4)
    for trial, loss in enumerate([0.3, 0.1, 0.2]):
        asha.next_stop(trial, 0)
        pause(asha, trial, 1, loss)
        assert asha.next_resume(True) is None
    for step, stop in ((1, 4), (4, None)):
        assert asha.next_resume(True) is None
        assert asha.next_resume(False) == Promotion(1)
        assert asha.next_stop(1, step) == stop
        assert asha.next_resume(False) is None  # it runs
        if stop is not None:
            pause(asha, 1, stop, 0.05)
    asha.on_finished(1, TrialState.COMPLETE)
    assert asha.next_resume(False) is None


class PlainAsha:
    """Algorithm 2 of the paper with Hyper-Tune's delayed promotion: rungs of (trial, loss), and which were promoted."""

    def __init__(self, rungs, eta):
        self.rungs = [{} for _ in range(rungs)]
        self.promoted = [set() for _ in range(rungs)]
        self.eta = eta

    def get_job(self):
        for k in reversed(range(len(self.rungs))):
            if len(self.promoted[k]) >= len(self.rungs[k]) // self.eta:
                continue
            candidates = sorted(self.rungs[k], key=lambda t: (self.rungs[k][t], t))[: len(self.rungs[k]) // self.eta]
            promotable = [t for t in candidates if t not in self.promoted[k]]
            if promotable:
                self.promoted[k].add(promotable[0])
                return promotable[0]
        return None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("eta", [2, 3, 4])
def test_promotions_equal_the_algorithms_on_random_asynchronous_histories(seed, eta):
    chance = random.Random(seed)
    most = eta ** {2: 6, 3: 4, 4: 3}[eta]
    rungs = list(_rungs(most, eta))
    asha, plain = AshaScheduler(train(most), eta=eta), PlainAsha(len(rungs), eta)
    running, at, drawn, promotions = {}, {}, 0, 0
    while len(running) < 6 or running:
        while len(running) < 6:
            wanted, found = plain.get_job(), asha.next_resume(True)
            assert (found.trial if found else None) == wanted
            if found is None and drawn >= 80:
                break
            trial = drawn if found is None else found.trial
            drawn += found is None
            promotions += found is not None
            running[trial] = asha.next_stop(trial, at.get(trial, 0))
        if not running:
            break
        trial = chance.choice(sorted(running))
        stop = running.pop(trial)
        if stop is None:
            asha.on_finished(trial, TrialState.COMPLETE)
            continue
        loss = chance.choice([chance.random(), 0.5, float("nan")])
        pause(asha, trial, stop, loss)
        at[trial] = stop
        plain.rungs[rungs.index(stop)][trial] = float("inf") if loss != loss else loss
    assert promotions > 10


def test_no_more_go_on_from_a_rung_than_its_share_though_each_newcomer_is_better():
    """As of a sampler that learns: each of 30 trials beats all before it."""
    asha = AshaScheduler(train(9), eta=3)
    gone = []
    for trial in range(30):
        asha.next_stop(trial, 0)
        pause(asha, trial, 1, -trial)
        if (found := asha.next_resume(True)) is not None:
            gone.append(found.trial)
            asha.next_stop(found.trial, 1)
    assert gone == [2, 5, 8, 11, 14, 17, 20, 23, 26, 29]  # the best at hand, whenever the share allows one


def test_a_restarted_driver_knows_how_many_have_gone_on():
    asha = AshaScheduler(train(9), eta=3)
    for trial in range(6):
        asha.replay(trial, {1: [trial]}, TrialState.PAUSED)
    for trial, state in ((6, TrialState.INTERRUPTED), (7, TrialState.INTERRUPTED), (8, TrialState.PAUSED)):
        asha.replay(trial, {1: [9.0], 2: [9.0], 3: [-trial]}, state)
    assert asha.next_resume(True) == Promotion(
        8
    )  # one of three goes on from the second rung; from the first three have
    asha.next_stop(8, 3)
    assert asha.next_resume(True) is None


def _rungs(most, eta):
    step = 1
    while step < most:
        yield step
        step *= eta


def test_where_the_end_is_near_the_last_rung_more_go_on_so_that_each_stretch_costs_the_same():
    asha, stopping = AshaScheduler(train(12), eta=4), StoppingAshaScheduler(train(12), eta=4)
    for trial in range(9):  # rungs at 1 and 4; the end is three times as far as the last
        asha.next_stop(trial, 1)
        pause(asha, trial, 4, trial / 10)
    promoted = []
    while (found := asha.next_resume(True)) is not None:
        promoted.append(found.trial)
        asha.next_stop(found.trial, 4)
    assert promoted == [0, 1, 2]
    assert [stopping.report(trial, 4, [-trial]) for trial in range(3)] == [Decision.CONTINUE] * 3
    assert [stopping.report(9, 4, [-1.5]), stopping.report(10, 4, [0.0])] == [Decision.STOP] * 2


def test_hyperband_has_no_bracket_whose_first_rung_is_nearly_the_end():
    hyperband = HyperbandScheduler(train(30), eta=3)
    assert {hyperband.bracket(t): hyperband.next_stop(t, 0) for t in range(60)} == {0: 1, 1: 3, 2: 9, 3: None}


def test_a_restarted_driver_promotes_as_the_one_before_would_have():
    first, second = AshaScheduler(train(16), eta=2), AshaScheduler(train(16), eta=2)
    for trial, loss in enumerate([0.4, 0.1, 0.3, 0.2]):
        first.next_stop(trial, 0)
        pause(first, trial, 1, loss)
    promoted = first.next_resume(True).trial
    first.next_stop(promoted, 1)
    for trial, loss in enumerate([0.4, 0.1, 0.3, 0.2]):
        state = TrialState.INTERRUPTED if trial == promoted else TrialState.PAUSED
        second.replay(trial, {1: [loss]}, state)
    assert second.next_stop(promoted, 1) == 2
    assert first.next_resume(True) == second.next_resume(True) == Promotion(3)


def test_the_stopping_variant_lets_the_first_trial_pass_and_then_one_in_eta():
    asha = StoppingAshaScheduler(train(9), eta=3)
    assert asha.report(0, 1, [0.9]) is Decision.CONTINUE
    assert asha.report(1, 1, [0.95]) is Decision.STOP
    assert asha.report(2, 1, [0.5]) is Decision.CONTINUE
    assert asha.report(3, 1, [0.6]) is Decision.STOP
    assert asha.report(2, 2, [99.0]) is Decision.CONTINUE  # no rung
    assert asha.report(4, 2, [99.0]) is Decision.STOP  # its first evaluation, behind the rung
    assert asha.report(5, 1, [float("nan")]) is Decision.STOP
    assert asha.report(2, 1, [0.5]) is Decision.CONTINUE  # said again


def test_hyperband_gives_its_brackets_the_shares_of_the_papers_table():
    # R = 81, eta = 3: the table of Hyperband has 81, 34, 15, 8 and 5 trials in its brackets.
    hyperband = HyperbandScheduler(train(81), eta=3)
    table = [81, 34, 15, 8, 5]
    found = [hyperband.bracket(trial) for trial in range(sum(table))]
    assert [found.count(bracket) for bracket in range(5)] == table
    first_rung = {hyperband.bracket(trial): hyperband.next_stop(trial, 0) for trial in range(143)}
    assert first_rung == {0: 1, 1: 3, 2: 9, 3: 27, 4: None}


def test_hyperband_compares_trials_with_those_of_their_bracket_alone():
    hyperband = HyperbandScheduler(train(9), eta=3)
    brackets = {}
    for trial in range(30):
        stop = hyperband.next_stop(trial, 0)
        brackets.setdefault(hyperband.bracket(trial), []).append(trial)
        if stop is not None:
            pause(hyperband, trial, stop, float(trial))
    promoted = []
    while (found := hyperband.next_resume(True)) is not None:
        promoted.append(found.trial)
        hyperband.next_stop(found.trial, 1 if hyperband.bracket(found.trial) == 0 else 3)
    for bracket in (0, 1):
        members = brackets[bracket]
        assert [t for t in promoted if t in members] == members[: len(members) // 3]


def test_promotion_by_front_takes_who_is_best_in_the_second_objective_too():
    train = TrainSettings(9, 1)
    losses = {0: (0.1, 0.9), 1: (0.9, 0.1), 2: (0.2, 1.0), 3: (0.95, 0.95), 4: (1.0, 0.99), 5: (1.0, 1.0)}
    promoted = {}
    for rank in ("first", "nondominated"):
        asha = AshaScheduler(train, eta=3, rank=rank)
        for trial, loss in losses.items():
            asha.next_stop(trial, 0)
            asha.report(trial, 1, loss)
            asha.on_finished(trial, TrialState.PAUSED)
        found = []
        while isinstance(step := asha.next_resume(True), Promotion):
            found.append(step.trial)
            asha.next_stop(step.trial, 1)
        promoted[rank] = found
    assert promoted == {"first": [0, 2], "nondominated": [0, 1]}


@pytest.mark.parametrize("shift", [-1, 0, 1, 30])
def test_a_command_that_evaluates_at_other_steps_is_judged_at_the_nearest_one(shift):
    """A loop that counts from 0 evaluates at 99, 199, ..."""
    every = TrainSettings(max_steps=1000, evaluate_every=100)
    asha, stopping = AshaScheduler(every, eta=3), StoppingAshaScheduler(every, eta=3)
    for trial, loss in enumerate([0.5, 0.4, 0.3]):
        assert asha.next_stop(trial, 0) == 100
        pause(asha, trial, 100 + shift, loss)
        assert stopping.report(trial, 100 + shift, [loss]) is Decision.CONTINUE
    assert stopping.report(3, 100 + shift, [0.6]) is Decision.STOP
    assert asha.next_resume(True) == Promotion(2)
    assert asha.next_stop(2, 100 + shift) == 300
    assert asha.report(2, 200 + shift, [0.2]) is Decision.CONTINUE
    assert asha.report(2, 300 + shift, [0.1]) is Decision.PAUSE
    after = AshaScheduler(every, eta=3)
    curves = [{100: [0.5]}, {100: [0.4]}, {100: [0.3], 200: [0.2]}]
    for trial, curve in enumerate(curves):
        state = TrialState.PAUSED if trial < 2 else TrialState.INTERRUPTED
        after.replay(trial, {step + shift: losses for step, losses in curve.items()}, state)
    assert after.next_resume(True) is None  # one of three has gone on
