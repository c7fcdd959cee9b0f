"""On what a benchmark ran: machine and versions."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path

BUSY = 0.1  # of the machine's cores that others may use while something is timed
PACKAGES = ("tensorflow", "tf-keras", "tensorflow-estimator", "optuna", "mlflow", "numpy", "ray", "keras-tuner")


def machine() -> dict[str, str | int | float]:
    """Return cores, memory, processor, system, and how busy it was."""
    import psutil

    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
    }


class Others:
    """How much of the machine others use from now on, this process and those that it has waited for left out."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before = self._used()

    def share(self) -> float:
        """Return which part of all cores' time others have used since."""
        cores = os.cpu_count() or 1
        elapsed = max(1e-3, time.monotonic() - self._began)
        return max(0.0, self._used() - self._before) / (elapsed * cores)

    def warning(self) -> str:
        """Return a line about it if it is more than times bear, else nothing."""
        share = self.share()
        if share <= BUSY:
            return ""
        return (
            f"others used {share:.0%} of this machine's cores meanwhile: times, and ratios of times, are to be taken "
            "with care"
        )

    @staticmethod
    def _used() -> float:
        """Return CPU seconds that others have used since the machine was started."""
        import psutil

        times = psutil.cpu_times()
        busy = sum(getattr(times, kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal"))
        return float(busy - sum(os.times()[:4]))


def versions() -> dict[str, str]:
    """Return the versions of Python, tuner and what it stands on."""
    from tuner._version import __version__

    found = {"python": platform.python_version(), "tuner": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
