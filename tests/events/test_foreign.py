"""Event files in a trial's folder that somebody else began while it did not run."""

import pytest

from tests.events.event_records import record, several_event
from tuner.events import Follower, read_all
from tuner.events.foreign import begun_since, foreign_events, list_foreign_events
from tuner.files.paths import TrialDir


def write(folder, time, *events):
    """Write an event file that begins at a time, with (step, seconds after it, tag, value) for each event."""
    folder.mkdir(parents=True, exist_ok=True)
    data = [several_event(step, {tag: value}, time + later) for step, later, tag, value in events]
    file = folder / f"events.out.tfevents.{int(time):010d}.host"
    file.write_bytes(b"".join(map(record, data)))
    return f"{folder.name}/{file.name}"


def test_a_file_is_begun_when_its_first_event_is_of_not_when_it_was_written_to_last(tmp_path):
    write(tmp_path / "eval", 100.0, (10, 0, "rmse", 1.0), (20, 500, "rmse", 2.0))
    later = write(tmp_path / "eval_test", 200.5, (20, 0, "rmse", 3.0))
    assert begun_since(tmp_path, 200.0) == {later}
    assert begun_since(tmp_path, 200.5) == begun_since(tmp_path, 1e9) == frozenset()


@pytest.mark.parametrize("content", [b"", b"no events", b"x" * 30])
def test_what_does_not_begin_as_tensorflows_files_do_is_not_said_to_be_begun(tmp_path, content):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "events.out.tfevents.9999999998.host").write_bytes(content)
    assert begun_since(tmp_path, 1.0) == frozenset()


def test_what_a_recorder_writes_at_a_trials_end_is_not_foreign(tmp_path):
    file = tmp_path / "events.out.tfevents.9999999999.tuner.hparams"
    file.write_bytes(record(several_event(0, {"a": 1.0}, 300.0)))
    assert begun_since(tmp_path, 200.0) == frozenset()


@pytest.mark.parametrize("anywhere", [False, True])
def test_what_is_listed_is_read_by_nobody_though_it_stands_in_the_folder_of_the_trials_own(tmp_path, anywhere):
    trial_dir = TrialDir(tmp_path)
    write(tmp_path / "eval", 100.0, (10, 0, "rmse", 1.0))
    write(tmp_path / "eval", 200.0, (10, 0, "rmse", 9.0), (20, 0, "rmse", 9.0))
    list_foreign_events(trial_dir, 150.0)
    write(tmp_path / "eval", 300.0, (20, 0, "rmse", 2.0))  # its next attempt
    assert [(e.step, e.scalars) for e in read_all(tmp_path, anywhere)] == [(10, {"rmse": 1.0}), (20, {"rmse": 2.0})]


def test_the_list_grows_from_pause_to_pause(tmp_path):
    trial_dir = TrialDir(tmp_path)
    first = write(tmp_path / "eval_test", 200.0, (10, 0, "rmse", 9.0))
    list_foreign_events(trial_dir, 150.0)
    own = write(tmp_path / "eval_test", 250.0, (20, 0, "rmse", 1.0))
    second = write(tmp_path / "eval_test", 400.0, (20, 0, "rmse", 9.0))
    list_foreign_events(trial_dir, 350.0)
    assert foreign_events(trial_dir) == {first, second}
    assert [e.time for e in read_all(tmp_path)] == [250.0]
    assert own not in foreign_events(trial_dir)


def test_if_nobody_knows_when_a_trial_ended_all_files_are_its_own(tmp_path):
    write(tmp_path / "eval", 200.0, (10, 0, "rmse", 1.0))
    list_foreign_events(TrialDir(tmp_path), 0.0)
    assert not TrialDir(tmp_path).foreign_events_file.exists() and len(read_all(tmp_path)) == 1


@pytest.mark.parametrize("content", ["", "{}", '"eval"', "[1", "\udcff"])
def test_a_list_that_is_damaged_lists_nothing(tmp_path, content):
    trial_dir = TrialDir(tmp_path)
    trial_dir.foreign_events_file.write_text(content, errors="surrogateescape")
    assert foreign_events(trial_dir) == frozenset()


def test_files_may_be_left_out_beside_those_that_are_listed(tmp_path):
    write(tmp_path / "eval", 100.0, (10, 0, "rmse", 1.0))
    later = write(tmp_path / "eval_test", 200.0, (10, 0, "rmse", 9.0))
    assert [e.folder for e in Follower(tmp_path, without={later}).poll()] == ["eval"]


def test_what_a_recorder_or_a_simulation_writes_is_not_foreign_whenever_it_was_begun(tmp_path):
    written = write(tmp_path / "eval", 200.0, (10, 0, "rmse", 1.0))
    for end in (".tuner.hparams", ".simulated"):
        (tmp_path / written).rename((tmp_path / written).with_name(f"events.out.tfevents.1{end}"))
        assert begun_since(tmp_path, 150.0) == frozenset()
        written = f"eval/events.out.tfevents.1{end}"
