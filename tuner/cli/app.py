"""The application: its commands, and how errors become lines and exit statuses."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from tuner._version import __version__
from tuner.errors import TunerError

P = ParamSpec("P")

app = typer.Typer(
    name="tuner",
    help="Tune TensorFlow Estimators: Optuna decides, MLflow records, event files report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

RootOption = Annotated[Path, typer.Option("--root", help="Folder of the records.", show_default="current folder")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
NameArgument = Annotated[str, typer.Argument(help="Name of a sweep.", metavar="NAME", show_default=False)]
NameOrTrialArgument = Annotated[
    str, typer.Argument(help="Name of a sweep, or one of its trials as NAME:N.", metavar="NAME[:N]", show_default=False)
]


def command(name: str) -> Callable[[Callable[P, int | None]], Callable[P, None]]:
    """Register a command that returns its exit status; its errors become lines on standard error."""

    def register(function: Callable[P, int | None]) -> Callable[P, None]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            status = _run(functools.partial(function, *args, **kwargs), debug=bool(kwargs.get("debug")))
            raise typer.Exit(status)

        app.command(name)(run)
        return run

    return register


def _run(function: Callable[[], int | None], debug: bool) -> int:
    try:
        return function() or 0
    except TunerError as error:
        if debug:
            raise
        for line in str(error).splitlines():
            typer.echo(f"tuner: {line}" if not line.startswith(" ") else line, err=True)
        return error.exit_status
    except KeyboardInterrupt:
        typer.echo("tuner: interrupted", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; there is nobody to tell
        return 1
    except Exception as error:
        if debug:
            raise
        typer.echo(f"tuner: unexpected {type(error).__name__}: {error}", err=True)
        typer.echo("  this is a fault of tuner: run again with --debug and report the traceback", err=True)
        return 1


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tuner {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command line."""
    from tuner.cli import (  # noqa: F401
        best,
        check,
        compare,
        curves,
        delete,
        export,
        importing,
        init,
        listing,
        logs,
        plot,
        rerun,
        resume,
        run,
        show,
        stop,
        ui,
        verify,
    )

    app()
