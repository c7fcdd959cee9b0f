"""``tuner watch``: the live display of ``tuner run``, from another terminal."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.cli.app import DebugOption, NameArgument, RootOption, command
from tuner.cli.lines import say
from tuner.cli.readers import has_left

if TYPE_CHECKING:
    from tuner.operations.watch import WatchedSweep

_LOOK_S = 0.5
_HISTORY = 10  # lines of what was before


@command("watch")
def watch(name: NameArgument, root: RootOption = Path(), debug: DebugOption = False) -> int:
    """Watch a running sweep from another terminal, as tuner run shows it, until it ends; Ctrl-C leaves it alone.

    Of a sweep that several drivers share, all are shown.
    """
    from tuner.cli.display import open_display
    from tuner.cli.targets import open_sweep, split
    from tuner.files.driver_lock import at_work
    from tuner.files.paths import Root
    from tuner.operations.watch import WatchedSweep

    del debug
    whole, number = split(name)
    if number is not None:
        open_sweep(name, root)  # says what to type
    sweep_dir = Root(root.absolute()).sweep(whole)
    if not at_work(sweep_dir):
        open_sweep(name, root)  # says so if there is none
    with open_display(f"watching {name}") as display:
        while at_work(sweep_dir) and not sweep_dir.spec_file.exists():
            time.sleep(_LOOK_S)  # it begins
        watched = WatchedSweep(sweep_dir, open_sweep(name, root).spec)
        try:
            for line in deque(watched.new_lines(), _HISTORY):
                display.line(line)
            working = True
            while working:
                working = bool(at_work(sweep_dir))  # before what it recorded last is read
                for line in watched.new_lines():
                    display.line(line)
                display.update(watched.progress())
                if has_left():
                    return 0
                time.sleep(_LOOK_S if working else 0)
        except KeyboardInterrupt:
            display.line(f"left it; it goes on, and ends with: tuner stop {name}")
            return 130
    return _say_end(name, root, watched)


def _say_end(name: str, root: Path, watched: WatchedSweep) -> int:
    """Say how the sweep ended, as its driver does."""
    from tuner.cli.ending import say_end
    from tuner.cli.targets import open_sweep
    from tuner.driver.stop_criteria import StopReason
    from tuner.sweep.run_outcome import RunOutcome

    closed = watched.closed
    if closed is None:
        say(f"no driver is at work: the last one died; go on with: tuner resume {name}", err=True)
        return 0
    end = StopReason(closed.reason, closed.failed, limit=closed.limit) if closed.finished else None
    say_end(RunOutcome(open_sweep(name, root).result(), end, 0))
    return 0
