"""Memory of a sweep's processes: driver, recorder, fork server, trials.

``private`` is what goes back to the system when the process ends; ``share`` counts a page that several
have in parts, so that the shares of all processes add up to what is used.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.result import Result, Row, Spread
from benchmarks.work import SPACE, train_and_evaluate
from tuner.files.paths import Root
from tuner.records.log import read_sent_offset

EARLY, QUICK, TRIALS = 50, 250, 1000  # at which the recorder is looked at
SIMULATED = """
name: simulated
objective: {metric: rmse}
parameters: {rate: {type: float, low: 1.0e-4, high: 1.0, log: true}, units: {type: int, low: 16, high: 256}}
train: {max_steps: 90, evaluate_every: 10}
search: {sampler: random, scheduler: none, workers: 2}
simulation: {task: surface, record: false}
record: {plots: false}
"""

ROLES = {"tuner.recorders.child": "recorder", "tuner.forkserver.server": "fork server", "tuner": "driver"}


def run(quick: bool) -> Result:
    """Run a sweep and look at its processes several times a second."""
    seen = _sweep(trials=4 if quick else 12)
    rows = [_row(role, seen[role]) for role in ("driver", "recorder", "fork server", "trial") if seen.get(role)]
    alone = _alone()
    rows.append(_row("the same training in a process of its own, for comparison", [alone]))
    early, late = _recorder_over_trials(QUICK if quick else TRIALS)
    rows.append(Row(f"recorder, at trial {EARLY}", {"private, MB": early}))
    rows.append(Row(f"recorder, at trial {QUICK if quick else TRIALS:,}", {"private, MB": late}))
    trial = max(private for private, _, _ in seen["trial"])
    together = sum(max(share for _, share, _ in samples) for samples in seen.values())
    return Result(
        rows,
        {"trial": alone[0] / trial, "recorder_early_over_late": early / late},
        [
            f"most of all samples; two trials at a time; all shares together at most {together:,.0f} MB",
            "trial: private memory of a process that trains by itself, over a trial's of ours",
            "recorder_early_over_late: what it takes after 50 trials of nine evaluations over what it takes after all",
        ],
    )


def _sweep(trials: int) -> dict[str, list[tuple[float, float, float]]]:
    """Return private memory, share and resident memory of each role, in MB, as often as they were seen."""
    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        space = Path(name) / "space.yaml"
        space.write_text(SPACE, encoding="utf-8")
        arguments = ["run", str(space), "--root", name, "--trials", str(trials), "--workers", "2"]
        driver = subprocess.Popen(
            [sys.executable, "-m", "tuner", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        seen: dict[str, list[tuple[float, float, float]]] = {}
        while driver.poll() is None:
            for role, memory in _look(driver.pid):
                seen.setdefault(role, []).append(memory)
            time.sleep(0.1)
        if driver.returncode:
            raise RuntimeError(f"tuner run ended with status {driver.returncode}")
        return seen


def _recorder_over_trials(trials: int) -> tuple[float, float]:
    """Return private memory, in MB, of a recorder that has sent so many simulated trials: early, and all of them."""
    import psutil

    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        space = Path(name) / "simulated.yaml"
        space.write_text(SIMULATED, encoding="utf-8")
        arguments = ["run", str(space), "--root", name, "--trials", str(trials), "--backend", "simulated"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([sys.executable, "-m", "tuner", *arguments], check=True, **quiet)
        sweep_dir = Root(Path(name)).sweep("simulated")
        total, early = sweep_dir.records_file.stat().st_size, 0.0
        command = [sys.executable, "-m", "tuner.recorders.child", str(sweep_dir.path)]
        sender = subprocess.Popen(command, stdin=subprocess.PIPE, **quiet)
        try:
            while sender.poll() is None:
                sent = read_sent_offset(sweep_dir.sent_file)
                memory = _memory(psutil.Process(sender.pid))[0]
                if not early and sent >= total * EARLY / trials:
                    early = memory
                if sent >= total:
                    return early, memory
                time.sleep(0.1)
            raise RuntimeError(f"the recorder ended with status {sender.returncode}")
        finally:
            sender.kill()
            sender.communicate()


def _look(driver: int) -> list[tuple[str, tuple[float, float, float]]]:
    import psutil

    found = []
    try:
        parent = psutil.Process(driver)
        found.append(("driver", _memory(parent)))
        for child in parent.children():
            role = next((role for module, role in ROLES.items() if module in child.cmdline()), "")
            if role:
                found.append((role, _memory(child)))
            if role == "fork server":
                found += [("trial", _memory(trial)) for trial in child.children()]
    except psutil.Error:
        pass  # one of them ended while it was looked at
    return found


def _memory(process: object) -> tuple[float, float, float]:
    full = process.memory_full_info()  # type: ignore[attr-defined]
    return full.uss / 1e6, full.pss / 1e6, full.rss / 1e6


def _row(name: str, samples: list[tuple[float, float, float]]) -> Row:
    private, share, resident = zip(*samples, strict=True)
    return Row(
        name,
        {
            "private, MB": max(private),
            "share, MB": max(share),
            "resident, MB": max(resident),
            "private over time, MB": Spread.of(private),
        },
    )


def _alone() -> tuple[float, float, float]:
    """Return the memory of a process that imports TensorFlow and trains once."""
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory"], env=environment, capture_output=True, text=True, check=True
    )
    private, share, resident = map(float, done.stdout.split()[-3:])
    return private, share, resident


def _train() -> None:
    import psutil

    from tuner.estimator.install import install_estimator

    install_estimator()
    with tempfile.TemporaryDirectory() as name:
        train_and_evaluate({"learning_rate": 0.01, "units": 48}, Path(name))
        print(*_memory(psutil.Process()))


if __name__ == "__main__":
    _train()
