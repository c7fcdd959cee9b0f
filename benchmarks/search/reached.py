"""When sweeps came to a value, in steps and seconds: ``python -m benchmarks.search.reached --help``.

Steps are those that all trials had trained when an evaluation was recorded that shows the value; seconds are from the
sweep's beginning, what its first trials wait for included.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tuner.errors import TunerError
from tuner.records.log import read_records
from tuner.records.record import Evaluated, SweepOpened
from tuner.sweep import Sweep


def line(name: str, root: Path, value: float) -> str:
    """Return when a sweep that nobody stopped came to a value, and what it came to in the end."""
    sweep = Sweep.open(name, root)
    (objective,) = sweep.spec.objectives
    began, last, reached = 0.0, 0.0, "never"
    at: dict[int, int] = {}  # trial to its step
    for record, _ in read_records(sweep.dir.records_file):
        if isinstance(record, SweepOpened):
            began = began or record.time
        if not isinstance(record, Evaluated):
            continue
        evaluation = record.evaluation
        last, at[record.trial] = evaluation.time - began, evaluation.step
        shown = evaluation.scalars.get(objective.metric)
        if reached == "never" and shown is not None and objective.goal.loss(shown) <= objective.goal.loss(value):
            reached = f"after {sum(at.values()):,} steps, {last:.0f} s"
    best = sweep.result().best
    return f"{name}: {reached}; best {best.value:.4f}, {sum(at.values()):,} steps, {last:.0f} s in all"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each sweep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.reached", description=__doc__)
    parser.add_argument("value", type=float, help="of the objective")
    parser.add_argument("sweeps", nargs="+", metavar="NAME", help="of a sweep of one objective that has ended")
    parser.add_argument("--root", type=Path, default=Path())
    given = parser.parse_args(arguments)
    for name in given.sweeps:
        try:
            print(line(name, given.root.absolute(), given.value))
        except TunerError as error:
            parser.error(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
