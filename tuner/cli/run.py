"""``tuner run``: run a sweep, and continue it when it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from tuner.sweep import Sweep
    from tuner.sweep.sweep import Ran

Trials = Annotated[int | None, typer.Option("--trials", min=1, help="Total number of trials of the sweep.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Trials at a time; at most the cores, unless simulated.")
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of the sweep.")]
Timeout = Annotated[str | None, typer.Option("--timeout", help="Running time of the sweep: 90s, 15m, 2h.")]
TrialTimeout = Annotated[str | None, typer.Option("--trial-timeout", help="Running time of one trial: 90s, 15m, 2h.")]
BackendOption = Annotated[
    str, typer.Option("--backend", help="Where trials run: local; ray: a cluster; inline: for a debugger; simulated.")
]


ExportOption = Annotated[
    bool, typer.Option("--export/--no-export", help="Put the best model on the sweep's MLflow run at its end.")
]


@command("run")
def run(
    space: Annotated[Path, typer.Argument(metavar="SPACE.yaml", help="Search space file.", show_default=False)],
    script: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND...]", show_default=False)] = None,
    trials: Trials = None,
    workers: Workers = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the sweep instead of the file's.")] = None,
    seed: Seed = None,
    timeout: Timeout = None,
    trial_timeout: TrialTimeout = None,
    backend: BackendOption = "local",
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="K=V", help="Tag of all runs.")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="NAME|URL|CSV|DIR",
            help="Learn from the finished trials of a sweep, an Optuna storage (URL#STUDY), a table, or a results "
            "folder of Ray Tune or Keras Tuner.",
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
    from tuner.sweep import Sweep

    del debug
    limits = parse_limits(trials, workers, seed, timeout, trial_timeout)
    tags = parse_tags(tag or [])
    sweep = Sweep.from_file(space, root, name, override or [], script or [], storage)
    return drive(sweep, limits, backend, tags, source or [], export)


def parse_limits(
    trials: int | None, workers: int | None, seed: int | None, timeout: str | None, trial_timeout: str | None
) -> dict[str, Any]:
    """Return the limits that flags give, durations in seconds.

    Raises:
        InvalidInput: A duration is none.
    """
    from tuner.durations import parse_duration

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
    from tuner.recorders.names import check_tags

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


def drive(
    sweep: Sweep,
    limits: Mapping[str, Any],
    backend: str,
    tags: Mapping[str, str],
    sources: Sequence[str] = (),
    export: bool = True,
) -> int:
    """Run a sweep under a display, say how it ended, and return the exit status."""
    from tuner.cli.display import watcher

    with watcher() as display:
        ran = sweep.drive(limits, backend, tags, display, sources, export)
    name = sweep.spec.name
    if ran.end is None:
        typer.echo(f"stopped; continue with: tuner resume {name}", err=True)
        return ran.exit_status
    typer.echo(f"{'failed' if ran.end.failed else 'finished'}: {ran.end.reason}", err=True)
    _say_best(ran)
    if ran.left_out:
        typer.echo(f"interrupted: {ran.left_out}; do it with: tuner resume {name}", err=True)
    return ran.exit_status


def _say_best(ran: Ran) -> None:
    """Say which trial is best, or why none is."""
    from tuner.showing import shown

    name = ran.result.spec.name
    best = ran.result.best_or_none
    complete = any(trial.state.value == "COMPLETE" for trial in ran.result.trials)
    if best is None and complete and not ran.result.spec.constraints:
        typer.echo(f"the objective of every complete trial is NaN; see them with: tuner show {name}", err=True)
    elif best is None and complete:
        typer.echo(f"no complete trial keeps to the constraints; see by how much with: tuner show {name}", err=True)
    elif best is None:
        failed = next((trial.number for trial in ran.result.trials if trial.state.value == "FAIL"), None)
        log = f", tuner logs {name}:{failed}" if failed is not None else ""
        typer.echo(f"no trial completed; see why with: tuner show {name}{log}", err=True)
    else:
        values = ", ".join(f"{metric} {value:.6g}" for metric, value in best.values.items())
        group = f" ({best.group})" if best.group is not None else ""
        typer.echo(f"best: trial {best.number}, {values}{group}, with {shown(best.params)}")
        if len(ran.result.spec.objectives) > 1:
            front = ", ".join(str(trial.number) for trial in ran.result.front)
            typer.echo(f"that is by the first objective; on the Pareto front: trials {front} (tuner best {name})")
