"""``tuner list``: what ended a sweep."""

import json

import pytest
from typer.testing import CliRunner

import tuner
from tuner.paths import Root
from tuner.records import cut_torn_line, last_record
from tuner.sweep.progress import Silent

SPACE = """
name: sim
objective: {{metric: rmse}}
parameters: {{rate: {{type: float, low: 1.0e-4, high: 1.0, log: true}}, units: {{type: int, low: 16, high: 256}}}}
train: {{max_steps: 270, evaluate_every: 90}}
search: {{sampler: random, trials: 6, workers: 1, {search}}}
simulation: {{task: surface, record: false, failures: {failures}}}
"""


def run(folder, search="seed: 0", failures=0.0, watcher=None):
    file = folder / "sim.yaml"
    file.write_text(SPACE.format(search=search, failures=failures))
    sweep = tuner.Sweep.from_file(file, folder)
    sweep.drive({}, "simulated", {}, watcher or Silent())
    return sweep


def listed(folder):
    from tuner.cli import listing  # noqa: F401
    from tuner.cli.app import app

    (row,) = json.loads(CliRunner().invoke(app, ["list", "--root", str(folder), "--format", "json"]).stdout)
    return row["state"], row["reason"]


class Asks(Silent):
    """Ask the sweep to stop when its first trial has ended."""

    def __init__(self, file):
        self.file = file

    def say(self, line):
        self.file.touch()


@pytest.mark.parametrize(
    ("search", "failures", "expected"),
    [
        ("seed: 0", 0.0, ("finished", "6 of 6 trials")),
        ("budget: {steps: 500}", 0.0, ("finished", "the budget of 500 steps is spent")),
        ("budget: {target: 100}", 0.0, ("finished", "the target of 100 was reached")),
        ("budget: {plateau: 2}", 0.0, ("finished", "no better trial among the last 2")),
        ("timeout: 1s", 0.0, ("finished", "the sweep's time of 1 s is over")),
        ("retries: 0, max_consecutive_failures: 2", 1.0, ("failed", "2 trials failed one after another")),
    ],
)
def test_a_sweep_that_a_limit_ended_says_which(tmp_path, search, failures, expected):
    run(tmp_path, search, failures)
    state, reason = listed(tmp_path)
    assert state == expected[0]
    assert reason.startswith(expected[1])


def test_a_sweep_whose_driver_died_is_stopped(tmp_path):
    sweep = run(tmp_path)
    assert listed(tmp_path)[0] == "finished"
    file = sweep.dir.records_file
    with file.open("r+b") as stream:  # as a driver that is killed in the middle of a line leaves it
        stream.truncate(file.stat().st_size - 5)
    assert listed(tmp_path) == ("stopped", "its driver died")


def test_a_sweep_that_was_interrupted_is_stopped_until_it_is_resumed(tmp_path):
    stop_file = Root(tmp_path).sweep("sim").stop_file
    sweep = run(tmp_path, watcher=Asks(stop_file))
    assert listed(tmp_path) == ("stopped", "interrupted")
    sweep.drive({}, "local", {}, Silent())
    assert listed(tmp_path) == ("finished", "6 of 6 trials")


def test_the_last_record_is_found_behind_a_torn_line_and_among_long_ones(tmp_path):
    file = tmp_path / "records"
    assert last_record(file) is None
    trial = '{"record":"trial","trial":%d,"time":1.0,"params":{"text":"%s"}}\n'
    file.write_text("".join(trial % (n, "x" * 3000 * n) for n in range(4)) + '{"record":"tri')
    assert last_record(file).trial == 3
    cut_torn_line(file)
    assert last_record(file).trial == 3
    file.write_text(trial % (7, ""))
    assert last_record(file).trial == 7
