"""A study that has lost trials of its sweep: nothing is trained again in silence, and the advice works as it is typed."""

import json
import shlex
import shutil
import subprocess
import sys

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.domain.tags import COMMAND
from tuner.domain.trial import Evaluation, TrialState
from tuner.driver.progress import NullDisplay
from tuner.errors import StoreError
from tuner.files.paths import Root
from tuner.operations.verify import verify_sweep
from tuner.records.log import RecordLog
from tuner.records.record import Evaluated, SweepOpened, TrialChanged, TrialOpened
from tuner.records.trials import begun_trials, logged_trials
from tuner.study.lost_trials import remedy
from tuner.study.storage import open_journal
from tuner.sweep import RunOptions
from tuner.warm_start.sources import read_source

SPACE = SIMULATED.replace("sampler: random, trials: 2", "sampler: tpe, trials: 4")
RUN = "run sim.yaml --backend simulated --no-export"


def typed(folder, words):
    command = [sys.executable, "-m", "tuner", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("lost")
    (root / "sim.yaml").write_text(SPACE)
    assert typed(root, [*RUN.split(), "--name", "sim"]).returncode == 0
    return root


@pytest.fixture
def sweep(finished, tmp_path):
    """A sweep of four trials that ended, made by a command line."""
    shutil.copytree(finished, tmp_path / "here")
    return tuner.Sweep.open("sim", tmp_path / "here")


def cut(file, trials):
    """Cut a journal behind its first trials."""
    lines = file.read_text().splitlines(True)
    begins = [number for number, line in enumerate(lines) if json.loads(line)["op_code"] == 4]
    file.write_text("".join(lines[: begins[trials]]))


LOSSES = {
    "emptied": (lambda file: file.write_text(""), "has lost trials: found nothing of trials 0, 1, 2, 3, expected"),
    "gone": (lambda file: file.unlink(), "is not there: found nothing of trials 0, 1, 2, 3, expected"),
    "another": (
        lambda file: open_journal(file.with_name("new")) and file.with_name("new").replace(file),
        "has lost trials: found nothing of trials 0, 1, 2, 3, expected",
    ),
    "cut": (lambda file: cut(file, 3), "has lost trials: found nothing of trial 3, expected"),
}


@pytest.mark.parametrize(("lose", "said"), LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "killed"])
def test_a_sweep_whose_study_has_lost_trials_does_not_go_on_and_changes_nothing(sweep, lose, said, ended):
    if not ended:
        log = sweep.dir.records_file
        log.write_text(log.read_text().rpartition('{"record":"end"')[0])
    lose(sweep.dir.journal_file)
    before = {file: file.read_bytes() for file in sweep.dir.path.iterdir() if file.is_file()}
    for options in (RunOptions(backend="simulated"), RunOptions(trials=6, backend="simulated")):
        with pytest.raises(StoreError, match=rf"study\.journal {said} what curves\.jsonl has records of"):
            sweep.session(options, NullDisplay()).run()
    after = {file: file.read_bytes() for file in sweep.dir.path.iterdir() if file.is_file()}
    assert {**after, sweep.dir.driver_file: b""} == {**before, sweep.dir.driver_file: b""}


def test_what_is_advised_works_as_it_is_printed_and_the_new_sweep_learns_from_every_trial(sweep):
    root, best = sweep.dir.root.path, sweep.result().best
    sweep.dir.journal_file.write_text("")
    refused = typed(root, ["resume", "sim"])
    assert refused.returncode == 2
    _, hint = refused.stderr.splitlines()
    advice = hint.partition("what its trials came to: ")[2]
    assert advice.startswith("tuner run sim.yaml --backend simulated --no-export --name sim-2 --from ")
    done = typed(root, shlex.split(advice)[1:])
    assert done.returncode == 0, done.stderr
    assert f"from {sweep.dir.records_file}: 4 of 4 complete trials used" in done.stderr
    (source,) = tuner.warm_start.sources.frozen_sources(tuner.Sweep.open("sim-2", root).dir)
    assert min(trial.values["rmse"] for trial in source.trials) == best.value
    assert typed(root, ["delete", "sim"]).returncode == 0
    assert not sweep.dir.path.exists()


def test_a_damaged_study_is_answered_with_the_same_advice(sweep):
    root = sweep.dir.root.path
    sweep.dir.journal_file.write_text("{}\n")
    refused = typed(root, ["resume", "sim"])
    assert refused.returncode == 2
    found, hint = refused.stderr.splitlines()
    assert "study.journal, line 1, byte 0 is damaged" in found
    done = typed(root, shlex.split(hint.partition("what its trials came to: ")[2])[1:])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["show sim", "show sim:1", "best sim", "verify sim", "retry sim", "delete sim:1"])
