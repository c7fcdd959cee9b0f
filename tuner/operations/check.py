"""One step of training and one evaluation of a model in a folder that is thrown away."""

from __future__ import annotations

import json
import math
import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.backends import Ended, Message, Reported
from tuner.backends.local import LocalBackend
from tuner.domain.job import Job, JobStatus
from tuner.domain.spec import SweepSpec
from tuner.domain.tags import SERVABLE, UNREAD
from tuner.driver.missing_objective import missing_objective
from tuner.driver.outcomes import no_number, why_it_ended
from tuner.errors import Infeasible, InvalidInput, Problem
from tuner.files.paths import TrialDir
from tuner.model_space.client import open_model_space, walk_of
from tuner.schedulers import make_scheduler
from tuner.space.conditions import Walk, walk
from tuner.space.drawing import drawn
from tuner.space.parameters import ParamValue
from tuner.study.samplers import make_sampler
from tuner.sweep.prechecks import check_recorders, check_sampler, hints
from tuner.text import cell_text
from tuner.user_class import is_place

_MEND_NAN = "look for a division by zero, a logarithm of zero, a NaN among the rows"
DRAWS = 100  # of a space that calls some infeasible, before none is taken to be feasible


@dataclass(frozen=True)
class CheckResult:
    """What a try found, a line each."""

    lines: tuple[str, ...]


def check_spec(spec: SweepSpec, traceback: bool = False) -> CheckResult:
    """Build the model with parameters drawn at random, train it one step, evaluate it once; of no model say so.

    Args:
        spec: Of the search space file.
        traceback: Whether the error of a model that failed has the traceback of its log.

    Raises:
        InvalidInput: A sweep would refuse the settings; or the model cannot be used, failed, or never wrote the
            objective.
    """
    check_settings(spec)
    if spec.model is None:
        lines = ("scheduler, sampler and recorders can be used", "left out: a model, as the file names none")
        return CheckResult((*lines, *(f"note: {hint}" for hint in hints(spec)), "ok"))
    with tempfile.TemporaryDirectory(prefix="tuner-check-") as folder:
        params = draw(spec, Path(folder) / "server.log")
        trial_dir = TrialDir(Path(folder) / "0000")
        backend = LocalBackend(spec.model, Path(folder) / "server.log")
        try:
            backend.open()
            train = replace(spec.train, evaluate_every=1)  # the rung at step 1 ends it
            job = Job(0, 1, params, spec.search.seed, train, spec.model, stop_at=1)
            backend.start(job, trial_dir)
            messages: list[Message] = []
            while not any(isinstance(message, Ended) for message in messages):
                messages += backend.wait(1.0)
            return _judge(spec, params, messages, trial_dir, traceback)
        finally:
            backend.close()


def check_settings(spec: SweepSpec) -> None:
    """Make what a sweep's settings name, as a run does before its trials.

    Raises:
        InvalidInput: A sweep would refuse the settings.
    """
    make_scheduler(spec)
    check_sampler(spec)
    check_recorders(spec)
    if not is_place(spec.search.sampler.name):  # one of the user's own has been made by check_sampler
        make_sampler(spec.search.sampler, spec.space, spec.search.seed, repeats=spec.search.repeats)


def draw(spec: SweepSpec, log_file: Path) -> dict[str, ParamValue]:
    """Return parameters drawn at random from the file's space or the model's own, with constants."""
    chance = random.Random(spec.search.seed)
    space = open_model_space(spec, log_file)
    try:
        own = walk_of(space, spec)
        return _feasible(own, spec, chance) if own else walk(spec.space, lambda p: drawn(p, chance))
    finally:
        if space is not None:
            space.close()


def _feasible(own: Walk, spec: SweepSpec, chance: random.Random) -> dict[str, ParamValue]:
    """Draw from the model's own space until it does not call what is drawn infeasible."""
    reason = ""
    for _ in range(DRAWS):
        try:
            return own(lambda p: drawn(p, chance))
        except Infeasible as error:
            reason = error.message
    raise InvalidInput(
        f"model {spec.model}", f"space(trial) called {DRAWS} of {DRAWS} draws infeasible, the last: {reason}"
    )


def _traceback(trial_dir: TrialDir) -> list[str]:
    """Return what a trial's log ends with: the last traceback whole, or else its last lines."""
    lines = trial_dir.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    begins = [at for at, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    return lines[begins[-1] :] if begins else lines[-15:]


def _judge(
    spec: SweepSpec,
    params: dict[str, ParamValue],
    messages: list[Message],
    trial_dir: TrialDir,
    traceback: bool,
) -> CheckResult:
    end = next(message for message in messages if isinstance(message, Ended)).result
    if end.ending not in (JobStatus.FINISHED, JobStatus.STOPPED):
        message, hint = f"failed with {cell_text(params)}: {why_it_ended(end)}", "its traceback: --debug"
        if traceback:
            message, hint = "\n".join([message, *_traceback(trial_dir)]), ""
        mend = [f"a trial that ends so {_fate(spec)}; {_MEND_NAN}"] if end.ending is JobStatus.NAN else []
        notes = [Problem("note", said) for said in (*mend, *hints(spec))]
        raise InvalidInput(f"model {spec.model}", [Problem("", message, hint), *notes])
    values = {tag: v for m in messages if isinstance(m, Reported) for tag, v in m.evaluation.scalars.items()}
    tags = sorted(values)
    wanted = [*(o.metric for o in spec.objectives), *(constraint.metric for constraint in spec.constraints)]
    missing = [metric for metric in wanted if metric not in tags]
    if missing:
        raise InvalidInput(
            f"model {spec.model}", missing_objective(missing, tags, unwritten=trial_dir.unwritten_metrics())
        )
    lines = [f"model {spec.model}: one step trained, one evaluation, with {cell_text(params)}"]
    lines.append(f"tags of the evaluation: {', '.join(tags)}")
    servable = end.tags.get(SERVABLE) == "true"
    lines.append("serving: " + ("its model can be exported" if servable else "no serving_input_receiver_fn, no export"))
    lines += [f"note: {value}" for tag, value in end.tags.items() if tag not in (SERVABLE, UNREAD)]
    unread = json.loads(end.tags.get(UNREAD, "[]"))
    lines += [f"note: the model has not read the parameter {name!r}: is it spelled so there?" for name in unread]
    lines += [f"note: {hint}" for hint in hints(spec)]
    odd = {o.metric: values[o.metric] for o in spec.objectives if not math.isfinite(values[o.metric])}
    lines += [
        f"note: after one step {no_number(metric, value)}; a trial that ends so {_fate(spec)}. If more steps do not "
        f"mend it, {_MEND_NAN}"
        for metric, value in odd.items()
    ]
    return CheckResult((*lines, f"ok, except that {' and '.join(odd)} may never be a number" if odd else "ok"))


def _fate(spec: SweepSpec) -> str:
    """Say what becomes of a trial that has no number."""
    return "counts as the worst" if spec.search.nan == "worst" else "fails"
