"""The learning curves of a real sweep as a table that the simulated backend replays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.backends.simulated.table import METRICS, PARAMS, written
from tuner.domain.trial import Evaluation, TrialState
from tuner.errors import InvalidInput, Problem
from tuner.events import FirstValueFilter
from tuner.records.log import read_records
from tuner.records.record import Evaluated, TrialChanged
from tuner.results import SweepResult, Trial

if TYPE_CHECKING:
    import pandas

ENDINGS = (".csv", ".csv.gz", ".parquet")


def curves_table(result: SweepResult) -> pandas.DataFrame:
    """Return the evaluations of a sweep's complete trials, a row each, as ``backends.simulated.table`` reads them.

    Raises:
        InvalidInput: No trial is complete.
    """
    import numpy as np
    import pandas

    complete = [trial for trial in result.trials if trial.state is TrialState.COMPLETE]
    if not complete:
        raise InvalidInput("", f"the sweep {result.spec.name!r} has no complete trial, so there is no whole curve")
    evaluations, begun = _read(result)
    rows: list[dict[str, Any]] = []
    for number, trial in enumerate(complete):
        params = {f"{PARAMS}{name}": written(value) for name, value in trial.params.items()}
        seconds = _seconds(trial, evaluations.get(trial.number, {}), begun.get(trial.number, 0.0))
        for step, evaluation in sorted(evaluations.get(trial.number, {}).items()):
            # The shortest text that reads back as the same float32.
            metrics = {f"{METRICS}{tag}": np.float32(value) for tag, value in evaluation.scalars.items()}
            rows.append({"trial": number, "step": step, "seconds": round(seconds[step], 3), **params, **metrics})
    frame: pandas.DataFrame = pandas.DataFrame(rows)
    return frame


def write_curves(result: SweepResult, file: Path) -> int:
    """Write the table of a sweep's curves; return how many curves it has.

    Raises:
        InvalidInput: The file's name says no format, or the sweep has no whole curve.
    """
    if not file.name.endswith(ENDINGS):
        raise InvalidInput(
            "", [Problem(str(file), "is no name of a table", f"expected one that ends in {', '.join(ENDINGS)}")]
        )
    table = curves_table(result)
    try:
        if file.suffix == ".parquet":
            table.to_parquet(file, index=False)
        elif file.suffix == ".gz":
            table.to_csv(file, index=False, compression={"method": "gzip", "mtime": 0})
        else:
            table.to_csv(file, index=False)
    except OSError as error:
        raise InvalidInput("", f"cannot write {file}: {error.strerror or error}") from error
    return int(table["trial"].nunique())


def _read(result: SweepResult) -> tuple[dict[int, dict[int, Evaluation]], dict[int, float]]:
    """Return each trial's evaluations by step, and when it first ran, from the record log."""
    found: dict[int, dict[int, Evaluation]] = {}
    begun: dict[int, float] = {}
    first: dict[int, FirstValueFilter] = {}
    for record, _ in read_records(result.dir.records_file):
        if isinstance(record, TrialChanged) and record.state is TrialState.RUNNING:
            begun.setdefault(record.trial, record.time)
        if isinstance(record, Evaluated) and record.evaluation.folder:
            fresh = first.setdefault(record.trial, FirstValueFilter()).filter(record.evaluation)
            if fresh is not None:
                steps = found.setdefault(record.trial, {})
                there = steps.get(fresh.step)
                scalars = {**(there.scalars if there else {}), **fresh.scalars}
                steps[fresh.step] = Evaluation(fresh.step, fresh.time, fresh.folder, scalars)
    return found, begun


def _seconds(trial: Trial, evaluations: Mapping[int, Evaluation], begun: float) -> dict[int, float]:
    """Return when each step was evaluated, in seconds of running; spread evenly over a trial that was paused."""
    if trial.record.attempts == 1:
        return {step: max(0.0, evaluation.time - begun) for step, evaluation in evaluations.items()}
    last = max(evaluations, default=1)
    return {step: trial.record.seconds * step / last for step in evaluations}
