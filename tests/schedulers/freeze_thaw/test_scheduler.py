"""Freeze-thaw search as the loop drives it: each decision a function of what was seen, whoever has seen it."""

import math
import random
import subprocess
import sys
from collections import Counter

import pytest

from tuner.domain.objective import Objective
from tuner.domain.spec import Budget, SearchSettings, TrainSettings
from tuner.domain.trial import Decision, TrialState
from tuner.schedulers import Begin, Promotion
from tuner.schedulers.freeze_thaw import FreezeThawScheduler
from tuner.space import Categorical, Float, Int, Space

SPACE = Space(
    (
        Float("rate", 1e-4, 1.0, log=True),
        Int("units", 16, 256),
        Categorical("optimizer", ("adam", "sgd")),
        Float("momentum", 0.0, 0.9, when={"optimizer": ("sgd",)}),
    )
)
TRAIN = TrainSettings(max_steps=135, evaluate_every=10)  # the last evaluation comes after half as many steps
LONG = TrainSettings(max_steps=245, evaluate_every=10)  # so long that the second rung is early, too


def loss(params, step):
    away = abs(math.log10(params.get("rate", 0.1)) + 2) + abs(params.get("units", 100) - 128) / 128
    return 0.2 + away + (1.0 if params.get("optimizer") == "sgd" else 0.5) * math.exp(-step / 40)


class Sweep:
    """What a driver does with a scheduler, one worker at a time, without trials."""

    def __init__(self, trials, space=SPACE, train=TRAIN, loss=loss, repeats=1, seed=0, start=0.0, **limits):
        self.search = SearchSettings(trials=trials, seed=seed, repeats=repeats, **limits)
        self.space, self.train, self.loss = space, train, loss
        self.params, self.memory, self.curves, self.states = {}, {}, {}, {}
        self.start, self.starts = start, Counter()  # evaluations that take as long as a start, and how many there were
        self.history, self.shown = [], []  # what was decided; trial and step of each evaluation
        self.restart()

    def restart(self):
        """Begin with a new scheduler, as a driver does that finds the sweep in its study."""
        self.scheduler = FreezeThawScheduler(self.train, self.space, self.search, [Objective("rmse")])
        for trial, params in self.params.items():
            self.scheduler.on_begin(trial, params, memory=self.memory[trial])
            self.took(trial)
            self.scheduler.replay(trial, {s: [v] for s, v in self.curves[trial].items()}, self.states[trial])

    def run(self, restart=lambda: False):
        while (found := self.scheduler.next_resume(len(self.params) < self.search.trials)) is not None:
            if isinstance(found, Promotion):
                trial = found.trial
            else:
                trial = len(self.params)
                self.params[trial], self.memory[trial] = found.params, found.memory
                self.curves[trial] = {}
                self.scheduler.on_begin(trial, found.params, memory=found.memory)
            self.starts[trial] += 1
            self.history.append((trial, max(self.curves[trial], default=0), dict(self.params[trial])))
            self.train_on(trial, restart)
            if restart():
                self.restart()
        return self

    def train_on(self, trial, restart):
        every, end = self.train.bounds()
        curve = self.curves[trial]
        self.scheduler.next_stop(trial, max(curve, default=0))
        for step in [*range(every, end, every), end]:
            if step > max(curve, default=0):
                curve[step] = self.loss(self.params[trial], step)
                self.shown.append((trial, step))
            decision = self.scheduler.report(trial, step, [curve[step]])
            if restart() and decision is Decision.CONTINUE and step < end:
                self.states[trial] = TrialState.INTERRUPTED  # its driver died after it had reported
                self.restart()
                return self.train_on(trial, lambda: False)
            if decision is Decision.PAUSE and step < end and step == max(curve):
                break
        self.states[trial] = TrialState.COMPLETE if max(curve) == end else TrialState.PAUSED
        self.took(trial)
        self.scheduler.on_finished(trial, self.states[trial])
        return None

    def took(self, trial):
        """Tell the seconds of a trial: one for each step."""
        every, starts, steps = self.train.bounds()[0], self.starts[trial], max(self.curves[trial], default=0)
        start = self.start * every * starts
        self.scheduler.took(trial, start + steps, start + every * starts, steps, starts)


def test_one_seed_gives_one_history_another_seed_another():
    assert Sweep(20).run().history == Sweep(20).run().history
    assert Sweep(20).run().history != Sweep(20, seed=1).run().history


