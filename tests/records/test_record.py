"""Records as lines of the log: what is written keeps its names, whatever Python calls it."""

import json

import pytest

from tuner.domain.trial import Evaluation
from tuner.records.record import Evaluated, from_json, to_json


@pytest.mark.parametrize(("secondary", "written"), [(True, {"aside": True}), (False, {})])
def test_an_evaluation_beside_the_trials_own_is_called_aside_in_the_log(secondary, written):
    record = Evaluated(3, Evaluation(10, 1.5, "eval_rows", {"rmse": 0.25}, is_secondary=secondary))
    line = to_json(record)
    assert json.loads(line) == {
        "record": "evaluation",
        "trial": 3,
        "evaluation": {"step": 10, "time": 1.5, "folder": "eval_rows", "scalars": {"rmse": 0.25}, **written},
    }
    assert from_json(line) == record


def test_what_is_no_evaluation_is_refused():
    with pytest.raises(ValueError, match="not a record"):
        from_json('{"record": "evaluation", "trial": 3, "evaluation": {"step": 10}}')
    with pytest.raises(ValueError, match="not a record"):
        from_json('{"record": "evaluation", "trial": 3, "evaluation": [1]}')
