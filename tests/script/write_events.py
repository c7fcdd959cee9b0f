"""Write scalars into an event file: FOLDER TAG STEP=VALUE... ; run by tests' commands."""

import sys
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from tests.events.event_records import record

folder, tag, *pairs = sys.argv[1:]
Path(folder).mkdir(parents=True, exist_ok=True)
with (Path(folder) / f"events.out.tfevents.{int(time.time())}.host").open("ab") as stream:
    for pair in pairs:
        step, value = pair.split("=")
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=float(value))])
        stream.write(record(Event(wall_time=time.time(), step=int(step), summary=summary).SerializeToString()))
