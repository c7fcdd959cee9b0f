"""What is said when a sweep ends: why, the best trial, and the commands that come next."""

from __future__ import annotations

import math
import os
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.cli.lines import say
from tuner.domain.trial import TrialState
from tuner.text import cell_text, without_login

if TYPE_CHECKING:
    from tuner.driver.stop_criteria import StopReason
    from tuner.results import SweepResult, Trial
    from tuner.sweep.run_outcome import RunOutcome


_FOUND = ("best: ", "exported: ", "to export: ", "that is by")


def say_end(ran: RunOutcome) -> None:
    """Say how a call of ``run`` ended; what was found goes to standard output."""
    for line in ending_lines(ran):
        say(line, err=not line.startswith(_FOUND))


def ending_lines(ran: RunOutcome) -> Iterator[str]:
    """Yield how a call of ``run`` ended, a line each: that of the best trial begins with ``best: ``.

    A command that comes next has a line of its own, so that it can be copied.
    """
    name = named(ran.result)
    if ran.end is None:
        begun = ran.result.dir.spec_file.exists()
        yield "stopped; continue with:" if begun else "stopped before anything was recorded"
        yield from (f"  tuner resume {name}",) if begun else ()
        return
    yield f"{'failed' if ran.end.failed else 'finished'}: {ran.end.reason}"
    yield from _unfinished(ran.result, ran.end)
    yield from _best(ran.result)
    yield from _failures(ran.result, ran.end.failed)
    if ran.left_out:
        yield f"interrupted: {ran.left_out}; do it with: tuner resume {name}"
    elif ran.result.best_or_none is not None:
        yield "next:"
        yield from (f"  {typed}" for typed in _next(ran.result))
        yield from _page(ran.result)


def _unfinished(result: SweepResult, end: StopReason) -> Iterator[str]:
    """Say what becomes of trials that were paused, and that those which have not ended go on if the sweep does."""
    from tuner.driver.trial_queue import NEVER_RESUMED

    if paused := sum(trial.record.reason == NEVER_RESUMED for trial in result.trials):
        yield f"trials that were paused until the end, and so are PRUNED: {paused}"
    states = Counter(trial.state for trial in result.trials if not trial.state.is_finished)
    if states and not end.failed:
        counted = " and ".join(f"{count} {state.value.lower()}" for state, count in sorted(states.items()))
        yield f"trials that have not ended: {counted}; {end.more}"
        if end.limit == "--timeout" and result.spec.search.timeout_s:
            yield f"  tuner resume {named(result)} --timeout {2 * result.spec.search.timeout_s:.12g}s"


def _next(result: SweepResult) -> Iterator[str]:
    """Yield the commands that have an answer now."""
    from tuner.study.importance import too_few

    name, best = named(result), result.best_or_none
    yield f"tuner show {name}"
    yield f"tuner ui {name}"
    records = [trial.record for trial in result.trials]
    if any(not too_few(result.spec, records, objective) for objective in result.spec.objectives):
        yield f"tuner importance {name}"
    if best is not None and best.is_servable:
        yield f"tuner export {name} OUT_DIR"


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
    """Say which trial is best and what is exported of it, or why none is."""
    name, best = named(result), result.best_or_none
    complete = any(trial.state is TrialState.COMPLETE for trial in result.trials)
    if best is None:
        goes_on = any(not trial.state.is_finished for trial in result.trials)
        why = "no trial has completed yet; see all with:" if goes_on else "no trial completed; see why with:"
        if complete and not result.spec.constraints:
            why = "the objective of every complete trial is NaN; see them with:"
        elif complete:
            why = "no complete trial keeps to the constraints; see by how much with:"
        yield why
        yield f"  tuner show {name}"
        failed = next((trial.number for trial in result.trials if trial.state is TrialState.FAIL), None)
        if not complete and failed is not None:
            yield f"  tuner logs {named(result, failed)}"
        return
    values = ", ".join(f"{metric} {value:.6g}" for metric, value in best.values.items())
    group = f" ({best.group})" if best.group is not None else ""
    exported = _exported(result, best)
    judged = f" {_judged_at(best)}" if exported and len(best.values) == 1 else ""
    yield f"best: trial {best.number}, {values}{judged}{group}, with {cell_text(best.params)}"
    yield from (exported,) if exported else ()
    if len(result.spec.objectives) > 1:
        front = ", ".join(str(trial.number) for trial in result.front)
        yield f"that is by the first objective; on the Pareto front: trials {front} (tuner best {name})"
    yield from _better_and_not_complete(result, best)


