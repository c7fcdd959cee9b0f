"""One trial whole: what it was given, its curve, how it ended, and where everything of it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tuner.cli.display import duration
from tuner.cli.sparkline import sparkline
from tuner.cli.trial_table import ranges
from tuner.domain.scoring import curves_of
from tuner.files import checkpoints
from tuner.text import cell_text, show_size

if TYPE_CHECKING:
    from tuner.results import SweepResult, Trial

LABEL = 13


def page(result: SweepResult, trial: Trial, width: int, exported_step: int | None = None) -> Iterator[str]:
    """Yield the page of a trial, a line each.

    Args:
        result: The sweep.
        trial: One of its trials.
        width: Of the terminal, in characters.
        exported_step: Global step of the checkpoint that export takes; None if there is none, or it is not known.
    """
    name, folder = f"{result.spec.name}:{trial.number}", result.dir.trial(trial.number)
    values = "".join(f", {text}" for text in _values(trial))
    at = f" at step {trial.record.step}" if trial.record.step else ""
    yield f"trial {trial.number} of {result.spec.name}: {trial.state.value}{at}{values}"
    if trial.record.reason:
        yield _line("reason", trial.record.reason)
    constants = result.spec.space.constants
    params = {key: value for key, value in trial.params.items() if key not in constants}
    yield from _mapping("parameters", params)
    yield from _mapping("constants", constants)
    for metric, curve in curves_of(trial.record, result.spec.objectives).items():
        yield from _curve(metric, curve, width)
    yield from _mapping("constraints", trial.record.constraints)
    if trial.group is not None:
        yield _line("seeds", f"trial {trial.group.first} and its repeats: {trial.group}")
    yield _line("time", _times(trial))
    steps = checkpoints.steps(folder.path)
    if steps:
        yield _line("checkpoints", f"at step {ranges(steps)}, {show_size(checkpoints.size(folder.path))}")
    if exported_step is not None:
        yield _line("to export", f"step {exported_step}: tuner export {result.spec.name} OUT_DIR")
    gone = "none: a simulated trial trains nothing" if result.spec.simulation else "none: it is gone"
    none = gone if trial.state.is_finished else "none yet"
    yield _line("folder", os.path.relpath(folder.path) if folder.path.exists() else none)
    if folder.log_file.exists():
        yield _line("log", f"tuner logs {name}")
    if trial.run_id:
        server = _server()
        yield _line("MLflow", f"{server or 'http://127.0.0.1:5000'}/#/runs/{trial.run_id}")
        if not server:
            yield _line("", f"while it is there: tuner ui {result.spec.name}")


def _values(trial: Trial) -> Iterator[str]:
    """Yield each objective, and what it is of if that is not the trial's last step."""
    values, steps = trial.values, trial.value_steps
    for objective in trial.objectives:
        metric, of = objective.metric, objective.of
        if metric in values:
            said = [] if of.rule == "last" else [str(of)]
            if of.rule != "mean" and metric in steps and steps[metric] != trial.record.step:
                said.append(f"of step {steps[metric]}")
            yield f"{metric} {values[metric]:.6g}" + (f" ({', '.join(said)})" if said else "")


def _line(label: str, text: str) -> str:
    return f"{label:<{LABEL}}{text}"


def _mapping(label: str, values: Mapping[str, object]) -> Iterator[str]:
    wide = max(map(len, values), default=0)
    for index, (key, value) in enumerate(values.items()):
        yield _line("" if index else label, f"{key:<{wide}}  {'null' if value is None else cell_text(value)}")


def _curve(metric: str, curve: Mapping[int, float], width: int) -> Iterator[str]:
    if not curve:
        yield _line("curve", f"{metric}: not evaluated yet")
        return
    steps = sorted(curve)
    yield _line("curve", f"{metric}  {sparkline([curve[s] for s in steps], max(10, width - LABEL - len(metric) - 2))}")
    ends = [f"{curve[step]:.6g} at step {step}" for step in dict.fromkeys((steps[0], steps[-1]))]
    yield _line("", f"{' to '.join(ends)}, {len(steps)} evaluation{'s' if len(steps) > 1 else ''}")


def _times(trial: Trial) -> str:
    record = trial.record
    attempts = f" in {record.attempts} attempts" if record.attempts > 1 else ""
    begun = f", begun {_clock(record.started)}" if record.started else ""
    ended = f", ended {_clock(record.ended)}" if record.ended else ""
    return f"{duration(record.seconds)}{attempts}{begun}{ended}"


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _server() -> str:
    """Return the address of MLflow's server, or nothing if records are kept in files."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    return uri.rstrip("/") if uri.startswith(("http://", "https://")) else ""
