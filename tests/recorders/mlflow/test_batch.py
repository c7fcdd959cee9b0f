"""Requests to a store, as few as can be."""

import math

from tests.recorders.mlflow.sending import OPENED, read, trial
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.sender import Sender
from tuner.records.log import RecordLog
from tuner.records.record import SweepClosed


class Counting:
    """A client that counts the requests it passes on."""

    def __init__(self, client):
        self._client = client
        self.calls = {}

    def __getattr__(self, name):
        function = getattr(self._client, name)

        def call(*arguments, **kwargs):
            self.calls[name] = self.calls.get(name, 0) + 1
            return function(*arguments, **kwargs)

        return call


def test_a_trial_costs_four_requests_and_no_metric_is_missing(sweep_dir, client):
    """Made, filled, ended, its files: and nothing is searched for, however many trials there are."""
    count = 60
    log = RecordLog(sweep_dir.records_file)
    log.append(OPENED)
    for number in range(count):
        log.append(*trial(number, [number + 1.0 / step for step in range(1, 11)]))
    log.append(SweepClosed(1_700_000_100.0, True))
    log.close()
    counting = Counting(client)
    sender = Sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, client=counting))
    while not sender.step(closing=True):
        pass
    batches = math.ceil((2 + 13 * count) / 500)
    assert counting.calls["create_run"] == count + 1
    assert counting.calls["log_batch"] <= count + batches + 4
    assert counting.calls["set_terminated"] == count + 1
    assert counting.calls["log_artifacts"] == count
    assert counting.calls.get("search_runs", 0) == 1
    assert set(counting.calls) <= {
        *("create_run", "log_batch", "set_terminated", "log_artifacts", "search_runs", "update_run"),
        *("get_experiment_by_name", "create_experiment", "set_experiment_tag", "log_text"),
    }
    assert counting.calls["set_experiment_tag"] <= 4 + batches + 1  # the view is renewed with the page
    for number in (0, count // 2, count - 1):
        held = read(sweep_dir, number).metrics
        assert held["eval/rmse"] == {100 * step: number + 1.0 / step for step in range(1, 11)}
        assert len(held["eval/loss"]) == 10
