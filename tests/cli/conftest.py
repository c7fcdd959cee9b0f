"""A sweep that tests of commands read."""

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.sweep import RunOptions


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """Return the root folder of a simulated sweep ``sim`` of two trials, with logs."""
    folder = tmp_path_factory.mktemp("named")
    (folder / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(folder / "sim.yaml", folder)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    for number in range(2):
        sweep.dir.trial(number).path.mkdir(exist_ok=True)
        sweep.dir.trial(number).log_file.write_text(f"the log of {number}\n")
    return folder
