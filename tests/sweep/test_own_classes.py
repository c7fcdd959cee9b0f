"""Schedulers, samplers, recorders and backends of the user's own, named by their place."""

import re
import sys

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.backends import BACKENDS
from tuner.domain.trial import TrialState

OWN = """
import optuna
from tuner.domain.trial import Decision
from tuner.schedulers import Scheduler


class StopAt(Scheduler):
    def __init__(self, worst: float, after: int = 0):
        self.worst, self.after = worst, after

    def report(self, trial, step, losses):
        return Decision.STOP if step >= self.after and losses[0] > self.worst else Decision.CONTINUE


class Middle(optuna.samplers.BaseSampler):
    def __init__(self, seed=None, share=0.5):
        self.share = share

    def infer_relative_search_space(self, study, trial):
        return {}

    def sample_relative(self, study, trial, space):
        return {}

    def sample_independent(self, study, trial, name, distribution):
        if isinstance(distribution, optuna.distributions.IntDistribution):
            return int(distribution.low + self.share * (distribution.high - distribution.low))
        return distribution.low * (distribution.high / distribution.low) ** self.share


NOTHING = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of the user's with a module, from which the sweep is run."""
    for module in ("house_rules", "house_records", "house_places"):
        sys.modules.pop(module, None)  # of the same name in another test's folder
    (tmp_path / "house_rules.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(folder, search):
    file = folder / "space.yaml"
    file.write_text(
        SIMULATED.replace("name: sim", "name: own")
        .replace("evaluate_every: 90", "evaluate_every: 30")
        .replace("search: {sampler: random, trials: 2, workers: 1}", f"search: {search}")
    )
    return tuner.Sweep.from_file(file, folder)


def test_a_sweep_runs_with_a_scheduler_and_a_sampler_of_the_users(own):
    search = (
        "{sampler: {name: 'house_rules:Middle', share: 0.25}, "
        "scheduler: {name: 'house_rules:StopAt', worst: -1000.0, after: 60}, trials: 2, workers: 1}"
    )
    result = sweep(own, search).run(backend="simulated", export=False)
    assert [(t.state, t.record.step) for t in result.trials] == [(TrialState.PRUNED, 60)] * 2
    assert [t.params["units"] for t in result.trials] == [76, 76]
    again = tuner.Sweep.open("own", own).run(trials=3, backend="simulated", export=False)
    assert [t.params["units"] for t in again.trials] == [76, 76, 76]


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("{scheduler: 'house_rules:Nobody'}", "house_rules has no Nobody, expected a subclass of tuner"),
        ("{scheduler: 'no_such_rules:StopAt'}", "search.scheduler: no_such_rules cannot be imported: ModuleNotFound"),
        ("{scheduler: 'house_rules:NOTHING'}", "house_rules:NOTHING is an int, expected a subclass"),
        ("{scheduler: 'house_rules:Middle'}", "expected a subclass of tuner.schedulers.base.Scheduler"),
        ("{scheduler: 'house rules:'}", "expected package.module:Class"),
        ("{scheduler: {name: 'house_rules:StopAt', worts: 1.0}}", "worts: is no option of house_rules:StopAt"),
        ("{scheduler: {name: 'house_rules:StopAt', worst: low}}", "worst: found text 'low', expected a number"),
        ("{scheduler: 'house_rules:StopAt'}", "space.yaml: search.scheduler.worst: is missing, expected a number"),
        (
            "{scheduler: house_rules.StopAt}",
            "unknown scheduler 'house_rules.StopAt' (did you mean 'house_rules:StopAt'?)",
        ),
        ("{sampler: house_rules.Middle}", "unknown sampler 'house_rules.Middle' (did you mean 'house_rules:Middle'?)"),
        ("{sampler: 'house_rules:StopAt'}", "expected a subclass of optuna"),
        (
            "{sampler: {name: 'house_rules:Middle', shear: 1}}",
            "space.yaml: search.sampler.shear: is no option of house",
        ),
        ("{sampler: {name: 'house_rules:Middle', seed: 1}}", "space.yaml: search.sampler.seed: is no option of house"),
        ("{scheduler: freeze_thaw}", "it is a method: search: {method: freeze_thaw}"),
    ],
)
def test_what_is_no_scheduler_or_sampler_is_refused_before_anything_is_written(own, search, said):
    with pytest.raises(tuner.InvalidInput, match=re.escape(said)):
        sweep(own, search).run(backend="simulated", export=False)
    assert not (own / "mlruns" / "sweeps" / "own").exists()


