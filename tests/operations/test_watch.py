"""A sweep watched from another terminal is shown as its driver shows it."""

from contextlib import closing

import pytest
from typer.testing import CliRunner

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.files.driver_lock import DriverLock
from tuner.files.run_ids import RunIds
from tuner.operations.watch import WatchedSweep
from tuner.records.log import RecordLog
from tuner.records.record import SweepOpened


class Driver(NullDisplay):
    """What a driver says and shows."""

    def __init__(self):
        self.lines, self.last = [], None

    def line(self, line):
        if line.startswith("trial "):
            self.lines.append(line.replace(" simulated,", ""))

    def update(self, progress):
        self.last = progress


@pytest.fixture(params=["median", "asha"])
def ran(request, tmp_path):
    text = SIMULATED.replace("evaluate_every: 90", "evaluate_every: 10")
    text = text.replace("sampler: random, trials: 2", f"sampler: random, scheduler: {request.param}, trials: 12")
    (tmp_path / "sim.yaml").write_text(text)
    sweep, driver = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path), Driver()
    sweep.run(backend="simulated", display=driver)
    return sweep, driver


def test_the_lines_and_the_end_are_those_of_the_driver(ran):
    sweep, driver = ran
    watched = WatchedSweep(sweep.dir, sweep.spec)
    lines = list(watched.new_lines())
    assert lines == [line.replace(", simulated", "") for line in driver.lines]
    assert any(": running, with rate=" in line for line in lines)
    progress = watched.progress()
    found = (progress.running, progress.total, progress.done, progress.best, progress.left_s)
    assert found == ((), 12, 12, driver.last.best, None)
    assert {s: c for s, c in progress.counts.items() if c} == {s: c for s, c in driver.last.counts.items() if c}
    assert (watched.closed.finished, watched.closed.limit) == (True, "--trials")
    assert list(watched.new_lines()) == []


def test_trials_that_run_have_their_step_and_value_and_a_new_driver_takes_up(ran):
    sweep, _ = ran
    whole = sweep.dir.records_file.read_bytes().splitlines(keepends=True)
    evaluated = next(i for i, line in enumerate(whole) if b'"evaluation"' in line and b'"step":30' in line)
    sweep.dir.records_file.write_bytes(b"".join(whole[: evaluated + 1]))
    watched = WatchedSweep(sweep.dir, sweep.spec, now=lambda: 0.0)
    list(watched.new_lines())
    (running,) = watched.progress().running
    assert (running.step, running.max_steps) == (30, 90)
    assert running.value is not None
    assert watched.closed is None
    with closing(RecordLog(sweep.dir.records_file)) as log:
        log.append(SweepOpened("id", "sim", 1.0, {}, ""))
    list(watched.new_lines())
    assert watched.progress().running == ()  # the driver died; what ran is taken up


def call(*arguments):
    from tuner.cli import watch  # noqa: F401
    from tuner.cli.app import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_shows_what_was_and_says_the_end(ran, tmp_path):
    done = call("watch", "sim", "--root", tmp_path)
    assert done.exit_code == 0
    assert "finished: 12 of 12 trials" in done.output
    assert "best: trial " in done.output
    assert "next:\n  tuner show sim" in done.output
    assert "no sweep 'other'" in call("watch", "other", "--root", tmp_path).output


def test_the_end_of_a_sweep_that_a_server_records_says_where_its_trials_are_and_no_password(ran, tmp_path, monkeypatch):
    sweep, _ = ran
    RunIds(sweep.dir.runs_file).remember("p" * 32, experiment="7")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9/")
    said = call("watch", "sim", "--root", tmp_path).output
    assert "trials: http://127.0.0.1:9/#/experiments/7/runs?" in said and "secret" not in said


def test_the_command_waits_while_a_driver_is_at_work(ran, tmp_path, monkeypatch):
    sweep, _ = ran
    lock, looks = DriverLock(sweep.dir.driver_file), []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            lock.__exit__()

    lock.__enter__()
    monkeypatch.setattr("tuner.cli.watch.time.sleep", sleep)
    assert call("watch", "sim", "--root", tmp_path).exit_code == 0
    assert [seconds > 0 for seconds in looks] == [True, True, True, False]
