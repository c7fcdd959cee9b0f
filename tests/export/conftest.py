"""A folder of a sweep for tests of exports."""

import pytest

from tuner.files.paths import SweepDir


@pytest.fixture
def sweep_dir(tmp_path):
    return SweepDir(tmp_path / "mlruns" / "sweeps" / "made")
