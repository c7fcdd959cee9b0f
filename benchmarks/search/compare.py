"""Runs of several files, side by side: ``python -m benchmarks.search.compare OURS.json THEIRS.json...``.

The files are those of ``--json`` of ``benchmarks.search.regret`` and ``benchmarks.search.peers``. The first
contender of the first file is compared with each other one, on the tables and seeds that both have.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.search.judging import HEAD, Run, line, read, wins


def merged(files: Sequence[Path]) -> dict[str, list[Run]]:
    """Return the runs of all files by contender, in the order of the files; the later one counts if two have a run."""
    found: dict[str, dict[tuple[str, int], Run]] = {}
    for file in files:
        for name, runs in read(file).items():
            found.setdefault(name, {}).update({(run.table, run.seed): run for run in runs})
    return {name: list(runs.values()) for name, runs in found.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each contender, and the paired wins of the first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.compare", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--by-table", action="store_true", help="a line for each table, too")
    given = parser.parse_args(arguments)
    found = merged(given.files)
    print(HEAD)
    for name, runs in found.items():
        print(line(f"{name} ({len(runs)} runs)", runs))
        for table in sorted({run.table for run in runs}) if given.by_table else ():
            print(line(f"  {table}", [run for run in runs if run.table == table]))
    for said in wins(found):
        print(said)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
