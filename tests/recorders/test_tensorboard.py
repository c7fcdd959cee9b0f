"""TensorBoard's HParams tab on a sweep's folder: files without scalars, read by a real TensorBoard."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import tuner
from tuner.config import load_spec
from tuner.config.manifest import SweepManifest
from tuner.domain.trial import Evaluation, TrialState
from tuner.events import read_all
from tuner.files.paths import Root
from tuner.operations.verify import verify_sweep
from tuner.recorders.tensorboard import TensorBoardRecorder
from tuner.records.record import Evaluated, SweepOpened, TrialChanged, TrialOpened

PARAMETERS = (
    "rate: {type: float, low: 0.01, high: 0.1}\nkind: {type: categorical, choices: [a, [1, 2]]}\nconstant: true"
)
RECORDS = [
    SweepOpened("id", "tiny", 1.0, {"rmse": "minimize"}, ""),
    TrialOpened(0, 2.0, {"rate": 0.02, "kind": [1, 2], "constant": True}),
    Evaluated(0, Evaluation(10, 3.0, "eval_held", {"rmse": 1.0})),
    TrialChanged(0, 4.0, TrialState.COMPLETE, values={"rmse": 1.0}, step=10),
]


@pytest.fixture
def sweep_dir(tmp_path, space_file):
    found = Root(tmp_path).sweep("tiny")
    found.trial(0).path.mkdir(parents=True)
    SweepManifest("id", load_spec(space_file(parameters=PARAMETERS), [])).write(found)
    return found


def test_records_written_again_count_once_and_no_follower_sees_anything(sweep_dir):
    TensorBoardRecorder(sweep_dir).write(RECORDS)
    files = {file: file.read_bytes() for file in sweep_dir.trials_dir.rglob("*tfevents*")}
    assert [str(file.relative_to(sweep_dir.trials_dir).parent) for file in sorted(files)] == ["0000", "0000", "."]
    TensorBoardRecorder(sweep_dir).write(RECORDS)
    assert {file: file.read_bytes() for file in sweep_dir.trials_dir.rglob("*tfevents*")} == files
    assert read_all(sweep_dir.trial(0).path, anywhere=True, training=True) == []


def test_a_trial_that_was_deleted_is_not_brought_back(sweep_dir):
    shutil.rmtree(sweep_dir.trial(0).path)
    TensorBoardRecorder(sweep_dir).write(RECORDS)
    assert not sweep_dir.trial(0).path.exists()


def test_what_was_written_is_what_the_plugin_reads(sweep_dir):
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.hparams import metadata

    TensorBoardRecorder(sweep_dir).write(RECORDS)
    found = {}
    for file in sweep_dir.trials_dir.rglob("*tfevents*"):
        for event in map(Event.FromString, RawEventFileLoader(str(file)).Load()):
            for value in event.summary.value:
                found[value.tag] = value.metadata.plugin_data.content
    experiment = metadata.parse_experiment_plugin_data(found["_hparams_/experiment"])
    assert {info.name for info in experiment.hparam_infos} == {"rate", "kind"}
    assert (experiment.metric_infos[0].name.group, experiment.metric_infos[0].name.tag) == ("eval_held", "rmse")
    start = metadata.parse_session_start_info_plugin_data(found["_hparams_/session_start_info"])
    assert start.hparams["rate"].number_value == 0.02
    assert start.hparams["kind"].string_value == "[1, 2]"
    assert start.hparams["constant"].bool_value is True
    assert metadata.parse_session_end_info_plugin_data(found["_hparams_/session_end_info"]).status == 1


@pytest.mark.slow
@pytest.mark.tf
def test_tensorboard_shows_trials_parameters_and_objective_and_verify_finds_nothing(space_file, root):
    parameters = "learning_rate: {type: float, low: 0.001, high: 0.1}\nconstant: 3"
    sweep = tuner.Sweep.from_file(space_file(parameters=parameters), root)
    result = sweep.run()
    assert verify_sweep(sweep.dir, result).differences == []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).parent / "tensorboard")
    board = subprocess.Popen(
        [program, "--logdir", str(sweep.dir.trials_dir), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        groups = _ask(port, board)
    finally:
        board.terminate()
        board.wait(30)
    shown = {group["name"]: (group["hparams"], group["metricValues"][0]["value"]) for group in groups}
    assert shown == {f"{t.number:04d}": ({**t.params, "constant": 3.0}, t.value) for t in result.trials}


def _ask(port, board):
    """Return the session groups, when TensorBoard has read all runs."""
    body = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_SUCCESS"],
        "colParams": [{"metric": {"group": "eval", "tag": "rmse"}, "order": "ORDER_ASC"}],
        "startIndex": 0,
        "sliceSize": 10,
    }
    url = f"http://127.0.0.1:{port}/data/plugin/hparams/session_groups"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    deadline = time.monotonic() + 120
    groups = []
    while time.monotonic() < deadline and board.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                groups = json.loads(answer.read()).get("sessionGroups", [])
        except OSError:
            pass
        if len(groups) == 3 and all(group["metricValues"] for group in groups):
            return groups
        time.sleep(0.3)
    return groups
