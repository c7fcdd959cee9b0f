"""What is known of a trial that differs when it runs again."""

import os
from types import SimpleNamespace

import pytest

from tuner.domain.spec import ModelRef
from tuner.domain.trial import TrialRecord, TrialState
from tuner.operations.rerun import _reasons

LOST = {"tuner.input_position": "not checkpointed: no position in the input was saved at step 60"}


@pytest.mark.parametrize(
    ("attempts", "tags", "written", "expected"),
    [
        (1, {}, 50.0, []),
        (1, LOST, 50.0, []),  # it was never resumed
        (2, {}, 50.0, []),
        (2, LOST, 50.0, [f"it was resumed without the position in its input ({LOST['tuner.input_position']})"]),
        (1, {}, 150.0, ["model.py was written at "]),
    ],
)
def test_a_resumed_input_and_a_model_that_was_written_since_are_reasons(tmp_path, attempts, tags, written, expected):
    model = tmp_path / "model.py"
    model.touch()
    os.utime(model, (written, written))
    record = TrialRecord(0, TrialState.COMPLETE, {}, attempts=attempts, tags=tags, started=100.0)
    found = list(_reasons(SimpleNamespace(record=record), ModelRef("model", file=str(model))))
    assert len(found) == len(expected) and all(map(str.startswith, found, expected))
