"""The files that one trial's data goes through: no more than what is meant."""

import pytest

from benchmarks.trace import TARGETS, trace


def test_an_evaluation_and_a_new_trial_go_through_no_more_files_than_they_should():
    found = trace(with_mlflow=False)
    assert {way: len(files) for way, files in found.items() if len(files) > TARGETS[way]} == {}
    assert next(iter(found["event file to decision"])) == "events/follower.py"


@pytest.mark.slow
def test_an_evaluation_goes_to_mlflow_through_no_more_files_than_it_should():
    assert len(trace()["record log to MLflow"]) <= TARGETS["record log to MLflow"]
