"""What commands cost on a sweep of 10,000 trials of ten evaluations, from the user's side.

The sweep is made with the product's own writers: simulated trials through the loop, the study and the record log, event
files beside them, and everything sent to MLflow, whose database does not wait for the disk meanwhile. Each command then
runs in a process of its own; besides its time, which another load lengthens, its CPU and its most memory are kept.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.result import Figure, Result, Row
from tuner.config.manifest import read_manifest
from tuner.driver.progress import NullDisplay
from tuner.files.paths import SweepDir
from tuner.sweep import Sweep
from tuner.sweep.run_options import RunOptions

NAME = "large"
SPACE = f"""\
name: {NAME}
objective: {{metric: error, goal: minimize}}
parameters:
  learning_rate: {{type: float, low: 1e-4, high: 1e-1, log: true}}
  units:         {{type: int, low: 16, high: 256, step: 16}}
  dropout:       {{type: float, low: 0.0, high: 0.5}}
  optimizer:     {{type: categorical, choices: [adam, sgd]}}
train: {{max_steps: 1000, evaluate_every: 100}}
search: {{sampler: random, scheduler: none, trials: TRIALS, workers: 1}}
simulation: {{task: surface, noise: 0.01, record: false, event_files: true}}
"""
ANEW = "show, its index gone"
COMMANDS: dict[str, tuple[list[str], float]] = {  # to arguments, and the seconds that it may take
    "list": (["list"], 1),
    "show": (["show", NAME], 2),
    ANEW: (["show", NAME], 10),
    "show --top": (["show", NAME, "--top", "10"], 1),
    "best": (["best", NAME], 2),
    "compare": (["compare", NAME, f"{NAME}:7"], 20),
    "report": (["report", NAME, "report.html"], 20),
    "plot": (["plot", NAME, "plots"], 20),
    "importance": (["importance", NAME], 20),
    "verify": (["verify", NAME], 60),
    "resume, finished": (["resume", NAME], 2),
}
RESUME = "resume, interrupted"
MEMORY_MB, PAGE_MB, RESUME_S = 500, 5, 10


def run(quick: bool) -> Result:
    """Make the sweep and measure each command on it."""
    trials = 1_000 if quick else 10_000
    with tempfile.TemporaryDirectory(prefix="large-") as folder:
        root = Path(folder)
        began = time.perf_counter()
        making = [sys.executable, "-m", "benchmarks.large", str(root), str(trials)]
        subprocess.run(making, check=True)  # or this process would be as large, and so would those that it starts
        made_s = time.perf_counter() - began
        rows, ratios = [], {}
        for name, (arguments, goal_s) in COMMANDS.items():
            if name == ANEW:
                SweepDir(root / "mlruns/sweeps" / NAME).study_index_file.unlink(missing_ok=True)
            figures = measure(root, arguments)
            rows.append(Row(name, {**figures, "goal, s": goal_s}, "a command"))
            ratios[f"goal/{name}"] = goal_s / figures["s"]
        pages = [file.stat().st_size / 1e6 for file in root.rglob("*.html")]
        figures = first_start(root, trials)
        rows.append(Row(RESUME, {**figures, "goal, s": RESUME_S}, "a command"))
        ratios[f"goal/{RESUME}"] = RESUME_S / figures["s"]
    most = max(float(row.figures["memory, MB"]) for row in rows)  # type: ignore[arg-type]
    return Result(
        rows,
        {**ratios, "goal/memory": MEMORY_MB / most, "goal/page": PAGE_MB / max(pages)},
        [
            f"{trials:,} simulated trials of ten evaluations, made in {made_s:.0f} s; all recorded in MLflow",
            f"resume of an interrupted sweep: until the first of {trials // 100} more trials started",
            f"memory: of the process and those that it waits for, at most {MEMORY_MB} MB; the largest page "
            f"has {max(pages):.1f} MB of {PAGE_MB}",
            "a goal over the time taken: above 1 it is reached; another load lengthens the time, less so the CPU",
        ],
    )


def make(root: Path, trials: int) -> None:
    """Make a sweep of so many trials that has ended, and that MLflow has whole."""
    file = root / f"{NAME}.yaml"
    file.write_text(SPACE.replace("TRIALS", str(trials)), encoding="utf-8")
    sweep = Sweep.from_file(file, root)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    manifest = read_manifest(sweep.dir)
    assert manifest.spec.simulation is not None
    recorded = replace(manifest.spec.simulation, record=True)
    replace(manifest, spec=replace(manifest.spec, simulation=recorded)).write(sweep.dir)
    _send(sweep.dir)


def _send(sweep_dir: SweepDir) -> None:
    from tuner.recorders.mlflow.store import prepare_environment

    prepare_environment()
    from sqlalchemy import Engine, event

    from tuner.recorders.child import make_recorders
    from tuner.recorders.sender import Sender

    @contextlib.contextmanager
    def unsynced() -> Iterator[None]:
        event.listen(Engine, "connect", pragma := lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        try:
            yield
        finally:
            event.remove(Engine, "connect", pragma)

    with unsynced(), contextlib.redirect_stdout(io.StringIO()):
        sender = Sender(sweep_dir, lambda: make_recorders(sweep_dir))
        while not sender.step(closing=True):
            time.sleep(0.05)
        sender.close()


def measure(root: Path, arguments: list[str]) -> dict[str, Figure]:
    """Run a command to its end."""
    with (root / "output").open("w+") as output:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "tuner", *arguments], cwd=root, stdout=output, stderr=output)
        return _figures(process, began, arguments, output)


def first_start(root: Path, trials: int) -> dict[str, Figure]:
    """Let a sweep that has ended go on with more trials, as one that was interrupted; wait for the first to start."""
    more = [str(root / f"{NAME}.yaml"), "--trials", str(trials + max(1, trials // 100)), "--backend", "simulated"]
    command = [sys.executable, "-m", "tuner", "run", *more, "--set", "simulation.record=true"]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    seen, waited = [], 0.0
    for line in process.stdout:
        seen.append(line)
        if f"trial {trials}: running" in line and not waited:
            waited = time.perf_counter() - began
    figures = _figures(process, began, more)
    if not waited:
        raise RuntimeError(f"no trial started:\n{''.join(seen[-20:])}")
    return {**figures, "s": waited}


def _figures(
    process: subprocess.Popen[str], began: float, arguments: list[str], output: io.TextIOBase | None = None
) -> dict[str, Figure]:
    _, status, used = os.wait4(process.pid, 0)
    seconds, process.returncode = time.perf_counter() - began, status
    if status:
        said = output.seek(0) or output.read() if output is not None else ""
        raise RuntimeError(f"tuner {' '.join(arguments)} ended with status {status}:\n{said}")
    unit = 1 if sys.platform == "darwin" else 1024
    return {"s": seconds, "CPU, s": used.ru_utime + used.ru_stime, "memory, MB": used.ru_maxrss * unit / 1e6}


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
