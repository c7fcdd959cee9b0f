"""What is said when a sweep ends: why, the best trial, and the commands that come next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tuner.domain.trial import TrialState
from tuner.text import cell_text, without_login

if TYPE_CHECKING:
    from tuner.results import SweepResult, Trial
    from tuner.sweep.run_outcome import RunOutcome


def say_end(ran: RunOutcome) -> None:
    """Say how a call of ``run`` ended; what was found goes to standard output, and fits if that is a terminal."""
    for line in ending_lines(ran):
        found = line.startswith(("best: ", "that is by"))
        if (sys.stdout if found else sys.stderr).isatty():
            wide = shutil.get_terminal_size().columns
            parts = textwrap.wrap(line, wide, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
            typer.echo("\n".join(parts), err=not found)
        else:
            typer.echo(line, err=not found)


def ending_lines(ran: RunOutcome) -> Iterator[str]:
    """Yield how a call of ``run`` ended, a line each; that of the best trial begins with ``best: ``."""
    name = named(ran.result)
    if ran.end is None:
        begun = ran.result.dir.spec_file.exists()
        yield f"stopped; continue with: tuner resume {name}" if begun else "stopped before anything was recorded"
        return
    yield f"{'failed' if ran.end.failed else 'finished'}: {ran.end.reason}"
    yield from _best(ran.result)
    yield from _failures(ran.result, ran.end.failed)
    if ran.left_out:
        yield f"interrupted: {ran.left_out}; do it with: tuner resume {name}"
    elif (best := ran.result.best_or_none) is not None:
        model = f", tuner export {name} OUT_DIR" if best.is_servable else ""
        yield f"next: tuner show {name}, tuner ui {name}, tuner importance {name}{model}"
        yield from _page(ran.result)


def _page(result: SweepResult) -> Iterator[str]:
    """Yield the address of the trials on the MLflow server that recorded them, if it is one."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri.startswith(("http://", "https://")):
        return
    from tuner.files.run_ids import RunIds
    from tuner.recorders.mlflow.shared_view import trials_page

    if experiment := RunIds(result.dir.runs_file).experiment:
        yield f"trials: {without_login(uri.rstrip('/'))}/{trials_page(experiment)}"


def named(result: SweepResult, trial: int | None = None) -> str:
    """Return how a command names a sweep, or one of its trials, from where this one was typed."""
    root, number = result.dir.root.path, "" if trial is None else f":{trial}"
    elsewhere = "" if root == Path.cwd() else f" --root {shlex.quote(os.path.relpath(root))}"
    return f"{result.spec.name}{number}{elsewhere}"


def _best(result: SweepResult) -> Iterator[str]:
    """Say which trial is best, or why none is."""
    name, best = named(result), result.best_or_none
    complete = any(trial.state is TrialState.COMPLETE for trial in result.trials)
    if best is None and complete and not result.spec.constraints:
        yield f"the objective of every complete trial is NaN; see them with: tuner show {name}"
    elif best is None and complete:
        yield f"no complete trial keeps to the constraints; see by how much with: tuner show {name}"
    elif best is None:
        failed = next((trial.number for trial in result.trials if trial.state is TrialState.FAIL), None)
        log = f", tuner logs {named(result, failed)}" if failed is not None else ""
        yield f"no trial completed; see why with: tuner show {name}{log}"
    else:
        values = ", ".join(f"{metric} {value:.6g}" for metric, value in best.values.items())
        group = f" ({best.group})" if best.group is not None else ""
        yield f"best: trial {best.number}, {values}{group}{_exported(result, best)}, with {cell_text(best.params)}"
        if len(result.spec.objectives) > 1:
            front = ", ".join(str(trial.number) for trial in result.front)
            yield f"that is by the first objective; on the Pareto front: trials {front} (tuner best {name})"


def _exported(result: SweepResult, best: Trial) -> str:
    """Say of a model that can be served that what is exported is not what was judged."""
    from tuner.export import exported_choice

    choice = exported_choice(result.dir, best) if best.is_servable else None
    if choice is None or not choice.differs:
        return ""
    gone = f"; {choice.note}" if choice.note else ""
    return f" (exported: step {choice.step}: {choice.differs}{gone})"


def _failures(result: SweepResult, limit_struck: bool) -> Iterator[str]:
    """Say what can be done about trials that failed."""
    name, failed = named(result), sum(trial.state is TrialState.FAIL for trial in result.trials)
    if not failed:
        return
    them = "1 trial failed; when its cause is mended, run it again, under its number"
    if failed > 1:
        them = f"{failed} trials failed; when their cause is mended, run them again, under their numbers"
    yield f"{them}: tuner retry {name}"
    new = "" if limit_struck else f"; for new trials: tuner resume {name} --trials {len(result.trials) + 10}"
    yield f"  to begin anew: tuner delete {name}{new}"