def test_all_mistakes_in_classes_of_the_users_are_said_at_once_beside_the_others(own):
    (own / "house_records.py").write_text(RECORDER)
    file = own / "space.yaml"
    search = "{scheduler: 'house_rules:StopAt', sampler: {name: 'house_rules:Middle', share: 1, shear: 1}, trials: 2}"
    text = SIMULATED.replace("{sampler: random, trials: 2, workers: 1}", search).replace("evaluate_every: 90", "")
    file.write_text(text + "record: {recorders: ['house_records:Lines']}\n")
    with pytest.raises(tuner.InvalidInput) as caught:
        tuner.Sweep.from_file(file, own)
    assert {problem.where for problem in caught.value.problems} == {
        "train.evaluate_every",
        "search.scheduler.worst",
        "search.sampler.shear",
        "record.recorders.0.file",
    }


RECORDER = """
import json
from tuner.recorders import Recorder
from tuner.records import Evaluated


class Lines(Recorder):
    def __init__(self, sweep_dir, file: str, fails: bool = False):
        self.file = sweep_dir.path / file
        self.fails = fails

    def write(self, records):
        if self.fails:
            raise RuntimeError("no room")
        with self.file.open("a") as stream:
            for record in records:
                if isinstance(record, Evaluated):
                    stream.write(json.dumps([record.trial, record.evaluation.step]) + chr(10))
"""


def recorded_sweep(folder, recorders, beside=""):
    (folder / "house_records.py").write_text(RECORDER + beside)
    file = folder / "space.yaml"
    file.write_text(
        SIMULATED.replace("name: sim", "name: own").replace(", record: false", "")
        + f"record: {{recorders: {recorders}}}\n"
    )
    return tuner.Sweep.from_file(file, folder)


@pytest.mark.slow
def test_a_recorder_of_the_users_gets_every_record_and_one_that_fails_holds_nothing_up(own, root):
    recorders = (
        "[{name: 'house_records:Lines', file: lines.jsonl}, {name: 'house_records:Lines', file: x, fails: true}]"
    )
    recorders = recorders.replace("'house_records:Lines', file: x", "'house_records:Failing', file: x")
    sweep = recorded_sweep(own, recorders, "\n\nclass Failing(Lines):\n    pass\n")
    (own / "mlflow.db").write_bytes((root / "mlflow.db").read_bytes())
    result = sweep.run(backend="simulated", export=False)
    lines = (sweep.dir.path / "lines.jsonl").read_text().splitlines()
    assert sorted(lines) == sorted(f"[{t.number}, {step}]" for t in result.trials for step in t.record.curve)
    assert all(trial.run_id for trial in result.trials)  # MLflow has them, too


@pytest.mark.parametrize(
    ("recorders", "said"),
    [
        ("['house_records:Nobody']", "house_records has no Nobody"),
        (
            "[{name: 'house_records:Lines', volume: x}]",
            "space.yaml: record.recorders.0.volume: is no option of house_records:Lines (expected one of: fails, file)",
        ),
        ("['house_records:Lines']", "space.yaml: record.recorders.0.file: is missing, expected text"),
        ("[{name: 'house_records:Lines', file: 3}]", "recorders.0.file: found the whole number 3, expected text"),
        (
            "[house_records.Lines]",
            "record.recorders.0: found text 'house_records.Lines', expected package.module:Class",
        ),
        ("[{name: 'house_records:Lines', fiel: x}]", "is no option of house_records:Lines (did you mean 'file'?)"),
        ("[{name: house_records.Lines}]", "(did you mean 'house_records:Lines'?)"),
        ("[mlflow]", "record.recorders"),
    ],
)
def test_what_is_no_recorder_is_refused_before_anything_is_written(own, recorders, said):
    with pytest.raises(tuner.InvalidInput, match=re.escape(said)):
        recorded_sweep(own, recorders).run(backend="simulated", export=False)
    assert not (own / "mlruns" / "sweeps" / "own").exists()


