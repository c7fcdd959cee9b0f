"""The application: its commands, and how errors become lines and exit statuses."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer.core

from tuner._version import __version__
from tuner.cli.lines import say
from tuner.errors import TunerError
from tuner.hiding import hidden

P = ParamSpec("P")

GROUPS: Mapping[str, Sequence[str]] = {
    "Begin": ("init", "check", "import", "modernize"),
    "Run": ("run", "watch", "stop", "resume", "retry"),
    "Look": ("list", "show", "best", "logs", "importance", "compare", "ui", "plot", "report"),
    "Use": ("export",),
    "Look after": ("verify", "rerun", "curves", "delete"),
}

"""The commands in the order in which one needs them."""


class _Grouped(typer.core.TyperGroup):
    """Commands in groups, in the order of use."""

    def list_commands(self, ctx: Any) -> list[str]:
        ordered = [name for names in GROUPS.values() for name in names if name in self.commands]
        return [*ordered, *(name for name in super().list_commands(ctx) if name not in ordered)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        wide = max(map(len, self.commands), default=0)
        for group, names in GROUPS.items():
            rows = [(n, self.commands[n].get_short_help_str(300)) for n in names if n in self.commands]
            if rows:
                with formatter.section(group):
                    formatter.write_dl([(name.ljust(wide), said) for name, said in rows])


class _Command(typer.core.TyperCommand):
    """A command whose help shows what is typed."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        names = [name for name, _ in self._arguments()]
        own = [name for name in names if name.startswith("[--")]  # a command of the user's comes last
        return [*(name for name in names if name not in own), "[OPTIONS]", *own]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments = [(name, said) for name, said in self._arguments() if said]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)
        options = [p.get_help_record(ctx) for p in self.get_params(ctx) if p.param_type_name == "option"]
        with formatter.section("Options"):
            formatter.write_dl([record for record in options if record is not None])

    def _arguments(self) -> list[tuple[str, str]]:
        found = [p for p in self.params if p.param_type_name == "argument"]
        return [(p.metavar or (p.name or "").upper(), getattr(p, "help", None) or "") for p in found]


app = typer.Typer(
    name="tuner",
    cls=_Grouped,
    help="Tune TensorFlow Estimators: Optuna decides, MLflow records, event files report.",
    epilog="Two commands to begin with: tuner init, tuner run search_space.yaml. Each takes -h.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def sweep_names(ctx: Any, incomplete: str) -> list[str]:
    """Return the sweeps under the root for a shell to complete; of ``NAME:`` its trials."""
    from tuner.files.paths import Root

    root = Root(Path(ctx.params.get("root") or ".").absolute())
    name, colon, number = incomplete.partition(":")
    if not colon:
        return [sweep_dir.name for sweep_dir in root.sweeps() if sweep_dir.name.startswith(incomplete)]
    trials = (root.sweeps_dir / name / "trials").glob("[0-9]*")
    numbers = sorted(int(trial.name) for trial in trials)
    return [f"{name}:{found}" for found in numbers if str(found).startswith(number)]


RootOption = Annotated[
    Path, typer.Option("--root", metavar="DIR", help="Folder of the records.", show_default="current folder")
]

DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]

NameArgument = Annotated[
    str, typer.Argument(help="Name of a sweep.", metavar="NAME", show_default=False, autocompletion=sweep_names)
]

NameOrTrialArgument = Annotated[
    str,
    typer.Argument(
        help="Name of a sweep, or one of its trials as NAME:N.",
        metavar="NAME[:N]",
        show_default=False,
        autocompletion=sweep_names,
    ),
]


def command(name: str) -> Callable[[Callable[P, int | None]], Callable[P, None]]:
    """Register a command that returns its exit status; its errors become lines on standard error."""

    def register(function: Callable[P, int | None]) -> Callable[P, None]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            status = _run(functools.partial(function, *args, **kwargs), debug=bool(kwargs.get("debug")))
            raise typer.Exit(status)

        app.command(name, cls=_Command)(run)
        return run

    return register


def _run(function: Callable[[], int | None], debug: bool) -> int:
    """Call a command; return its status: 2 if it could not do what it was asked, so that 1 is what it found."""
    try:
        return function() or 0
    except TunerError as error:
        if debug:
            typer.echo(hidden(traceback.format_exc()), err=True)
            return error.exit_status
        for line in hidden(str(error)).splitlines():
            say(f"tuner: {line}" if not line.startswith(" ") else line, err=True)
        return error.exit_status
    except KeyboardInterrupt as stopped:
        typer.echo("tuner: interrupted", err=True)
        return getattr(stopped, "exit_status", 130)  # a sweep knows which signal it was
    except Exception as error:
        if debug:
            typer.echo(hidden(traceback.format_exc()), err=True)
            return 2
        for line in _lines_of(error):
            say(hidden(line), err=True)
        return 2


def _lines_of(error: Exception) -> tuple[str, str]:
    """Return what an error says that nobody has made one of ours: of the system, of a database, or a fault."""
    where = "  run again with --debug to see where"
    if isinstance(error, OSError):
        from tuner.files.denied import HINT, denial

        if said := denial(error):
            return f"tuner: {said}", f"  {HINT}"
        place = f"{error.filename}: " if error.filename is not None else ""
        return f"tuner: {place}{error.strerror or str(error) or type(error).__name__}", where
    if "sqlalchemy" in sys.modules:
        from tuner.study.reconnection import database_error, reason_of

        if (found := database_error(error)) is not None:
            return f"tuner: the database cannot be used: {reason_of(found)}", where
    fault = "  this is a fault of tuner: run again with --debug and report the traceback"
    return f"tuner: unexpected {type(error).__name__}: {error}", fault


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
