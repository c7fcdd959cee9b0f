"""The end of a sweep waits until the tracking store has everything."""

from __future__ import annotations

from collections.abc import Callable

from tuner.driver.stop_requests import StopRequests
from tuner.recorders.process import RecorderProcess
from tuner.sweep.simulate import NoRecorder

PATIENCE_S = 2.0  # after which it is said that the end of a sweep waits
DRAIN_S = 60.0  # how long it waits


def drain(
    recorder: RecorderProcess | NoRecorder, name: str, stopping: StopRequests, say: Callable[[str], None], signals: int
) -> bool:
    """Wait until the recorder has sent everything, unless a further signal comes; return whether it has.

    Args:
        recorder: Sends.
        name: The sweep's.
        stopping: Counts signals.
        say: Takes a line for people.
        signals: How many had come before.
    """
    arrived = recorder.drain(PATIENCE_S, unless=lambda: stopping.signals > signals)
    if not arrived and stopping.signals == signals:
        say("waiting until MLflow has taken the last records")
        arrived = recorder.drain(DRAIN_S, unless=lambda: stopping.signals > signals)
    while line := recorder.check():
        say(line)
    if not arrived and stopping.signals == signals:
        say(
            f"MLflow has not taken everything: {recorder.status()}; nothing is lost, "
            f"`tuner resume {name}` sends the rest"
        )
    return arrived