@pytest.mark.parametrize("seed", range(4))
def test_drivers_that_die_decide_together_as_one_that_lives(seed):
    chance = random.Random(seed)
    assert Sweep(20).run(lambda: chance.random() < 0.1).history == Sweep(20).run().history


def test_a_trial_that_is_paused_at_its_rung_again_after_its_driver_died_has_not_gone_on():
    """It was resumed where it stood, and so counted among those that go on: another one lost its place."""

    def promoted(died):
        scheduler = FreezeThawScheduler(TRAIN, SPACE, SearchSettings(trials=40), [Objective("rmse")])
        for trial in range(4):
            scheduler.took(trial, seconds=30.0, starting=10.0, steps=30, attempts=1)  # starts take no time
        for trial in range(15):
            scheduler.on_begin(trial, {"rate": 0.1, "units": 20 + trial, "optimizer": "adam"})
            scheduler.next_stop(trial, 10 if trial in died else 0)
            if trial in died:
                scheduler.replay(trial, {10: [15.0 - trial]}, TrialState.RUNNING)
                scheduler.next_stop(trial, 10)
            scheduler.report(trial, 10, [15.0 - trial])
            scheduler.on_finished(trial, TrialState.PAUSED)
        found = []
        while isinstance(step := scheduler.next_resume(True), Promotion):
            found.append(step.trial)
            scheduler.next_stop(step.trial, 10)
        return found

    assert promoted(died=()) == promoted(died=(0, 1, 2)) == [14, 13, 12]


@pytest.mark.parametrize("seed", range(3))
def test_drivers_that_die_decide_as_one_that_lives_however_long_starts_take(seed):
    chance = random.Random(seed)
    undisturbed = Sweep(20, train=LONG, start=1.0).run().history
    assert Sweep(20, train=LONG, start=1.0).run(lambda: chance.random() < 0.1).history == undisturbed


def paused_at(start, train=LONG):
    """Return the evaluations at which trials were paused, those that were known before seconds were left out."""
    history = Sweep(30, train=train, start=start).run().history
    return {math.ceil(step / 10) for _, step, _ in history[12:] if step}


def test_trials_are_not_paused_at_a_rung_to_which_the_way_is_shorter_than_a_start():
    assert 1 in paused_at(start=0.0) and 1 in paused_at(start=0.5)
    assert 1 not in paused_at(start=1.0) | paused_at(start=50.0)
    assert paused_at(start=1.0) <= {3, 9}
    assert 1 in paused_at(start=50.0, train=TRAIN)  # of which the second rung is a fifth


def test_what_was_paused_at_the_first_rung_before_seconds_were_recorded_goes_on_by_its_place_there():
    """As in a sweep that an older version began."""
    scheduler = FreezeThawScheduler(LONG, SPACE, SearchSettings(trials=40), [Objective("rmse")])
    for trial in range(12):
        scheduler.on_begin(trial, {"rate": 0.1, "units": 20 + trial, "optimizer": "adam"})
        scheduler.replay(trial, {10: [12.0 - trial]}, TrialState.PAUSED)
    assert scheduler.next_resume(True) == Promotion(11)


def test_trials_are_frozen_and_thawed_and_the_sweep_ends_with_a_complete_one():
    sweep = Sweep(30).run()
    assert len({tuple(params.items()) for params in sweep.params.values()}) == 30  # none is begun twice
    begun_again = [trial for trial, step, _ in sweep.history if step > 0]
    assert len(begun_again) >= 5
    complete = [trial for trial, state in sweep.states.items() if state is TrialState.COMPLETE]
    assert 1 <= len(complete) < 15
    truth = {trial: loss(params, 135) for trial, params in sweep.params.items()}
    assert min(truth[trial] for trial in complete) < min(truth.values()) + 0.05  # the best was not left behind
    assert all(("momentum" in params) == (params["optimizer"] == "sgd") for params in sweep.params.values())


@pytest.mark.parametrize("trials, places", [(5, [5, 1, 1, 1]), (12, [12, 4, 1, 1]), (40, [40, 13, 4, 2])])
def test_so_many_trials_go_each_stretch_as_successive_halving_has_and_the_last_place_is_given_last(trials, places):
    sweep = Sweep(trials).run()
    assert [sum(max(curve) >= step for curve in sweep.curves.values()) for step in (10, 30, 90, 135)] == places
    to_the_end = [at for at, (_, step) in enumerate(sweep.shown) if step == 100]
    assert to_the_end[-1] > sweep.shown.index((trials - 1, 10))


