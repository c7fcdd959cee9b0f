"""From where an attempt of a trial goes on, in words."""

import pytest

from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.launch import how_it_begins


@pytest.mark.parametrize(
    ("attempts", "tags", "step", "said"),
    [
        (1, {}, 0, ""),
        (1, {}, None, ""),
        (2, {}, 200, "resumed at step 200"),
        (2, {}, None, "started again, without a checkpoint"),
        (1, {"tuner.forked_from": "3"}, 300, "goes on from trial 3 at step 300"),
        (2, {"tuner.forked_from": "3"}, 400, "resumed at step 400"),
    ],
)
def test_an_attempt_says_how_it_begins(attempts, tags, step, said):
    assert how_it_begins(TrialRecord(7, TrialState.RUNNING, {}, attempts=attempts, tags=tags), step) == said
