"""Recorders: a sweep's records put where people look at them, by a process of their own.

A new one is a file here and a line in ``RECORDERS``, or a class of the user's, named ``package.module:Class`` under
``record.recorders`` in the search space file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from tuner.domain.spec import Named
from tuner.errors import InvalidInput
from tuner.files.paths import SweepDir
from tuner.recorders.base import Recorder
from tuner.user_class import constructor_options, load_class

if TYPE_CHECKING:
    from tuner.recorders.mlflow.artifacts import SweepFiles

__all__ = ["RECORDERS", "Recorder", "make_recorder"]

RECORDERS: Mapping[str, str] = {
    "mlflow": "tuner.recorders.mlflow.recorder:MlflowRecorder",
    "tensorboard": "tuner.recorders.tensorboard:TensorBoardRecorder",
}
"""Name to class; every sweep has these, the first says whether a record has arrived."""

_WHERE = "record.recorders"


def recorder_class(place: str, import_paths: Sequence[str] = ()) -> type[Recorder]:
    """Import a recorder's class.

    Raises:
        InvalidInput: There is none at that place, or it is no recorder.
    """
    return load_class(_WHERE, place, Recorder, import_paths)


def make_recorder(
    chosen: Named,
    sweep_dir: SweepDir,
    sweep_files: SweepFiles | None = None,
    say: Callable[[str], None] | None = None,
    import_paths: Sequence[str] = (),
) -> Recorder:
    """Make a recorder: its constructor gets the sweep's folder, and the options of the file.

    Args:
        chosen: Its name in the registry, or its place, and its options.
        sweep_dir: The sweep's folder.
        sweep_files: Makes the files of a sweep, for a recorder whose constructor has an argument of this name.
        say: Takes a line for people, for a recorder whose constructor has an argument of this name.
        import_paths: Folders in which the user's own are looked for.

    Raises:
        InvalidInput: It is no recorder, or refuses its options.
    """
    kind = recorder_class(RECORDERS.get(chosen.name, chosen.name), import_paths)
    wanted = constructor_options(kind)
    given = {
        name: value for name, value in {"sweep_files": sweep_files, "say": say}.items() if value and name in wanted
    }
    try:
        return kind(sweep_dir, **{**given, **chosen.options})  # type: ignore[call-arg]
    except TypeError as error:
        raise InvalidInput(_WHERE, f"{chosen.name} refuses its options: {error}") from error
