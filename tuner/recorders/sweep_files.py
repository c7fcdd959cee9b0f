"""The process that makes the files of a sweep's run: table, plots, page.

``python -m tuner.recorders.sweep_files SWEEP_DIR FOLDER [closing]``; it ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from pathlib import Path

from tuner.config.manifest import read_manifest
from tuner.files.paths import SweepDir
from tuner.plots.write import write_charts
from tuner.processes import ignore_signals
from tuner.recorders.drawing_process import IMPORTANCE
from tuner.results import SweepResult


def write_sweep_files(sweep_dir: SweepDir, folder: Path, closing: bool) -> None:
    """Write them into ``folder``; the pages, which are large, when a driver has ended."""
    frozen = read_manifest(sweep_dir)
    result = SweepResult(sweep_dir, frozen.spec, frozen.storage_url)
    if result.trials:
        result.save_tables(folder)
    (folder / IMPORTANCE).write_text(json.dumps(result.importance()), encoding="utf-8")
    charts = result.charts()
    write_charts(charts, frozen.spec.name, folder / "plots", pages=closing)
    if closing:
        (folder / "report.html").write_text(result.report(charts), encoding="utf-8")


def _end_with_recorder() -> None:
    while os.read(0, 64):
        pass
    os._exit(1)


def main() -> None:
    """Write the files."""
    ignore_signals()
    threading.Thread(target=_end_with_recorder, daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(5)  # on top of the recorder's: records come first
    write_sweep_files(SweepDir(Path(sys.argv[1])), Path(sys.argv[2]), "closing" in sys.argv[3:])
    sys.stderr.flush()
    os._exit(0)  # what Matplotlib and others have imported takes long to take apart, and a sweep's end waits


if __name__ == "__main__":
    main()
