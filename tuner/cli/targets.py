"""What a user names: a sweep, or a trial as ``NAME:7`` or by ``--trial 7``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tuner.cli.lines import say
from tuner.cli.typed import retyped
from tuner.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from tuner.results import SweepResult, Trial
    from tuner.sweep import Sweep


def open_sweep(name: str, root: Path) -> Sweep:
    """Return the sweep of that name.

    Raises:
        InvalidInput: There is none, or a trial is named although a whole sweep is wanted; says what to type.
    """
    from tuner.sweep import Sweep

    sweep, number = split(name)
    if number is None:
        return Sweep.open(name, root)
    hint = f"type: {retyped({name: sweep})}; the trial alone: tuner show {name}"
    raise InvalidInput("", [Problem("", f"found the trial {name!r}, expected a sweep", hint)])


def open_trial(name: str, option: int | None, root: Path) -> tuple[Sweep, int | None]:
    """Return a sweep, and the number of its trial that is meant; None if none is named.

    Args:
        name: ``NAME`` or ``NAME:N``.
        option: What ``--trial`` says.
        root: Folder of the records.

    Raises:
        InvalidInput: There is no such sweep, or the two name different trials.
    """
    from tuner.sweep import Sweep

    sweep, number = split(name)
    if None not in (number, option) and number != option:
        raise InvalidInput("", f"found {name!r} and --trial {option}, expected one trial: leave one of the two out")
    return Sweep.open(sweep, root), number if number is not None else option


def open_one_trial(name: str, option: int | None, root: Path) -> tuple[Sweep, int]:
    """Return a sweep and the number of its trial; see ``open_trial``.

    Raises:
        InvalidInput: No trial is named as well; says what to type.
    """
    sweep, number = open_trial(name, option, root)
    if number is None:
        raise InvalidInput(
            "", [Problem("", "found a sweep, expected a trial", f"type: {retyped({name: f'{name}:0'})}")]
        )
    return sweep, number


def refuse_swapped(name: str, other: Path | None, root: Path) -> None:
    """Look whether a sweep stands in the place of the file or folder behind it.

    Raises:
        InvalidInput: It does, and what stands in its place is none.
    """
    if other is not None and _is_sweep(str(other), root) and not _is_sweep(name, root):
        hint = f"type: {retyped({name: str(other), str(other): name})}"
        raise InvalidInput(
            "", [Problem("", f"found the sweep {str(other)!r} behind {name!r}, expected it first", hint)]
        )


def refuse_sweep(space: Path, root: Path) -> None:
    """Look whether a sweep is named in the place of its search space file: by its name, or by its folder.

    Raises:
        InvalidInput: It is; says how to go on with it.
    """
    from tuner.config.yaml_text import is_there
    from tuner.files.other_roots import other_roots, root_option
    from tuner.files.paths import Root, SweepDir

    if is_there(space) or (len(space.parts) > 1 and not is_there(SweepDir(space).spec_file)):
        return
    here = Root(root.absolute())
    there = next((at for at in (here, *other_roots(here)) if _is_sweep(space.name, at.path)), None)
    if there is not None:
        elsewhere = "" if there.path == Path.cwd() else f" {root_option(there)}"
        hint = f"to go on with it: tuner resume {space.name}{elsewhere}"
        raise InvalidInput("", [Problem("", f"found the sweep {space.name!r}, expected a search space file", hint)])


def _is_sweep(word: str, root: Path) -> bool:
    from tuner.files.paths import Root

    try:
        return Root(root.absolute()).sweep(split(word)[0]).spec_file.is_file()
    except InvalidInput:
        return False


def say_lost(result: SweepResult) -> None:
    """Say that a sweep's records know of trials which its study has not, if it is so: what is shown is not all."""
    if found := result.lost_trials():
        what = f"{found[0]} to {found[-1]}" if len(found) > 1 else str(found[0])
        name = result.dir.name
        say(f"{name}: the records know of trials that the study has lost ({what}); type: tuner verify {name}", err=True)


def trial_of(sweep: Sweep, number: int) -> Trial:
    """Return a trial of a sweep.

    Raises:
        InvalidInput: It has none of that number; says which there are.
    """
    from tuner.sweep.retry import trial_of as found_of

    return found_of(sweep.result(), number)


def split(text: str) -> tuple[str, int | None]:
    """Return sweep and number of ``NAME:N``; None if there is no colon.

    Raises:
        InvalidInput: What comes after the colon is no number.
    """
    if "/" in text:
        raise InvalidInput(
            "", [Problem("", f"{text!r} cannot name a sweep: it is a path, expected NAME", _near_name(text))]
        )
    name, colon, number = text.rpartition(":")
    if "," in text:
        hint = f"with blanks between them: {text.replace(',', ' ')}, where several are taken"
        raise InvalidInput("", [Problem("", f"{text!r} cannot name a sweep, expected NAME", hint)])
    if colon and (not number.isdecimal() or ":" in name):
        name = name.partition(":")[0]
        hint = f"the best: tuner best {name}, tuner export {name} OUT_DIR" if number == "best" and name else ""
        hint = hint or (f"its trials: tuner show {name}" if name else "")
        raise InvalidInput(
            "", [Problem("", f"found {text!r}, expected NAME, or NAME:N with the number of a trial", hint)]
        )
    return (name, int(number)) if colon else (text, None)


def _near_name(path: str) -> str:
    """Return a hint at the sweep or trial that a path means: ``demo/7``, ``mlruns/sweeps/demo/trials/0007``, a file."""
    path = path.removesuffix(".yaml").removesuffix(".yml")
    parts = [part for part in path.split("/") if part not in ("", ".", "mlruns", "sweeps", "trials")]
    number = int(parts.pop()) if len(parts) > 1 and parts[-1].isdecimal() else None
    return f"did you mean {parts[-1]}{'' if number is None else f':{number}'}?" if parts else ""
