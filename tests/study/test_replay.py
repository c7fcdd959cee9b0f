"""A journal is read without Optuna, and what it came to is kept beside it: both come to what Optuna reads."""

import json

import optuna
import pytest

from tuner.domain.objective import Objective
from tuner.domain.spec import Named, SearchSettings, SweepSpec, TrainSettings
from tuner.domain.trial import TrialState
from tuner.files.paths import SweepDir
from tuner.space.parameters import Categorical, Discrete, Float, Int, Space
from tuner.study import Study, index, restored, storage
from tuner.study.reading import _read_by_optuna, read_study
from tuner.study.replay import Unusual
from tuner.study.storage import open_journal

SPACE = Space(
    (
        Float("rate", 1e-4, 1e-1, log=True),
        Float("late", 1e-4, 1e-1, log=True, reverse=True),
        Int("units", 16, 64, step=16),
        Discrete("width", (1.0, 2.5, 7.0)),
        Categorical("shape", ([1, 2], [3], True, 1, "ü\u2028")),
        Float("momentum", 0.0, 0.9, when={"units": (16, 32)}),
    ),
    {"batch": 8},
)
SPEC = SweepSpec(
    "s", (Objective("rmse"), Objective("ms")), SPACE, TrainSettings(100, 10), SearchSettings(sampler=Named("random"))
)


@pytest.fixture
def sweep_dir(tmp_path):
    """A sweep in all states, with a trial that ran again, one that waits, and one that was deleted."""
    folder = SweepDir(tmp_path / "mlruns" / "sweeps" / "s")
    folder.path.mkdir(parents=True)
    study = Study(SPEC, open_journal(folder.journal_file))
    study.enqueue([{"rate": 0.01}, {"units": 32}])
    for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.COMPLETE, None, None):
        number = study.ask().number
        study.note(number, state="RUNNING", attempts=1, stop_at=None)
        for step in (10, 20, 20, 30):
            study.report(number, step, {"rmse": 1 / (step + number), "ms": float("nan") if step == 10 else step})
        if state is not None:
            values = {} if state is TrialState.FAIL else {"rmse": 0.1 * number, "ms": 3.0}
            study.finish(number, state, values, reason="ü", seconds=1.25)
    study.reopen(2)
    study.note(5, state="PAUSED")
    study.begin({"rate": 0.001, "units": 16, "shape": True, "late": 0.01, "width": 7.0}, {"from": "0"}, {"m": [1]})
    study.enqueue([{"rate": 0.01}, {"units": 32}, {"rate": 0.05}])
    study.forget(1)
    study.spend(12.5)
    return folder


def test_what_a_journal_comes_to_is_what_optuna_reads_wherever_its_driver_died(sweep_dir):
    lines = sweep_dir.journal_file.read_bytes().splitlines(keepends=True)
    assert len(lines) > 100
    for count in range(len(lines) + 1):
        sweep_dir.journal_file.write_bytes(b"".join(lines[:count]) + lines[min(count, len(lines) - 1)][:9])
        index.replay_journal(sweep_dir)  # does not leave it to Optuna
        if count % 7 == 0 or count == len(lines):
            assert repr(read_study(sweep_dir, SPEC)) == repr(_read_by_optuna(sweep_dir, SPEC, ""))


def test_trials_of_an_earlier_version_are_read_as_optuna_reads_them(sweep_dir):
    from tests.study.test_stored_values import of_earlier_version

    sweep_dir.journal_file.unlink()
    study = Study(SPEC, of_earlier_version(open_journal(sweep_dir.journal_file), SPEC))
    for _ in range(5):
        study.finish(study.ask().number, TrialState.COMPLETE, {"rmse": 0.5, "ms": 1.0})
    assert read_study(sweep_dir, SPEC) == _read_by_optuna(sweep_dir, SPEC, "")


def test_what_others_wrote_in_conflict_is_left_to_optuna(sweep_dir):
    storage = open_journal(sweep_dir.journal_file)
    other = storage.create_new_trial(0)
    lines = sweep_dir.journal_file.read_bytes()
    log = next(log for log in map(json.loads, lines.splitlines()) if log.get("param_name") == "units")
    log |= {
        "trial_id": other,
        "distribution": optuna.distributions.distribution_to_json(optuna.distributions.FloatDistribution(0.0, 1.0)),
    }
    sweep_dir.journal_file.write_bytes(lines + json.dumps(log).encode() + b"\n")
    with pytest.raises(Unusual):
        index.replay_journal(sweep_dir)
    assert "units" not in read_study(sweep_dir, SPEC).trials[-1].params


