"""Which trial runs next: asked of the queue alone, with a real study in memory and a real scheduler."""

from dataclasses import replace

import pytest

from tests.study.studies import spec
from tuner.domain.tags import FORKED_FROM, REPLACES
from tuner.domain.trial import TrialState
from tuner.driver.peers import SoleDriver
from tuner.driver.stop_criteria import StopReason
from tuner.driver.trial_queue import Next, TrialQueue
from tuner.schedulers import Exploit, Scheduler
from tuner.study import Study
from tuner.study.storage import memory_storage

COMPLETE, PAUSED, PRUNED, RUNNING = TrialState.COMPLETE, TrialState.PAUSED, TrialState.PRUNED, TrialState.RUNNING


def queue(trials=3, scheduler=None, storage=None):
    made = spec()
    made = replace(made, search=replace(made.search, trials=trials))
    study = Study(made, storage or memory_storage())
    return TrialQueue(made, study, scheduler or Scheduler(), SoleDriver(), lambda record: None), study


def finish(queue, study, record, state=COMPLETE):
    study.finish(record.number, state, {"rmse": 1.0} if state is COMPLETE else {}, {})
    queue.finished(replace(record, state=state))


def test_as_many_trials_begin_as_were_asked_for_and_then_there_is_nothing_to_start():
    waiting, study = queue(trials=2)
    assert waiting.sync() == []
    started = [waiting.next().start for _ in range(2)]
    assert [record.number for record in started] == [0, 1]
    assert waiting.next() == Next(None)
    finish(waiting, study, started[0])
    assert waiting.next() == Next(None)
    assert (waiting.begun, waiting.total, waiting.elsewhere, waiting.paused) == (2, 2, 0, 0)


def test_what_was_interrupted_goes_on_before_anything_new():
    waiting, _ = queue()
    waiting.sync()
    first, _ = waiting.next().start, waiting.next().start
    waiting.suspend(replace(first, state=TrialState.INTERRUPTED))
    assert waiting.next().start.number == first.number
    assert waiting.next().start.number == 2


def test_trials_of_earlier_drivers_are_returned_once_each_time_they_have_changed():
    storage = memory_storage()
    before, study = queue(storage=storage)
    before.sync()
    first, second = before.next().start, before.next().start
    finish(before, study, first)
    study.note(second.number, state=RUNNING.value)
    waiting, _ = queue(storage=storage)
    changed = waiting.sync()
    assert [(record.number, record.state) for record in changed] == [(0, COMPLETE), (1, RUNNING)]
    assert waiting.sync() == []
    assert [record.number for record in waiting.abandoned()] == [1]
    assert waiting.next().start.number == 1


def test_trials_that_nobody_promotes_are_pruned_with_what_they_have_come_to():
    waiting, _ = queue()
    waiting.sync()
    record = waiting.next().start
    waiting.suspend(replace(record, state=PAUSED, curve={10: 3.0, 20: 2.0}))
    assert waiting.paused == 1
    (ended,) = waiting.never_promoted()
    assert (ended.state, ended.reason, ended.values) == (PRUNED, "paused when the sweep ended", {"rmse": 2.0})
    assert waiting.paused == 0 and waiting.never_promoted() == []


class Replaces(Scheduler):
    """End trial 0 for one that goes on from trial 1, once."""

    def next_resume(self, may_begin):
        exploit, self.once = getattr(self, "once", Exploit(0, 1, 10, {"rate": 0.5})), None
        return exploit if may_begin else None


def test_a_trial_in_anothers_place_begins_before_that_one_is_finished_by_whoever_asked():
    storage = memory_storage()
    waiting, study = queue(storage=storage)
    waiting.sync()
    first, second = waiting.next().start, waiting.next().start
    for record in (first, second):
        study.note(record.number, state=PAUSED.value)
        waiting.suspend(replace(record, state=PAUSED, curve={10: 1.0}))
    waiting._scheduler = Replaces()
    following = waiting.next()
    assert following.start.tags[REPLACES] == "0" and following.start.tags[FORKED_FROM] == "1"
    (ended,) = following.finished
    assert (ended.number, ended.state) == (0, PRUNED)
    assert ended.reason == "at step 10 trial 1 was better: trial 2 goes on from there"
    # The driver dies here: the next one finds trial 0 still paused, and that another has taken its place.
    after, _ = queue(storage=storage)
    after.sync()
    assert [(record.number, record.reason) for record in after.replaced()] == [(0, "another trial has taken its place")]


@pytest.mark.parametrize("step, state", [(20, PAUSED), (10, RUNNING)])
def test_a_trial_that_came_to_its_rung_before_its_driver_died_is_paused(step, state):
    storage = memory_storage()
    waiting, study = queue(storage=storage)
    waiting.sync()
    number = waiting.next().start.number
    study.note(number, state=RUNNING.value, stop_at=20)
    study.report(number, step, {"rmse": 1.0})
    after, _ = queue(storage=storage)
    assert [record.state for record in after.sync()] == [state]


def test_a_sweep_that_waits_for_those_that_run_takes_up_what_ran_when_its_driver_died_and_begins_nothing():
    storage = memory_storage()
    before, study = queue(storage=storage)
    before.sync()
    number = before.next().start.number
    study.note(number, state=RUNNING.value)
    after, _ = queue(storage=storage)
    after.sync()
    at_once, waits = StopReason("the time is over"), StopReason("no better trial", at_once=False)
    assert not after.may_start(at_once) and after.may_start(waits) and after.may_start(None)
    assert after.next().start.number == number
    assert not after.may_start(waits) and after.may_start(None)


def test_what_another_driver_noted_of_a_trial_since_is_not_overwritten_at_the_sweeps_end():
    storage = memory_storage()
    here, study = queue(storage=storage)
    here.sync()
    record = here.next().start
    study.note(record.number, state=PAUSED.value, attempts=1, stop_at=10)
    here.suspend(replace(record, state=PAUSED, curve={10: 1.0}))
    _, elsewhere = queue(storage=storage)
    elsewhere.note(record.number, attempts=2, stop_at=30)
    (ended,) = here.never_promoted()
    study.note(ended.number, state=PRUNED.value)
    (found,) = elsewhere.trials()
    elsewhere.forget_cached(record.number)
    assert (elsewhere.trial(record.number).attempts, elsewhere.trial(record.number).stop_at) == (2, 30)
    assert found.number == record.number
