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
from tuner.errors import InvalidInput

if TYPE_CHECKING:
    from tuner.paths import Root
    from tuner.sweep import Sweep

PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on loopback.")]
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
    from tuner.cli.naming import open_sweep
    from tuner.paths import Root
    from tuner.recorders.store import tracking_uri
    from tuner.recorders.ui import MlflowUi, check_port

    del debug
    sweep = open_sweep(name, root) if name is not None else None
    here = Root(root.absolute())
    if not here.path.is_dir():
        found = "is no folder" if here.path.exists() else "is not there"
        raise InvalidInput("--root", f"{here.path} {found}, expected one in which sweeps were run")
    uri = tracking_uri(here, os.environ.get("MLFLOW_TRACKING_URI"))
    if uri.startswith(("http://", "https://")):
        _say_pages(uri.rstrip("/"), sweep)
        _say_others(here, sweep)
        return 0
    check_port(port)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background ignores it
    with MlflowUi(here, uri, port) as running:
        running.wait_ready()
        _say_pages(running.url, sweep)
        _say_others(here, sweep)
        typer.echo("Ctrl-C ends it")
        while True:
            running.check()
            time.sleep(_LOOK_S)


def _say_pages(url: str, sweep: Sweep | None) -> None:
    from tuner.recorders.recorded import RecordedSweep
    from tuner.recorders.runs import parent_run_id

    parent = parent_run_id(sweep.dir) if sweep is not None else None
    if sweep is None or parent is None:
        typer.echo(f"MLflow:  {url}/#/experiments{_TRAINING}")
        return
    experiment = RecordedSweep(sweep.dir, os.environ.get("MLFLOW_TRACKING_URI")).experiment_of(parent)
    typer.echo(f"MLflow:  {url}/#/experiments/{experiment}/runs/{parent}{_TRAINING}")
    typer.echo(f"trials:  {url}/#/experiments/{experiment}/runs{_TRAINING}")


def _say_others(root: Root, sweep: Sweep | None) -> None:
    from tuner.cli.dashboards import optuna_dashboard, tensorboard
    from tuner.sweep.opening import read_frozen

    if sweep is None:
        typer.echo(f"TensorBoard:  {tensorboard(root.sweeps_dir)}")
        return
    typer.echo(f"TensorBoard:  {tensorboard(sweep.dir.trials_dir)}")
    typer.echo(f"Optuna:  {optuna_dashboard(sweep.dir, read_frozen(sweep.dir).storage_url)}")


def _end(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)
