"""Time the reader against TensorFlow's iterator: ``python -m tests.events.measure [--repeats N]``.

Goes out: a table of seconds (the least of N) and ratios, above 1 where we are ahead. ``events`` does what
we do: ``summary_iterator`` and the scalars of each event. The others do less: ``parsed`` is
``summary_iterator`` alone, ``records`` is ``tf_record_iterator``, which returns bytes without looking
into them, and so does ``loader``, TensorBoard's RawEventFileLoader.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from tests.events.event_records import record, scalar_event, several_event, tensor_event, version_event

SCALARS = 100_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, events in _kinds().items():
            file = Path(folder) / kind / "eval" / "events.out.tfevents.1700000000.host"
            file.parent.mkdir(parents=True)
            file.write_bytes(record(version_event()) + b"".join(map(record, events)))
            ratios |= _measure(kind, file, arguments.repeats)
    if arguments.json:
        arguments.json.write_text(json.dumps({"ratios": ratios}, indent=1))


def _kinds() -> dict[str, list[bytes]]:
    return {
        "one_a_event": [scalar_event(n, "rmse", n / 7) for n in range(SCALARS)],
        "ten_a_event": [
            several_event(n, {f"metric_{k}": n / (k + 1) for k in range(10)}) for n in range(SCALARS // 10)
        ],
        "tensors": [tensor_event(n, "rmse", n / 7) for n in range(SCALARS)],
        "graphs": [graph_event(n) for n in range(50)],
    }


def graph_event(step: int) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    graph = GraphDef()
    for n in range(5000):
        graph.node.add(name=f"layer/node_{step}_{n}", op="MatMul", input=[f"layer/node_{n}", "other"])
    return Event(step=step, wall_time=1.7e9, graph_def=graph.SerializeToString()).SerializeToString()


def _measure(kind: str, file: Path, repeats: int) -> dict[str, float]:
    contenders = {"ours": _ours, "events": _events, "parsed": _parsed, "records": _records, "loader": _loader}
    best = dict.fromkeys(contenders, float("inf"))
    found: dict[str, int] = {}
    for _ in range(repeats):  # in turns: a slow moment of the machine hits all of them
        for name, read in contenders.items():
            begin = time.perf_counter()
            found[name] = read(file)
            best[name] = min(best[name], time.perf_counter() - begin)
    assert found["ours"] == found["events"], found
    ratios = {f"{kind}/{name}": best[name] / best["ours"] for name in contenders if name != "ours"}
    print(f"{kind}: {found['ours']} scalars, {file.stat().st_size / 1e6:.1f} MB")
    for name, seconds in best.items():
        print(f"  {name:8} {seconds:8.4f} s   ratio {seconds / best['ours']:6.2f}")
    return ratios


def _ours(file: Path) -> int:
    from tuner.events import read_all

    return sum(len(evaluation.scalars) for evaluation in read_all(file.parents[1]))


def _records(file: Path) -> int:
    import tensorflow as tf

    return sum(1 for _ in tf.compat.v1.io.tf_record_iterator(str(file)))


def _parsed(file: Path) -> int:
    import tensorflow as tf

    return sum(1 for _ in tf.compat.v1.train.summary_iterator(str(file)))


def _events(file: Path) -> int:
    import tensorflow as tf

    found = []
    for event in tf.compat.v1.train.summary_iterator(str(file)):
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                found.append((event.step, event.wall_time, value.tag, value.simple_value))
            elif kind == "tensor":
                number = float(tf.make_ndarray(value.tensor))
                found.append((event.step, event.wall_time, value.tag, number))
    return len(found)


def _loader(file: Path) -> int:
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

    return sum(1 for _ in RawEventFileLoader(str(file)).Load())


if __name__ == "__main__":
    main()
