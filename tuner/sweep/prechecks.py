"""What a sweep's settings will not do, said before it starts: allowed, and rarely meant."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from tuner.backends.placement import check_backend
from tuner.config import own_classes
from tuner.config.manifest import refuse_hidden
from tuner.config.sampler_options import check_packages, sampler_kind
from tuner.domain.spec import SweepSpec
from tuner.errors import InvalidInput, Problem
from tuner.files.paths import SweepDir
from tuner.recorders.mlflow.naming import check_tags
from tuner.schedulers import scheduler_class
from tuner.script.command_line import check_command
from tuner.space import Float, Int
from tuner.space.drawing import fitted
from tuner.sweep.run_options import RunOptions
from tuner.user_class import is_place

_RANGE = re.compile(r"[\d.]+(?:e-?\d+)?\s*(?:\.\.+|\bto\b|-)\s*[\d.]+(?:e-?\d+)?", re.ASCII)


def precheck(spec: SweepSpec, sweep_dir: SweepDir, options: RunOptions) -> None:
    """Look whether a sweep can run as it is asked to, before anything of it is written.

    Raises:
        InvalidInput: It cannot.
    """
    check_tags(options.tags, "tags")
    check_backend(spec, options.backend)
    refuse_hidden(sweep_dir, spec)
    if spec.command:
        check_script(spec)
    check_sampler(spec)
    check_recorders(spec)


def hints(spec: SweepSpec) -> list[str]:
    """Return what is worth a line, from the settings alone."""
    search, train = spec.search, spec.train
    scheduler = scheduler_class(search.scheduler.name, spec.import_paths)
    found = list(scheduler.hints(search))
    if scheduler.uses_rungs and train.max_steps and train.evaluate_every and train.evaluate_every >= train.max_steps:
        found.append(
            f"trials are evaluated once, at their end, so {search.scheduler.name} has nothing to choose by on the way; "
            "make train.evaluate_every a tenth of train.max_steps, say"
        )
    for parameter in spec.space.parameters:
        if not isinstance(parameter, (Int, Float)) or not parameter.step:
            continue
        last = fitted(parameter, parameter.high)
        if last < parameter.high and not math.isclose(last, parameter.high):
            found.append(
                f"parameters.{parameter.name}: steps of {parameter.step:g} from {parameter.low:g} do not come to "
                f"{parameter.high:g}; the last is {last:g}"
            )
    found += [*_lists(spec), *_calls(spec)]
    if spec.constraints and not sampler_kind(search.sampler.name).knows_constraints:
        found.append(f"sampler {search.sampler.name} does not know constraints, and may go on drawing what breaks one")
    if spec.space.constants and not spec.space.parameters and search.trials > 1:
        found.append("no parameter varies, so all trials train the same; a range is {type: float, low: 0.1, high: 1}")
    if spec.command and not any("{trial_dir}" in word for word in spec.command):
        found.append(
            "the command does not mention {trial_dir}: what it writes is looked for in each trial's folder, "
            "so tell it where that is, as in --job-dir {trial_dir}"
        )
    return found


def _lists(spec: SweepSpec) -> Iterator[str]:
    """Yield a line for each constant that is a list of which one may be meant, with how that is written."""
    for name, value in spec.space.constants.items():
        if not isinstance(value, list) or len(value) < 2 or any(isinstance(item, (list, dict)) for item in value):
            continue
        if len({*map(json.dumps, value)}) == len(value):  # [64, 64] is no choice
            numbers = all(type(item) in (int, float) for item in value)
            kind = "type: discrete, values" if numbers else "type: categorical, choices"
            between = ""
            if numbers and len(value) == 2 and value[0] < value[1] and float in map(type, value):
                between = f"; for a number between them: {{type: float, low: {value[0]}, high: {value[1]}}}"
            yield (
                f"parameters.{name} is the constant list {value} in every trial; "
                f"for one of these: {{{kind}: {json.dumps(value, ensure_ascii=False)}}}{between}"
            )


def _calls(spec: SweepSpec) -> Iterator[str]:
    """Yield a line for each constant whose text is a call or a range, as ``range(16, 256)`` or ``16..256``."""
    for name, value in spec.space.constants.items():
        if isinstance(value, str) and (re.fullmatch(r"[A-Za-z_][\w.]*\(.*\)", value) or _RANGE.fullmatch(value)):
            yield (
                f"parameters.{name} is the constant text {value!r} in every trial; for a range: "
                "{type: float, low: 0.1, high: 1}, or type: int; for one of several values: {choices: [1, 2]}"
            )


def check_script(spec: SweepSpec) -> None:
    """Look whether a sweep's command can be run, before any trial.

    Raises:
        InvalidInput: It cannot.
    """
    if spec.model is not None:
        hint = "leave the command out, or remove model from the file"
        raise InvalidInput("", [Problem("model", "stands beside a command, expected one of the two", hint)])
    if not Path(spec.command_dir).is_dir():
        raise InvalidInput(
            "command", f"its working directory {spec.command_dir} is gone; run it again with `tuner run` in the new one"
        )
    check_command(spec.command, spec.space.names, spec.command_dir)


def check_sampler(spec: SweepSpec) -> None:
    """Look whether a sweep's sampler can be made, before any trial.

    Raises:
        InvalidInput: A package is missing, or the user's own cannot be imported or refuses its options.
    """
    search = spec.search
    check_packages(search.sampler.name)
    if wrong := list(own_classes.check_sampler(search.sampler, spec.import_paths)):
        raise InvalidInput("", wrong)
    if is_place(search.sampler.name):
        from tuner.study.samplers import make_sampler  # and Optuna, which is not needed yet otherwise

        make_sampler(search.sampler, spec.space, search.seed, import_paths=spec.import_paths)


def check_recorders(spec: SweepSpec) -> None:
    """Look whether the user's own recorders are there and take their options, before any trial.

    Raises:
        InvalidInput: One is not, or does not.
    """
    if wrong := list(own_classes.check_recorders(spec.record.recorders, spec.import_paths)):
        raise InvalidInput("", wrong)
