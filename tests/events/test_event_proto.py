"""Events decoded without TensorFlow, compared with protocol buffers."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from tuner.events.event_proto import decode_event


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
