"""Every file that a sweep leaves, damaged in each way, and then every command on it.

A command may refuse, in clear lines; it never ends with a traceback, never hangs, and what it answers is right.
"""

import json
import random
import shutil
import socket

import pytest
from typer.testing import CliRunner

import tuner
from tests.spaces import SIMULATED
from tuner.cli import app as cli
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.spec import TrainSettings
from tuner.driver.progress import NullDisplay
from tuner.errors import StoreError
from tuner.files.lines import read_lines
from tuner.files.paths import Root
from tuner.files.run_ids import RunIds
from tuner.operations.verify import verify_sweep
from tuner.recorders.mlflow.artifacts import attached_trials
from tuner.recorders.mlflow.store import has_moved
from tuner.study.storage import open_journal
from tuner.sweep import RunOptions

WAYS = {
    "flip": lambda data, at: data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :],
    "cut": lambda data, at: data[:at],
    "double": lambda data, at: data[:at] + data[max(0, at - 40) : at] + data[at:],
    "line twice": lambda data, at: b"".join(
        line * (1 + (i == data[:at].count(b"\n"))) for i, line in enumerate(data.splitlines(True))
    ),
    "no UTF-8": lambda data, at: data[:at] + b"\xff" + data[at + 1 :],
    "NUL": lambda data, at: data[:at] + b"\0" * 20 + data[at + 20 :],
    "carriage return": lambda data, at: data[:at] + b"\r" + data[at:],
    "another type": lambda data, at: data.replace(b'": ', b'": [7],"_":', 1).replace(b'":', b'":[7],"_":', 1),
    "nothing": lambda data, at: b"",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A simulated sweep of four trials, and beside it files that real trials and MLflow leave."""
    root = tmp_path_factory.mktemp("damaged")
    (root / "sim.yaml").write_text(
        SIMULATED.replace("trials: 2", "trials: 4").replace("record: false", "record: false")
    )
    sweep = tuner.Sweep.from_file(root / "sim.yaml", root)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    ids = RunIds(sweep.dir.runs_file)
    ids.remember("p" * 32)
    for trial in range(4):
        ids.make(trial)
        ids.remember(f"{trial:032d}", trial)
        folder = sweep.dir.trial(trial)
        folder.path.mkdir(exist_ok=True)
        Job(trial, 1, {"rate": 0.1}, 3, TrainSettings(90, 90)).write(folder.job_file)
        JobResult(JobStatus.FINISHED, 1, 90, tags={"a": "b"}).write(folder.result_file)
    sweep.dir.attached_file.write_text('{"trial": 0}\n{"trial": 1}\n{"closed": 17.5}\n')
    sweep.dir.sent_file.write_text("1000\n")
    sweep.dir.best_model_file.write_text('{"trial": 1, "step": 90}\n')
    sweep.dir.driver_file.write_text(json.dumps({"pid": 17, "host": socket.gethostname(), "time": 17.5}))
    sweep.dir.stop_file.write_text("17\n")
    line = {"from": "other", "params": {"rate": 0.1, "units": 20}, "values": {"rmse": 1.0}}
    sweep.dir.earlier_file.write_text(f"{json.dumps(line)}\n{json.dumps(line)}\n")
    return root


def files_of(root):
    sweep = Root(root).sweep("sim").path
    return [
        str(file.relative_to(sweep)) for file in sorted(sweep.rglob("*")) if file.is_file() and "000" not in str(file)
    ]


COMMANDS = (
    "list",
    "show sim",
    "show sim:1",
    "best sim",
    "verify sim",
    "resume sim",
    "delete sim:1 --yes",
    "delete sim --yes",
)


def run(root, command):
    words = [*command.replace(" --yes", "").split(), "--root", str(root), "--debug"]
    found = CliRunner().invoke(cli.app, words)
    error = found.exception
    if error is not None and not isinstance(error, SystemExit):
        from tuner.errors import TunerError

        assert isinstance(error, TunerError), f"{command}: {type(error).__name__}: {error}"
        assert error.message
    return found


@pytest.fixture(scope="module", autouse=True)
def commands():
    from tuner.cli import best, delete, listing, resume, show, verify  # noqa: F401


@pytest.mark.parametrize(
    "name",
    [
        "attached.jsonl",
        "best_model.json",
        "curves.jsonl",
        "curves.sent",
        "driver.lock",
        "earlier.jsonl",
        "runs.jsonl",
        "simulated.jsonl",
        "space.yaml",
        "stop.request",
        "study.journal",
        "sweep.json",
        "trials/0001/job.json",
        "trials/0001/result.json",
    ],
)
def test_no_damage_of_a_file_is_a_fault_of_tuner_or_answered_wrongly(whole, tmp_path, name):
    chance = random.Random(name)
    for way, damage in WAYS.items():
        root = tmp_path / way
        shutil.copytree(whole, root)
        file = Root(root).sweep("sim").path / name
        data = file.read_bytes()
        file.write_bytes(damage(data, chance.randrange(len(data))))
        for command in COMMANDS:
            run(root, command)
        shutil.rmtree(root)


def test_every_file_that_a_sweep_leaves_is_among_those(whole):
    known = set(test_no_damage_of_a_file_is_a_fault_of_tuner_or_answered_wrongly.pytestmark[0].args[1])
    assert set(files_of(whole)) - known <= {"driver.log"}


@pytest.mark.parametrize("broken", [b"\r", b"\0\0\0", b"\xff", b"{", b'{"a": 1}\n'])
def test_a_line_of_the_journal_that_is_damaged_is_named_and_hides_nothing(whole, tmp_path, broken):
    root = tmp_path / "root"
    shutil.copytree(whole, root)
    file = Root(root).sweep("sim").journal_file
    lines = file.read_bytes().split(b"\n")
    begin = len(b"\n".join(lines[:5])) + 1
    lines[5] = lines[5][:9] + broken + lines[5][9:]
    file.write_bytes(b"\n".join(lines))
    with pytest.raises(StoreError, match=rf"study\.journal, line 6, byte {begin} is damaged: found ") as caught:
        open_journal(file)
    assert "put the file back from a copy" in caught.value.hint
    row = json.loads(run(root, "list --format json").stdout)[0]
    assert (row["state"], "line 6" in row["reason"]) == ("unreadable", True)


def test_a_carriage_return_between_what_json_says_hides_no_trial(whole, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(whole, root)
    file = Root(root).sweep("sim").journal_file
    lines = file.read_bytes().split(b"\n")
    lines[5] += b"\r"
    file.write_bytes(b"\n".join(lines))
    assert len(json.loads(run(root, "show sim --format json").stdout)) == 4


def test_a_change_of_the_study_that_cannot_follow_those_before_it_is_named_by_its_line(whole, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(whole, root)
    file = Root(root).sweep("sim").journal_file
    file.write_bytes(file.read_bytes() + b'{"op_code":5,"worker_id":"x"}\n{"op_code":99}\n')
    with pytest.raises(StoreError, match=r"study\.journal, line \d+, byte \d+ is damaged"):
        open_journal(file)


def test_lines_are_those_that_newlines_end_each_with_its_place(tmp_path):
    (tmp_path / "a").write_bytes(b'{"a":1}\r\n{"b":"\xe2\x80\xa8"}\n[1]\n\xff\n{"torn"')
    lines = list(read_lines(tmp_path / "a"))
    assert [(line.number, line.offset) for line in lines] == [(1, 0), (2, 9), (3, 21), (4, 25)]
    assert [line.mapping() for line in lines] == [{"a": 1}, {"b": "\u2028"}, None, None]


def test_run_ids_of_damaged_lines_are_looked_for_again_and_two_trials_never_share_a_run(tmp_path):
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b'{"run_id": "p"}\n{"trial": 0, "run_id": "a"}\n{"trial\xff": 1, "run_id": "b"}\n')
    assert RunIds(file).damaged
    file.write_bytes(b'{"run_id": "p"}\n{"trial": 0, "run_id": "a"}\n{"trial": 1, "run_id": "a"}\n')
    ids = RunIds(file)
    assert ids.damaged
    assert ids.trials == {1: "a"}
    ids.remember("c", 0)
    ids.rewrite()
    assert not RunIds(file).damaged
    assert RunIds(file).trials == {0: "c", 1: "a"}


def test_what_is_damaged_of_the_files_that_are_stored_is_stored_again(whole, tmp_path):
    root = Root(tmp_path)
    folder = root.sweep("sim")
    folder.path.mkdir(parents=True)
    folder.attached_file.write_bytes(b'{"trial": 0}\n{"trial": "1"}\n{"trial": 1e999}\n\xff\n{"trial": 3}\n{"tri')
    assert attached_trials(folder) == {0, 3}
    (root.artifacts_dir / ".location").write_bytes(b"\xff")
    assert has_moved(root)


@pytest.mark.parametrize(
    "line",
    ['"step": "x"', '"reason": 7', '"tags": []', '"tags": {"a": 1}', '"seen": [1]', '"died": "no"', '"life": "1"'],
)
def test_a_result_that_is_damaged_is_none(tmp_path, line):
    file = tmp_path / "result.json"
    JobResult(JobStatus.FINISHED, 1, 90, tags={"a": "b"}, seen=("x",)).write(file)
    assert JobResult.read(file, 1) == JobResult(JobStatus.FINISHED, 1, 90, tags={"a": "b"}, seen=("x",))
    file.write_text(json.dumps({**json.loads(file.read_text()), **json.loads(f"{{{line}}}")}))
    assert JobResult.read(file, 1) is None


def test_a_lost_sweep_file_is_made_anew_from_the_search_space_under_the_same_identity(whole, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(whole, root)
    sweep_dir = Root(root).sweep("sim")
    identity = json.loads(sweep_dir.spec_file.read_text())["sweep_id"]
    sweep_dir.spec_file.write_bytes(b'{"sweep_id": "')
    with pytest.raises(StoreError, match=r"sweep\.json, line 1, byte 13 is damaged.*") as caught:
        tuner.Sweep.open("sim", root)
    assert "tuner run SPACE.yaml --name sim" in caught.value.hint
    sweep_dir.spec_file.unlink()
    sweep_dir.earlier_file.unlink()
    sweep = tuner.Sweep.from_file(root / "sim.yaml", root)
    sweep.session(RunOptions(trials=5, backend="simulated"), NullDisplay()).run()
    assert json.loads(sweep_dir.spec_file.read_text())["sweep_id"] == identity
    assert len(sweep.result().trials) == 5
    assert verify_sweep(sweep_dir, sweep.result()).differences == []
