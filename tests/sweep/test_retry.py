"""Trials that a program asks to run again: refused as the command refuses them."""

import numpy as np
import pytest

from tests.sweep.simulated import simulated
from tuner.errors import InvalidInput
from tuner.sweep.retry import numbers_of


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([77], "the sweep 'sim' has no trial 77: it has trials 0 to 1; see: tuner show sim"),
        ([1], "the sweep 'sim': trial 1 is COMPLETE, so there is nothing to run again (go on with: tuner resume sim)"),
        (["x"], "retry: found 'x', expected numbers of trials, as in retry=[3, 4]"),
        ("1", "retry: found '1', expected numbers of trials"),
        ([True], "retry: found True, expected numbers of trials"),
        ([0.5], "retry: found 0.5, expected numbers of trials"),
    ],
)
def test_what_cannot_run_again_is_refused(tmp_path, asked, said):
    sweep = simulated(tmp_path)
    sweep.run(backend="simulated")
    with pytest.raises(InvalidInput) as refused:
        sweep.run(backend="simulated", retry=asked)
    assert said in str(refused.value)


def test_of_a_sweep_that_is_not_there_no_trial_runs_again(tmp_path):
    sweep = simulated(tmp_path)
    with pytest.raises(InvalidInput, match="has no trial 0: it has no trials yet"):
        sweep.run(backend="simulated", retry=[0])
    assert not sweep.dir.path.exists()


def test_numbers_may_be_of_a_table_and_each_counts_once():
    assert numbers_of(np.array([3, 4, 3])) == [3, 4]
    assert numbers_of(3) == [3]
