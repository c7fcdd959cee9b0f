"""What must not grow unseen: counts that do not depend on the machine, where benchmarks have times."""

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import chain

import pytest

from tests.conftest import MODELS
from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.domain.trial import Evaluation, TrialRecord, TrialState
from tuner.driver.context import LoopContext
from tuner.driver.lifecycle import TrialLifecycle
from tuner.driver.progress import NullDisplay
from tuner.events import Follower
from tuner.files.paths import Root
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.records.log import RecordLog
from tuner.records.record import Evaluated, SweepOpened, TrialChanged, TrialOpened
from tuner.schedulers import make_scheduler
from tuner.study import Study
from tuner.study.journal_file import JournalFile
from tuner.sweep import Sweep

PROGRAM = {"tuner", "typer", "rich", "shellingham", "annotated_doc", "annotated_types", "typing_extensions", "click"}
PAGES = {"markdown_it", "mdurl", "pygments", "attr", "attrs", "colorama"}  # what rich shows help with
FILES = {"pydantic", "pydantic_core", "typing_inspection", "google_crc32c", "ruamel"}
STUDY = {
    "optuna",
    "colorama",
    "cython_runtime",
    "numpy",
    "packaging",
    "tqdm",
    "colorlog",
    "yaml",
    "cloudpickle",
    "dateutil",
    "six",
}

MODULES = """
import contextlib, io, json, sys
sys.argv[:] = ["tuner", *sys.argv[1:]]
from tuner.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
print(json.dumps([sorted({name.split(".")[0] for name in sys.modules}), len(sys.modules)]))
"""

TRIAL = """
import collections, json, os, sys
from pathlib import Path
os.environ["TF_USE_LEGACY_KERAS"] = "1"
from tuner.domain.job import Job
from tuner.files.paths import TrialDir
from tuner.trial.run import run_job
from tuner.estimator.stop_control import StopRequest
from tuner.forkserver.preload import preload_model

trial_dir = TrialDir(Path(sys.argv[1]))
job = Job.read(trial_dir.job_file)
preload_model(job.model)
import tensorflow as tf
from tensorflow.python.client import session
from tensorflow.python.framework import ops
counts = collections.Counter()

def counted(kind, name, key):
    original = getattr(kind, name)
    def call(*args, **kwargs):
        counts[key] += 1
        return original(*args, **kwargs)
    setattr(kind, name, call)

counted(session.BaseSession, "__init__", "sessions")
counted(session.BaseSession, "run", "runs")
counted(ops.Graph, "__init__", "graphs")
counted(tf.compat.v1.train.Saver, "save", "saves")
counted(tf.estimator.Estimator, "_call_model_fn", "models")
threads = len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 0
before = set(sys.modules)
result = run_job(job, trial_dir, StopRequest())
counts["modules"] = len(set(sys.modules) - before)
print(json.dumps({**counts, "ending": result.ending.value, "threads of the fork server": threads}))
"""


