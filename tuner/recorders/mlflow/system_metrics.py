"""Metrics of the machine on the sweep's run, as MLflow names them: ``system/cpu_utilization_percentage``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

EVERY_S = 10.0


class SystemMetrics:
    """Sample the machine now and then.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
        from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
        from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

        self._clock = clock
        kinds: list[Any] = [CPUMonitor, DiskMonitor, NetworkMonitor]
        self._monitors = [kind() for kind in kinds] + _gpu()
        self._next = 0.0

    def due(self, began: float) -> list[tuple[str, float, float, int]]:
        """Return name, value, time and step of each metric, or nothing while it is too soon.

        Args:
            began: When the sweep began; steps count from there, so that they go on after a restart.
        """
        now = self._clock()
        if now < self._next:
            return []
        self._next = now + EVERY_S
        step = max(0, round((now - began) / EVERY_S))
        found = []
        for monitor in self._monitors:
            monitor.collect_metrics()
            found += [
                (f"system/{name}", float(value), now, step) for name, value in monitor.aggregate_metrics().items()
            ]
            monitor.clear_metrics()
        return found


def _gpu() -> list[Any]:
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor

    kind: Any = GPUMonitor
    try:
        return [kind()]
    except Exception:  # no driver, no card, or no library for it
        return []
