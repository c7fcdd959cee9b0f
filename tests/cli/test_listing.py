"""``tuner list``: what ended a sweep."""

import csv
import io
import json
import shutil

import pytest
from typer.testing import CliRunner

import tuner
from tests.cli.command import call
from tuner.driver.progress import NullDisplay
from tuner.files.paths import Root
from tuner.records.log import cut_torn_line, last_record
from tuner.sweep import RunOptions

SPACE = """
name: sim
objective: {{metric: rmse}}
parameters: {{rate: {{type: float, low: 1.0e-4, high: 1.0, log: true}}, units: {{type: int, low: 16, high: 256}}}}
train: {{max_steps: 270, evaluate_every: 90}}
search: {{sampler: random, trials: 6, workers: 1, {search}}}
simulation: {{task: surface, record: false, failures: {failures}}}
"""


def run(folder, search="seed: 0", failures=0.0, display=None, name=None):
    file = folder / "sim.yaml"
    file.write_text(SPACE.format(search=search, failures=failures))
    sweep = tuner.Sweep.from_file(file, folder, name)
    sweep.session(RunOptions(backend="simulated"), display or NullDisplay()).run()
    return sweep


def listed(folder):
    from tuner.cli import listing  # noqa: F401
    from tuner.cli.app import app

    (row,) = json.loads(CliRunner().invoke(app, ["list", "--root", str(folder), "--format", "json"]).stdout)
    return row["state"], row["reason"]


@pytest.mark.parametrize(("form", "out"), [("json", "[]\n"), ("csv", "\n")])
def test_where_no_sweeps_are_a_program_gets_none_and_people_hear_where_some_are(tmp_path, monkeypatch, form, out):
    run(tmp_path)
    monkeypatch.chdir(tmp_path / "mlruns/sweeps")
    done = call("list", "--format", form)
    assert (done.exit_code, done.stdout) == (0, out)
    assert done.stderr == f"no sweeps under {tmp_path}/mlruns/sweeps; there are some with --root ../..\n"


class Asks(NullDisplay):
    """Ask the sweep to stop when its first trial has ended."""

    def __init__(self, file):
        self.file = file

    def line(self, line):
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
    sweep = run(tmp_path, display=Asks(stop_file))
    assert listed(tmp_path) == ("stopped", "interrupted")
    sweep.session(RunOptions(), NullDisplay()).run()
    assert listed(tmp_path) == ("finished", "6 of 6 trials")


SPOILED = {
    "cut": lambda sweep, text: sweep.spec_file.write_text(text[:40]),
    "another tool's": lambda sweep, text: sweep.spec_file.write_text("[]"),
    "a database that is away": lambda sweep, text: sweep.spec_file.write_text(
        text.replace('"storage_url": ""', f'"storage_url": "sqlite:///{sweep.path}/none/study.db"')
    ),
    "a journal that is none": lambda sweep, text: sweep.journal_file.write_text("moon\n"),
    "a folder in its place": lambda sweep, text: (sweep.journal_file.unlink(), sweep.journal_file.mkdir()),
}
WHY = {
    "cut": "is damaged: ",
    "another tool's": "sweep.json is damaged: ",
    "a database that is away": "none/study.db, which is not there",
    "a journal that is none": "study.journal, line 1, byte 0 is damaged: ",
    "a folder in its place": "the study of 'sim' cannot be read: ",
}


@pytest.mark.parametrize("how", WHY)
def test_a_sweep_that_cannot_be_read_has_a_row_that_says_why_among_the_others(tmp_path, how):
    from tuner.cli import listing  # noqa: F401
    from tuner.cli.app import app

    sweep = run(tmp_path)
    run(tmp_path, name="other")
    SPOILED[how](sweep.dir, sweep.dir.spec_file.read_text())
    call = ["list", "--root", str(tmp_path), "--format"]
    done = {form: CliRunner().invoke(app, [*call, form]) for form in ("json", "csv", "table")}
    assert [found.exit_code for found in done.values()] == [0, 0, 0]
    good, bad = json.loads(done["json"].stdout)
    assert (good["sweep"], good["state"]) == ("other", "finished")
    assert good.keys() == bad.keys()
    assert (bad["sweep"], bad["state"], bad["trials"]) == ("sim", "unreadable", None)
    assert WHY[how] in bad["reason"]
    assert [row["state"] for row in csv.DictReader(io.StringIO(done["csv"].stdout))] == ["finished", "unreadable"]
    assert "unreadable" in done["table"].stdout
    shutil.rmtree(sweep.dir.path.with_name("other"))
    assert CliRunner().invoke(app, [*call, "json"]).exit_code == 1


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
