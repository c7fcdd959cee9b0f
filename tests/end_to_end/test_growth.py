"""A long sweep takes no more memory, files or processes at its end than at its beginning."""

import statistics
import subprocess
import sys
import time

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.service]

TRIALS = 200
EARLY, LATE = range(20, 31), range(189, 200)  # trials that are finished while we look


def test_two_hundred_trials_leave_memory_files_and_processes_as_they_were_after_twenty(space_file, root):
    file = space_file(
        train="{max_steps: 4, evaluate_every: 4}",
        search=f"{{sampler: random, scheduler: median, trials: {TRIALS}, seed: 3}}",
    )
    command = [sys.executable, "-m", "tuner", "run", str(file), "--root", str(root), "--workers", "2"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    log = root / "mlruns/sweeps/tiny/curves.jsonl"
    seen: dict[str, list[dict[str, int]]] = {"early": [], "late": []}
    try:
        while driver.poll() is None:
            finished = log.read_text().count('"COMPLETE"') if log.exists() else 0
            when = "early" if finished in EARLY else "late" if finished in LATE else None
            if when is not None:
                seen[when].append(look_at(driver.pid))
            time.sleep(0.1)
    finally:
        driver.kill()
    _, errors = driver.communicate()
    assert driver.returncode == 0, errors[-3000:]
    early, late = (middle(seen[when]) for when in ("early", "late"))
    print({name: (value, late[name], late[name] / value) for name, value in early.items()})
    for name in ("driver memory", "server memory"):
        assert late[name] <= early[name] * 1.05, (name, early, late)
    for name in ("driver files", "server files", "processes"):
        assert late[name] <= early[name], (name, early, late)


def look_at(pid: int) -> dict[str, int]:
    """Memory (bytes, shared pages included), open files and processes of a sweep."""
    driver = psutil.Process(pid)
    (server,) = (p for p in driver.children() if "tuner.forkserver.server" in " ".join(p.cmdline()))
    return {
        "driver memory": driver.memory_info().rss,
        "server memory": server.memory_info().rss,
        "driver files": driver.num_fds(),
        "server files": server.num_fds(),
        "processes": len(driver.children()),  # a trial more or less runs whenever one looks
    }


def middle(looks: list[dict[str, int]]) -> dict[str, float]:
    assert len(looks) > 4, "the sweep was too fast to be looked at"
    return {name: statistics.median(look[name] for look in looks) for name in looks[0]}
