"""What is answered to a command line that cannot be: what was found, what was expected, what to type."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from tuner.cli.other_words import ANSWERS, BEGUN, COMMANDS, KEYS, OF_RUN, ONE_NAME, OPTIONS, SHORT
from tuner.hiding import hidden_words
from tuner.text import nearest, suggestion


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
        found = _command(match[1], context, arguments)
    elif "unexpected extra argument" in error.format_message():
        found = _extra(error.format_message(), called, arguments)
    elif kind == "BadOptionUsage":
        called = f"tuner {arguments[0]}"
        found = _value(str(error.option_name), error.format_message(), called)
    elif kind == "BadParameter" and error.param is not None:
        found = _bad(error, called, arguments)
    else:
        found = iter([_first_small(error.format_message().rstrip("."))])
    first, *rest = found
    return [f"tuner: {first}", *(f"  {line}" for line in rest), f"  see: {called} -h"]


def _option(error: Any, context: Any, called: str, arguments: Sequence[str]) -> Iterator[str]:
    option = _typed_option(str(error.option_name), arguments)
    yield f"{called} has no option {option}"
    behind = _behind(option, context, arguments) if called == "tuner" else ""
    if behind:
        yield f"it stands behind the command: {behind}"
        return
    ours = [
        name
        for parameter in context.command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    ]
    yield _answer(option, called, ours, arguments)
    if called != "tuner":
        words = itertools.takewhile(lambda word: word != "--", arguments)
        typed = dict.fromkeys(word.partition("=")[0] for word in words if word.startswith("--"))
        for other in [other for other in typed if other not in (option, "--help", *ours)]:
            yield f"nor {other}: {_answer(other, called, ours, arguments)}"


def _answer(option: str, called: str, ours: Sequence[str], arguments: Sequence[str]) -> str:
    """Return what to type instead of an option that a command has not."""
    bare = option.lstrip("-").replace("_", "-").lower()
    run = called in ("tuner run", "tuner check")
    if bare in ANSWERS.get(called, {}):
        return ANSWERS[called][bare]
    if len(bare) == 1 and (whole := [n for n in ours if n == SHORT.get(bare) or n.startswith(f"--{bare}")]):
        return f"options are written whole: {', '.join(whole)}"
    if f"--{bare}" in ours:
        return f"did you mean --{bare}?"
    if OPTIONS.get(bare, "").partition(" ")[0] in ours:
        return f"did you mean {OPTIONS[bare]}?"
    if bare in KEYS and run:
        from tuner.config.sampler_options import METHODS  # and what reads files, which an option needs only then

        value = _value_of(option, arguments) or "VALUE"
        key = "search.method" if value in METHODS else KEYS[bare]
        return f"that is {key} of the search space file; for one run: --set {key}={value}"
    if bare in ("epochs", "num-epochs", "max-epochs") and run:
        return "training is counted in global steps, not epochs: --set train.max_steps=N (rows / batch size * epochs)"
    if bare in ("gpus", "gpu", "cpus", "num-gpus") and run:
        return "what each trial gets of the machine is in the search space file: resources: {gpus: 1}"
    if called in BEGUN and (bare in OF_RUN or bare in KEYS or OPTIONS.get(bare, "").removeprefix("--") in OF_RUN):
        takes = ", ".join(name for name in ours if name not in ("--root", "--debug"))
        other = "tuner run SPACE.yaml --set KEY=VALUE --name OTHER"
        return f"the sweep goes on as it began, so this takes {takes}; a sweep of other settings: {other}"
    if near := nearest(bare, [name.removeprefix("--") for name in (*ours, "--help")]):
        return f"did you mean --{near}?"
    if called == "tuner run":
        return "a key of the search space file: --set KEY=VALUE; flags of your command: behind --, -- python train.py"
    return f"it has {', '.join(ours)}"


def _typed_option(name: str, arguments: Sequence[str]) -> str:
    """Return an option as it was typed: of ``-trials`` the parser names the first letter alone."""
    if name.startswith("--") or len(name) != 2:
        return name
    typed = [word.partition("=")[0] for word in arguments if word.startswith(name) and len(word.partition("=")[0]) > 2]
    return typed[0] if typed and name not in arguments else name


def _behind(option: str, context: Any, arguments: Sequence[str]) -> str:
    """Return the command line with an option of a command, which was typed in front of it, at its place; or nothing."""
    at = next((at for at, word in enumerate(arguments) if word in context.command.commands), None)
    if at is None:
        return ""
    command = context.command.commands[arguments[at]]
    if not any(option in parameter.opts for parameter in command.params):
        return ""
    return shlex.join(["tuner", *hidden_words([*arguments[at:], *arguments[:at]])])


def _value(option: str, message: str, called: str) -> Iterator[str]:
    """Answer an option that has no value and needs one, or the other way round."""
    if "does not take" not in message:
        yield f"{called}: {option} has no value behind it"
        return
    yield f"{called}: {option} takes no value"
    if option == "--export":
        yield "did you mean --no-export?"


def _bad(error: Any, called: str, arguments: Sequence[str]) -> Iterator[str]:
    option, metavar = error.param.opts[-1], error.param.metavar or ""
    bounds = error.param, getattr(error.param, "type", None)  # as typer has them, and as click has
    least, most = (
        next((b for o in bounds if (b := getattr(o, key, None)) is not None), None) for key in ("min", "max")
    )
    choices = metavar.split("|") if "|" in metavar else []
    if choices:
        expected = f"one of {', '.join(choices)}"
    elif metavar in ("N", "PORT"):
        span = f" from {least} to {most}" if most is not None else f" of at least {least}"
        expected = f"a whole number{span if least is not None else ''}"
    else:
        expected = _first_small(error.message.rstrip("."))
    found = _value_of(option, arguments)
    yield f"{called}: {option}: found {found!r}, expected {expected}"
    yield from filter(None, [suggestion(found, choices)])


def _value_of(option: str, arguments: Sequence[str]) -> str:
    """Return the value that was given to an option, if one was."""
    for index, argument in enumerate(arguments):
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
        behind = arguments[index + 1] if index + 1 < len(arguments) else "-"
        if argument == option and re.match(r"[^-]|-[\d.]", behind):
            return behind
    return ""


def _missing(error: Any, context: Any, called: str) -> Iterator[str]:
    parameter = error.param
    what = (parameter.metavar if parameter is not None else "") or "an argument"
    yield f"{called}: {what} is missing"
    if what.startswith("SPACE"):
        from tuner.config.yaml_text import space_files_here

        yield space_files_here(Path()) or "tuner init writes one to start from"
    elif what.startswith("NAME"):
        from tuner.config.unknown_sweep import sweeps_here
        from tuner.files.paths import Root

        yield sweeps_here(Root(Path(context.params.get("root") or ".").absolute()))
    elif parameter is not None and getattr(parameter, "help", None):
        yield str(parameter.help)


def _command(word: str, context: Any, arguments: Sequence[str]) -> Iterator[str]:
    commands = context.command.list_commands(context)
    if word.endswith((".yaml", ".yml")):
        yield f"{word} is no command"
        yield f"to run that search space: tuner run {word}"
        return
    yield f"there is no command {word!r}"
    if word in ("help", "version"):
        named = next((other for other in arguments[1:] if other in commands), "")
        yield f"type: tuner {named} -h" if named and word == "help" else f"type: tuner --{word}"
        return
    near = COMMANDS.get(word.lower()) or nearest(word.lower(), commands)
    yield f"did you mean: tuner {near}" if near else f"commands: {', '.join(commands)}"


def _extra(message: str, called: str, arguments: Sequence[str]) -> Iterator[str]:
    found = re.search(r"\(([^()]*)\)\.?$", message)
    extra = found[1] if found else ""
    yield f"{called}: found {extra!r} beside what it takes"
    names = [word for word in arguments[1:] if not word.startswith("-") and word not in extra.split()]
    if extra.isdecimal() and names:
        yield f"a trial is written NAME:N: {called} {names[0].rstrip(':')}:{extra}"
    elif "--where" in arguments:
        yield "a condition stands in quotes: --where 'units > 64 and state = PRUNED'"
    elif called == "tuner list":
        yield f"one sweep: tuner show {extra.split()[0]}"
    elif called in ONE_NAME:
        yield "it takes one NAME at a time"
    elif called in ("tuner show", "tuner best", "tuner watch", "tuner verify"):
        yield "several sweeps side by side: tuner compare NAME NAME"
    else:
        yield "what has a blank in it stands in quotes"


def _first_small(text: str) -> str:
    return text[:1].lower() + text[1:]
