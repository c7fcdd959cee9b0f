"""``tuner export``: a trial as a SavedModel for serving, and as an MLflow model."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli.app import DebugOption, NameOrTrialArgument, RootOption, command
from tuner.cli.lines import say
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
        typer.Option("--trial", metavar="N", min=0, help="Its number.", show_default="NAME:N's, else the best"),
    ] = None,
    register: Annotated[
        str | None, typer.Option("--register", metavar="MODEL", help="Make it a version of this registered model.")
    ] = None,
    alias: Annotated[
        str | None, typer.Option("--alias", metavar="ALIAS", help="Alias of that version, as champion.")
    ] = None,
    root: RootOption = Path(),
    debug: DebugOption = False,
) -> int:
    """Export the best trial (or another) as OUT_DIR/saved_model.pb, from its best checkpoint.

    It is loaded again without tuner, and has to predict what the Estimator predicts for held-out rows. It
    becomes an MLflow model of the trial's run too. Of several objectives the first decides. Of a command it is
    the newest SavedModel that the trial wrote itself, which has to load.
    """
    from tuner.cli.targets import open_trial, refuse_swapped, trial_of
    from tuner.export import choose_checkpoint, export_trial
    from tuner.export.export import take_over
    from tuner.export.output_dir import check_out_dir, placed
    from tuner.export.own_export import own_export

    del debug
    refuse_swapped(name, out_dir, root)
    check_out_dir(out_dir)
    if alias is not None and register is None:
        raise InvalidInput("", [Problem("--alias", "names a version of a registered model", "add --register MODEL")])
    sweep, number = open_trial(name, trial, root)
    chosen = sweep.result().best if number is None else trial_of(sweep, number)
    if register is not None:
        _check_registry(sweep, register, alias)
    signal.signal(signal.SIGTERM, _end)
    # Seconds, nearly all of them TensorFlow's import.
    if sweep.spec.command:
        own, choice = own_export(sweep.dir, chosen)
        what = f"its own {own.relative_to(sweep.dir.trial(chosen.number).path)}"
        say(f"exporting trial {chosen.number}, {what} ...", err=True)
        making = placed(out_dir, lambda stage: take_over(sweep.dir, own, chosen, choice, stage))
    else:
        choice, what = choose_checkpoint(sweep.dir, chosen), ""
        say(f"exporting trial {chosen.number} at step {choice.step} ...", err=True)
        making = placed(out_dir, lambda stage: export_trial(sweep.dir, sweep.spec.model, chosen, choice, stage))
    with making as exported:
        _print_exported(exported, chosen, out_dir, what)
        return _record(sweep, chosen, exported, register, alias)


def _check_registry(sweep: Sweep, register: str, alias: str | None) -> None:
    import os

    from tuner.recorders.mlflow.models import Models

    Models.open(sweep.dir, os.environ.get("MLFLOW_TRACKING_URI")).check_name(register, alias)


def _print_exported(exported: Exported, trial: Trial, out_dir: Path, own: str) -> None:
    """Say what was exported: a checkpoint, or what a command had exported itself."""
    choice, metric = exported.choice, trial.objectives[0].metric
    last = trial.record.step
    of = "its last" if choice.step == last else f"its best checkpoint; its last is at step {last}"
    what, value = f" at step {choice.step}", f"{metric} {choice.value:.6g}; {of}"
    if own:
        what, value = f", {own}", f"{metric} {choice.value:.6g}"
    say(f"exported trial {trial.number}{what} ({value}) to {out_dir}")
    say(f"signatures: {', '.join(exported.signatures)}")
    say(f"checked: {exported.checked}")
    for note in exported.notes:
        say(f"note: {note}", err=True)


def _record(sweep: Sweep, trial: Trial, exported: Exported, register: str | None, alias: str | None) -> int:
    """Log the model, register it, and say how to serve it."""
    import os

    from tuner.config.model_text import digest
    from tuner.recorders.mlflow.models import Models, model_tags

    if trial.run_id is None:
        say("note: the trial has no MLflow run, so there is no MLflow model of it", err=True)
        return 1 if register else 0
    step = exported.choice.step
    try:
        models = Models.open(sweep.dir, os.environ.get("MLFLOW_TRACKING_URI"))
        tags = model_tags(sweep.dir, trial.number, step, digest(sweep.spec.model))
        model_id = models.log(trial.run_id, f"trial_{trial.number:04d}", exported.mlflow_model, tags, step)
        uri = f"models:/{model_id}"
        if register is not None:
            version = models.register(model_id, register, alias, _description(sweep, trial, exported))
            uri = version.uri
            say(f"registered: version {version.version} of {register}" + (f" as {alias}" if alias else ""))
    except ConnectionError as error:
        say(f"note: MLflow is away, so there is no MLflow model of it: {error}", err=True)
        return 1 if register else 0
    say(f"MLflow model: {uri}, of run {trial.run_id}")
    typer.echo(f"serve it with:\n  {_serve(sweep, uri)}")
    return 0


def _description(sweep: Sweep, trial: Trial, exported: Exported) -> str:
    """Return what a reader of the registered version wants to know, in Markdown.

    MLflow's list of versions has the first thirty characters of it as they are.
    """
    from tuner.text import cell_text

    metric, choice = trial.objectives[0].metric, exported.choice
    return (
        f"{sweep.spec.name}:{trial.number}, {metric} {choice.value:.6g} at step {choice.step}: "
        f"trial {trial.number} of the sweep {sweep.spec.name}.\n\n"
        f"Parameters: `{cell_text(trial.params)}`\n\nChecked: {exported.checked}"
    )


def _serve(sweep: Sweep, uri: str) -> str:
    """Return a command that works in this shell: MLflow starts uvicorn by its name."""
    import os
    import shutil
    import sys

    from tuner.recorders.mlflow.store import tracking_uri

    store = tracking_uri(sweep.dir.root, os.environ.get("MLFLOW_TRACKING_URI"))
    here = sweep.dir.root.path == Path.cwd() or "MLFLOW_TRACKING_URI" in os.environ
    before = "" if here else f"MLFLOW_TRACKING_URI={shlex.quote(store)} "
    programs = Path(sys.executable).parent
    if (programs / "mlflow").exists() and shutil.which("mlflow") != str(programs / "mlflow"):
        before += f"PATH={shlex.quote(str(programs))}:$PATH "
    port = 5001  # MLflow's own is that of `tuner ui`, which may be open
    return f"{before}mlflow models serve -m {shlex.quote(uri)} --env-manager local --port {port}"


def _end(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)
