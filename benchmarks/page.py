"""Benchmarks' JSON to the page ``docs/benchmarks.md``: ratios only, and where a peer is ahead said first.

python -m benchmarks.page RESULT.json... > docs/benchmarks.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.__main__ import NAMES
from benchmarks.report import number

COSTS = ("10000_over_100",)  # a cost over a cost: less is better
SHOWN = ("tensorflow", "optuna", "mlflow", "ray", "keras-tuner")


def page(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of some benchmarks' results."""
    parts = [
        "# Benchmarks",
        "Made by `python -m benchmarks NAME --json NAME.json` for each section below, then "
        "`python -m benchmarks.page *.json > docs/benchmarks.md`. Peers: `pip install '.[bench]'`.",
        f"Each ratio is of contenders measured in one run on {_machine(results)}. Above 1 we are ahead, below 1 the "
        "other is. Seconds are left out: they are of one machine. A machine that does other work "
        "meanwhile (a load above its cores) shifts ratios of times: such sections are to be taken with care.",
        _behind(results),
        *map(_section, results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(results: Sequence[Mapping[str, Any]]) -> str:
    versions = {package: version for result in results for package, version in result["versions"].items()}
    cores = max(result["machine"]["cores"] for result in results)
    named = [f"{package} {versions[package]}" for package in SHOWN if package in versions]
    return f"{cores} cores (Python {versions['python']}, {', '.join(named)})"


def _behind(results: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"- `{result['benchmark']}` {name}: {number(value)}"
        for result in results
        for name, value in result["ratios"].items()
        if value is not None and name not in COSTS and value < 1
    ]
    return "\n".join(["## Where a peer is ahead, or a limit is not reached", "", *lines]) if lines else ""


def _section(result: Mapping[str, Any]) -> str:
    ratios = [f"| {name} | {number(value)} |" for name, value in result["ratios"].items() if value is not None]
    quick = ", `--quick`" if result["quick"] else ""
    what = NAMES[result["benchmark"]]
    load = f"load of the machine at the end: {result['machine']['load']}"
    return "\n".join(
        [
            f"## {result['benchmark']}",
            "",
            f"{what[0].upper()}{what[1:]}{quick} ({load}).",
            "",
            "| against | ratio |",
            "|---|---:|",
            *ratios,
            "",
            *[f"- {note}" for note in result["notes"]],
        ]
    )


if __name__ == "__main__":
    print(page([json.loads(Path(file).read_text(encoding="utf-8")) for file in sys.argv[1:]]), end="")
