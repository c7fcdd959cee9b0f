"""Which MLflow run holds which trial, in a file."""

import pytest

from tuner.files.run_ids import RunIds


def test_a_torn_line_of_run_ids_is_closed_and_skipped(tmp_path):
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b'{"run_id": "p"}\n{"trial": 0, "run_id": "a"}\n{"trial": 1, "run')
    ids = RunIds(file)
    ids.remember("b", 1)
    assert (RunIds(file).parent, RunIds(file).trial(0), RunIds(file).trial(1)) == ("p", "a", "b")


def test_runs_are_known_to_whoever_reads_the_file_next(tmp_path):
    file = tmp_path / "runs.jsonl"
    ids = RunIds(file)
    ids.remember("p", experiment="7")
    ids.make(0)
    assert ids.being_made(0) and RunIds(file).being_made(0) and ids.trial(0) is None
    ids.remember("a", 0)
    ids.remember("b", 3)
    again = RunIds(file)
    assert (again.parent, again.experiment, again.trials) == ("p", "7", {0: "a", 3: "b"})
    assert not again.being_made(0) and not again.damaged


def test_a_trial_that_was_deleted_stays_so_when_all_runs_are_forgotten(tmp_path):
    file = tmp_path / "runs.jsonl"
    ids = RunIds(file)
    ids.remember("p")
    ids.remember("a", 0)
    ids.delete(1)
    ids.rewrite(runs=False)
    again = RunIds(file)
    assert (again.parent, again.trials, again.deleted) == (None, {}, {1})


def test_two_trials_of_one_run_are_damage_and_the_later_line_stands(tmp_path):
    file = tmp_path / "runs.jsonl"
    file.write_text('{"trial": 0, "run_id": "a"}\n{"trial": 1, "run_id": "a"}\n')
    ids = RunIds(file)
    assert ids.damaged and ids.trials == {1: "a"}
    ids.rewrite()
    assert not RunIds(file).damaged and RunIds(file).trials == {1: "a"}


@pytest.mark.parametrize(
    "damaged",
    [
        b'{"trial": 0, "run_id": "a"},{"trial": 1, "run_id": "b"}\n{"trial": 2, "run_id": "c"}\n',
        b'{"trial": 0\n "run_id": "a"}\n{"trial": 2, "run_id": "c"}\n',
    ],
)
def test_lines_that_became_one_and_a_line_that_became_two_are_damage(tmp_path, damaged):
    file = tmp_path / "runs.jsonl"
    file.write_bytes(damaged)
    assert RunIds(file).damaged and RunIds(file).trials == {2: "c"}


def test_what_another_process_has_written_since_is_read(tmp_path):
    one, other = RunIds(tmp_path / "runs.jsonl"), RunIds(tmp_path / "runs.jsonl")
    other.remember("a", 0)
    assert one.trials == {}
    one.refresh()
    assert one.trials == {0: "a"}