def run(code, *arguments):
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A root with a sweep of two trials in its study, and no more."""
    root = tmp_path_factory.mktemp("counts")
    space = root / "small.yaml"
    space.write_text(
        f"name: small\nmodel: {MODELS / 'tiny.py'}\nobjective: {{metric: rmse, goal: minimize}}\n"
        "parameters:\n  rate: {type: float, low: 0.0, high: 1.0}\n  units: {type: int, low: 1, high: 8}\n"
        "train: {max_steps: 60, evaluate_every: 20}\nsearch: {sampler: random, trials: 2}\n"
    )
    sweep = Sweep.from_file(space, root)
    from tuner.config.manifest import resolve_manifest

    sweep.dir.trials_dir.mkdir(parents=True)
    resolve_manifest(sweep.dir, sweep.spec, {})[0].write(sweep.dir)
    study = journal_study(sweep)[0]
    for number in range(2):
        trial(study)
        sweep.dir.trial(number).path.mkdir()
        sweep.dir.trial(number).log_file.write_text("a line\n")
    return root, sweep


def journal_study(sweep):
    from optuna.storages import JournalStorage

    file = JournalFile(sweep.dir.journal_file)
    return Study(sweep.spec, JournalStorage(file)), file


def trial(study):
    """What the loop tells the study of a trial with three evaluations."""
    number = study.ask().number
    study.note(number, state="RUNNING", attempts=1, stop_at=None)
    for step in (20, 40, 60):
        study.report(number, step, {"rmse": 1 / step})
    study.finish(number, TrialState.COMPLETE, {"rmse": 1 / 60}, reason="", seconds=1.0, tags={})


@pytest.mark.parametrize(
    ("arguments", "allowed", "at_most"),
    [
        (["--help"], PROGRAM | PAGES, 420),
        (["run", "--help"], PROGRAM | PAGES | FILES, 480),  # typer asks pydantic about types
        (["list"], PROGRAM | FILES | STUDY, 790),
        (["show", "small"], PROGRAM | FILES | STUDY, 790),
        (["best", "small", "--format", "json"], PROGRAM | FILES | STUDY, 790),
        (["stop", "small"], PROGRAM | FILES, 490),
        (["logs", "small:0"], PROGRAM | FILES, 490),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_command_imports_what_it_uses(arguments, allowed, at_most, recorded):
    root, _ = recorded
    if "--help" not in arguments:
        arguments = [*arguments, "--root", str(root)]
    names, modules = run(MODULES, *arguments)
    other = set(names) - set(sys.stdlib_module_names) - allowed
    assert {name for name in other if not name.startswith(("_", "sitecustomize", "tests"))} == set()
    assert modules <= at_most


def test_a_trial_is_eleven_lines_of_the_journal_and_three_waits_for_the_disk(recorded, tmp_path):
    _, sweep = recorded
    study, file = journal_study(sweep)
    writes, syncs, size = file.writes, file.syncs, sweep.dir.journal_file.stat().st_size
    trial(study)
    assert file.writes - writes == 1 + 2 + 1 + 3 + 1 + 1  # made, two parameters, begun, reports, attributes, end
    assert file.syncs - syncs == 3  # begun, attributes, end
    assert sweep.dir.journal_file.stat().st_size - size < 2200


def test_the_record_log_waits_for_the_disk_once_a_trial_before_the_study_has_its_end(recorded, tmp_path, monkeypatch):
    _, sweep = recorded
    study, _ = journal_study(sweep)
    log = RecordLog(tmp_path / "records")
    lifecycle = TrialLifecycle(
        sweep.spec, sweep.dir, LoopContext(study, None, make_scheduler(sweep.spec), log, NullDisplay(), None)
    )
    number = study.ask().number
    *begun, _ = trial_records(number)
    log.append(*chain(*begun))
    assert log.syncs == 0
    on_disk = []  # of the log, when the journal waits

    def waits(descriptor):
        size = os.fstat(descriptor).st_size
        is_log = os.path.samestat(os.fstat(descriptor), (tmp_path / "records").stat())
        on_disk.append(size if is_log else on_disk[-1])

    monkeypatch.setattr(os, "fsync", waits)
    lifecycle.finish(TrialRecord(number, TrialState.COMPLETE, {"rate": 0.5}, values={"rmse": 1 / 60}))
    assert log.syncs == 1
    assert on_disk == [(tmp_path / "records").stat().st_size] * (1 + 2)  # the log; the study's attributes and end


def test_the_record_log_has_a_line_a_record_of_few_bytes(tmp_path):
    log = RecordLog(tmp_path / "records")
    records = [record for stage in trial_records(0) for record in stage]
    log.append(*records)
    log.close()
    assert len((tmp_path / "records").read_bytes().splitlines()) == len(records)
    assert (tmp_path / "records").stat().st_size < 1200


def trial_records(number):
    now = 1.7e9
    yield [TrialOpened(number, now, {"rate": 0.5}), TrialChanged(number, now, TrialState.RUNNING)]
    for step in (20, 40, 60):
        yield [Evaluated(number, Evaluation(step, now + step, "eval", {"loss": 1 / step, "rmse": 1 / step}))]
    yield [TrialChanged(number, now + 99, TrialState.COMPLETE, values={"rmse": 1 / 60 - number / 1e4}, step=60)]


class CountingClient:
    """An MlflowClient that counts the calls made of it."""

    def __init__(self, client):
        self._client = client
        self.calls = Counter()

    def __getattr__(self, name):
        self.calls[name] += 1
        return getattr(self._client, name)


@pytest.mark.parametrize(("together", "batches"), [(False, 5), (True, 1)], ids=["as they come", "all at once"])
def test_a_trials_records_are_few_requests_to_mlflow(together, batches, root):
    import mlflow

    sweep_dir = Root(root).sweep("counts")
    sweep_dir.trials_dir.mkdir(parents=True)
    client = CountingClient(mlflow.MlflowClient(tracking_uri=f"sqlite:///{root}/mlflow.db"))
    recorder = MlflowRecorder(sweep_dir, client=client)
    recorder.open()
    recorder.write([SweepOpened("id", "counts", 1.7e9, {"rmse": "minimize"}, "x: 1")])
    for number in range(2):
        client.calls.clear()
        stages = list(trial_records(number))
        for batch in [list(chain(*stages))] if together else stages:
            recorder.write(batch)
    page = client.calls["log_batch"] - batches  # of the sweep's own run, which is brought up to date every few seconds
    assert 0 <= page <= 1
    assert client.calls["create_run"] == client.calls["set_terminated"] == 1
    assert client.calls["search_runs"] == client.calls["update_run"] == 0
    assert client.calls.total() <= 2 + batches + 2


def test_an_event_file_that_grows_is_read_once(tmp_path):
    from tests.events.event_records import NAME, record, scalar_event, version_event

    file = tmp_path / "eval" / NAME
    file.parent.mkdir()
    file.write_bytes(record(version_event()))
    follower = Follower(tmp_path)
    for step in range(50):
        with file.open("ab") as stream:
            stream.write(record(scalar_event(step, "rmse", 1.0)))
        assert len(follower.poll()) == 1
        assert follower.poll() == []
    assert follower.bytes_read == file.stat().st_size


@pytest.mark.tf
def test_a_trial_makes_a_session_for_training_and_one_for_all_evaluations(tmp_path):
    model = ModelRef("tuner.testing.tiny_model")
    job = Job(0, 1, {"learning_rate": 0.1}, 1, TrainSettings(max_steps=60, evaluate_every=20), model)
    job.write(tmp_path / "job.json")
    counts = run(TRIAL, tmp_path)
    assert counts["ending"] == "finished"
    assert counts["sessions"] == 1 + 1
    assert counts["runs"] <= 158  # eight more if each session were asked whether its variables are initialized
    assert counts["models"] == 1 + 3
    assert counts["graphs"] <= 1 + 3 + 2  # those of the input functions among them
    assert (
        counts["saves"] == 4
    )  # checkpoints at 0, 20, 40, 60; so short a trial draws its batches again should it be killed
    assert counts["modules"] <= 20  # the fork server has the rest
    assert counts["threads of the fork server"] <= 8


@pytest.mark.tf
@pytest.mark.slow
def test_a_sweep_starts_a_warm_parent_a_recorder_and_a_process_a_trial(space_file, root, monkeypatch):
    started, lines = [], []
    original = subprocess.Popen.__init__

    def init(self, command, *args, **kwargs):
        started.append(command[:3] if isinstance(command, list) else command)
        original(self, command, *args, **kwargs)

    monkeypatch.setattr(subprocess.Popen, "__init__", init)

    class Display:
        def line(self, line):
            lines.append(line)

        def update(self, progress):
            pass

    result = Sweep.from_file(space_file(), root).run(trials=3, workers=2, display=Display())
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETE] * 3
    ours = [command[2] for command in started if command[0] == sys.executable]
    assert sorted(ours) == ["tuner.forkserver.server", "tuner.recorders.child"]
    assert all(command[0] == "git" for command in started if command[0] != sys.executable)
    assert len({line for line in lines if ": running, pid " in line}) == 3
