"""Following a trial's folder: which files, in which order, what is new, and what a step's value is."""

import math
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.events.event_records import NAME, record, scalar_event, tensor_event, version_event
from tuner.domain.trial import Evaluation
from tuner.events import FirstValueFilter, Follower, read_all


def write(file, *events):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as stream:
        stream.write(b"".join(map(record, events)))


def steps(evaluations):
    return [(e.folder, e.step) for e in evaluations]


def test_a_folder_that_is_not_there_yet_has_no_evaluations(tmp_path):
    follower = Follower(tmp_path / "0001")
    assert follower.poll() == []
    write(tmp_path / "0001/eval" / NAME, version_event(), scalar_event(1, "rmse", 0.5))
    assert [(e.folder, e.step, e.time, e.scalars) for e in follower.poll()] == [("eval", 1, 1.7e9, {"rmse": 0.5})]
    assert follower.poll() == []


def test_only_folders_of_evaluations_are_looked_into(tmp_path):
    for folder in ("eval", "eval_test", "evaluation", "export", "eval/deeper", ""):
        write(tmp_path / folder / NAME, scalar_event(1, "a", 1.0))
    (tmp_path / "eval_file").write_bytes(record(scalar_event(1, "a", 1.0)))
    (tmp_path / "eval/model.ckpt").write_bytes(b"no events")
    assert steps(read_all(tmp_path)) == [("eval", 1), ("eval_test", 1)]
    assert steps(read_all(tmp_path, training=True)) == [("", 1), ("eval", 1), ("eval_test", 1)]


def test_anywhere_finds_every_folder_by_its_relative_path_and_follows_no_link(tmp_path):
    for folder in ("", "run/a/validation", "run", "logs"):
        write(tmp_path / folder / NAME, scalar_event(1, "a", 1.0))
    (tmp_path / "run/loop").symlink_to(tmp_path, target_is_directory=True)
    found = steps(read_all(tmp_path, anywhere=True))
    assert found == [("", 1), ("logs", 1), ("run", 1), ("run/a/validation", 1)]


def test_files_are_read_by_the_second_in_their_name_then_by_name(tmp_path):
    names = ["events.out.tfevents.10.b", "events.out.tfevents.9.z", "events.out.tfevents.10.a", "old.tfevents"]
    for step, name in enumerate(names):
        write(tmp_path / "eval" / name, scalar_event(step, "a", 1.0))
    assert [e.step for e in read_all(tmp_path)] == [3, 1, 2, 0]


def test_a_resumed_trial_adds_a_file_and_its_repeats_are_counted_not_passed_on(tmp_path):
    follower, first = Follower(tmp_path), FirstValueFilter()
    write(tmp_path / "eval/events.out.tfevents.100.host", scalar_event(10, "a", 1.0), scalar_event(20, "a", 2.0))
    assert [e.step for e in map(first.filter, follower.poll()) if e] == [10, 20]
    write(tmp_path / "eval/events.out.tfevents.200.host", scalar_event(20, "a", 2.5), scalar_event(30, "a", 3.0))
    assert [e.step for e in map(first.filter, follower.poll()) if e] == [30]
    assert first.differing == 1


def test_a_poll_of_many_files_reads_only_what_was_appended_to_one(tmp_path):
    files = [tmp_path / "eval" / f"events.out.tfevents.{n}.host" for n in range(50)]
    for file in files:
        write(file, *[scalar_event(step, "a", 1.0) for step in range(100)])
    follower = Follower(tmp_path)
    assert len(follower.poll()) == 5000
    assert follower.bytes_read == sum(file.stat().st_size for file in files)
    before = follower.bytes_read
    write(files[7], tensor_event(100, "a", 2.0))
    assert steps(follower.poll()) == [("eval", 100)]
    assert follower.bytes_read - before == len(record(tensor_event(100, "a", 2.0)))
    assert follower.poll() == []


