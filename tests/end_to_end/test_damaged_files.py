"""Every file that a sweep leaves, damaged in each way, and then every command on it.

A command may refuse, in clear lines; it never ends with a traceback, never hangs, and what it answers is right.
"""

import json
import random
import shutil

import pytest

import tuner
from tests.fuzz.records import COMMANDS, FILES, WAYS, Records, make_sweep, run
from tuner.domain.job import JobResult, JobStatus
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


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("damaged")
    make_sweep(root)
    return root


def files_of(root):
    sweep = Root(root).sweep("sim").path
    return [
        str(file.relative_to(sweep)) for file in sorted(sweep.rglob("*")) if file.is_file() and "000" not in str(file)
    ]


@pytest.fixture(scope="module", autouse=True)
def commands():
    from tuner.cli import best, delete, listing, resume, show, verify  # noqa: F401


@pytest.mark.parametrize("name", FILES)
def test_no_damage_of_a_file_is_a_fault_of_tuner(whole, tmp_path, name):
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


def test_no_damage_of_files_is_answered_wrongly(tmp_path):
    part, chance = Records(tmp_path), random.Random(0)
    for _ in range(12):
        part.check(part.made_up(chance), chance)


def test_every_file_that_a_sweep_leaves_is_among_those(whole):
    assert set(files_of(whole)) - set(FILES) <= {"driver.log"}


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
