"""All commands, and how one is found, parsed and called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
import typer.main

from tuner.cli import (  # noqa: F401 - importing a command registers it
    best,
    check,
    compare,
    curves,
    delete,
    export,
    importance,
    importing,
    init,
    listing,
    logs,
    modernize,
    plot,
    rerun,
    resume,
    retry,
    show,
    stop,
    ui,
    verify,
    watch,
)
from tuner.cli import run as _run  # noqa: F401
from tuner.cli.app import app
from tuner.cli.lines import say
from tuner.cli.typed import remember
from tuner.hiding import hidden


def run(arguments: Sequence[str]) -> int:
    """Run a command line; return its exit status."""
    remember(arguments)
    command: Any = typer.main.get_command(app)
    try:
        status = command.main(list(arguments), prog_name="tuner", standalone_mode=False)
    except typer.Abort:
        return 130
    except Exception as error:
        if not hasattr(error, "format_message"):  # click's, or the copy of it that typer has
            raise
        from tuner.cli.mistakes import usage_lines

        lines = usage_lines(error, arguments)
        for line in lines:
            say(hidden(line), err=True)
        return 2 if lines else 0
    return status if isinstance(status, int) else 0
