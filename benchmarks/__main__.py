"""``python -m benchmarks NAME [--quick] [--json FILE]``: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from benchmarks.machine import Others
from benchmarks.report import show, write

NAMES = {
    "throughput": "trials an hour of the same work, beside other tuners and hand-written loops",
    "overhead": "what the driver costs a trial, with few trials and with many",
    "events": "event files: reading while they grow, against TensorFlow's and TensorBoard's readers",
    "startup": "from the command to the first step of training",
    "ending": "from the last trial's end to the prompt",
    "memory": "memory of driver, fork server and trials",
    "recording": "recording in MLflow, against the bare client's calls for the same records",
    "search": "training steps until a good model, for each scheduler and for Optuna's pruners",
    "large": "what commands cost on a sweep of 10,000 trials",
    "scale": "what sweeps of very many trials cost in driver, study, MLflow and on disk",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark; return the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    there = available()
    if given.name not in there:
        near = difflib.get_close_matches(given.name, there, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(there)}"
        print(f"benchmarks: unknown benchmark {given.name!r} ({hint})", file=sys.stderr)
        return 2
    if given.json is not None and not given.json.absolute().parent.is_dir():
        print(f"benchmarks: --json: no such folder {given.json.parent}", file=sys.stderr)
        return 2
    began, others = time.monotonic(), Others()
    result = importlib.import_module(f"benchmarks.{given.name}").run(quick=given.quick)
    seconds = time.monotonic() - began
    if warning := others.warning():
        result = replace(result, notes=[*result.notes, warning])
    show(given.name, result, seconds)
    if given.json is not None:
        write(given.json, given.name, result, seconds, quick=given.quick)
    return 0


def available() -> list[str]:
    """Return the names of the benchmarks that are there."""
    return [name for name in NAMES if find_spec(f"benchmarks.{name}")]


def _parser() -> argparse.ArgumentParser:
    lines = [f"  {name:<11} {NAMES[name]}" for name in available()]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure tuner and its peers in one run.",
        epilog="\n".join(["benchmarks:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="which benchmark")
    parser.add_argument("--quick", action="store_true", help="smaller, in under four minutes")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write rows, ratios, machine and versions there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
