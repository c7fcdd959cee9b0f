"""What an event says, compared with what tensorboard's own protos say of the same bytes."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from tests.events.event_records import several_event, tensor_event
from tuner.events.decoder import Decoder
from tuner.events.first_values import same_bits

FLOATS = ["DT_FLOAT", "DT_DOUBLE", "DT_HALF", "DT_BFLOAT16"]
INTS = [f"DT_{name}" for name in ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL")]
NUMPY = {
    "DT_FLOAT": "<f4", "DT_DOUBLE": "<f8", "DT_HALF": "<f2", "DT_INT8": "i1", "DT_INT16": "<i2", "DT_INT32": "<i4",
    "DT_INT64": "<i8", "DT_UINT8": "u1", "DT_UINT16": "<u2", "DT_UINT32": "<u4", "DT_UINT64": "<u8", "DT_BOOL": "?",
}  # fmt: skip
LISTS = {
    "DT_FLOAT": "float_val", "DT_DOUBLE": "double_val", "DT_INT64": "int64_val", "DT_BOOL": "bool_val",
    "DT_UINT32": "uint32_val", "DT_UINT64": "uint64_val", "DT_HALF": "half_val", "DT_BFLOAT16": "half_val",
}  # fmt: skip


def event_of(tensor, tag="t"):
    return Event(step=1, summary=Summary(value=[Summary.Value(tag=tag, tensor=tensor)])).SerializeToString()


def tensor_of(dtype, number, content):
    from tensorboard.compat.proto import types_pb2

    tensor = TensorProto(dtype=getattr(types_pb2, dtype))
    tensor.tensor_shape.SetInParent()
    if dtype == "DT_BFLOAT16":
        upper = struct.unpack("<H", struct.pack("<f", number)[2:])[0]
        content_bytes, value = struct.pack("<H", upper), upper
    else:
        array = np.array(number, NUMPY[dtype])
        content_bytes, value = array.tobytes(), array.item()
        if dtype == "DT_HALF":
            value = int(array.view("<u2"))
    if content:
        tensor.tensor_content = content_bytes
    else:
        getattr(tensor, LISTS.get(dtype, "int_val")).append(value)
    return tensor


@pytest.mark.parametrize("content", [True, False])
@pytest.mark.parametrize("dtype", FLOATS + INTS)
def test_a_scalar_tensor_of_any_number_type_is_a_scalar(dtype, content):
    for number in [0.5, -1.5, float("inf"), 0.0] if dtype in FLOATS else [0, 1, 100]:
        if dtype == "DT_BOOL":
            number = bool(number)
        found = Decoder().decode(event_of(tensor_of(dtype, number, content)))
        assert found is not None
        assert found[2] == {"t": float(number)}


@pytest.mark.parametrize("dtype", ["DT_INT8", "DT_INT16", "DT_INT32", "DT_INT64"])
def test_negative_integers_are_negative(dtype):
    for content in (True, False):
        assert Decoder().decode(event_of(tensor_of(dtype, -7, content)))[2] == {"t": -7.0}


def test_a_double_keeps_its_bits():
    assert Decoder().decode(event_of(tensor_of("DT_DOUBLE", 0.1, True)))[2] == {"t": 0.1}


def test_a_float32_is_widened_exactly():
    found = Decoder().decode(tensor_event(1, "t", 0.1))[2]["t"]
    assert found == float(np.float32(0.1)) != 0.1


def test_tensors_of_several_numbers_of_text_or_without_a_number_are_no_scalars():
    vector = TensorProto(dtype=1, float_val=[0.5, 1.0])
    vector.tensor_shape.dim.add(size=2)
    text = TensorProto(dtype=7, string_val=[b"words"])
    empty = TensorProto(dtype=1)
    misfit = TensorProto(dtype=1, tensor_content=b"12345678")
    unknown = TensorProto(dtype=1, float_val=[1.0])
    unknown.tensor_shape.unknown_rank = True
    for tensor in (vector, text, empty, misfit, unknown):
        assert Decoder().decode(event_of(tensor)) is None


def test_summaries_that_are_no_scalars_are_left_out_beside_scalars_that_stay():
    decoder = Decoder()
    for step in (1, 2):
        summary = Summary(value=[Summary.Value(tag="a", simple_value=step)])
        summary.value.add(tag="h").histo.num = step
        summary.value.add(tag="i").image.height = 7
        summary.value.add(tag="b", simple_value=2)
        assert decoder.decode(Event(step=step, summary=summary).SerializeToString())[2] == {"a": step, "b": 2.0}


def test_events_without_a_summary_are_no_scalars():
    for event in (Event(file_version="brain.Event:2"), Event(graph_def=b"x" * 1000), Event(step=5), Event()):
        assert Decoder().decode(event.SerializeToString()) is None


def test_of_a_tag_that_stands_twice_in_an_event_the_first_value_counts():
    values = [Summary.Value(tag="a", simple_value=1), Summary.Value(tag="a", simple_value=2)]
    data = Event(step=1, wall_time=1.0, summary=Summary(value=values)).SerializeToString()
    decoder = Decoder()
    assert decoder.decode(data) == decoder.decode(data) == (1, 1.0, {"a": 1.0})


def expected(data):
    event = Event.FromString(data)
    scalars = {}
    for value in event.summary.value:
        if value.WhichOneof("value") == "simple_value":
            scalars.setdefault(value.tag, value.simple_value)
        elif value.WhichOneof("value") == "tensor" and len(value.tensor.tensor_content) == 4:
            scalars.setdefault(value.tag, struct.unpack("<f", value.tensor.tensor_content)[0])
    return (event.step, event.wall_time, scalars) if scalars else None


def alike(one, other):
    if one is None or other is None:
        return one is other
    return (
        one[0] == other[0]
        and same_bits(one[1], other[1])
        and list(one[2]) == list(other[2])
        and all(same_bits(one[2][tag], other[2][tag]) for tag in one[2])
    )


TAGS = st.sampled_from(["rmse", "loss", "a/b", "größe", ""]) | st.text(max_size=200)
STEPS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 40_000)
EVENTS = st.builds(
    lambda step, time, values, tensors: (
        tensor_event(step, *next(iter(values.items())), time)
        if tensors and values
        else several_event(step, values, time)
    ),
    STEPS,
    st.floats(),
    st.dictionaries(TAGS, st.floats(width=32), max_size=5),
    st.booleans(),
)


@given(st.lists(EVENTS, max_size=12))
def test_a_decoder_says_what_the_protos_say_whatever_it_saw_before(events):
    decoder = Decoder()
    for data in events * 2:
        assert alike(decoder.decode(data), expected(data))


@given(st.lists(EVENTS, max_size=4), EVENTS, st.integers(0, 1 << 16), st.integers(0, 255))
def test_a_changed_byte_gives_the_same_with_what_was_learnt_as_without(events, data, at, byte):
    decoder = Decoder()
    for event in [*events, data]:
        decoder.decode(event)
    at %= len(data) + 1
    changed = data[:at] + bytes([byte]) + data[at + 1 :]
    assert outcome(decoder, changed) == outcome(Decoder(), changed)


def outcome(decoder, data):
    try:
        return repr(decoder.decode(data))
    except ValueError as error:
        return str(error)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_value_error(data):
    outcome(Decoder(), data)


def test_what_a_decoder_learns_is_bounded():
    decoder = Decoder()
    for n in range(20_000):
        decoder.decode(several_event(1, {f"tag_{n}": 1.0}))
    kept = sum(len(shape.known) for shapes in decoder._shapes.values() for shape in shapes)
    assert kept < 8_000
    assert decoder.decode(several_event(1, {"tag_19999": 3.0}))[2] == {"tag_19999": 3.0}


def test_reading_event_files_imports_neither_tensorflow_nor_tensorboard(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tuner.events import read_all; read_all(Path(sys.argv[1])); "
        "print([m for m in ('tensorflow', 'tensorboard', 'google.protobuf', 'numpy') if m in sys.modules])"
    )
    (tmp_path / "eval").mkdir()
    from tests.events.event_records import NAME, record

    (tmp_path / "eval" / NAME).write_bytes(record(tensor_event(1, "t", 0.1)))
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
