"""Whether the sessions of this process get anywhere; a training that hangs says nothing by itself.

Each run of a session that comes back is progress: a step, a batch of an evaluation, a checkpoint. Building a graph and
waiting for the first run count as none.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tuner.estimator.patch import patched
from tuner.estimator.suspended import THREAD


@contextmanager
def sessions_watched(
    limit_s: float,
    give_up: Callable[[list[traceback.StackSummary]], None],
    is_at_work: Callable[[], bool] = lambda: True,
) -> Iterator[None]:
    """Call ``give_up`` once, in a thread, if meanwhile no session comes back for some time.

    Args:
        limit_s: The time, in seconds.
        give_up: Called with the stacks of the threads in which training may stand, the main thread's first.
        is_at_work: Whether there is to be progress now.
    """
    ended, moved = threading.Event(), [time.monotonic()]

    def run(original: Callable[..., Any], session: Any, *args: Any, **kwargs: Any) -> Any:
        made = original(session, *args, **kwargs)
        moved[0] = time.monotonic()
        return made

    def watch() -> None:
        while not ended.wait(min(1.0, limit_s / 4)):
            if not is_at_work():
                moved[0] = time.monotonic()
            elif time.monotonic() - moved[0] > limit_s:
                give_up(_stacks())
                return

    threading.Thread(target=watch, name="watch progress", daemon=True).start()
    try:
        with patched("tensorflow.python.client.session:BaseSession.run", "progress_watch", run):
            yield
    finally:
        ended.set()


def _stacks() -> list[traceback.StackSummary]:
    frames = sys._current_frames()
    threads = [threading.main_thread(), *(thread for thread in threading.enumerate() if thread.name == THREAD)]
    return [traceback.extract_stack(frames[thread.ident]) for thread in threads if thread.ident in frames]
