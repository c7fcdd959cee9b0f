"""The next attempt of a trial: from where it goes on, and which event files are not its own."""

from dataclasses import replace

import pytest

from tests.events.test_foreign import write
from tests.spaces import SIMULATED
from tuner.config.load import load_spec
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.launch import how_it_begins, new_attempt
from tuner.events import read_all
from tuner.files.paths import TrialDir


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


def test_what_somebody_evaluated_while_a_trial_was_paused_is_not_its_own_when_it_goes_on(tmp_path):
    (tmp_path / "space.yaml").write_text(SIMULATED)
    spec, trial_dir = load_spec(tmp_path / "space.yaml"), TrialDir(tmp_path / "0003")
    write(trial_dir.path / "eval", 100.0, (30, 0, "rmse", 1.0))
    write(trial_dir.path / "eval", 200.0, (60, 0, "rmse", 9.0))
    record = TrialRecord(3, TrialState.PAUSED, {}, curve={30: 1.0}, attempts=1)
    new_attempt(record, spec, trial_dir, None, 1)  # of a driver that died nobody knows when it did
    assert len(read_all(trial_dir.path)) == 2
    new_attempt(replace(record, idle_since=150.0), spec, trial_dir, None, 1)
    assert [e.step for e in read_all(trial_dir.path)] == [30]
