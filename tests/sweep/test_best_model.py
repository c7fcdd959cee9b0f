"""The best model of a sweep that several drivers end is exported by one of them, and the others do not wait."""

import fcntl
import warnings
from unittest.mock import Mock

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.records.log import RecordLog
from tuner.sweep import RunOptions, best_model


def test_a_driver_that_finds_another_one_exporting_leaves_it_to_that(tmp_path, monkeypatch):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    result = sweep.session(RunOptions(backend="simulated"), NullDisplay()).run().result
    begun, said = [], []

    def choose(*_):
        begun.append(1)
        raise OSError("no checkpoint")

    monkeypatch.setattr(best_model, "_exportable", lambda _: result.best)
    monkeypatch.setattr(best_model, "choose_checkpoint", choose)
    log = RecordLog(sweep.dir.records_file)

    def export():
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            assert not best_model.export_best(result, log, NullDisplay(), lambda: False)
        said.extend(str(warning.message) for warning in warned)
        return len(begun)

    with sweep.dir.export_lock_file.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert export() == 0
    assert export() == 1
    assert said == [
        "the best model was not exported: no checkpoint\n  try again with: tuner export sim OUT_DIR"
    ]  # to a program, as nobody displays lines


def test_who_is_shown_the_lines_of_a_failed_export_gets_no_warning(tmp_path, monkeypatch, recwarn):
    class Lines(NullDisplay):
        def line(self, line):
            lines.append(line)

    lines = []
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    result = sweep.session(RunOptions(backend="simulated"), NullDisplay()).run().result
    monkeypatch.setattr(best_model, "_exportable", lambda _: result.best)
    monkeypatch.setattr(best_model, "choose_checkpoint", Mock(side_effect=OSError("no checkpoint")))
    best_model.export_best(result, RecordLog(sweep.dir.records_file), Lines(), lambda: False)
    assert lines == ["the best model was not exported: no checkpoint", "  try again with: tuner export sim OUT_DIR"]
    assert not [warning for warning in recwarn if "exported" in str(warning.message)]
