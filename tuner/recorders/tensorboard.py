"""Trials in TensorBoard's HParams tab: small event files of its plugin's own summaries, without TensorFlow.

Records come in. Out go, beside the trials' folders, one file that says which parameters and metrics a
sweep has; in a trial's folder one file when it begins (its parameters) and one when it is finished. They
hold no scalars, so nothing that follows a trial sees them; the metrics are those of the evaluations.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import google_crc32c

from tuner.config import from_json
from tuner.domain.trial import TrialState
from tuner.files.paths import SweepDir
from tuner.recorders.base import Recorder
from tuner.records.record import Evaluated, Record, SweepOpened, TrialChanged, TrialOpened
from tuner.space import Space
from tuner.space.parameters import Categorical, Discrete, Parameter, ParamValue

_PLUGIN = "hparams"
_EXPERIMENT, _START, _END = (f"_hparams_/{name}" for name in ("experiment", "session_start_info", "session_end_info"))
# TensorBoard reads the files of a folder by name and goes on to the next: the first stands before those
# that are named by their seconds, the last behind them.
_FIRST, _LAST = "events.out.tfevents.0000000000.tuner.hparams", "events.out.tfevents.9999999999.tuner.hparams"
_SUCCESS, _FAILURE, _UNKNOWN = 1, 2, 0  # tensorboard.hparams.Status


class TensorBoardRecorder(Recorder):
    """Write what TensorBoard shows of a sweep's trials; the same record counts once.

    A disk that takes nothing is not this one's to report.

    Args:
        sweep_dir: The sweep's folder.
    """

    def __init__(self, sweep_dir: SweepDir) -> None:
        self._dir = sweep_dir
        self._objectives: tuple[str, ...] = ()
        self._described = False

    def recall(self, records: Sequence[Record]) -> None:
        self.write(records)  # what is there already is left as it is

    def write(self, records: Sequence[Record]) -> None:
        for record in records:
            try:
                self._on_record(record)
            except (OSError, ValueError, KeyError):
                continue

    def _on_record(self, record: Record) -> None:
        if isinstance(record, SweepOpened):
            self._objectives = tuple(record.objectives)
        elif isinstance(record, TrialOpened):
            _write(self._dir.trial(record.trial).path / _FIRST, _START, _session_start(record), record.time)
        elif isinstance(record, Evaluated):
            self._describe(record)
        elif isinstance(record, TrialChanged) and record.state.is_finished:
            _write(self._dir.trial(record.trial).path / _LAST, _END, _session_end(record), record.time)

    def _describe(self, record: Evaluated) -> None:
        """Say what the sweep is about, when the first evaluation has shown in which folder its metrics are."""
        found = record.evaluation
        metrics = [metric for metric in self._objectives if metric in found.scalars]
        if self._described or not found.folder or found.is_secondary or not metrics:
            return
        self._described = True
        data = _experiment(self._space(), metrics, found.folder, record.evaluation.time)
        _write(self._dir.trials_dir / _FIRST, _EXPERIMENT, data, found.time)

    def _space(self) -> Space:
        frozen = json.loads(self._dir.spec_file.read_text(encoding="utf-8"))
        return from_json(frozen["spec"]).space


def _experiment(space: Space, metrics: Sequence[str], folder: str, at: float) -> Any:
    from tensorboard.plugins.hparams.api_pb2 import Experiment, MetricInfo, MetricName
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    named = [
        MetricInfo(name=MetricName(group=folder, tag=metric), display_name=f"{folder}/{metric}") for metric in metrics
    ]
    parameters = [_parameter(parameter) for parameter in space.parameters]
    return HParamsPluginData(experiment=Experiment(hparam_infos=parameters, metric_infos=named, time_created_secs=at))


def _parameter(parameter: Parameter) -> Any:
    from tensorboard.plugins.hparams.api_pb2 import DataType, HParamInfo, Interval

    info = HParamInfo(name=parameter.name)
    if isinstance(parameter, (Categorical, Discrete)):
        choices = parameter.choices if isinstance(parameter, Categorical) else parameter.values
        shown = [_plain(choice) for choice in choices]
        if not all(type(choice) is type(shown[0]) for choice in shown):
            shown = [choice if isinstance(choice, str) else json.dumps(choice) for choice in shown]
        info.type = {bool: DataType.DATA_TYPE_BOOL, str: DataType.DATA_TYPE_STRING}.get(
            type(shown[0]), DataType.DATA_TYPE_FLOAT64
        )
        info.domain_discrete.extend(shown)
    else:
        info.type = DataType.DATA_TYPE_FLOAT64
        info.domain_interval.CopyFrom(Interval(min_value=parameter.low, max_value=parameter.high))
    return info


def _session_start(record: TrialOpened) -> Any:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo

    start = SessionStartInfo(group_name=f"{record.trial:04d}", start_time_secs=record.time)
    for name, value in record.params.items():
        plain = _plain(value)
        if isinstance(plain, bool):
            start.hparams[name].bool_value = plain
        elif isinstance(plain, str):
            start.hparams[name].string_value = plain
        else:
            start.hparams[name].number_value = plain
    return HParamsPluginData(session_start_info=start)


def _session_end(record: TrialChanged) -> Any:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo

    status = {TrialState.COMPLETE: _SUCCESS, TrialState.FAIL: _FAILURE}.get(record.state, _UNKNOWN)
    return HParamsPluginData(session_end_info=SessionEndInfo(status=status, end_time_secs=record.time))


def _plain(value: ParamValue) -> bool | float | str:
    """Return a value as TensorBoard knows it: a number, a string, or a truth; others as JSON."""
    if isinstance(value, (bool, str)):
        return value
    return float(value) if isinstance(value, (int, float)) else json.dumps(value)


def _write(file: Path, tag: str, data: Any, at: float) -> None:
    """Write a file with one summary, once; if there is no folder nothing is written."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_FLOAT

    if file.exists() or not file.parent.is_dir():
        return
    value = Summary.Value(tag=tag, tensor=TensorProto(dtype=DT_FLOAT))
    value.tensor.tensor_shape.dim.add(size=0)
    value.metadata.plugin_data.plugin_name = _PLUGIN
    value.metadata.plugin_data.content = data.SerializeToString()
    version = Event(wall_time=at, file_version="brain.Event:2")
    event = Event(wall_time=at, summary=Summary(value=[value]))
    with file.open("xb") as stream:  # in one write: readers follow what grows
        stream.write(_framed(version.SerializeToString()) + _framed(event.SerializeToString()))


def _framed(data: bytes) -> bytes:
    """Return a record of a TFRecord file."""
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", _mask(head)) + data + struct.pack("<I", _mask(data))


def _mask(data: bytes) -> int:
    checksum = google_crc32c.value(data)
    masked: int = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return masked
