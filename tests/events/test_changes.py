"""The system says when a trial evaluates, where it can; elsewhere files are looked at now and then."""

import os
import select
import socket
import time

import pytest

from tests.events.event_records import NAME, record, scalar_event, version_event
from tuner.backends import Reported, local
from tuner.backends.local import LocalBackend
from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.events.changes import Changes
from tuner.files.paths import TrialDir


@pytest.fixture
def changes():
    found = Changes()
    if found.descriptor < 0:
        pytest.skip("this system gives no word of changes")
    yield found
    found.close()


def said(changes):
    """Whether there is word of an evaluation now."""
    found = False
    while select.select([changes.descriptor], [], [], 0)[0]:
        found = changes.take() or found
    return found


def test_an_evaluation_is_said_in_a_folder_that_was_there_and_in_one_that_comes(changes, tmp_path):
    (tmp_path / "eval").mkdir()
    assert changes.watch(tmp_path)
    assert not said(changes)
    (tmp_path / "eval" / NAME).write_bytes(b"1")
    assert said(changes)
    (tmp_path / "eval_other").mkdir()
    assert said(changes)
    (tmp_path / "eval_other" / NAME).write_bytes(b"1")
    assert said(changes)
    with (tmp_path / "eval" / NAME).open("ab") as file:
        file.write(b"2")
    assert said(changes)


def test_checkpoints_and_what_training_writes_are_no_evaluations(changes, tmp_path):
    changes.watch(tmp_path)
    (tmp_path / "model.ckpt-10.index").write_bytes(b"1")
    (tmp_path / NAME).write_bytes(b"1")
    (tmp_path / "export").mkdir()
    assert not said(changes)


def test_a_trial_that_is_over_is_watched_no_more(changes, tmp_path):
    (tmp_path / "eval").mkdir()
    changes.watch(tmp_path)
    changes.forget(tmp_path)
    (tmp_path / "eval" / NAME).write_bytes(b"1")
    (tmp_path / "eval_other").mkdir()
    assert not said(changes)
    assert changes.watch(tmp_path)
    (tmp_path / "eval_other" / NAME).write_bytes(b"1")
    assert said(changes)


def test_nothing_is_watched_where_the_system_gives_no_word(tmp_path, changes):
    changes.close()
    assert not changes.watch(tmp_path)
    changes.forget(tmp_path)
    changes.close()


class Unserved(LocalBackend):
    """A backend without a server: what trials would do, the test does."""

    def open(self):
        self._channel, self._server_end = socket.socketpair()
        return []


@pytest.fixture
def backend(tmp_path):
    made = Unserved(ModelRef("none"), tmp_path / "log")
    made.open()
    yield made
    made.close()


def start(backend, trial_dir, command=()):
    model = None if command else ModelRef("none")
    backend.start(Job(0, 1, {}, 1, TrainSettings(60, 20), model, command=command), TrialDir(trial_dir))


def test_the_backend_reports_an_evaluation_when_it_is_said(backend, changes, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "_TICK_S", 60.0)
    start(backend, tmp_path / "0000")
    (tmp_path / "0000" / "eval").mkdir()
    (tmp_path / "0000" / "eval" / NAME).write_bytes(record(version_event()) + record(scalar_event(20, "rmse", 1.0)))
    began, found = time.monotonic(), []
    while not found:
        found = backend.wait(50.0)
    assert time.monotonic() - began < 25
    assert [(type(message), message.evaluation.step) for message in found] == [(Reported, 20)]


def test_files_are_looked_at_soon_where_nobody_says_and_the_less_often_the_more_it_costs(backend, tmp_path):
    assert backend._tick_s == 0.05
    start(backend, tmp_path / "0000", command=("true",))
    assert backend._tick_s == 0.015
    for cost_s, tick_s in ((0.0006, 0.03), (0.5, 0.05)):
        backend._look_s = cost_s
        assert backend._tick_s == pytest.approx(tick_s)


def test_a_backend_that_is_closed_holds_no_descriptor(backend, changes):
    held = backend._changes.descriptor
    backend.close()
    with pytest.raises(OSError):
        os.fstat(held)
