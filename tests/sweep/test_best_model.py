"""The best model of a sweep that several drivers end is exported by one of them, and the others do not wait."""

import fcntl

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.records.log import RecordLog
from tuner.sweep import RunOptions, best_model


def test_a_driver_that_finds_another_one_exporting_leaves_it_to_that(tmp_path, monkeypatch):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    result = sweep.session(RunOptions(backend="simulated"), NullDisplay()).run().result
    begun = []

    def choose(*_):
        begun.append(1)
        raise OSError("no checkpoint")

    monkeypatch.setattr(best_model, "_exportable", lambda _: result.best)
    monkeypatch.setattr(best_model, "choose_checkpoint", choose)
    log = RecordLog(sweep.dir.records_file)

    def export():
        assert not best_model.export_best(result, log, NullDisplay(), lambda: False)
        return len(begun)

    with sweep.dir.export_lock_file.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert export() == 0
    assert export() == 1
