"""What a sweep on a table of learning curves comes to, as figures, lines and JSON: the same for ours and for peers.

Regret is ``(incumbent - best known) / (median configuration's best - best known)``, with the best
evaluation shown so far for the incumbent. Shares are of the budget in steps, the evaluations in the
order in which they were shown; or, for equal seconds, of as many ticks of all workers, idle ones too.
"""

from __future__ import annotations

import gzip
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np

WORKERS = 4
TRAININGS = 20
SHARES = (0.1, 0.25, 0.5, 1.0)
HEAD = f"{'regret at':<34} " + " ".join(f"{share:5.0%}" for share in SHARES)


@dataclass(frozen=True)
class Costs:
    """What is not training, in ticks; a tick is the time of one step.

    Attributes:
        start: From a trial's start to its first step.
        resume: The same when it goes on after a pause.
        are_counted: Whether sweeps are cut and compared at equal seconds, not at equal steps.
    """

    start: float = 0.0
    resume: float = 0.0
    are_counted: bool = False


class Losses(Protocol):
    """What is needed of a table to judge."""

    @property
    def name(self) -> str: ...

    @property
    def losses(self) -> Any: ...

    @property
    def steps(self) -> int: ...

    @property
    def best(self) -> Any: ...

    def regret(self, loss: Any) -> Any: ...


@dataclass(frozen=True)
class Run:
    """One sweep on one table.

    Attributes:
        regret: At each share of the budget.
        to_best_percent: Full trainings until it showed a loss of the best 1 % of configurations, or infinity.
        in_best: Whether it showed one of the best 0.3 %.
        trials: That were begun.
        cpu_s: CPU seconds of the whole sweep.
        gone_on: Share of the trials that went on from each of the first three rungs (1, 3, 9).
        curve: Regret at each hundredth of the budget.
        table: Its name.
        seed: Of the sweep.
    """

    regret: tuple[float, ...]
    to_best_percent: float
    in_best: bool
    trials: int
    cpu_s: float
    gone_on: tuple[float, ...]
    curve: tuple[float, ...]
    table: str = ""
    seed: int = 0


class Shown:
    """The evaluations of a sweep, until its budget is used."""

    def __init__(self, table: Losses, costs: Costs) -> None:
        self._table = table
        self._costs = costs
        self._budget = TRAININGS * table.steps
        self._seen: list[tuple[float, float]] = []

    def is_last(self, time: float, loss: float) -> bool:
        """Take up an evaluation, in the order of their times; return whether the budget is used."""
        spent = time * WORKERS if self._costs.are_counted else len(self._seen) + 1
        if spent <= self._budget:
            self._seen.append((time, loss))
        return spent >= self._budget

    def judge(self, steps: Sequence[int], cpu_s: float, seed: int) -> Run:
        """Return the figures of the sweep.

        Args:
            steps: To which each trial has come.
            cpu_s: CPU seconds of the whole sweep.
            seed: Of the sweep.
        """
        task, budget = self._table, self._budget
        incumbent = self._incumbent()
        reached = incumbent <= np.quantile(task.best, 0.01)
        return Run(
            regret=tuple(float(task.regret(incumbent[int(budget * share) - 1])) for share in SHARES),
            to_best_percent=float(np.argmax(reached)) / task.steps if reached.any() else float("inf"),
            in_best=bool(incumbent[-1] <= np.quantile(task.best, 0.003)),
            trials=len(steps),
            cpu_s=cpu_s,
            gone_on=tuple(_gone_on(steps, rung) for rung in (1, 3, 9)),
            curve=tuple(float(task.regret(incumbent[max(1, budget * part // 100) - 1])) for part in range(1, 101)),
            table=task.name,
            seed=seed,
        )

    def _incumbent(self) -> Any:
        """Return the best loss shown at each step of the budget; the table's worst one before the first."""
        best = np.full(self._budget, float(np.max(self._table.losses)))
        for index, (time, loss) in enumerate(self._seen):
            at = max(0, int(np.ceil(time * WORKERS)) - 1) if self._costs.are_counted else index
            best[at] = min(best[at], loss)
        return np.minimum.accumulate(best)


def _gone_on(steps: Sequence[int], rung: int) -> float:
    there = sum(step >= rung for step in steps)
    return sum(step > rung for step in steps) / there if there else 0.0


def line(label: str, runs: Iterable[Run]) -> str:
    """Return the figures of some runs in one line: means, and medians with quartiles at a quarter and at the end."""
    found = list(runs)
    regret = " ".join(f"{statistics.fmean(run.regret[i] for run in found):.3f}" for i in range(len(SHARES)))
    gone_on = " ".join(f"{statistics.fmean(run.gone_on[i] for run in found):.0%}" for i in range(3))
    cpu_ms = sum(run.cpu_s for run in found) / sum(run.trials for run in found) * 1e3
    spread = ", ".join(quartiles([run.regret[i] for run in found]) for i in (1, 3))
    return (
        f"{label:<34} {regret}  medians {spread}"
        f"  best 1 %: {statistics.median(run.to_best_percent for run in found):5.1f}"
        f"  best 0.3 %: {statistics.fmean(run.in_best for run in found):4.0%}"
        f"  go on from rungs 1, 3, 9: {gone_on}  {cpu_ms:.1f} ms"
    )


def quartiles(values: Sequence[float]) -> str:
    """Return the median, and the quartiles behind it."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def wins(runs: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    """Yield for the first contender against each other one how many of the paired runs it has won.

    Args:
        runs: By contender; those of the same table and seed are a pair.
    """
    first, *others = runs
    for other in others:
        pairs = list(paired(runs[first], runs[other]))
        for place, share in enumerate(SHARES):
            if share in (0.25, 1.0):
                apart = [one.regret[place] - two.regret[place] for one, two in pairs]
                won, even = sum(by < 0 for by in apart), sum(by == 0 for by in apart)
                said = f"{first} against {other} at {share:.0%}: {won} of {len(pairs)} won, {even} even"
                if len(apart) > 1:
                    error = statistics.stdev(apart) / len(apart) ** 0.5
                    said += f", regret differs by {statistics.fmean(apart):+.3f} (standard error {error:.3f})"
                yield said


def paired(ours: Sequence[Run], theirs: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    """Yield the runs that both have of the same table and seed."""
    by_place = {(run.table, run.seed): run for run in theirs}
    for run in ours:
        if (other := by_place.get((run.table, run.seed))) is not None:
            yield run, other


def write(file: Path, found: Mapping[str, Sequence[Run]]) -> None:
    """Write all runs for ``read``, compressed if the name ends in ``.gz``."""
    text = json.dumps([{"pair": name, **asdict(run)} for name, runs in found.items() for run in runs]).encode()
    file.write_bytes(gzip.compress(text, mtime=0) if file.suffix == ".gz" else text)


def read(file: Path) -> dict[str, list[Run]]:
    """Read the runs of a file, by contender."""
    found: dict[str, list[Run]] = {}
    data = file.read_bytes()
    for row in json.loads(gzip.decompress(data) if file.suffix == ".gz" else data):
        known = {field.name: row[field.name] for field in fields(Run)}
        run = Run(**{key: tuple(value) if isinstance(value, list) else value for key, value in known.items()})
        found.setdefault(row["pair"], []).append(run)
    return found
