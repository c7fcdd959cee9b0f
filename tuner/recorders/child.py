"""The recorder's process as it is run: all recorders of a sweep, of which the first says what has arrived.

``python -m tuner.recorders.child SWEEP_DIR``, the store in MLFLOW_TRACKING_URI; see ``tuner.recorders.sender`` for what
it says and obeys.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tuner.config.manifest import read_manifest
from tuner.domain.spec import Named
from tuner.files.paths import SweepDir
from tuner.processes import ignore_signals
from tuner.recorders import RECORDERS, Recorder, make_recorder
from tuner.recorders.composite import CompositeRecorder
from tuner.recorders.sender import run_sender, send_note
from tuner.recorders.sweep_files import SweepFiles


def make_recorders(sweep_dir: SweepDir, files: SweepFiles | None = None) -> Recorder:
    """Return the recorders of the registry and of the search space file as one."""
    files = files or SweepFiles(sweep_dir)
    make = partial(make_recorder, sweep_dir=sweep_dir, sweep_files=files, say=send_note)
    first, *others = map(Named, RECORDERS)

    def beside() -> Iterator[tuple[str, Callable[[], Recorder]]]:
        yield from ((chosen.name, partial(make, chosen)) for chosen in others)
        if sweep_dir.spec_file.exists():
            spec = read_manifest(sweep_dir).spec
            for chosen in spec.record.recorders:
                yield chosen.name, partial(make, chosen, import_paths=spec.import_paths)

    return CompositeRecorder(make(first), beside, send_note)


def main() -> None:
    """Send until the driver is gone and everything has arrived."""
    ignore_signals()
    with contextlib.suppress(OSError):
        os.nice(5)  # trials come first
    sweep_dir = SweepDir(Path(sys.argv[1]))
    files = SweepFiles(sweep_dir)
    run_sender(sweep_dir, partial(make_recorders, sweep_dir, files), files.prepare)
    if not (sweep_dir.spec_file.exists() and read_manifest(sweep_dir).spec.record.recorders):
        sys.stdout.flush()
        os._exit(0)  # what MLflow has imported takes as long to take apart as a driver waits for at its end


if __name__ == "__main__":
    main()
