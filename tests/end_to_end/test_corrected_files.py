"""A sweep of which no trial was begun takes a corrected file; one trial, and its search space stands."""

import pytest

import tuner
from tests.displays import Lines
from tests.spaces import SIMULATED
from tuner.backends.placement import tags_of
from tuner.config import load_spec
from tuner.config.manifest import read_manifest, resolve_manifest
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput
from tuner.study import Study
from tuner.study.storage import open_storage
from tuner.sweep import RunOptions


def sweep(folder, storage):
    return tuner.Sweep(load_spec(folder / "sim.yaml"), folder, storage_url=storage)


@pytest.mark.parametrize("storage", ["", "sqlite:///{}/study.db"])
def test_a_sweep_that_was_stopped_before_its_first_trial_takes_a_corrected_file(tmp_path, storage):
    storage = storage.format(tmp_path)
    text = SIMULATED.replace("trials: 2", "trials: 2, enqueue: [{units: 16}]")
    (tmp_path / "sim.yaml").write_text(text)
    first = sweep(tmp_path, storage)
    first.dir.trials_dir.mkdir(parents=True)
    resolve_manifest(first.dir, first.spec, tags_of(first.spec, "simulated"), storage)[0].write(first.dir)
    Study(first.spec, open_storage(first.dir, storage)).enqueue(first.spec.search.enqueue)  # and Ctrl-C

    corrected = text.replace("high: 256", "high: 512").replace("units: 16", "units: 512").replace("rmse", "mse")
    (tmp_path / "sim.yaml").write_text(corrected)
    said = Lines()
    again = sweep(tmp_path, storage)
    ran = again.session(RunOptions(backend="simulated"), said).run()
    assert ran.exit_status == 0 and ran.result.trials[0].params["units"] == 512
    assert any(line.startswith("changed: parameters.units: ") for line in said.lines), said.lines
    assert read_manifest(again.dir).spec == again.spec

    (tmp_path / "sim.yaml").write_text(text)
    with pytest.raises(
        InvalidInput,
        match=r"changed: parameters\.units: .*\n.* goes on only as it was \(run the changed one as another sweep",
    ):
        sweep(tmp_path, storage).session(RunOptions(backend="simulated"), NullDisplay()).run()
