"""What is answered to a command line that cannot be: what was found, what was expected, what to type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from tuner.text import nearest

KEYS: Mapping[str, str] = {
    "sampler": "search.sampler",
    "algorithm": "search.sampler",
    "method": "search.sampler",
    "scheduler": "search.scheduler",
    "pruner": "search.scheduler",
    "max-steps": "train.max_steps",
    "steps": "train.max_steps",
    "train-steps": "train.max_steps",
    "num-steps": "train.max_steps",
    "evaluate-every": "train.evaluate_every",
    "eval-every": "train.evaluate_every",
    "eval-steps": "train.evaluate_every",
    "save-checkpoints-steps": "train.evaluate_every",
    "metric": "objective.metric",
    "objective": "objective.metric",
    "goal": "objective.goal",
    "direction": "objective.goal",
    "mode": "objective.goal",
    "retries": "search.retries",
    "max-retries": "search.retries",
    "repeats": "search.repeats",
    "nan": "search.nan",
    "max-failed-trials": "search.max_failed_trials",
    "model": "model",
}
"""Options that people try, and the key of the search space file that they mean."""

OPTIONS: Mapping[str, str] = {
    "n-trials": "--trials",
    "num-trials": "--trials",
    "max-trials": "--trials",
    "num-samples": "--trials",
    "count": "--trials",
    "jobs": "--workers",
    "n-jobs": "--workers",
    "parallel": "--workers",
    "concurrency": "--workers",
    "max-parallel-trials": "--workers",
    "parallel-trials": "--workers",
    "experiment": "--name",
    "experiment-name": "--name",
    "study-name": "--name",
    "project": "--name",
    "random-seed": "--seed",
    "output-dir": "--root",
    "out-dir": "--root",
    "job-dir": "--root",
    "logdir": "--root",
    "dir": "--root",
    "model-dir": "--root",
    "db": "--storage",
    "database": "--storage",
    "time": "--timeout",
    "max-time": "--timeout",
    "max-duration": "--timeout",
    "warm-start": "--from",
    "tags": "--tag",
    "executor": "--backend",
    "json": "--format json",
    "csv": "--format csv",
    "output": "--format",
    "order-by": "--sort",
    "sort-by": "--sort",
    "limit": "--top",
    "head": "--top",
    "filter": "--where",
    "query": "--where",
    "verbose": "--debug",
    "traceback": "--debug",
}
"""Options that people try, and what ours is called."""

COMMANDS: Mapping[str, str] = {
    "tune": "run",
    "start": "run",
    "train": "run",
    "fit": "run",
    "search": "run",
    "sweep": "run",
    "optimize": "run",
    "agent": "run",
    "continue": "resume",
    "restart": "resume",
    "ls": "list",
    "sweeps": "list",
    "ps": "list",
    "status": "list",
    "trials": "show",
    "results": "show",
    "result": "show",
    "describe": "show",
    "get": "show",
    "info": "show",
    "log": "logs",
    "tail": "logs",
    "rm": "delete",
    "remove": "delete",
    "clean": "delete",
    "purge": "delete",
    "kill": "stop",
    "cancel": "stop",
    "abort": "stop",
    "pause": "stop",
    "monitor": "watch",
    "follow": "watch",
    "attach": "watch",
    "serve": "export",
    "deploy": "export",
    "save": "export",
    "mlflow": "ui",
    "tensorboard": "ui",
    "dashboard": "ui",
    "open": "ui",
    "new": "init",
    "create": "init",
    "validate": "check",
    "lint": "check",
    "test": "check",
    "diff": "compare",
    "importances": "importance",
    "convert": "import",
    "graph": "plot",
    "charts": "plot",
    "replay": "rerun",
    "reproduce": "rerun",
}
"""Commands that people try, and what ours is called."""


def usage_lines(error: Any, arguments: Sequence[str]) -> list[str]:
    """Return the lines that answer a usage error; none for one that is a wish for help."""
    context = getattr(error, "ctx", None)
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        typer.echo(error.format_message())
        return []
    name = context.info_name if context is not None and context.parent is not None else ""
    called = f"tuner {name}".strip()
    if kind == "NoSuchOption":
        found = _option(error, context, called, arguments)
    elif kind == "MissingParameter":
        found = _missing(error, context, called)
    elif (match := re.match(r"No such command '([^']*)'", error.format_message())) is not None:
        found = _command(match[1], context)
    elif "unexpected extra argument" in error.format_message():
        found = _extra(error.format_message(), called, arguments)
    elif kind == "BadOptionUsage":
        called = f"tuner {arguments[0]}"
        found = iter([f"{called}: {error.option_name} has no value behind it"])
    elif kind == "BadParameter" and error.param is not None:
        found = _bad(error, called, arguments)
    else:
        found = iter([_first_small(error.format_message().rstrip("."))])
    first, *rest = found
    return [f"tuner: {first}", *(f"  {line}" for line in rest), f"  see: {called} -h"]


def _option(error: Any, context: Any, called: str, arguments: Sequence[str]) -> Iterator[str]:
    option = str(error.option_name)
    yield f"{called} has no option {option}"
    bare = option.lstrip("-").replace("_", "-").lower()
    ours = [name for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
    value = _value_of(option, arguments)
    run = called in ("tuner run", "tuner check")
    if f"--{bare}" in ours:
        yield f"did you mean --{bare}?"
    elif OPTIONS.get(bare, "").partition(" ")[0] in ours:
        yield f"did you mean {OPTIONS[bare]}?"
    elif bare in KEYS and run:
        yield f"that is {KEYS[bare]} of the search space file; for one run: --set {KEYS[bare]}={value or 'VALUE'}"
    elif bare in ("epochs", "num-epochs", "max-epochs") and run:
        yield "training is counted in global steps, not epochs: --set train.max_steps=N (rows / batch size * epochs)"
    elif bare in ("gpus", "gpu", "cpus", "num-gpus") and run:
        yield "what each trial gets of the machine is in the search space file: resources: {gpus: 1}"
    elif near := nearest(bare, [name.removeprefix("--") for name in ours]):
        yield f"did you mean --{near}?"
    elif called == "tuner run":
        yield "a key of the search space file: --set KEY=VALUE; flags of your command: behind --, -- python train.py"
    else:
        yield f"it has {', '.join(ours)}"


def _bad(error: Any, called: str, arguments: Sequence[str]) -> Iterator[str]:
    option, metavar = error.param.opts[-1], error.param.metavar or ""
    least = getattr(error.param, "min", None) or getattr(getattr(error.param, "type", None), "min", None)
    if "|" in metavar:
        expected = f"one of {', '.join(metavar.split('|'))}"
    elif metavar in ("N", "PORT"):
        expected = f"a whole number{f' of at least {least}' if least else ''}"
    else:
        expected = _first_small(error.message.rstrip("."))
    yield f"{called}: {option}: found {_value_of(option, arguments)!r}, expected {expected}"


def _value_of(option: str, arguments: Sequence[str]) -> str:
    """Return the value that was given to an option, if one was."""
    for index, argument in enumerate(arguments):
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
        if argument == option and index + 1 < len(arguments) and not arguments[index + 1].startswith("-"):
            return arguments[index + 1]
    return ""


def _missing(error: Any, context: Any, called: str) -> Iterator[str]:
    parameter = error.param
    what = (parameter.metavar if parameter is not None else "") or "an argument"
    yield f"{called}: {what} is missing"
    if what.startswith("SPACE"):
        files = sorted([*Path().glob("*.yaml"), *Path().glob("search_spaces/*.yaml")])[:8]
        yield (
            f"search space files here: {', '.join(map(str, files))}" if files else "tuner init writes one to start from"
        )
    elif what.startswith("NAME"):
        yield from _sweeps(context.params.get("root") or ".")
    elif parameter is not None and getattr(parameter, "help", None):
        yield str(parameter.help)


def _sweeps(root: Path | str) -> Iterator[str]:
    from tuner.files.paths import Root

    here = Root(Path(root).absolute())
    names = [sweep_dir.name for sweep_dir in here.sweeps()]
    yield f"sweeps here: {', '.join(names)}" if names else f"there are no sweeps under {here.path}; name another --root"


def _command(word: str, context: Any) -> Iterator[str]:
    commands = context.command.list_commands(context)
    if word.endswith((".yaml", ".yml")):
        yield f"{word} is no command"
        yield f"to run that search space: tuner run {word}"
        return
    yield f"there is no command {word!r}"
    if word in ("help", "version"):
        yield f"type: tuner --{word}"
        return
    near = COMMANDS.get(word.lower()) or nearest(word, commands)
    yield f"did you mean: tuner {near}" if near else f"commands: {', '.join(commands)}"


def _extra(message: str, called: str, arguments: Sequence[str]) -> Iterator[str]:
    found = re.search(r"\(([^()]*)\)\.?$", message)
    extra = found[1] if found else ""
    yield f"{called}: found {extra!r} beside what it takes"
    names = [word for word in arguments[1:] if not word.startswith("-") and word not in extra.split()]
    if extra.isdecimal() and names:
        yield f"a trial is written NAME:N: {called} {names[0]}:{extra}"
    elif "--where" in arguments:
        yield "a condition stands in quotes: --where 'units > 64 and state = PRUNED'"
    elif called == "tuner list":
        yield f"one sweep: tuner show {extra}"
    elif called in ("tuner show", "tuner best", "tuner watch", "tuner verify"):
        yield "several sweeps side by side: tuner compare NAME NAME"


def _first_small(text: str) -> str:
    return text[:1].lower() + text[1:]
