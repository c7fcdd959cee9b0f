"""What a sweep has found, for people who program: trials, the best, curves, a DataFrame.

Reads the study and the record log; needs neither TensorFlow nor MLflow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.errors import SweepError
from tuner.paths import SweepDir
from tuner.ranking import nondominated
from tuner.recorders.runs import run_ids
from tuner.records import Evaluated, SweepOpened, read_records
from tuner.repeats import Group, Groups, first_of
from tuner.spec import SweepSpec
from tuner.study import TrialRecord, read_trials
from tuner.values import Constraint, Objective, TrialState

if TYPE_CHECKING:
    import pandas

    from tuner.plots import Chart, Parallel


@dataclass(frozen=True)
class Trial:
    """A trial of a sweep, as ``tuner show`` has it.

    Attributes:
        run_id: Its MLflow run, or None before the tracking store had it.
        trial_dir: Its folder: the Estimator's model_dir.
        group: What the trials of its parameters have come to; None unless the sweep repeats them with several seeds.
    """

    record: TrialRecord
    objectives: tuple[Objective, ...]
    run_id: str | None
    trial_dir: str
    constraints: tuple[Constraint, ...] = ()
    group: Group | None = None

    @property
    def number(self) -> int:
        return self.record.number

    @property
    def state(self) -> TrialState:
        return self.record.state

    @property
    def params(self) -> dict[str, Any]:
        """Parameters and constants."""
        return dict(self.record.params)

    @property
    def values(self) -> dict[str, float]:
        """Objective's metric to value; empty where there is none."""
        return dict(self.record.values)

    @property
    def value(self) -> float | None:
        """The first objective."""
        return self.record.values.get(self.objectives[0].metric)

    @property
    def feasible(self) -> bool | None:
        """Whether it breaks no constraint; None where that is not known, or the sweep has none."""
        if not self.constraints or len(self.record.constraints) < len(self.constraints):
            return None
        return self.record.feasible

    @property
    def judged(self) -> float | None:
        """What it is judged by: the first objective, or its mean where parameters are repeated."""
        return self.value if self.group is None else self.group.mean

    def _of_group(self) -> dict[str, Any]:
        if self.group is None:
            return {}
        first = first_of(self.number, self.record.tags)
        return {"repeat_of": None if first == self.number else first, **self.group.row()}

    def row(self) -> dict[str, Any]:
        """Return what the JSON of ``tuner show`` has."""
        constraints = {"constraints": dict(self.record.constraints), "feasible": self.feasible}
        return {
            "trial": self.number,
            "state": self.state.value,
            "reason": self.record.reason,
            "params": self.params,
            "values": self.values,
            "step": self.record.step,
            "seconds": round(self.record.seconds, 3),
            "run_id": self.run_id,
            "trial_dir": self.trial_dir,
            **(constraints if self.constraints else {}),
            **self._of_group(),
        }


