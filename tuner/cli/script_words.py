"""Words of a command line that the parser takes for the command of script mode, and that are none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tuner.cli.overrides import check_overrides
from tuner.cli.typed import typed
from tuner.errors import InvalidInput, Problem

EXAMPLE = "tuner run SPACE.yaml -- python train.py"


def check_words(space: Path, script: Sequence[str]) -> None:
    """Look at the words of the command line that runs: each ``--set`` is one, and the command was meant as one.

    Raises:
        InvalidInput: It is not so; says what to type.
    """
    check_overrides(typed())
    check_script_words(typed(), space, script)


def check_script_words(arguments: Sequence[str], space: Path, script: Sequence[str]) -> None:
    """Look whether the command was meant as one: behind ``--``, and with a search space file in front of that.

    Args:
        arguments: As they were typed.
        space: What was taken for the search space file.
        script: What was taken for the command.

    Raises:
        InvalidInput: It was not; says what to type.
    """
    if "--" in arguments:
        behind = arguments[list(arguments).index("--") + 1 :]
        if list(behind) == [str(space), *script] and not space.exists():
            raise InvalidInput("", [Problem("", "SPACE.yaml is missing in front of --", f"as in: {EXAMPLE}")])
    elif arguments and script and script[0].endswith((".yaml", ".yml")) and Path(script[0]).is_file():
        found = f"found two search space files, {space} and {script[0]}, expected one"
        raise InvalidInput(
            "", [Problem("", found, "each is a sweep, and has a command of its own: tuner run SPACE.yaml")]
        )
    elif arguments and script and not shutil.which(script[0]) and not Path(script[0]).exists():
        found = f"found {script[0]!r} beside SPACE.yaml, expected an option, or -- and the command of each trial"
        raise InvalidInput("", [Problem("", found, f"as in: {EXAMPLE}")])
