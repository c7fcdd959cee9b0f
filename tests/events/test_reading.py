"""Event files written by TensorBoard's own writer, whole, growing, cut and damaged."""

import math
import struct

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from tests.events.tensorboard_files import FILE, event, write
from tuner.events import read_all


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


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
