"""``tuner export``: a trial as a SavedModel for serving, and as an MLflow model."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli.app import DebugOption, NameOrTrialArgument, RootOption, command
from tuner.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from tuner.export import Exported
    from tuner.results import Trial
    from tuner.sweep import Sweep

OutArgument = Annotated[
    Path, typer.Argument(metavar="OUT_DIR", help="Where the SavedModel goes; empty or not there.", show_default=False)
]


@command("export")
def export(
    name: NameOrTrialArgument,
    out_dir: OutArgument,
    trial: Annotated[
        int | None,
        typer.Option("--trial", min=0, help="Its number.", show_default="NAME:N's, else the best"),
    ] = None,
    register: Annotated[
        str | None, typer.Option("--register", metavar="MODEL", help="Make it a version of this registered model.")
    ] = None,
    alias: Annotated[str | None, typer.Option("--alias", help="Alias of that version, as champion.")] = None,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Export the best trial (or another) as OUT_DIR/saved_model.pb, from its best checkpoint.

    It is loaded again without tuner, and has to predict what the Estimator predicts for held-out rows. It
    becomes an MLflow model of the trial's run too. Of several objectives the first decides.
    """
    from tuner.cli.naming import open_trial, trial_of
    from tuner.export import choose_checkpoint
    from tuner.export.placing import check_out_dir, placed

    del debug
    check_out_dir(out_dir)
    if alias is not None and register is None:
        raise InvalidInput("", [Problem("--alias", "names a version of a registered model", "add --register MODEL")])
    sweep, number = open_trial(name, trial, root)
    if sweep.spec.command:
        what = f"the sweep {sweep.spec.name!r} runs a command, expected a model: a command exports its own"
        raise InvalidInput("", [Problem("", what, f"what its trials have written is in {sweep.dir.trials_dir}")])
    chosen = sweep.result().best if number is None else trial_of(sweep, number)
    if register is not None:
        _check_registry(sweep, register, alias)
    signal.signal(signal.SIGTERM, _end)
    choice = choose_checkpoint(sweep.dir, chosen)
    # Seconds, nearly all of them TensorFlow's import.
    typer.echo(f"exporting trial {chosen.number} at step {choice.step} ...", err=True)
    with placed(sweep.dir, chosen, choice, out_dir) as exported:
        _say(exported, chosen, out_dir)
        return _record(sweep, chosen, exported, register, alias)


def _check_registry(sweep: Sweep, register: str, alias: str | None) -> None:
    import os

    from tuner.recorders.models import Models

    Models.open(sweep.dir, os.environ.get("MLFLOW_TRACKING_URI")).check_name(register, alias)


def _say(exported: Exported, trial: Trial, out_dir: Path) -> None:
    choice, metric = exported.choice, trial.objectives[0].metric
    last = trial.record.step
    of = "its last" if choice.step == last else f"its best checkpoint; its last is at step {last}"
    typer.echo(f"exported trial {trial.number} at step {choice.step} ({metric} {choice.value:.6g}; {of}) to {out_dir}")
    typer.echo(f"signatures: {', '.join(exported.signatures)}")
    typer.echo(f"checked: {exported.checked}")
    for note in exported.notes:
        typer.echo(f"note: {note}", err=True)


def _record(sweep: Sweep, trial: Trial, exported: Exported, register: str | None, alias: str | None) -> int:
    """Log the model, register it, and say how to serve it."""
    import os

    from tuner.recorders.best_model import model_tags
    from tuner.recorders.models import Models

    if trial.run_id is None:
        typer.echo("note: the trial has no MLflow run, so there is no MLflow model of it", err=True)
        return 1 if register else 0
    step = exported.choice.step
    try:
        models = Models.open(sweep.dir, os.environ.get("MLFLOW_TRACKING_URI"))
        tags = model_tags(sweep.dir, trial.number, step)
        model_id = models.log(trial.run_id, f"trial_{trial.number:04d}", exported.mlflow_model, tags, step)
        uri = f"models:/{model_id}"
        if register is not None:
            version = models.register(model_id, register, alias)
            uri = version.uri
            typer.echo(f"registered: version {version.version} of {register}" + (f" as {alias}" if alias else ""))
    except ConnectionError as error:
        typer.echo(f"note: MLflow is away, so there is no MLflow model of it: {error}", err=True)
        return 1 if register else 0
    typer.echo(f"MLflow model: {uri}, of run {trial.run_id}")
    typer.echo(f"serve it with: {_serve(sweep, uri)}")
    return 0


def _serve(sweep: Sweep, uri: str) -> str:
    """Return a command that works in this shell: MLflow starts uvicorn by its name."""
    import os
    import shutil
    import sys

    from tuner.recorders.store import tracking_uri

    store = tracking_uri(sweep.dir.root, os.environ.get("MLFLOW_TRACKING_URI"))
    here = sweep.dir.root.path == Path.cwd() or "MLFLOW_TRACKING_URI" in os.environ
    before = "" if here else f"MLFLOW_TRACKING_URI={shlex.quote(store)} "
    programs = Path(sys.executable).parent
    if (programs / "mlflow").exists() and shutil.which("mlflow") != str(programs / "mlflow"):
        before += f"PATH={shlex.quote(str(programs))}:$PATH "
    return f"{before}mlflow models serve -m {shlex.quote(uri)} --env-manager local"


def _end(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)
