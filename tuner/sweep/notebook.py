"""A running sweep as a notebook shows it: a bar, the trials that run, the last lines; drawn anew in its place."""

from __future__ import annotations

import html
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from tuner.driver.progress import Display, NullDisplay, Progress, TrialProgress

_EVERY_S = 0.5  # a notebook's front end draws slowly
_LINES = 8
_BAR = "display:inline-block;height:.8em;vertical-align:middle;background:{color};width:{width:.1f}%"


class NotebookWatcher:
    """Show a sweep below a notebook's cell.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._progress: Progress | None = None
        self._handle: Any = None
        self._next = 0.0

    def line(self, line: str) -> None:
        self._lines.append(line)
        self._draw()

    def update(self, progress: Progress) -> None:
        self._progress = progress
        if self._clock() >= self._next or not progress.running:
            self._draw()

    def _draw(self) -> None:
        from IPython.display import HTML, display

        self._next = self._clock() + _EVERY_S
        shown = HTML(to_html(self._progress, list(self._lines)))
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)


def default_display() -> Display:
    """Return what shows itself where this runs: a notebook's kernel, or nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return NotebookWatcher() if getattr(shell, "kernel", None) is not None else NullDisplay()


def to_html(progress: Progress | None, lines: list[str]) -> str:
    """Return a sweep as HTML."""
    parts = []
    if progress is not None:
        done, total = progress.done, max(1, progress.total)
        parts.append(f"<div>{_bar(done / total, '#0072B2')} {done} of {progress.total} trials{_words(progress)}</div>")
        rows = "".join(_row(trial) for trial in progress.running)
        if rows:
            parts.append(f"<table><tr><th>trial</th><th>progress</th><th>step</th><th>latest</th></tr>{rows}</table>")
    if lines:
        parts.append(f"<pre style='margin:.4em 0'>{html.escape(chr(10).join(lines))}</pre>")
    return "\n".join(parts)


def _words(progress: Progress) -> str:
    states = [f"{count} {state.value.lower()}" for state, count in progress.counts.items() if count]
    words = f" ({', '.join(states)})" if states else ""
    if progress.best is not None:
        words += f", best {progress.best[1]:.6g} (trial {progress.best[0]})"
    minutes, seconds = divmod(round(progress.elapsed_s), 60)
    return f"{words}, {minutes}m{seconds:02d}s"


def _row(trial: TrialProgress) -> str:
    of = f" / {trial.max_steps}" if trial.max_steps else ""
    latest = "" if trial.value is None else f"{trial.value:.6g}"
    bar = _bar(min(1.0, trial.step / trial.max_steps), "#009E73") if trial.max_steps else ""
    return f"<tr><td>{trial.number}</td><td>{bar}</td><td>{trial.step}{of}</td><td>{latest}</td></tr>"


def _bar(share: float, color: str) -> str:
    inside = f'<span style="{_BAR.format(color=color, width=100 * share)}"></span>'
    return f'<span style="display:inline-block;width:12em;background:#e6e6e6;line-height:.8em">{inside}</span>'
