"""What a command exported by itself: found in its trial's folder, and taken over in a process with TensorFlow.

Runs as ``python -m tuner.export.own_export STAGE``: STAGE/order.json comes in; a copy of the SavedModel that it
names as STAGE/saved_model, and what ``tuner.export.saved_model`` leaves beside, go out.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from tuner.errors import InvalidInput, Problem
from tuner.export.checkpoint_choice import Choice
from tuner.export.mlflow_model import pack
from tuner.export.parity_check import MLFLOW_MODEL, ROWS_FILE, SAVED_MODEL
from tuner.export.saved_model import PREFERRED, TOLERANCE, save_when_told, signatures_of
from tuner.files.paths import SweepDir
from tuner.results import Trial

_FILES = ("saved_model.pb", "saved_model.pbtxt")
_NONE = "the command exported nothing to compare it with"


def own_export(sweep_dir: SweepDir, trial: Trial) -> tuple[Path, Choice]:
    """Return the newest SavedModel that a trial of a command wrote, and what stands for the checkpoint.

    Raises:
        InvalidInput: It has written none.
    """
    trial_dir = sweep_dir.trial(trial.number).path
    found = [
        file.parent
        for name in _FILES
        for file in trial_dir.rglob(name)
        if not any(part.startswith("temp-") for part in file.relative_to(trial_dir).parts)
    ]
    if not found:
        message = f"trial {trial.number} has written no SavedModel: there is no {_FILES[0]} below {trial_dir}"
        hint = "let the command export below {trial_dir}, for instance by an exporter of its EvalSpec"
        raise InvalidInput("", [Problem("", message, hint)])
    newest = max(found, key=_written_ns)
    others = sorted(str(folder.relative_to(trial_dir)) for folder in found if folder != newest)
    note = f"the newest of {len(found)}; the trial has written {', '.join(others)} too" if others else ""
    value = trial.values.get(trial.objectives[0].metric, float("nan"))
    return newest, Choice(trial.record.step or 0, value, note)


def _written_ns(saved_model: Path) -> int:
    return max((saved_model / name).stat().st_mtime_ns for name in _FILES if (saved_model / name).exists())


def take_over(stage: Path) -> dict[str, Any]:
    """Copy the SavedModel that the order in ``stage`` names; return what there is to say of it.

    Raises:
        InvalidInput: It is none, or has no signature.
    """
    order = json.loads((stage / "order.json").read_text(encoding="utf-8"))
    source = Path(order["saved_model"])
    shutil.copytree(source, stage / SAVED_MODEL)
    extra = stage / SAVED_MODEL / "assets.extra"
    extra.mkdir(exist_ok=True)
    shutil.copyfile(stage / "export.json", extra / "tuner.json")
    try:
        signatures = signatures_of(stage / SAVED_MODEL, {}, ())
    except OSError as error:
        raise InvalidInput("", f"{source} is no SavedModel: {error}") from error
    served = next((name for name in PREFERRED if name in signatures), min(signatures, default=""))
    if not served:
        raise InvalidInput("", f"{source} has no signature, expected one that a server can answer with")
    packed = pack(stage / MLFLOW_MODEL, stage / SAVED_MODEL, signatures[served], {}, (), order["metadata"])
    told = {
        "inputs": {},
        "predictions": {},
        "signatures": {name: {"inputs": {}, "outputs": {}} for name in signatures},
        "served": served,
        "tolerance": TOLERANCE,
    }
    (stage / ROWS_FILE).write_text(json.dumps(told), encoding="utf-8")
    return {"signatures": sorted(signatures), "served": served, "unfed": _NONE, "notes": [packed] if packed else []}


def main() -> None:
    """Take it over, and leave what came of it in the stage."""
    from tuner.processes import ignore_signals

    ignore_signals()
    save_when_told(Path(sys.argv[1]), take_over)


if __name__ == "__main__":
    main()
