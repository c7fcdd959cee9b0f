"""Where an export goes: refused before any work if it cannot, and there only when it is whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tuner.errors import InvalidInput, Problem
from tuner.export.export import Exported
from tuner.files.writable import check_folder


def check_out_dir(out_dir: Path) -> None:
    """Make sure that an export can be put at ``out_dir``.

    Raises:
        InvalidInput: Something is there, or it cannot be written.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise InvalidInput("", f"{out_dir} is a file, expected a folder that is empty or not there")
    if out_dir.is_dir() and any(out_dir.iterdir()):
        raise InvalidInput("", [Problem("", f"{out_dir} is not empty", "choose another folder, or empty it")])
    check_folder(out_dir.absolute().parent, "OUT_DIR")  # an empty one is replaced


@contextmanager
def placed(out_dir: Path, export: Callable[[Path], Exported]) -> Iterator[Exported]:
    """Export into a folder beside ``out_dir``, and rename what is whole and checked to ``out_dir``.

    Args:
        out_dir: Where the SavedModel goes.
        export: Exports into the folder that it is given.

    The MLflow model that is yielded with it is there only meanwhile.

    Raises:
        InvalidInput: The trial or its model cannot be exported.
        SweepError: Exporting or the check failed; ``out_dir`` is as it was.
    """
    out_dir = out_dir.absolute()
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        exported = export(stage)
        exported.saved_model.chmod(0o755)
        try:
            exported.saved_model.rename(out_dir)
        except OSError as error:
            raise InvalidInput("", f"cannot put the export at {out_dir}: {error.strerror}") from error
        yield replace(exported, saved_model=out_dir)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