def _exported(result: SweepResult, best: Trial) -> str:
    """Say of a model that can be served that what is exported is not what was judged; nothing if it is."""
    from tuner.export import exported_choice
    from tuner.export.checkpoint_choice import exported_step

    choice = exported_choice(result.dir, best) if best.is_servable else None
    if choice is None or not choice.differs:
        return ""
    label = "exported" if exported_step(result.dir, best) == choice.step else "to export"
    gone = f"; {choice.note}" if choice.note else ""
    return f"{label}: its checkpoint of step {choice.step}, {best.objectives[0].metric} {choice.value:.6g}{gone}"


def _judged_at(best: Trial) -> str:
    """Return which evaluations of a trial its objective is of."""
    of = best.objectives[0].of
    if of.rule == "mean" and of.count > 1:
        return f"in the mean of its last {of.count} evaluations"
    return f"at step {best.value_step}"


def _better_and_not_complete(result: SweepResult, best: Trial) -> Iterator[str]:
    """Say of a trial that has come to a better value and not to its last step why it is not the best."""
    goal, value = result.spec.objectives[0].goal, best.value
    short = [
        t for t in result.trials if t.state not in (TrialState.COMPLETE, TrialState.FAIL) and t.feasible is not False
    ]
    sound = [(goal.loss(t.value), t) for t in short if t.value is not None and math.isfinite(t.value)]
    loss, other = min(sound, key=lambda pair: pair[0], default=(math.inf, best))
    if best.group is None and value is not None and loss < goal.loss(value):
        ended = f"{other.state.value.lower()} at step {other.record.step}"
        what = f"trial {other.number} was at {other.value:.6g} when it was {ended}"
        yield f"{what}, and only complete trials can be the best"


def _failures(result: SweepResult, limit_struck: bool) -> Iterator[str]:
    """Say what can be done about trials that failed."""
    name, failed = named(result), [trial for trial in result.trials if trial.state is TrialState.FAIL]
    if not failed:
        return
    them = "trial" if len(failed) == 1 else "trials"
    retry = [f"  tuner retry {name}"] if any(not is_judged(t, result.spec.train.max_steps) for t in failed) else []
    if not any(trial.state is TrialState.COMPLETE for trial in result.trials):
        program = "program" if result.spec.command else "model"
        file = "search space file or the command line" if result.spec.command else "search space file"
        which = file if retry else f"{program} or the file"
        yield f"if the {which} is wrong, mend it, delete this sweep, and run it again:"
        yield f"  tuner delete {name}"
        yield from (f"if the {program} is wrong, mend it, and run the failed {them} again:", *retry) if retry else ()
        return
    if retry:
        yield f"{len(failed)} {them} failed; when the cause is mended, run the failed {them} again:"
        yield from retry
    else:
        yield f"{len(failed)} {them} failed by the value at the last step, which stands if run again"
    if not limit_struck:
        more, all_of_them = 10, len(result.trials) + 10
        yield f"for {more} new trials, {all_of_them} in all:"
        yield f"  tuner resume {name} --trials {all_of_them}"
    yield "to begin anew:"
    yield f"  tuner delete {name}"


def is_judged(trial: Trial, max_steps: int | None) -> bool:
    """Whether a trial failed by its value at its last step: what was recorded there stands if it is run again."""
    curve, last = trial.record.curve, trial.record.step
    return last is not None and last == max_steps and not math.isfinite(curve.get(last, 0.0))