def test_an_unchanged_file_is_not_opened(tmp_path):
    write(tmp_path / "eval" / NAME, scalar_event(1, "a", 1.0))
    code = (
        "import sys; from pathlib import Path; from tuner.events import Follower\n"
        "follower = Follower(Path(sys.argv[1])); follower.poll(); opened = []\n"
        "sys.addaudithook(lambda name, args: opened.append(args) if name == 'open' else None)\n"
        "follower.poll(); print(opened)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_damage_of_one_file_leaves_the_others_and_what_is_before_it(tmp_path):
    whole, broken = tmp_path / "eval/events.out.tfevents.1.h", tmp_path / "eval/events.out.tfevents.2.h"
    write(whole, scalar_event(1, "a", 1.0))
    write(broken, scalar_event(2, "a", 1.0))
    size = broken.stat().st_size
    with broken.open("ab") as stream:
        stream.write(b"\xff" * 30)
    follower = Follower(tmp_path)
    assert [e.step for e in follower.poll()] == [1, 2]
    write(whole, scalar_event(3, "a", 1.0))
    write(broken, scalar_event(4, "a", 1.0))
    assert [e.step for e in follower.poll()] == [3]
    assert [(d.file, d.offset) for d in follower.damage] == [(broken, size)]
    assert follower.cut_off == []


def test_a_file_that_ends_within_a_record_is_cut_off_not_damaged(tmp_path):
    file = tmp_path / "eval" / NAME
    write(file, scalar_event(1, "a", 1.0))
    size = file.stat().st_size
    write(file, scalar_event(2, "a", 1.0))
    os.truncate(file, file.stat().st_size - 3)
    follower = Follower(tmp_path)
    assert [e.step for e in follower.poll()] == [1]
    assert follower.damage == []
    assert [(d.file, d.offset) for d in follower.cut_off] == [(file, size)]


def test_events_of_a_writer_are_seen_while_it_writes(tmp_path):
    """The writer is a process of its own; each event is one write, but for one that comes in two."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from event_records import *\n"
        "stream = open(sys.argv[1], 'wb', buffering=0)\n"
        "for step in range(200):\n"
        "    data = record(scalar_event(step, 'a', step))\n"
        "    half = len(data) // 2 if step % 3 == 0 else 0\n"
        "    stream.write(data[:half]); stream.write(data[half:])\n"
    )
    (tmp_path / "eval").mkdir()
    here = Path(__file__).parent
    writer = subprocess.Popen([sys.executable, "-c", code, tmp_path / "eval" / NAME, here])
    follower, found = Follower(tmp_path), []
    while writer.poll() is None:
        found += follower.poll()
    found += follower.poll()
    assert writer.returncode == 0
    assert [(e.step, e.scalars) for e in found] == [(step, {"a": float(step)}) for step in range(200)]
    assert follower.damage == follower.cut_off == []


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from([1.0, 2.0, math.nan])), max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_what_is_followed_is_what_is_read_whole_whenever_one_looks(tmp_path_factory, events, looks):
    trial_dir = tmp_path_factory.mktemp("trial")
    file = trial_dir / "eval" / NAME
    follower, followed, first = Follower(trial_dir), [], FirstValueFilter()
    for n, (step, tag, value) in enumerate(events):
        write(file, scalar_event(step, tag, value))
        if n in looks:
            followed += filter(None, map(first.filter, follower.poll()))
    followed += filter(None, map(first.filter, follower.poll()))
    whole = FirstValueFilter()
    assert repr(followed) == repr([e for e in map(whole.filter, read_all(trial_dir)) if e])
    assert first.differing == whole.differing


def test_first_values_are_kept_by_folder_tag_and_step():
    first = FirstValueFilter()
    one = Evaluation(1, 0.0, "eval", {"a": 1.0})
    for other in (one, Evaluation(2, 0.0, "eval", {"a": 2.0}), Evaluation(1, 0.0, "eval_b", {"a": 3.0})):
        assert first.filter(other) == other
    assert first.filter(Evaluation(1, 0.0, "eval", {"b": 4.0})) is not None
    assert first.differing == 0


@pytest.mark.parametrize(
    ("one", "other", "differing"),
    [(math.nan, -math.nan, 0), (0.0, -0.0, 1), (1.0, 1.0, 0), (1.0, math.nextafter(1.0, 2.0), 1), (math.nan, 1.0, 1)],
)
def test_repeats_differ_by_their_bits_and_nan_equals_nan(one, other, differing):
    first = FirstValueFilter()
    first.filter(Evaluation(1, 0.0, "eval", {"a": one}))
    assert first.filter(Evaluation(1, 1.0, "eval", {"a": other})) is None
    assert first.differing == differing


def test_tensorboards_own_writer_is_read(tmp_path):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path / "eval"))
    for step in (100, 200):
        values = [Summary.Value(tag="rmse", simple_value=0.1), Summary.Value(tag="mae", simple_value=step)]
        writer.add_event(Event(step=step, wall_time=12.5, summary=Summary(value=values)))
    writer.close()
    tenth = struct.unpack("<f", struct.pack("<f", 0.1))[0]
    expected = [Evaluation(step, 12.5, "eval", {"rmse": tenth, "mae": float(step)}) for step in (100, 200)]
    assert read_all(tmp_path) == expected
