"""``tuner ui``: MLflow's UI on the records here, and how to open other dashboards."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli.app import DebugOption, RootOption, command
from tuner.cli.lines import say
from tuner.errors import InvalidInput, TunerError
from tuner.text import without_login

if TYPE_CHECKING:
    from tuner.files.paths import Root
    from tuner.sweep import Sweep

PortOption = Annotated[int, typer.Option("--port", metavar="PORT", min=1, max=65535, help="Port on loopback.")]
_LOOK_S = 0.5
_TRAINING = "?workflowType=machine_learning"  # the pages for training, not for traces and prompts


@command("ui")
def ui(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Sweep to open at.", show_default="all sweeps")
    ] = None,
    port: PortOption = 5000,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Start MLflow's UI on the records here, at a sweep; Ctrl-C ends it.

    Says too how to open TensorBoard (its HParams tab shows the trials) and the Optuna dashboard.
    """
    from tuner.cli.targets import open_sweep
    from tuner.config.unknown_sweep import sweeps_elsewhere
    from tuner.files.other_roots import other_roots
    from tuner.files.paths import Root
    from tuner.recorders.mlflow.store import tracking_uri
    from tuner.recorders.mlflow.ui import MlflowUi, check_port

    del debug
    sweep = open_sweep(name, root) if name is not None else None
    here = Root(root.absolute())
    if not here.path.is_dir():
        found = "is no folder" if here.path.exists() else "is not there"
        raise InvalidInput("--root", f"{here.path} {found}, expected one in which sweeps were run")
    uri = tracking_uri(here, os.environ.get("MLFLOW_TRACKING_URI"))
    if uri.startswith(("http://", "https://")):
        _say_pages(without_login(uri.rstrip("/")), sweep)
        _say_others(here, sweep)
        return 0
    check_port(port)
    if not here.database_file.exists() and not any(here.sweeps()) and other_roots(here):
        raise InvalidInput("", f"no records under {here.path}; {sweeps_elsewhere(here)}")
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background ignores it
    say("MLflow's UI starts, which takes some seconds", err=True)
    with MlflowUi(here, uri, port) as running:
        running.wait_ready()
        _say_pages(running.url, sweep)
        _say_others(here, sweep)
        typer.echo("Ctrl-C ends it")
        while True:
            running.check()
            time.sleep(_LOOK_S)


def _say_pages(url: str, sweep: Sweep | None) -> None:
    from tuner.files.run_ids import parent_run_id
    from tuner.recorders.mlflow.reader import MlflowReader
    from tuner.recorders.mlflow.shared_view import charts_page, run_page, runs_page, trials_page

    parent = parent_run_id(sweep.dir) if sweep is not None else None
    if sweep is None or parent is None:
        typer.echo(f"MLflow:  {url}/#/experiments{_TRAINING}")
        if sweep is not None:
            _say_missing(sweep)
        return
    recorded = MlflowReader(sweep.dir, os.environ.get("MLFLOW_TRACKING_URI"))
    experiment = recorded.experiment_of(parent)
    if recorded.has_view(experiment):
        typer.echo(f"trials:  {url}/{trials_page(experiment)}")
        typer.echo(f"charts:  {url}/{charts_page(experiment)}")
    else:
        typer.echo(f"trials:  {url}/{runs_page(experiment)}")
    typer.echo(f"MLflow:  {url}/{run_page(experiment, parent)}")
    _say_missing(sweep)


def _say_missing(sweep: Sweep) -> None:
    if missing := _not_there_yet(sweep):
        say(missing)


def _not_there_yet(sweep: Sweep) -> str:
    """Return how many of a sweep's trials MLflow has, if it has not all: it is sent them while they run, and after."""
    from tuner.files.driver_lock import at_work
    from tuner.files.run_ids import run_ids
    from tuner.records.log import read_sent_offset

    simulation = sweep.spec.simulation
    if simulation is not None and not simulation.record:
        return ""
    try:
        trials = [trial.number for trial in sweep.result().trials]
    except TunerError:
        return ""  # the study is away or damaged; MLflow's pages are not
    there = len(run_ids(sweep.dir).keys() & set(trials))
    said = f"MLflow has {there} of {len(trials)} trials so far"
    if at_work(sweep.dir):
        return f"{said}; the others are being sent" if there < len(trials) else ""
    files = sweep.dir.records_file, sweep.dir.sent_file
    wait = all(file.exists() for file in files) and read_sent_offset(files[1]) < files[0].stat().st_size
    if there < len(trials) or wait:
        records = ", and not all of their records" if wait else ""
        return f"{said}{records}; send the rest with: tuner resume {sweep.spec.name}"
    return ""


def _say_others(root: Root, sweep: Sweep | None) -> None:
    from tuner.cli.dashboards import optuna_dashboard, tensorboard
    from tuner.config.manifest import read_manifest

    if sweep is None:
        typer.echo(f"TensorBoard:  {tensorboard(root.sweeps_dir)}")
        return
    typer.echo(f"TensorBoard:  {tensorboard(sweep.dir.trials_dir)}")
    typer.echo(f"Optuna:  {optuna_dashboard(sweep.dir, read_manifest(sweep.dir).storage_url)}")


def _end(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)