def test_every_command_says_that_the_study_is_gone(sweep, command):
    sweep.dir.journal_file.unlink()
    done = typed(sweep.dir.root.path, command.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "study.journal is not there: found nothing of trials 0, 1, 2, 3" in done.stderr


def test_verify_says_which_trials_the_study_has_lost(sweep):
    assert verify_sweep(sweep.dir, sweep.result()).differences == []
    cut(sweep.dir.journal_file, 2)
    differences = verify_sweep(sweep.dir, sweep.result()).differences
    assert [f"trial {n}: has records in curves.jsonl but is not in the study" for n in (2, 3)] == differences


@pytest.mark.parametrize("command", ["show sim", "show sim --format json", "best sim", "list"])
def test_whoever_looks_at_a_study_that_has_lost_some_trials_is_told(sweep, command):
    assert typed(sweep.dir.root.path, command.split()).stderr == ""
    cut(sweep.dir.journal_file, 2)
    line = "sim: the records know of trials that the study has lost (2 to 3); type: tuner verify sim\n"
    done = typed(sweep.dir.root.path, command.split())
    assert (done.returncode, done.stderr) == (0, line)


def test_the_end_of_a_long_log_is_enough_to_see_that_trials_are_lost(sweep):
    log = sweep.dir.records_file
    first, second = log.read_bytes().split(b"\n", 1)
    log.write_bytes(first + b"\n" + b'{"record":"none"}\n' * 100_000 + second)
    assert sweep.result().lost_trials() == []
    cut(sweep.dir.journal_file, 3)
    assert sweep.result().lost_trials() == [3]


def test_a_trial_that_was_deleted_is_not_lost(sweep):
    root = sweep.dir.root.path
    assert typed(root, ["delete", "sim:1"]).returncode == 0
    assert typed(root, ["show", "sim"]).stderr == ""
    assert verify_sweep(sweep.dir, sweep.result()).differences == []
    assert len(sweep.session(RunOptions(trials=5, backend="simulated"), NullDisplay()).run().result.trials) == 4


def test_a_trial_of_which_only_its_draw_or_its_verdict_was_recorded_is_not_looked_for(tmp_path):
    """The study may have lost it with the machine: it is on the disk only when the trial began."""
    log = RecordLog(tmp_path / "curves.jsonl")
    running = [TrialChanged(n, 1.0, TrialState.RUNNING) for n in range(4)]
    log.append(*[TrialOpened(n, 1.0, {"rate": n}) for n in range(4)])
    log.append(TrialChanged(0, 1.0, TrialState.PRUNED, '"state":"RUNNING"'), *running[1:])
    assert list(begun_trials(tmp_path / "curves.jsonl")) == []
    log.append(Evaluated(2, Evaluation(90, 1.0, "eval", {"rmse": 1.0})))
    log.append(TrialChanged(3, 1.0, TrialState.FAIL), TrialChanged(2, 1.0, TrialState.COMPLETE, values={"rmse": 1.0}))
    assert list(begun_trials(tmp_path / "curves.jsonl")) == [2, 3]
    assert [trial.state for trial in logged_trials(tmp_path / "curves.jsonl")] == [
        TrialState.PRUNED,
        TrialState.RUNNING,
        TrialState.COMPLETE,
        TrialState.FAIL,
    ]
    assert list(begun_trials(tmp_path / "none")) == []


def test_a_log_shows_complete_trials_and_the_mean_of_those_that_repeat_one(sweep, tmp_path):
    file = tmp_path / "curves.jsonl"
    log = RecordLog(file)
    log.append(SweepOpened("id", "sim", 1.0, {"rmse": "minimize"}, ""))
    for number, value in enumerate([1.0, 2.0, 6.0, 5.0]):
        tags = {"tuner.repeat_of": "1"} if number == 2 else {}
        state = TrialState.PRUNED if number == 3 else TrialState.COMPLETE
        log.append(TrialOpened(number, 1.0, {"rate": 0.1 * number}, tags))
        log.append(TrialChanged(number, 1.0, state, values={"rmse": value}))
    found = read_source(str(file), sweep.dir.root, sweep.spec).trials
    assert [(trial.params, trial.values) for trial in found] == [
        ({"rate": 0.0}, {"rmse": 1.0}),
        ({"rate": 0.1}, {"rmse": 4.0}),
    ]


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        (None, "holds no records of a sweep"),
        ({"loss": "minimize"}, "has no objective 'rmse'; it has loss$"),
        ({"rmes": "minimize"}, r"has no objective 'rmse'; it has rmes \(did you mean 'rmes'\?\)"),
        ({"rmse": "maximize"}, "has the goal to maximize 'rmse', expected to minimize it"),
    ],
)
def test_a_log_of_another_objective_is_refused(sweep, tmp_path, objectives, said):
    file = tmp_path / "curves.jsonl"
    log = RecordLog(file)
    if objectives:
        log.append(SweepOpened("id", "sim", 1.0, objectives, ""))
    with pytest.raises(tuner.InvalidInput, match=said):
        read_source(str(file), sweep.dir.root, sweep.spec)


def test_a_study_that_is_not_in_its_database_any_more_is_lost_too(tmp_path):
    import optuna

    (tmp_path / "sim.yaml").write_text(SPACE)
    url = f"sqlite:///{tmp_path}/study.db"
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path, storage_url=url)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    optuna.delete_study(study_name="sim", storage=url)
    for call in (sweep.result, lambda: sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()):
        with pytest.raises(
            StoreError, match=r"the study of 'sim' in sqlite:///.*study\.db has lost trials: found nothing"
        ):
            call()


@pytest.mark.parametrize(
    ("typed_once", "advised"),
    [
        (
            "tuner run a.yaml --name=x --root 'my root' -- python t.py --name y",
            "a.yaml --root 'my root' NEW -- python t.py --name y",
        ),
        ("tuner run --name x a.yaml", "a.yaml NEW"),
        ("pytest -q", "SPACE.yaml NEW"),
        ("", "SPACE.yaml NEW"),
    ],
)
def test_the_advice_is_the_command_that_made_the_sweep_under_a_name_that_is_free(tmp_path, typed_once, advised):
    sweep_dir = Root(tmp_path).sweep("x")
    sweep_dir.path.mkdir(parents=True)
    sweep_dir.path.with_name("x-2").mkdir()
    facts = {COMMAND: typed_once} if typed_once else {}
    RecordLog(sweep_dir.records_file).append(SweepOpened("id", "x", 1.0, {"rmse": "minimize"}, "", facts=facts))
    new = f"--name x-3 --from {sweep_dir.records_file}"
    assert remedy(sweep_dir).endswith(f": tuner run {advised.replace('NEW', new)}")
    assert remedy(Root(tmp_path).sweep("none")) == "put the file back from a copy"
