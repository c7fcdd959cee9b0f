"""The journal as the driver writes it: Optuna's own format, fewer waits for the disk."""

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tuner.errors import StoreError
from tuner.study.journal_file import JournalFile
from tuner.study.storage import open_journal


def run(storage, trials):
    study = optuna.create_study(
        study_name="s", storage=storage, sampler=optuna.samplers.RandomSampler(seed=0), load_if_exists=True
    )
    for _ in range(trials):
        trial = study.ask()
        value = trial.suggest_float("x", 0, 1)
        trial.report(value, 1)
        study.tell(trial, value)
    return [(trial.number, trial.state, trial.params, trial.values) for trial in study.get_trials()]


def test_optunas_backend_and_ours_read_what_either_wrote(tmp_path):
    ours, theirs = JournalStorage(JournalFile(tmp_path / "a")), JournalStorage(JournalFileBackend(str(tmp_path / "b")))
    for one, file, other in (
        (ours, "a", lambda file: JournalStorage(JournalFileBackend(str(file)))),
        (theirs, "b", lambda file: JournalStorage(JournalFile(file))),
    ):
        written = run(one, 3)
        assert run(other(tmp_path / file), 0) == written


def test_lines_of_another_writer_are_seen(tmp_path):
    ours = open_journal(tmp_path / "a")
    run(ours, 2)
    run(JournalStorage(JournalFileBackend(str(tmp_path / "a"))), 1)
    assert len(run(ours, 1)) == 4


def test_a_torn_last_line_is_waited_for(tmp_path):
    file = JournalFile(tmp_path / "a")
    file.append_logs([{"op_code": 1, "n": 0}])
    with (tmp_path / "a").open("ab") as stream:
        stream.write(b'{"op_code":1,')
    assert [log["n"] for log in file.read_logs(0)] == [0]
    assert list(file.read_logs(1)) == []
    with (tmp_path / "a").open("ab") as stream:
        stream.write(b'"n":1}\n')
    assert [log["n"] for log in file.read_logs(1)] == [1]
    assert [log["n"] for log in JournalFile(tmp_path / "a").read_logs(1)] == [1]


def test_a_line_that_is_no_json_is_an_error(tmp_path):
    (tmp_path / "a").write_bytes(b"nonsense\n{}\n")
    with pytest.raises(StoreError, match="line 1, byte 0 is damaged: found 'nonsense'"):
        list(JournalFile(tmp_path / "a").read_logs(0))


def test_the_disk_is_waited_for_when_a_trials_state_changes_and_not_for_each_line(tmp_path):
    file = JournalFile(tmp_path / "a")
    run(JournalStorage(file), 10)
    assert file.writes == 1 + 10 * 4  # the study; a trial's making, its parameter, its report, its end
    assert file.syncs == 1 + 10
