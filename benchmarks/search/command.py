"""What the commands of the search benchmark share: their options, and the loop over contenders, tables and seeds."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.search.judging import HEAD, Costs, Run, line, wins, write
from benchmarks.search.tables import tables

Runner = Callable[[str, str, int, Costs], Run]
"""Runs a contender, by its name, on a table, by its name, with a seed."""


def options(module: str, about: str | None) -> argparse.ArgumentParser:
    """Return a parser with the shared options."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--tables", nargs="*", default=tables())
    parser.add_argument("--json", type=Path, help="write all runs to this file, for compare and picture")
    parser.add_argument(
        "--start-cost", type=float, help="steps that the start of a trial takes; compares equal seconds"
    )
    parser.add_argument("--resume-cost", type=float, help="the same of a trial that goes on after a pause")
    return parser


def measure(contenders: Sequence[str], run: Runner, given: argparse.Namespace) -> int:
    """Run all contenders; print a line for each and each of its tables, and the paired wins of the first."""
    costs = Costs(
        given.start_cost or 0.0, given.resume_cost or 0.0, (given.start_cost, given.resume_cost) != (None, None)
    )
    found: dict[str, list[Run]] = {}
    print(HEAD)
    for contender in contenders:
        runs = found[contender] = []
        for name in given.tables:
            seeds = range(given.first_seed, given.first_seed + given.seeds)
            on_table = [run(contender, name, seed, costs) for seed in seeds]
            print(line(f"  {contender} {name}", on_table), flush=True)
            runs += on_table
            if given.json:
                write(given.json, found)
        print(line(contender, runs), flush=True)
    for said in wins(found):
        print(said)
    return 0
