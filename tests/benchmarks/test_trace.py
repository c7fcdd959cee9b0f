"""The files that one trial's data goes through: they do not become more."""

import pytest

from benchmarks.trace import TARGETS, trace

NOW = {"event file to decision": 15, "ask to job": 17, "record log to MLflow": 15}
"""As ``python -m benchmarks.trace`` found them; what they are to come to stands there."""


def test_the_ways_of_an_evaluation_and_of_a_new_trial_go_through_no_more_files_than_they_did():
    found = trace(with_mlflow=False)
    assert {way: len(files) for way, files in found.items() if len(files) > NOW[way]} == {}
    assert set(NOW) == set(TARGETS)
    assert next(iter(found["event file to decision"])) == "events/follower.py"


@pytest.mark.slow
def test_the_way_of_an_evaluation_to_mlflow_goes_through_no_more_files_than_it_did():
    assert len(trace()["record log to MLflow"]) <= NOW["record log to MLflow"]