def test_a_journal_is_replayed_once_and_then_what_has_come_since(sweep_dir, monkeypatch):
    monkeypatch.setattr(index, "WORTH_IT", 10)
    lines = sweep_dir.journal_file.read_bytes().splitlines(keepends=True)
    expected = _read_by_optuna(sweep_dir, SPEC, "")
    sweep_dir.journal_file.write_bytes(b"".join(lines[:80]))
    assert [index.replay_journal(sweep_dir).lines for _ in range(2)] == [80, 0]
    sweep_dir.journal_file.write_bytes(b"".join(lines))
    assert [index.replay_journal(sweep_dir).lines for _ in range(2)] == [len(lines) - 80, 0]
    assert repr(read_study(sweep_dir, SPEC)) == repr(expected)


@pytest.mark.parametrize("damage", ["gone", "cut", "changed", "another journal", "shorter journal", "nonsense"])
def test_an_index_that_is_not_of_this_journal_is_made_anew(damage, sweep_dir, monkeypatch):
    monkeypatch.setattr(index, "WORTH_IT", 10)
    index.replay_journal(sweep_dir)
    file, journal = sweep_dir.study_index_file, sweep_dir.journal_file
    whole, lines = file.read_bytes(), journal.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "another journal":
        journal.write_bytes(lines.replace(b"0.1", b"0.2"))
    elif damage == "shorter journal":
        journal.write_bytes(lines[: lines.rindex(b"\n", 0, -1) + 1])
    else:
        broken = {"cut": whole[:-9], "changed": whole.replace(b"1.25", b"1.26"), "nonsense": b"\xff"}
        file.write_bytes(broken[damage])
    count = journal.read_bytes().count(b"\n")
    assert [index.replay_journal(sweep_dir).lines for _ in range(2)] == [count, 0]
    assert repr(read_study(sweep_dir, SPEC)) == repr(_read_by_optuna(sweep_dir, SPEC, ""))


@pytest.mark.parametrize("indexed", [True, False])
def test_a_driver_goes_on_with_a_long_journal_as_with_what_optuna_replays(indexed, sweep_dir, monkeypatch):
    monkeypatch.setattr(index, "WORTH_IT", 10)
    lines = sweep_dir.journal_file.read_bytes().splitlines(keepends=True)
    for count in (0, 1, 2, 30, 90, len(lines)):
        sweep_dir.journal_file.write_bytes(b"".join(lines[:count]))
        if indexed:
            index.replay_journal(sweep_dir)
        by_optuna = open_journal(sweep_dir.journal_file)
        monkeypatch.setattr(storage, "LONG", 0)
        ours = storage.open_storage(sweep_dir)
        assert hasattr(ours, "_replay_result")
        assert held(ours) == held(by_optuna)
        assert ours._backend._first == count
    study = Study(SPEC, ours)
    number = study.ask().number
    study.finish(number, TrialState.COMPLETE, {"rmse": 0.5, "ms": 1.0})
    by_optuna = open_journal(sweep_dir.journal_file)
    assert held(ours) == held(by_optuna)
    assert by_optuna.get_trial(number).state.name == "COMPLETE"


def test_a_version_of_optuna_that_keeps_trials_otherwise_replays_the_journal_itself(sweep_dir, monkeypatch):
    monkeypatch.setattr(storage, "LONG", 0)
    monkeypatch.setattr(restored, "_HELD", {"log_number_read"})
    ours = storage.open_storage(sweep_dir)
    assert ours._backend._first == 0
    assert held(ours) == held(open_journal(sweep_dir.journal_file))


def held(storage):
    """What a storage knows: all that Optuna's replay leaves but whose process it was."""
    found = vars(storage._replay_result)
    ours = {key: repr(value) for key, value in found.items() if "worker" not in key and "this_process" not in key}
    studies = [(vars(study)) for study in found["_studies"].values()]
    return {**ours, "_studies": repr(studies)}