@pytest.mark.parametrize("limit", [{"timeout_s": 60.0}, {"budget": Budget(steps=10_000)}])
def test_one_trial_is_complete_before_a_limit_of_time_or_steps_and_a_better_one_still_has_a_place(limit):
    both = 0
    for seed in range(8):
        sweep = Sweep(20, seed=seed, **limit).run()
        first, *last = (at for at, (_, step) in enumerate(sweep.shown) if step == 100)
        assert first < sweep.shown.index((15, 10))
        assert all(at > sweep.shown.index((19, 10)) for at in last)
        at_rung = {trial: curve[90] for trial, curve in sweep.curves.items() if 90 in curve}
        assert max(sweep.curves[min(at_rung, key=at_rung.__getitem__)]) == 135
        both += len(last)
    assert both


def test_what_comes_to_a_rung_together_is_compared_there():
    """The first of many workers' trials to come to a rung went on, and took the others' places."""
    scheduler = FreezeThawScheduler(TRAIN, SPACE, SearchSettings(trials=30), [Objective("rmse")])
    for trial in range(30):
        scheduler.on_begin(trial, {"rate": 0.1, "units": 20 + trial, "optimizer": "adam"})
        scheduler.next_stop(trial, 0)
    for trial in range(30):
        assert scheduler.report(trial, 10, [30.0 - trial]) is Decision.PAUSE or trial >= 14
        scheduler.on_finished(trial, TrialState.PAUSED)
    found = []
    while (step := scheduler.next_resume(False)) is not None and len(found) < 30:
        found.append(step.trial)
        scheduler.next_stop(step.trial, 10)
    assert found and min(found) >= 20  # the best third


def test_the_last_place_waits_for_a_trial_whose_process_is_still_being_paused():
    """Another one trained to its end in its place, as none ran."""
    scheduler = FreezeThawScheduler(TRAIN, SPACE, SearchSettings(trials=9), [Objective("rmse")])
    for trial in range(9):
        scheduler.on_begin(trial, {"rate": 0.1, "units": 20 + trial, "optimizer": "adam"})
    for trial in range(3, 9):
        scheduler.replay(trial, {10: [9.0]}, TrialState.PAUSED)
    scheduler.replay(0, {10: [5.0], 30: [4.0], 90: [3.0]}, TrialState.PAUSED)
    for trial in (1, 2):
        scheduler.replay(trial, {10: [5.0], 30: [4.0]}, TrialState.PAUSED)
        scheduler.next_stop(trial, 30)
    for trial, loss_there in ((1, 2.0), (2, 4.0)):
        assert scheduler.report(trial, 90, [loss_there]) is Decision.PAUSE
        assert scheduler.next_resume(False) is None
    scheduler.on_finished(2, TrialState.PAUSED)
    assert scheduler.next_resume(False) is None
    scheduler.on_finished(1, TrialState.PAUSED)
    assert scheduler.next_resume(False) == Promotion(1)


