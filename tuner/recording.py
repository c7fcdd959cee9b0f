"""The recorder's process as it is run: MLflow, with the files that a sweep's run gets.

``python -m tuner.recording SWEEP_DIR [URI]``; see ``tuner.recorders.sender`` for what it says and obeys.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from tuner.paths import SweepDir
from tuner.plots.files import write_charts
from tuner.recorders.mlflow import MlflowRecorder
from tuner.recorders.sender import run_sender
from tuner.recorders.store import prepare_environment
from tuner.results import SweepResult
from tuner.sweep.opening import read_frozen
from tuner.trial.starting import leave_signals_to_driver


class SweepFiles:
    """Make the files of a sweep's run: table, plots, page. See ``tuner.recorders.attachments``.

    Args:
        sweep_dir: The sweep's folder.
    """

    def __init__(self, sweep_dir: SweepDir) -> None:
        self._dir = sweep_dir

    def __call__(self, folder: Path, closing: bool) -> None:
        """Write them; the pages, which are large, when a driver has ended."""
        frozen = read_frozen(self._dir)
        result = SweepResult(self._dir, frozen.spec, frozen.storage_url)
        if result.trials:
            result.save_tables(folder)
        write_charts(result.charts(), frozen.spec.name, folder / "plots", pages=closing)
        if closing:
            (folder / "report.html").write_text(result.report(), encoding="utf-8")


def main() -> None:
    """Send until the driver is gone and everything has arrived."""
    leave_signals_to_driver()
    prepare_environment()
    with contextlib.suppress(OSError):
        os.nice(5)  # trials come first
    sweep_dir = SweepDir(Path(sys.argv[1]))
    uri = sys.argv[2] if len(sys.argv) > 2 else None
    run_sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, uri, sweep_files=SweepFiles(sweep_dir)))


if __name__ == "__main__":
    main()
