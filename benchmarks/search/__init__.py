"""The search benchmark; see ``benchmarks.search.schedulers``, and ``regret``, ``peers`` and ``compare`` beside it.

Nothing is imported here, so that peers run where neither Optuna's nor TensorFlow's versions of ours are installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.result import Result


def run(quick: bool) -> Result:
    """Compare schedulers on three tasks, then with many workers."""
    from benchmarks.search.schedulers import run as compare

    return compare(quick)
