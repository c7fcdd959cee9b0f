"""How a worker of a TensorFlow cluster looks for the chief's session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tuner.estimator.patch import patched


@contextmanager
def sessions_looked_for(every_s: float) -> Iterator[None]:
    """Make workers that find variables not initialised look again after ``every_s`` seconds rather than 30.

    They do when a ps was lost. A RunConfig has no option for it.
    """

    def sooner(original: Any, manager: Any, *args: Any, **kwargs: Any) -> None:
        original(manager, *args, **{"recovery_wait_secs": every_s, **kwargs})

    with patched("tensorflow.python.training.session_manager:SessionManager.__init__", "session_wait", sooner):
        yield
