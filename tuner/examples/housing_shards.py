"""House prices from sharded TFRecord files: data that does not fit into memory.

    python -m tuner.examples.housing_shards write /data/houses --size 5GB
    tuner run search_spaces/housing_shards.yaml --set parameters.shards=/data/houses

The model is that of ``tuner.examples.housing``; what differs is the input. Files are read side by side
(interleave), records parsed in parallel, shuffled in a buffer of ``shuffle_rows`` rows, batched and
prefetched, so memory holds the buffer and not the data. The log of a trial says how many examples a
second it read.

Parameters beyond those of ``housing``: ``shards``, a folder of ``train-*.tfrecord`` and
``validation-*.tfrecord`` (an empty text for small ones, made on demand), and ``shuffle_rows``.
"""

from __future__ import annotations

import argparse
import os
import struct
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import tensorflow as tf

from tuner.examples import housing
from tuner.examples.housing_data import FEATURES, Rows
from tuner.text import parse_size

serving_input_receiver_fn = housing.serving_input_receiver_fn

_MASK = 0xA282EAD8


def model_fn(features: Mapping[str, Any], labels: Any, mode: str, params: Mapping[str, Any]) -> Any:
    """Build the graph of ``housing``, and count the examples that training reads; see there."""
    spec = housing.model_fn(features, labels, mode, params)
    if mode != tf.estimator.ModeKeys.TRAIN:
        return spec
    return spec._replace(training_hooks=[*spec.training_hooks, ExamplesASecond(params["batch_size"])])


class ExamplesASecond(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
    """Say in the log how many examples a second training has read.

    Args:
        batch_size: Examples of a step.
        every_steps: Steps from one line to the next.
    """

    def __init__(self, batch_size: int, every_steps: int = 100) -> None:
        self._batch_size = batch_size
        self._every_steps = every_steps
        self._steps = 0
        self._began = 0.0

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Count a step; the first one, which waits for the shuffle buffer, is where counting begins."""
        del run_context, run_values
        if not self._began:
            self._began = time.perf_counter()
            return
        self._steps += 1
        if self._steps % self._every_steps == 0:
            self._print_speed()

    def end(self, session: Any) -> None:
        """Say it for the whole of a training."""
        del session
        if self._steps:
            self._print_speed()

    def _print_speed(self) -> None:
        rate = self._steps * self._batch_size / (time.perf_counter() - self._began)
        tf.compat.v1.logging.info("read %d examples, %.0f a second", self._steps * self._batch_size, rate)


def train_input_fn(params: Mapping[str, Any]) -> Any:
    """Return batches of the training shards without end."""
    files = tf.data.Dataset.list_files(_pattern(params, "train"), shuffle=True, seed=0)
    records = files.interleave(
        tf.data.TFRecordDataset, cycle_length=4, block_length=16, num_parallel_calls=2, deterministic=True
    )
    rows = records.shuffle(params["shuffle_rows"], seed=0).repeat().batch(params["batch_size"])
    # A batch is parsed in one operation, which costs a tenth of parsing each record.
    return rows.map(_parse, num_parallel_calls=2, deterministic=True).prefetch(2)


def eval_input_fn(params: Mapping[str, Any]) -> Any:
    """Return the validation shards once."""
    files = tf.data.Dataset.list_files(_pattern(params, "validation"), shuffle=False)
    return files.interleave(tf.data.TFRecordDataset).batch(1024).map(_parse).prefetch(1)


def _pattern(params: Mapping[str, Any], part: str) -> str:
    folder = Path(params["shards"]) if params["shards"] else _small_shards()
    if not any(folder.glob(f"{part}-*.tfrecord")):
        raise FileNotFoundError(
            f"no {part}-*.tfrecord in {folder}; write them with: python -m tuner.examples.housing_shards write {folder}"
        )
    return str(folder / f"{part}-*.tfrecord")


def _parse(records: Any) -> Any:
    columns = {name: tf.io.FixedLenFeature([], tf.float32) for name in (*FEATURES, "value")}
    found = tf.io.parse_example(records, columns)
    labels = found.pop("value")
    return found, labels


def _small_shards() -> Path:
    """Return a folder with the rows as they are, written the first time it is asked for."""
    folder = Path(tempfile.gettempdir()) / f"tuner-housing-shards-{os.getuid()}"
    if not any(folder.glob("validation-*.tfrecord")):
        write_shards(folder, size=0)
    return folder


def write_shards(folder: Path, size: int, shard_bytes: int = 100_000_000) -> int:
    """Write the training rows, over and over, and the validation rows once.

    The validation shards come last and each file is renamed into its place: a folder that has them is whole.

    Args:
        folder: Made if it is not there.
        size: Bytes of the training shards at least; 0 for each row once.
        shard_bytes: Bytes of a shard, about.

    Returns:
        Number of training rows that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = _framed(housing.HOUSING.train)
    once = b"".join(rows)
    written = total = shard = 0
    while not total or written < size:
        # A whole number of times through the rows, so that every shard has all of them.
        times = max(1, min(shard_bytes, size - written) // len(once)) if size else 1
        parts = 1 if size else 4
        for part in range(parts):
            _write(folder / f"train-{shard:05d}.tfrecord", [b"".join(rows[part::parts])] * times)
            shard += 1
        written += times * len(once)
        total += times * len(rows)
    _write(folder / "validation-00000.tfrecord", _framed(housing.HOUSING.validation))
    return total


def _write(file: Path, chunks: list[bytes]) -> None:
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with beside.open("wb") as stream:
        for chunk in chunks:
            stream.write(chunk)
    beside.replace(file)


def _framed(rows: Rows) -> list[bytes]:
    """Return rows as TFRecords: length, its checksum, a serialised Example, its checksum."""
    return [_frame(example.SerializeToString()) for example in _examples(rows)]


def _examples(rows: Rows) -> Iterator[Any]:
    for features, label in zip(rows.features, rows.labels, strict=True):
        columns = {**dict(zip(FEATURES, features, strict=True)), "value": label}
        yield tf.train.Example(
            features=tf.train.Features(
                feature={
                    name: tf.train.Feature(float_list=tf.train.FloatList(value=[np.float32(value)]))
                    for name, value in columns.items()
                }
            )
        )


def _frame(record: bytes) -> bytes:
    length = struct.pack("<Q", len(record))
    return length + _checksum(length) + record + _checksum(record)


def _checksum(data: bytes) -> bytes:
    """Return the masked CRC-32C of TFRecord files."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF)


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def main() -> None:
    """Write shards."""
    parser = argparse.ArgumentParser(prog="python -m tuner.examples.housing_shards", description=main.__doc__)
    commands = parser.add_subparsers(required=True)
    write = commands.add_parser("write", help="write the housing rows as sharded TFRecord files")
    write.add_argument("folder", type=Path)
    write.add_argument("--size", type=_size, default=0, help="bytes of training data: 200MB, 5GB; default: once")
    given = parser.parse_args()
    rows = write_shards(given.folder, given.size)
    print(f"{rows} training rows in {len(list(given.folder.glob('train-*')))} shards under {given.folder}")  # noqa: T201


if __name__ == "__main__":
    main()
