"""The folder of a sweep."""

import pytest

from tuner.files.paths import SweepDir


@pytest.fixture
def sweep_dir(tmp_path):
    folder = SweepDir(tmp_path / "mlruns" / "sweeps" / "s")
    folder.path.mkdir(parents=True)
    return folder
