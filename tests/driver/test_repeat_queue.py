"""Which set of parameters is trained with another seed before a new one is drawn."""

from tuner.domain.tags import REPEAT, REPEAT_OF
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.repeat_queue import RepeatQueue

RUNNING, COMPLETE, PRUNED = TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED


def trial(number, state=RUNNING, of=None):
    tags = {} if of is None else {REPEAT_OF: str(of)}
    return TrialRecord(number, state, {"rate": float(number if of is None else of)}, tags=tags)


def test_a_set_is_repeated_until_it_has_as_many_trials_as_asked_for_the_oldest_set_first():
    queue = RepeatQueue(3)
    queue.add(trial(4))
    queue.add(trial(2))
    assert queue.next() == ({"rate": 2.0}, {REPEAT_OF: "2", REPEAT: "1"})
    queue.add(trial(5, of=2))
    assert queue.next() == ({"rate": 2.0}, {REPEAT_OF: "2", REPEAT: "2"})
    queue.add(trial(6, of=2))
    assert queue.next() == ({"rate": 4.0}, {REPEAT_OF: "4", REPEAT: "1"})


def test_a_trial_that_is_seen_again_is_one_trial():
    queue = RepeatQueue(2)
    for state in (RUNNING, RUNNING, COMPLETE):
        queue.add(trial(0, state))
    assert queue.next() == ({"rate": 0.0}, {REPEAT_OF: "0", REPEAT: "1"})


def test_repeats_may_wait_for_the_first_to_be_complete():
    queue = RepeatQueue(2, complete_first=True)
    queue.add(trial(0))
    assert not queue.due and queue.next() is None
    queue.add(trial(0, COMPLETE))
    assert queue.due and queue.next() == ({"rate": 0.0}, {REPEAT_OF: "0", REPEAT: "1"})


def test_a_set_of_which_a_trial_was_pruned_gets_no_more_and_says_how_many_are_left_out():
    queue = RepeatQueue(4)
    queue.add(trial(0, COMPLETE))
    queue.add(trial(1, PRUNED, of=0))
    assert queue.next() is None
    assert queue.left_out == 2


def test_without_repeats_there_are_none():
    queue = RepeatQueue(1)
    queue.add(trial(0, COMPLETE))
    assert (queue.next(), queue.due, queue.left_out) == (None, False, 0)
