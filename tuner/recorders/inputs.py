"""The data that trials read, as MLflow datasets: from what a trial's process wrote into its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_DIGEST = 36  # characters that MLflow keeps
_CONTEXT = "mlflow.data.context"


def read_inputs(file: Path) -> list[Any]:
    """Return MLflow's DatasetInputs for a trial's data; none where it said nothing, or nothing whole."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    try:
        described = json.loads(file.read_text(encoding="utf-8"))
        return [
            DatasetInput(
                Dataset(
                    name=data["name"],
                    digest=data["digest"][:_DIGEST],
                    source_type=data["source_type"],
                    source=json.dumps(data["source"]),
                    schema=json.dumps(data["schema"]) if data.get("schema") else None,
                    profile=json.dumps(data["profile"]) if data.get("profile") else None,
                ),
                [InputTag(_CONTEXT, data["context"])],
            )
            for data in described
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
