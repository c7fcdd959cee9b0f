"""The backend that runs trials in this process, against the suite that ships."""

import pytest

from tuner.backends.inline import InlineBackend
from tuner.testing.backend_contract import BackendContract

pytestmark = pytest.mark.slow


class TestInline(BackendContract):
    can_kill = False

    @pytest.fixture
    def backend(self):
        return InlineBackend(self.model())
