"""The best trial of a sweep as a model of the sweep's run."""

from __future__ import annotations

import shutil
from typing import Any

from tuner.paths import SweepDir
from tuner.recorders.models import Models
from tuner.records import ModelExported

NAME = "best_model"


def model_tags(sweep_dir: SweepDir, trial: int, step: int) -> dict[str, str]:
    """Return the tags by which the model of a trial is found among those of a run."""
    return {"tuner.sweep": sweep_dir.name, "tuner.trial": str(trial), "tuner.step": str(step)}


def send_model(client: Any, uri: str, sweep_dir: SweepDir, parent: str | None, record: ModelExported) -> None:
    """Put an export on the sweep's run, and say there what came of it.

    What has arrived is deleted here: the store has it.
    """
    if parent is None:
        return
    said = record.problem and f"not exported: {record.problem}"
    if not said:
        try:
            tags = model_tags(sweep_dir, record.trial, record.step)
            folder = sweep_dir.best_model(record.trial, record.step)
            model_id = Models(client, uri).log(parent, NAME, folder, tags, record.step)
            client.set_tag(parent, "tuner.export.model_id", model_id)
            said = f"trial {record.trial} at step {record.step}: {record.checked}"
            shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError as error:
            said = f"not here: {error}"
    client.set_tag(parent, "tuner.export", said[:5000])
