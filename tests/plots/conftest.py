"""A sweep of one objective whose trials are drawn."""

import pytest

from tests.plots.sweeps import spec


@pytest.fixture
def one(tmp_path):
    return spec(tmp_path)