BACKEND = """
import time
from tuner.backends import Backend, Ended, Placement, Reported, Started
from tuner.domain.job import JobResult, JobStatus
from tuner.domain.trial import Evaluation


class AtOnce(Backend):
    runs_scripts = True

    def __init__(self):
        self.messages = []

    @classmethod
    def place(cls, spec, sweep_dir):
        return Placement(cls(), workers=1, threads=1)

    @classmethod
    def is_recorded(cls, spec):
        return False

    def open(self):
        return ["trials are over at once"]

    def start(self, job, trial_dir):
        scalars = {"rmse": 1.0 / (1 + job.trial)}
        self.messages += [
            Started(job.trial, "here"),
            Reported(job.trial, Evaluation(90, time.time(), "eval", scalars)),
            Ended(job.trial, JobResult(JobStatus.FINISHED, job.attempt, 90)),
        ]

    def wait(self, timeout_s):
        messages, self.messages = self.messages, []
        return messages

    def stop(self, trial, kill):
        pass

    def close(self):
        pass


class NeedsMore(AtOnce):
    packages = ("no_such_package",)
"""


@pytest.fixture
def own_backends(own):
    (own / "house_places.py").write_text(BACKEND)
    return own


PLAIN = "{sampler: random, trials: 2, workers: 1}"


@pytest.mark.parametrize("registered", [False, True], ids=["by its place", "by a line in BACKENDS"])
def test_a_sweep_runs_on_a_backend_of_its_own(own_backends, registered, monkeypatch):
    place = "house_places:AtOnce"
    if registered:
        monkeypatch.setattr("tuner.backends.BACKENDS", {**BACKENDS, "at_once": place})
    name = "at_once" if registered else place
    result = sweep(own_backends, PLAIN).run(backend=name, export=False)
    assert [(t.state, t.value) for t in result.trials] == [(TrialState.COMPLETE, 1.0), (TrialState.COMPLETE, 0.5)]
    assert len(tuner.Sweep.open("own", own_backends).run(trials=3, backend=name, export=False).trials) == 3


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("house_places:Nobody", "backend: house_places has no Nobody, expected a subclass of tuner.backends"),
        ("house_places:NeedsMore", "needs no_such_package, which is not installed (pip install no_such_package)"),
        ("moon", "unknown backend 'moon' (expected one of: inline, local, ray, simulated)"),
        ("house_places.AtOnce", "unknown backend 'house_places.AtOnce' (did you mean 'house_places:AtOnce'?)"),
    ],
)
def test_what_is_no_backend_or_cannot_run_the_sweep_is_refused_before_anything_is_written(own_backends, backend, said):
    with pytest.raises(tuner.InvalidInput, match=re.escape(said)):
        sweep(own_backends, PLAIN).run(backend=backend, export=False)
    assert not (own_backends / "mlruns" / "sweeps" / "own").exists()


ELSEWHERE = """
import optuna

from tuner.recorders import Recorder
from tuner.schedulers import Scheduler


class Plain(Scheduler):
    pass


class Drawing(optuna.samplers.RandomSampler):
    pass


class Silent(Recorder):
    def __init__(self, sweep_dir):
        pass
"""


@pytest.mark.parametrize("simulated", [True, False], ids=["a simulation", "a command"])
def test_classes_beside_a_file_without_a_model_are_found_from_any_folder_when_it_is_run_and_resumed(
    tmp_path, monkeypatch, simulated
):
    """Neither kind of file names a model, whose folders were the only ones that were looked through."""
    project, here, later = (tmp_path / name for name in ("project", "here", "later"))
    for folder in (project, here, later):
        folder.mkdir()
    module = f"rules_beside_{'simulation' if simulated else 'command'}"
    (project / f"{module}.py").write_text(ELSEWHERE + BACKEND)
    text = SIMULATED.replace("name: sim", "name: own").replace(
        "{sampler: random,", f"{{sampler: '{module}:Drawing', scheduler: '{module}:Plain',"
    )
    text += f"record: {{recorders: ['{module}:Silent']}}\n"
    if not simulated:
        text = text.replace("simulation: {task: surface, record: false}\n", "")
    (project / "space.yaml").write_text(text)
    monkeypatch.chdir(here)
    command = [] if simulated else ["true", "{trial_dir}"]
    result = tuner.Sweep.from_file(project / "space.yaml", tmp_path, command=command).run(
        backend="simulated" if simulated else f"{module}:AtOnce", export=False
    )
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETE] * 2
    monkeypatch.chdir(later)
    sys.modules.pop(module)
    again = tuner.Sweep.open("own", tmp_path).run(
        trials=3, backend="simulated" if simulated else f"{module}:AtOnce", export=False
    )
    assert [trial.state for trial in again.trials] == [TrialState.COMPLETE] * 3
    sys.modules.pop(module)
