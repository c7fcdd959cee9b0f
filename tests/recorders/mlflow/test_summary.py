"""Where a sweep stands, from its records alone."""

import math

from tuner.domain.tags import FEASIBLE, REPEAT_OF
from tuner.domain.trial import TrialState
from tuner.recorders.mlflow.summary import SweepSummary
from tuner.records.record import SweepOpened, TrialChanged

COMPLETE, FAIL, INTERRUPTED, RUNNING = (TrialState[name] for name in ("COMPLETE", "FAIL", "INTERRUPTED", "RUNNING"))


def summary(*ends, repeats=1):
    """Return the summary of trials that came to these ends, one after another."""
    made = SweepSummary()
    made.on_record(SweepOpened("id", "sweep", 0.0, {"rmse": "minimize"}, "", {"repeats": repeats}, {}, {}))
    for time, (trial, state, value, *tags) in enumerate(ends, start=1):
        values = {} if value is None else {"rmse": value}
        made.on_record(TrialChanged(trial, float(time), state, values=values, step=10, tags=dict(*tags)))
    return made


def history(made):
    return [(i.finished, i.trial, i.values["rmse"]) for i in made.improvements]


def test_each_trial_that_is_better_than_all_before_is_an_improvement():
    made = summary((0, COMPLETE, 3.0), (1, COMPLETE, math.nan), (2, COMPLETE, 4.0), (3, FAIL, None), (4, COMPLETE, 2.0))
    assert history(made) == [(1, 0, 3.0), (5, 4, 2.0)]
    assert made.best == (4, {"rmse": 2.0})


def test_an_end_that_is_recorded_again_by_the_next_driver_changes_nothing():
    ends = [(0, COMPLETE, 3.0), (1, COMPLETE, 2.0), (1, RUNNING, None), (1, COMPLETE, 2.0)]
    assert history(summary(*ends)) == [(1, 0, 3.0), (2, 1, 2.0)]


def test_a_best_trial_that_comes_to_another_end_gives_its_place_back():
    # The driver died between the record and the study, and the next one had no time left to take the trial up.
    made = summary((0, COMPLETE, 3.0), (1, COMPLETE, 2.0), (2, COMPLETE, 2.5), (1, INTERRUPTED, None))
    assert made.best == (2, {"rmse": 2.5}) and made.values.keys() == {0, 2}
    assert history(made) == [(1, 0, 3.0), (2, 1, 2.0), (2, 2, 2.5)]
    assert made.improvements[-1].time == 4.0  # later than what it takes back, so that it is the newest
    only = summary((0, COMPLETE, 3.0), (0, INTERRUPTED, None))
    assert only.best is None and only.front == []


def test_a_trial_that_failed_and_is_retried_counts_as_what_it_comes_to():
    ends = [
        (0, COMPLETE, 3.0),
        (1, FAIL, None, {REPEAT_OF: "0"}),
        (1, RUNNING, None),
        (1, COMPLETE, 1.0, {REPEAT_OF: "0"}),
    ]
    assert summary(*ends, repeats=2).best == (0, {"rmse": 2.0})
    assert summary(*ends).best == (1, {"rmse": 1.0})


def test_what_breaks_a_constraint_is_not_the_best():
    assert summary((0, COMPLETE, 3.0), (1, COMPLETE, 1.0, {FEASIBLE: "false"})).best == (0, {"rmse": 3.0})