def test_it_finds_in_the_same_steps_what_random_search_does_not():
    found, drawn = [], []
    for seed in range(3):
        sweep = Sweep(25, seed=seed).run()
        found.append(min(min(curve.values()) for curve in sweep.curves.values()))
        steps = sum(max(curve) for curve in sweep.curves.values())
        chance = random.Random(seed)
        at_random = [
            {"rate": 10 ** chance.uniform(-4, 0), "units": chance.randint(16, 256)} for _ in range(steps // 135)
        ]
        drawn.append(min(loss({**params, "optimizer": "adam"}, 135) for params in at_random))
    assert sum(one < other for one, other in zip(found, drawn, strict=True)) >= 2


@pytest.mark.parametrize(
    "trials, space, train",
    [
        (1, SPACE, TRAIN),
        (5, SPACE, TrainSettings(10, 10)),  # one evaluation: nothing to freeze
        (12, SPACE, TrainSettings(20, 10)),
        (12, Space(()), TRAIN),  # nothing to choose
        (12, Space((Categorical("choice", ("only",)),)), TRAIN),
    ],
)
def test_small_sweeps_and_spaces_end(trials, space, train):
    sweep = Sweep(trials, space, train).run()
    assert len(sweep.params) == trials
    assert TrialState.COMPLETE in sweep.states.values()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_losses_that_are_no_numbers_are_survived(bad):
    def sometimes(params, step):
        return bad if params["units"] > 100 else loss(params, step)

    sweep = Sweep(15, loss=sometimes).run()
    assert len(sweep.params) == 15
    assert len(Sweep(10, loss=lambda params, step: bad).run().params) == 10


def test_a_trial_that_fails_counts_as_bad_news_about_its_parameters():
    def failures(seed):
        scheduler = FreezeThawScheduler(TRAIN, SPACE, SearchSettings(trials=40, seed=seed), [Objective("rmse")])
        failed = 0
        for trial in range(30):
            found = scheduler.next_resume(True)
            assert isinstance(found, Begin)
            scheduler.on_begin(trial, found.params, memory=found.memory)
            scheduler.next_stop(trial, 0)
            if found.params["units"] > 100:
                failed += trial >= 10
                scheduler.on_finished(trial, TrialState.FAIL)
            else:
                for step in [*range(10, 135, 10), 135]:
                    scheduler.report(trial, step, [loss(found.params, step)])
                scheduler.on_finished(trial, TrialState.COMPLETE)
        return failed

    assert failures(0) + failures(1) < 20  # of 40; at random it would be 26


def test_what_earlier_sweeps_have_found_is_where_this_one_begins_to_look():
    def first_after_the_initial_ones(known):
        scheduler = FreezeThawScheduler(TRAIN, SPACE, SearchSettings(trials=40), [Objective("rmse")])
        for index in range(known):
            params = {"rate": 10 ** (-4 + 4 * index / 30), "units": 16 + 8 * (7 * index % 30), "optimizer": "adam"}
            scheduler.learn(params, loss(params, 135))
        found = []
        for trial in range(14):
            new = scheduler.next_resume(True)
            scheduler.on_begin(trial, new.params, memory=new.memory)
            scheduler.next_stop(trial, 0)
            scheduler.on_finished(trial, TrialState.PRUNED)  # without an evaluation, so that nothing else is known
            found.append(loss({**new.params, "optimizer": "adam"}, 135))
        return sum(found[8:]) / 6

    assert first_after_the_initial_ones(30) < 0.7 * first_after_the_initial_ones(0)


def test_a_decision_sees_a_bounded_part_of_a_large_history(monkeypatch):
    """The cost of a decision grows with what the model sees; behind 2,000 trials that is what it is behind 200."""
    from tuner.schedulers.freeze_thaw import model

    seen = []

    class Counted(model.GaussianProcess):
        def __init__(self, theta, observations):
            seen.append(len(observations.values))
            super().__init__(theta, observations)

    monkeypatch.setattr(model, "GaussianProcess", Counted)
    scheduler = FreezeThawScheduler(TRAIN, SPACE, SearchSettings(trials=5000), [Objective("rmse")])
    chance = random.Random(0)
    for trial in range(2000):
        params = {"rate": 10 ** chance.uniform(-4, 0), "units": chance.randint(16, 256), "optimizer": "adam"}
        scheduler.on_begin(trial, params)
        scheduler.replay(trial, {step: [loss(params, step)] for step in (10, 20, 30)}, TrialState.PRUNED)
    assert scheduler.next_resume(True) is not None
    assert seen and all(values <= model.MOST for values in seen)


def test_two_drivers_share_a_sweep_and_begin_nothing_twice():
    """Each is told, before it asks, what the other has begun, runs and has put aside; see ``TrialQueue``."""
    sweep = Sweep(16)
    drivers = [sweep.scheduler, FreezeThawScheduler(TRAIN, SPACE, sweep.search, [Objective("rmse")])]

    def ask(driver, other):
        found = driver.next_resume(len(sweep.params) < sweep.search.trials)
        if found is None:
            return None
        trial = found.trial if isinstance(found, Promotion) else len(sweep.params)
        if isinstance(found, Begin):
            sweep.params[trial], sweep.memory[trial], sweep.curves[trial] = found.params, found.memory, {}
            for one in drivers:
                one.on_begin(trial, found.params, memory=found.memory)
        other.next_stop(trial, max(sweep.curves[trial], default=0))  # it runs elsewhere
        return trial

    for turn in range(200):
        first, second = drivers[turn % 2], drivers[1 - turn % 2]
        asked = [(first, second, ask(first, second)), (second, first, ask(second, first))]
        begun = [(driver, other, trial) for driver, other, trial in asked if trial is not None]
        assert len({trial for _, _, trial in begun}) == len(begun)
        for driver, other, trial in begun:
            sweep.scheduler = driver
            sweep.train_on(trial, lambda: False)
            other.replay(trial, {s: [v] for s, v in sweep.curves[trial].items()}, sweep.states[trial])
        if not begun:
            break
    assert len(sweep.params) == 16
    assert len({tuple(params.items()) for params in sweep.params.values()}) == 16
    assert TrialState.COMPLETE in sweep.states.values()
    assert all(state.is_finished or state is TrialState.PAUSED for state in sweep.states.values())


def test_what_an_older_version_kept_with_a_trial_is_no_fit_of_this_model():
    """Its trials count all the same: a sweep that it began goes on."""
    scheduler = FreezeThawScheduler(TRAIN, SPACE, SearchSettings(trials=40), [Objective("rmse")])
    for trial in range(12):
        params = {"rate": 10 ** (-trial / 3), "units": 20 + trial, "optimizer": "adam"}
        scheduler.on_begin(trial, params, memory={"theta": [0.1] * 7, "rung": 1, "count": 20})
        scheduler.replay(trial, {10: [loss(params, 10)]}, TrialState.PAUSED)
    assert isinstance(scheduler.next_resume(True), Promotion)


@pytest.mark.parametrize("seed", range(3))
def test_a_trainer_that_evaluates_when_it_likes_is_survived(seed):
    """Its values are at no rung, or not at the first: such trials train to their ends."""
    chance = random.Random(seed)
    scheduler = FreezeThawScheduler(TRAIN, SPACE, SearchSettings(trials=20, seed=seed), [Objective("rmse")])
    begun = set()
    while (found := scheduler.next_resume(len(begun) < 20)) is not None:
        assert isinstance(found, Begin)
        trial = len(begun)
        begun.add(trial)
        scheduler.on_begin(trial, found.params, memory=found.memory)
        scheduler.next_stop(trial, 0)
        for step in sorted(chance.sample(range(20, 135, 10), 3)):
            scheduler.report(trial, step, [loss(found.params, step)])
        scheduler.report(trial, 135, [loss(found.params, 135)])
        scheduler.on_finished(trial, TrialState.COMPLETE)
    assert len(begun) == 20


def test_of_a_few_sets_of_parameters_each_is_begun_before_one_is_begun_again():
    space = Space((Categorical("kind", tuple("abcde")), Int("units", 1, 4)))
    sweep = Sweep(20, space, loss=lambda params, step: params["units"] + math.exp(-step / 40)).run()
    assert len({tuple(params.items()) for params in sweep.params.values()}) == 20


@pytest.mark.parametrize("seed", range(4))
def test_of_many_whole_numbers_none_is_begun_twice(seed):
    sweep = Sweep(
        100, Space((Int("units", 16, 256),)), loss=lambda p, s: abs(p["units"] - 140) + 1 / s, seed=seed
    ).run()
    assert len({params["units"] for params in sweep.params.values()}) == 100


def test_the_last_step_of_a_number_can_be_chosen():
    space = Space((Float("drop", 0.1, 0.3, step=0.1), Float("rate", 0.0, 1.0)))
    sweep = Sweep(30, space, loss=lambda params, step: 1.0 - params["drop"] + math.exp(-step / 40)).run()
    drops = Counter(params["drop"] for params in sweep.params.values())
    assert max(drops, key=drops.__getitem__) == 0.3
    assert set(drops) <= {0.1, 0.2, 0.3}


DECISIONS = """
import importlib, sys
from tests.schedulers.freeze_thaw.test_scheduler import FreezeThawScheduler, Sweep

for module in FreezeThawScheduler.imports:
    importlib.import_module(module)
before = set(sys.modules)
sweep = Sweep(40)
sweep.run()
print(len(sweep.scheduler._search.fits), sorted(name for name in set(sys.modules) - before if "scipy" in name))
"""


def test_what_decisions_import_is_imported_before_the_first_one():
    """A trial trains on while its decision waits for an import."""
    done = subprocess.run([sys.executable, "-c", DECISIONS], capture_output=True, text=True, check=True)
    fits, imported = done.stdout.split(maxsplit=1)
    assert int(fits) > 1
    assert imported.strip() == "[]"
