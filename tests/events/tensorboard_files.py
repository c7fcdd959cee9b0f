"""Event files written by TensorBoard's own writer."""

from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


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


FILE = "eval/events.out.tfevents.100.host"