class SweepResult:
    """The trials of a sweep as they stand on disk.

    Args:
        sweep_dir: The sweep's folder.
        spec: What it runs.
        storage_url: Optuna storage, or empty for the journal.
    """

    def __init__(self, sweep_dir: SweepDir, spec: SweepSpec, storage_url: str = "") -> None:
        self.dir = sweep_dir
        self.spec = spec
        runs = run_ids(sweep_dir)
        records = read_trials(sweep_dir, spec, storage_url)
        self._groups = groups_of(records, spec)
        repeats = spec.search.repeats > 1
        self.trials: list[Trial] = [
            Trial(
                record,
                spec.objectives,
                runs.get(record.number),
                str(sweep_dir.trial(record.number).path),
                spec.constraints,
                self._groups.of(record.number, record.tags) if repeats else None,
            )
            for record in records
        ]

    @property
    def best(self) -> Trial:
        """The complete and feasible trial with the best first objective.

        Where parameters are repeated with several seeds, it is of the set with the best mean, whole sets
        before others, the trial nearest to that mean (the first of equals).

        Raises:
            SweepError: No trial is complete, or none of them is feasible.
        """
        found = self.best_or_none
        if found is None:
            complete = any(trial.state is TrialState.COMPLETE for trial in self.trials)
            if complete and not self.spec.constraints:
                raise SweepError(
                    f"the objective of every complete trial of the sweep {self.spec.name!r} is NaN",
                    f"see them with: tuner show {self.spec.name}",
                )
            if complete:
                bounds = ", ".join(f"{c.metric} {c}" for c in self.spec.constraints)
                raise SweepError(
                    f"no complete trial of the sweep {self.spec.name!r} is feasible (constraints: {bounds})",
                    f"see by how much with: tuner show {self.spec.name}",
                )
            states = ", ".join(sorted({trial.state.value for trial in self.trials})) or "none"
            raise SweepError(
                f"the sweep {self.spec.name!r} has no complete trial (states there are: {states})",
                f"see why with: tuner show {self.spec.name}",
            )
        return found

    @property
    def best_or_none(self) -> Trial | None:
        """The complete and feasible trial with the best first objective, or None; see ``best``."""
        if self.spec.search.repeats > 1:
            group = self._groups.best_of_all()
            return next((t for t in self.trials if group and t.number == group.typical), None)
        goal = self.spec.objectives[0].goal
        sound = [trial for trial in self._feasible() if trial.value is not None and not math.isnan(trial.value)]
        return min(sound, key=lambda trial: (goal.loss(trial.value or 0.0), trial.number), default=None)

    @property
    def front(self) -> list[Trial]:
        """The complete and feasible trials that no other one dominates (the Pareto front).

        One dominates another if it is nowhere worse and somewhere better.
        """
        complete = {trial.number: trial for trial in self._feasible() if trial.values}
        return [complete[number] for number in nondominated({n: self._losses(t) for n, t in complete.items()})]

    def curves(self) -> pandas.DataFrame:
        """Return all evaluations: columns trial, step, time (s), folder, tag, value."""
        import pandas

        rows: dict[tuple[int, str, int, str], dict[str, Any]] = {}
        for record, _ in read_records(self.dir.records_file):
            if isinstance(record, Evaluated):
                found = record.evaluation
                for tag, value in found.scalars.items():
                    key = (record.trial, found.folder, found.step, tag)
                    row = {
                        "trial": record.trial,
                        "step": found.step,
                        "time": found.time,
                        "folder": found.folder,
                    }
                    rows.setdefault(key, {**row, "tag": tag, "value": value})
        columns = ["trial", "step", "time", "folder", "tag", "value"]
        frame: pandas.DataFrame = pandas.DataFrame(list(rows.values()), columns=columns)
        return frame

    def dataframe(self) -> pandas.DataFrame:
        """Return a row for each trial: number, state, objectives, ``params_NAME``, step, seconds, run_id.

        ``started`` and ``ended`` are times in UTC; the latter is missing where the trial may go on.
        """
        import pandas

        rows = []
        for trial in self.trials:
            row = trial.row()
            params, values = row.pop("params"), row.pop("values")
            times = {"started": _utc(trial.record.started), "ended": _utc(trial.record.ended)}
            rows.append({**row, **values, **times, **{f"params_{name}": value for name, value in params.items()}})
        frame: pandas.DataFrame = pandas.DataFrame(rows)
        return frame

    def save_tables(self, folder: Path | str) -> list[Path]:
        """Write the trials as CSV and as Parquet; return the files."""
        import pandas

        frame = self.dataframe()
        files = [Path(folder) / "trials.csv", Path(folder) / "trials.parquet"]
        frame.to_csv(files[0], index=False)
        for name in frame.columns:  # a column of Parquet has one type
            kinds = {type(value) for value in frame[name] if not pandas.api.types.is_scalar(value) or value == value}
            if len(kinds - {type(None)}) > 1 or list in kinds:
                frame[name] = [value if value is None or value != value else str(value) for value in frame[name]]
        frame.to_parquet(files[1], index=False)
        return files

    def charts(self) -> list[Chart | Parallel]:
        """Return what is drawn of the sweep; what has nothing to show is left out."""
        from tuner.plots import make_charts

        return make_charts(self.spec, [trial.record for trial in self.trials])

    def plot(self, name: str) -> Any:
        """Return a Plotly figure: ``history``, ``learning_curves``, ``importance``, ``slices``,
        ``parallel_coordinates``, ``nondominated``.

        Raises:
            InvalidInput: There is none of that name, or nothing to show in it; names those that are there.
        """  # noqa: D205
        from tuner.plots.files import to_plotly

        return to_plotly(self.charts(), name)

    def save_plots(self, folder: Path | str) -> list[Path]:
        """Write each plot as a picture (PNG) and as a page that stands alone (HTML); return the files."""
        from tuner.plots.files import write_charts

        return write_charts(self.charts(), self.spec.name, Path(folder))

    def report(self) -> str:
        """Return one HTML page of the sweep that stands alone: charts, every trial, how to repeat it."""
        from tuner.plots.report import report

        records = [trial.record for trial in self.trials]
        return report(self.spec, records, self.charts(), self._best_numbers(), self.facts())

    def facts(self) -> dict[str, str]:
        """Return how the sweep was run: command, versions, git commit."""
        found: dict[str, str] = {}
        for record, _ in read_records(self.dir.records_file):
            if isinstance(record, SweepOpened):
                found = {key.removeprefix("tuner."): value for key, value in record.facts.items()}
        return found

    def __repr__(self) -> str:
        states = Counter(trial.state.value for trial in self.trials)
        found = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no trials"
        best = self.best_or_none
        which = f", best trial {best.number} with {best.values}" if best else ""
        return f"<SweepResult {self.spec.name!r}: {found}{which}>"

    def _repr_html_(self) -> str:
        from tuner.plots.inline import result_html

        return result_html(self.spec, [trial.record for trial in self.trials], self._best_numbers())

    def _best_numbers(self) -> list[int]:
        if len(self.spec.objectives) > 1:
            return [trial.number for trial in self.front]
        best = self.best_or_none
        return [best.number] if best else []

    def _feasible(self) -> list[Trial]:
        return [t for t in self.trials if t.state is TrialState.COMPLETE and t.feasible is not False]

    def _losses(self, trial: Trial) -> list[float]:
        return [objective.goal.loss(trial.values[objective.metric]) for objective in self.spec.objectives]


def _utc(seconds: float) -> datetime | None:
    """Return seconds since 1970 as a time, or None where there are none."""
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds else None


def groups_of(records: Iterable[TrialRecord], spec: SweepSpec) -> Groups:
    """Return the sets of parameters of a sweep's settled trials, judged by the first objective."""
    objective = spec.objectives[0]
    groups = Groups(spec.search.repeats, objective.goal)
    for record in records:
        if record.state.settled:
            value = record.values.get(objective.metric) if record.feasible else None
            groups.settle(record.number, record.tags, record.state, value)
    return groups
