"""Runs of several files, side by side: ``python -m benchmarks.search.compare OURS.json THEIRS.json...``.

The files are those of ``--json`` of ``benchmarks.search.regret`` and ``benchmarks.search.peers``. The first
contender of the first file is compared with each other one, on the tables and seeds that both have.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.search.judging import HEAD, SHARES, Run, line, paired, quartiles, read, wins


def merged(files: Sequence[Path]) -> dict[str, list[Run]]:
    """Return the runs of all files by contender, in the order of the files; the later one counts if two have a run."""
    found: dict[str, dict[tuple[str, int], Run]] = {}
    for file in files:
        for name, runs in read(file).items():
            found.setdefault(name, {}).update({(run.table, run.seed): run for run in runs})
    return {name: list(runs.values()) for name, runs in found.items()}


def rows(found: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    """Yield a Markdown table: means, medians with quartiles, and what the first has won of the pairs."""
    first = next(iter(found))
    shares = " | ".join(f"{share:.0%}" for share in SHARES)
    yield f"| | runs | {shares} | at 25 % | at 100 % | best 1 % | best 0.3 % | ms | won |"
    yield "|---|" + "---:|" * (len(SHARES) + 7)
    for name, runs in found.items():
        means = [f"{statistics.fmean(run.regret[place] for run in runs):.2f}" for place in range(len(SHARES))]
        spread = [quartiles([run.regret[place] for run in runs]) for place in (1, 3)]
        pairs = list(paired(found[first], runs)) if name != first else []
        won = [f"{sum(one.regret[place] < two.regret[place] for one, two in pairs)}" for place in (1, 3)]
        cells = [
            f"`{name}`",
            f"{len(runs)}",
            *means,
            *spread,
            f"{statistics.median(run.to_best_percent for run in runs):.1f}".replace("inf", "not in half"),
            f"{statistics.fmean(run.in_best for run in runs):.0%}",
            f"{sum(run.cpu_s for run in runs) / sum(run.trials for run in runs) * 1e3:.0f}",
            f"{won[0]} and {won[1]} of {len(pairs)}" if pairs else "",
        ]
        yield f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each contender, and the paired wins of the first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.compare", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--by-table", action="store_true", help="a line for each table, too")
    parser.add_argument("--markdown", action="store_true", help="a table for a page")
    given = parser.parse_args(arguments)
    found = merged(given.files)
    if given.markdown:
        print(*rows(found), sep="\n")
        return 0
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
