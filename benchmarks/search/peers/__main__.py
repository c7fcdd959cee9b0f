"""Anytime regret of others' search methods on our tables: ``python -m benchmarks.search.peers --help``.

The same workers, budget, judge and output as of ``benchmarks.search.regret``. Peers need old versions of some
packages, so an environment of their own: ``pip install -r benchmarks/search/peers.txt`` in a new one (Python 3.10).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from benchmarks.search.command import measure, options
from benchmarks.search.judging import Costs, Run
from benchmarks.search.peers.loop import Peer, race
from benchmarks.search.tables import CurveTable, table

LIBRARIES = ("by_optuna", "by_ray_tune", "by_syne_tune")


def peers() -> Mapping[str, Callable[[CurveTable, int], Peer]]:
    """Return the contenders whose libraries are installed."""
    found: dict[str, Callable[[CurveTable, int], Peer]] = {}
    for library in LIBRARIES:
        try:
            found |= import_module(f"benchmarks.search.peers.{library}").PEERS
        except ImportError as error:
            print(f"left out: {library.removeprefix('by_')}, {error}", file=sys.stderr)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure peers."""
    there = peers()
    parser = options("benchmarks.search.peers", __doc__)
    parser.add_argument("peers", nargs="*", default=list(there), help=f"all, or some of {', '.join(there)}")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.peers) - set(there)):
        parser.error(f"unknown or not installed: {', '.join(unknown)}; expected some of {', '.join(there)}")

    def run(name: str, on: str, seed: int, costs: Costs) -> Run:
        return race(there[name], table(on), seed, costs)

    return measure(given.peers, run, given)


if __name__ == "__main__":
    raise SystemExit(main())
