"""The process that makes the files of a sweep's run: table, plots, page.

``python -m tuner.recorders.drawing_process SWEEP_DIR`` imports what that needs; a line on standard input has the
``folder``, and whether a driver has ended (``closing``). It ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
from pathlib import Path

from tuner.config.manifest import read_manifest
from tuner.files.paths import SweepDir
from tuner.plots.write import import_drawing, write_charts
from tuner.processes import end_with_input, ignore_signals
from tuner.recorders.sweep_files import IMPORTANCE
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


def main() -> None:
    """Import, wait for the word, write the files."""
    ignore_signals()
    with contextlib.suppress(OSError):
        os.nice(5)  # on top of the recorder's: records come first
    if not select.select([0], [], [], 0)[0]:  # an order that is there may fail before anything has to be imported
        import_drawing()
    said = os.read(0, 65536)
    if said:  # else the recorder has ended
        order = json.loads(said)
        end_with_input()
        write_sweep_files(SweepDir(Path(sys.argv[1])), Path(order["folder"]), order["closing"])
    sys.stderr.flush()
    os._exit(0)  # what Matplotlib and others have imported takes long to take apart, and a sweep's end waits


if __name__ == "__main__":
    main()
