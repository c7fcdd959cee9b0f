"""What a driver does while the database of its study is away."""

import sqlite3

import optuna
import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError

from tuner.errors import StoreError
from tuner.study.reconnection import Reconnection


class Away(Exception):
    """What a database's driver raises whose server does not answer."""


def away():
    raise OperationalError("SELECT 1", {}, Away("connection refused"))


def reconnection(lines, asked=lambda: 0, say=None, **named):
    found = Reconnection("mine", say or lines.append, asked, **named)
    found.run(lambda: None)  # it has answered once
    return found


def failing(times, call=lambda: "found"):
    """Return a call that fails so often, and then does what ``call`` does."""
    left = iter(range(times))

    def run():
        if next(left, None) is not None:
            away()
        return call()

    return run


def test_a_database_that_is_away_is_waited_for_and_said_once_and_again_when_it_is_back():
    lines = []
    assert reconnection(lines).run(failing(3)) == "found"
    assert lines == [
        "the study's database is away, trials go on meanwhile: connection refused",
        "the study's database is back",
    ]


def test_a_connection_from_before_a_restart_is_no_word_worth():
    lines = []
    assert reconnection(lines).run(failing(1)) == "found"
    assert lines == []


def test_one_that_never_answered_is_not_waited_for():
    with pytest.raises(OperationalError):
        Reconnection("mine", print).run(away)


@pytest.mark.parametrize("error", [KeyError("x"), OperationalError("", {}, sqlite3.OperationalError("no such table"))])
def test_what_does_not_pass_by_waiting_is_raised(error):
    def fail():
        raise error

    with pytest.raises(type(error)):
        reconnection([]).run(fail)


@pytest.mark.parametrize(("asked", "grace_s"), [(1, 0.15), (2, 600)])
def test_whoever_asks_to_stop_meanwhile_is_heard_at_once_if_asked_twice(asked, grace_s):
    lines = []
    with pytest.raises(StoreError, match="stopped while its study's database was away: connection refused") as raised:
        reconnection(lines, lambda: asked, grace_s=grace_s).run(away)
    assert "tuner resume mine" in raised.value.hint
    assert lines[1].startswith("stopping: its study's database was away")


class Silent:
    """A storage that does what it is told, and whose answer is lost now and then."""

    def __init__(self, storage):
        self._storage = storage
        self.lost = ()

    def __getattr__(self, name):
        def call(*args, **named):
            found = getattr(self._storage, name)(*args, **named)
            if name in self.lost:
                self.lost = tuple(other for other in self.lost if other != name)
                away()
            return found

        return call


def test_what_was_done_though_the_answer_was_lost_is_not_done_twice():
    from tuner.study.reconnecting_storage import ReconnectingStorage

    silent = Silent(optuna.storages.InMemoryStorage())
    storage = ReconnectingStorage(silent, reconnection([]))
    study_id = storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], "mine")
    assert storage.get_all_trials(study_id) == []
    template = optuna.trial.create_trial(state=optuna.trial.TrialState.WAITING, user_attrs={"tuner": {"enqueued": 0}})
    for number, made_of in enumerate((None, template, None)):
        silent.lost = ("create_new_trial", "set_trial_state_values")
        trial_id = storage.create_new_trial(study_id, made_of)
        assert storage.get_trial_number_from_id(trial_id) == number
        if made_of is template:
            assert storage.set_trial_state_values(trial_id, optuna.trial.TrialState.RUNNING) is True
        storage.set_trial_user_attr(trial_id, "tuner", {"state": "RUNNING"})
    silent.lost = ("set_trial_state_values",)
    storage.set_trial_state_values(trial_id, optuna.trial.TrialState.COMPLETE, [1.0])
    assert [trial.state.name for trial in storage.get_all_trials(study_id)] == ["RUNNING", "RUNNING", "COMPLETE"]


def test_a_database_file_that_somebody_has_locked_is_waited_for(tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'study.db'}?timeout=0.01")
    holder = sqlite3.connect(tmp_path / "study.db", isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE trials (number)")
    holder.execute("BEGIN EXCLUSIVE")
    lines = []

    def say(line):
        lines.append(line)
        holder.execute("COMMIT" if holder.in_transaction else "SELECT 1")

    def write():
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO trials VALUES (0)")

    reconnection(lines, say=say).run(write)
    assert holder.execute("SELECT number FROM trials").fetchall() == [(0,)]
    assert lines[0].endswith("database is locked")
    holder.close()
    engine.dispose()
