"""The processes of an export are started while the last trials run, once, and only where one is to come."""

from types import SimpleNamespace

import pytest

from tuner.domain.tags import SERVABLE
from tuner.domain.trial import TrialRecord, TrialState
from tuner.files.paths import SweepDir
from tuner.sweep import export_standby
from tuner.sweep.export_standby import ExportStandby


def finished(number, servable=True):
    return TrialRecord(number, TrialState.COMPLETE, {}, tags={SERVABLE: "true"} if servable else {})


@pytest.fixture
def started(monkeypatch):
    found = []

    def start(stage, fork):
        found.append(stage)
        return SimpleNamespace(stage=stage, close=lambda: found.append("closed"))

    monkeypatch.setattr(export_standby, "ExportProcesses", start)
    return found


def standing_by(tmp_path, trials, wanted=True, workers=1):
    standby = ExportStandby(SweepDir(tmp_path), wanted, workers)
    standby.total = lambda: trials
    return standby


def test_they_begin_a_round_before_the_last_trial_and_leave_nothing_if_they_are_not_needed(started, tmp_path):
    with standing_by(tmp_path, 6, workers=2) as standby:
        for number in (0, 1):
            standby.on_begin(SimpleNamespace(number=number))
        standby.on_finished(finished(0))
        assert started == []
        standby.on_begin(SimpleNamespace(number=2))
        (stage,) = started
        assert stage.is_dir() and standby.processes.stage == stage
        standby.on_finished(finished(1))
        standby.on_suspended(finished(2))
        standby.on_begin(SimpleNamespace(number=2))
        assert started == [stage]
    assert started == [stage, "closed"] and not stage.exists()


@pytest.mark.parametrize(("wanted", "servable"), [(False, True), (True, False)])
def test_they_do_not_begin_where_nothing_is_to_be_exported(wanted, servable, started, tmp_path):
    with standing_by(tmp_path, 2, wanted) as standby:
        standby.on_finished_elsewhere(finished(0, servable))
        standby.on_begin(SimpleNamespace(number=1))
    assert started == []


def test_a_machine_without_room_for_them_exports_at_the_end(monkeypatch, tmp_path):
    def refuse(stage, fork):
        raise OSError("cannot allocate memory")

    monkeypatch.setattr(export_standby, "ExportProcesses", refuse)
    with standing_by(tmp_path, 1) as standby:
        standby.on_finished_elsewhere(finished(5))
        standby.on_begin(SimpleNamespace(number=0))
        assert standby.processes is None


def test_they_begin_with_the_last_point_of_a_grid_that_has_fewer_than_trials_were_asked_for(started, tmp_path):
    with ExportStandby(SweepDir(tmp_path)) as standby:
        standby.on_finished_elsewhere(finished(0))
        standby.on_begin(SimpleNamespace(number=1))
        assert started == []  # nobody knows yet how many there are
        standby.total = lambda: 4
        standby.on_begin(SimpleNamespace(number=2))
        assert len(started) == 1


def test_what_else_an_end_needs_is_made_ready_once_at_that_time_whether_or_not_there_is_an_export(tmp_path):
    ready = []
    standby = ExportStandby(SweepDir(tmp_path), wanted=False, prepare=lambda: ready.append(True))
    standby.total = lambda: 3
    standby.on_finished_elsewhere(finished(0))
    assert ready == []
    for number in (1, 2):
        standby.on_begin(SimpleNamespace(number=number))
    assert ready == [True]
