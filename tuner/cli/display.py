"""How a running sweep is shown: live on a terminal, as plain lines elsewhere."""

from __future__ import annotations

import sys
import time

from tuner.cli.lines import fitted
from tuner.domain.trial import TrialState
from tuner.driver.progress import Display, Progress


def duration(seconds: float | None) -> str:
    """Return seconds as people write them: ``42s``, ``3m10s``, ``2h05m``."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def summary(progress: Progress) -> str:
    """Return where a sweep stands, in one line."""
    counts = progress.counts
    done = f"{progress.done}/{progress.total} trials"
    begun = sum(counts.values()) + len(progress.running)
    parts = [f"{begun}/{progress.total} trials begun" if counts.get(TrialState.PAUSED) else done]
    for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.PAUSED):
        if counts.get(state):
            parts.append(f"{counts[state]} {state.value.lower()}")
    if progress.best is not None:
        parts.append(f"best {progress.best[1]:.6g} (trial {progress.best[0]})")
    parts.append(f"{duration(progress.elapsed_s)} so far")
    if progress.left_s is not None:
        parts.append(f"about {duration(progress.left_s)} left")
    return ", ".join(parts)


class PlainLines:
    """Write lines to standard error, with a summary now and then."""

    EVERY_S = 30.0

    def __init__(self) -> None:
        self._next = time.monotonic() + self.EVERY_S

    def __enter__(self) -> PlainLines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def line(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    def update(self, progress: Progress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.EVERY_S
            self.line(summary(progress))


class Live:
    """Show running trials and a summary that is drawn anew; lines scroll above it.

    Args:
        begin: What is shown until there is something of the sweep.
    """

    def __init__(self, begin: str) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive
        from rich.text import Text

        self._console = Console(stderr=True)
        self._is_shown = False  # whether anything of the sweep was
        self._live = RichLive(Text(begin, style="bold"), console=self._console, refresh_per_second=8, transient=False)

    def __enter__(self) -> Live:
        self._live.start(refresh=True)  # drawn by its thread first, a line at that moment would not erase it
        return self

    def __exit__(self, *_: object) -> None:
        self._live.transient = not self._is_shown  # what was shown first is not so any more
        self._live.stop()

    def line(self, line: str) -> None:
        from rich.text import Text

        # Of the line alone: options of the console would be those of what is drawn anew below it, too.
        text = Text(fitted(line, self._console.width), no_wrap=True, overflow="ignore")
        self._console.print(text, crop=False)

    def update(self, progress: Progress) -> None:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for trial in progress.running:
            total = trial.max_steps or 0
            of = f"{trial.step}/{total}" if total else str(trial.step)
            value = "" if trial.value is None else f"{trial.value:.6g}"
            bar = ProgressBar(total=total or None, completed=trial.step, width=24)
            table.add_row(Text(f"trial {trial.number}"), bar, Text(f"step {of}"), Text(value))
        self._is_shown = True
        self._live.update(Group(table, Text(summary(progress), style="bold")))


def open_display(begin: str = "starting: TensorFlow and the model are imported") -> Live | PlainLines:
    """Return the display for where standard error goes; ``begin`` is shown first."""
    return Live(begin) if sys.stderr.isatty() else PlainLines()


__all__ = ["Display", "Live", "PlainLines", "duration", "open_display", "summary"]
