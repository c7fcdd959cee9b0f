"""``tuner run``: run a sweep, and continue it when it is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuner.backends import DEFAULT
from tuner.cli.app import DebugOption, RootOption, command
from tuner.cli.targets import refuse_sweep
from tuner.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from tuner.sweep import RunOptions, Sweep

Trials = Annotated[
    int | None, typer.Option("--trials", metavar="N", min=1, help="Total number of trials of the sweep.")
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Trials at a time; at most the cores, unless simulated."),
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Seed of the sweep.")]
Timeout = Annotated[
    str | None, typer.Option("--timeout", metavar="DUR", help="Running time of the sweep over all calls: 90s, 15m, 2h.")
]
TrialTimeout = Annotated[
    str | None, typer.Option("--trial-timeout", metavar="DUR", help="Running time of one trial: 90s, 15m, 2h.")
]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar="WHERE",
        help="Where trials run: local; ray: a cluster; inline: for a debugger; simulated; package.module:Class.",
    ),
]
ExportOption = Annotated[
    bool, typer.Option("--export/--no-export", help="Put the best model on the sweep's MLflow run at its end.")
]


@command("run")
def run(
    space: Annotated[Path, typer.Argument(metavar="SPACE.yaml", help="Search space file.", show_default=False)],
    script: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND...]",
            help="Each trial is this command with --PARAMETER=VALUE flags; {trial_dir}, {PARAMETER}... filled in.",
            show_default=False,
        ),
    ] = None,
    trials: Trials = None,
    workers: Workers = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the sweep instead of the file's.")
    ] = None,
    seed: Seed = None,
    timeout: Timeout = None,
    trial_timeout: TrialTimeout = None,
    backend: BackendOption = DEFAULT,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="K=V", help="Tag of all runs.")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="NAME|URL|FILE|DIR",
            help="Learn from the finished trials of a sweep (or its curves.jsonl), an Optuna storage (URL#STUDY), a "
            "CSV table, or a results folder of Ray Tune or Keras Tuner.",
        ),
    ] = None,
    storage: Annotated[
        str, typer.Option("--storage", metavar="URL", help="Keep the study on a database, which drivers may share.")
    ] = "",
    override: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the file, as train.max_steps=300."),
    ] = None,
    export: ExportOption = True,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Run a sweep; continue it when the sweep of that name is there."""
    from tuner.cli.script_words import check_words
    from tuner.sweep import RunOptions, Sweep

    del debug
    check_words(space, script or [])
    refuse_sweep(space, root)
    limits = parse_limits(trials, workers, seed, timeout, trial_timeout)
    tags = parse_tags(tag or [])
    sweep = Sweep.from_file(space, root, name, override or [], script or [], storage)
    return run_session(sweep, RunOptions(**limits, backend=backend, tags=tags, sources=source or (), export=export))


def parse_limits(
    trials: int | None, workers: int | None, seed: int | None, timeout: str | None, trial_timeout: str | None
) -> dict[str, Any]:
    """Return the limits that flags give, durations in seconds.

    Raises:
        InvalidInput: A duration is none.
    """
    from tuner.text import parse_duration

    durations = {"--timeout": timeout, "--trial-timeout": trial_timeout}
    seconds, problems = {}, []
    for flag, text in durations.items():
        try:
            seconds[flag] = None if text is None else parse_duration(text)
        except ValueError as error:
            problems.append(Problem(flag, str(error)))
    if problems:
        raise InvalidInput("", problems)
    return {
        "trials": trials,
        "workers": workers,
        "seed": seed,
        "timeout_s": seconds["--timeout"],
        "trial_timeout_s": seconds["--trial-timeout"],
    }


def parse_tags(given: Sequence[str]) -> dict[str, str]:
    """Return ``K=V`` pairs as a mapping.

    Raises:
        InvalidInput: One has no ``=``, or is none that MLflow takes.
    """
    from tuner.recorders.mlflow.naming import check_tags

    tags, problems = {}, []
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            problems.append(Problem("--tag", f"found {pair!r}, expected KEY=VALUE"))
        tags[key] = value
    if problems:
        raise InvalidInput("", problems)
    check_tags(tags, "--tag")
    return tags


def run_session(sweep: Sweep, options: RunOptions) -> int:
    """Run a sweep under a display, say how it ended, and return the exit status."""
    from tuner.cli.display import open_display
    from tuner.cli.ending import say_end

    with open_display() as display:
        outcome = sweep.session(options, display).run()
    say_end(outcome)
    return outcome.exit_status
