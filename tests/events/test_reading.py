"""Event files written by TensorBoard's own writer, whole, growing, cut and damaged."""

import math
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.summary.writer.record_writer import RecordWriter

from tuner.domain.trial import Evaluation
from tuner.events import EventFile, FirstValueFilter, Follower, read_all
from tuner.events.event_proto import decode_event


def event(step, time=1.5, **scalars):
    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
    return Event(wall_time=time, step=step, summary=Summary(value=values))


def write(file: Path, *events):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as stream:
        writer = RecordWriter(stream)
        for one in events:
            writer.write(one.SerializeToString())
        writer.flush()


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


FILE = "eval/events.out.tfevents.100.host"


def test_scalars_are_float32_widened_with_their_own_tags_steps_and_times(tmp_path):
    write(tmp_path / FILE, Event(file_version="brain.Event:2"), event(100, 12.25, rmse=0.1, loss=math.nan))
    (found,) = read_all(tmp_path)
    assert (found.step, found.time, found.folder) == (100, 12.25, "eval")
    assert found.scalars["rmse"] == single(0.1)
    assert math.isnan(found.scalars["loss"])


def test_summaries_of_tensorflow_2_are_read_and_other_tensors_are_not(tmp_path):
    scalar = TensorProto(dtype=1, float_val=[0.5])
    packed = TensorProto(dtype=1, tensor_content=struct.pack("f", 0.25))
    text = TensorProto(dtype=7, string_val=[b"words"])
    vector = TensorProto(dtype=1, float_val=[1, 2])
    vector.tensor_shape.dim.add(size=2)
    values = [Summary.Value(tag=t, tensor=v) for t, v in zip("abcd", (scalar, packed, text, vector), strict=True)]
    write(tmp_path / FILE, Event(step=3, summary=Summary(value=values)))
    (found,) = read_all(tmp_path)
    assert found.scalars == {"a": 0.5, "b": 0.25}


def test_a_file_cut_at_any_byte_gives_the_events_that_are_whole_and_the_rest_when_it_has_grown(tmp_path):
    write(tmp_path / "whole", event(1, rmse=1.0), event(2, rmse=2.0), event(3, rmse=3.0))
    data = (tmp_path / "whole").read_bytes()
    growing = tmp_path / "growing"
    for cut in range(len(data) + 1):
        growing.write_bytes(data[:cut])
        file = EventFile(growing)
        first = [e.step for e in file.read()]
        growing.write_bytes(data)
        assert first + [e.step for e in file.read()] == [1, 2, 3]
        assert file.damage == []


def test_a_damaged_byte_loses_what_is_behind_it_and_is_said_once(tmp_path):
    write(tmp_path / "whole", event(1, rmse=1.0), event(2, rmse=2.0), event(3, rmse=3.0))
    data = (tmp_path / "whole").read_bytes()
    for place in range(len(data)):
        damaged = tmp_path / "damaged"
        damaged.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        file = EventFile(damaged)
        steps = [e.step for e in file.read()]
        assert len(file.damage) == 1
        assert len(steps) < 3
        assert steps == [1, 2, 3][: len(steps)]
        assert file.read() == []
        assert len(file.damage) == 1


def test_a_second_look_reads_only_what_was_appended(tmp_path):
    file = tmp_path / FILE
    write(file, *[event(step, rmse=1.0) for step in range(1000)])
    follower = Follower(tmp_path)
    assert len(follower.poll()) == 1000
    before = follower.bytes_read
    assert follower.poll() == []
    assert follower.bytes_read == before
    size = file.stat().st_size
    write(file, event(1000, rmse=2.0))
    assert [e.step for e in follower.poll()] == [1000]
    assert follower.bytes_read - before == file.stat().st_size - size


def test_folders_of_named_evaluations_are_found_and_those_of_training_only_when_asked(tmp_path):
    write(tmp_path / FILE, event(1, rmse=1.0))
    write(tmp_path / "eval_holdout/events.out.tfevents.101.host", event(1, rmse=2.0))
    write(tmp_path / "events.out.tfevents.99.host", event(1, loss=3.0))
    write(tmp_path / "other/deep/events.out.tfevents.99.host", event(1, x=4.0))
    assert {e.folder for e in read_all(tmp_path)} == {"eval", "eval_holdout"}
    assert {e.folder for e in read_all(tmp_path, training=True)} == {"", "eval", "eval_holdout"}
    assert {e.folder for e in read_all(tmp_path, anywhere=True)} == {"", "eval", "eval_holdout", "other/deep"}


def test_files_of_a_folder_are_read_in_the_order_in_which_they_were_made(tmp_path):
    write(tmp_path / "eval/events.out.tfevents.1000.host", event(2, rmse=2.0))
    write(tmp_path / "eval/events.out.tfevents.999.host", event(1, rmse=1.0))
    assert [e.step for e in read_all(tmp_path)] == [1, 2]


def test_the_first_value_of_a_step_stands_and_repeats_that_differ_are_counted():
    first = FirstValueFilter()
    assert first.filter(Evaluation(1, 0.0, "eval", {"a": 1.0, "n": math.nan})) is not None
    assert first.filter(Evaluation(1, 9.0, "eval", {"a": 1.0, "n": math.nan})) is None
    assert first.differing == 0
    fresh = first.filter(Evaluation(1, 9.0, "eval", {"a": 2.0, "b": 3.0}))
    assert fresh is not None
    assert fresh.scalars == {"b": 3.0}
    assert first.differing == 1


@settings(max_examples=2000, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_the_bytes_of_an_event_there_are_scalars_or_a_value_error(data):
    try:
        found = decode_event(data)
    except ValueError:
        return
    assert all(isinstance(tag, str) and isinstance(value, float) for tag, value in found.scalars)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(width=32), st.text(max_size=20)), max_size=5),
    st.floats(allow_nan=False),
)
def test_the_decoder_agrees_with_protocol_buffers(values, time):
    for step, value, tag in values:
        one = Event(wall_time=time, step=step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=value)]))
        found = decode_event(one.SerializeToString())
        assert found.step == step
        assert found.time == time
        ((tag_found, value_found),) = found.scalars
        assert tag_found == tag
        assert value_found == value or math.isnan(value)


def test_whatever_the_bytes_of_a_file_reading_ends_in_bounded_memory(tmp_path):
    import random

    chance = random.Random(0)
    write(tmp_path / "whole", *[event(step, rmse=1.0) for step in range(5)])
    whole = (tmp_path / "whole").read_bytes()
    for _ in range(1000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        file = tmp_path / "any"
        file.write_bytes(bytes(data[: chance.randint(0, len(data))]))
        reader = EventFile(file)
        reader.read()
        assert reader.bytes_read <= len(data)


@pytest.mark.tf
def test_files_of_tensorflows_own_writers_are_read(tmp_path):
    tf = pytest.importorskip("tensorflow")
    with tf.Graph().as_default():
        writer = tf.compat.v1.summary.FileWriter(str(tmp_path / "eval"))
        summary = tf.compat.v1.Summary()
        summary.value.add(tag="rmse", simple_value=0.1)
        writer.add_summary(summary, 7)
        writer.close()
    two = tf.summary.create_file_writer(str(tmp_path / "eval_two"))
    with two.as_default():
        tf.summary.scalar("accuracy", 0.75, step=9)
    two.close()
    found = {(e.folder, e.step): dict(e.scalars) for e in read_all(tmp_path)}
    assert found == {("eval", 7): {"rmse": single(0.1)}, ("eval_two", 9): {"accuracy": 0.75}}
