"""What a sweep has found, for people who program: trials, the best, curves, a DataFrame.

Reads the study and the record log; needs neither TensorFlow nor MLflow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.domain.objective import Objective
from tuner.domain.pareto import nondominated
from tuner.domain.repeats import groups_of
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialState
from tuner.errors import SweepError
from tuner.files.driver_lock import at_work
from tuner.files.paths import SweepDir
from tuner.files.run_ids import run_ids
from tuner.records.log import read_records
from tuner.records.record import Evaluated, SweepOpened
from tuner.results.selection import select
from tuner.results.trial import Trial
from tuner.space import Categorical
from tuner.study import StudyOnDisk, read_study, recently_lost
from tuner.text import csv_text

if TYPE_CHECKING:
    import pandas

    from tuner.plots import Chart, Parallel
    from tuner.study.importance import Importances


class SweepResult:
    """The trials of a sweep as they stand on disk.

    Args:
        sweep_dir: The sweep's folder.
        spec: What it runs.
        storage_url: Optuna storage, or empty for the journal.
        study: What was read of it, or None: it is read.
    """

    def __init__(
        self, sweep_dir: SweepDir, spec: SweepSpec, storage_url: str = "", study: StudyOnDisk | None = None
    ) -> None:
        self.dir = sweep_dir
        self.spec = spec
        runs = run_ids(sweep_dir)
        study = study or read_study(sweep_dir, spec, storage_url)
        records = [record for record in study.trials if record.number not in study.deleted]
        self._storage_url = storage_url
        self._in_study = frozenset(record.number for record in study.trials)
        repeats = spec.search.repeats > 1
        self._groups = groups_of(records, spec)
        self.trials: list[Trial] = [
            Trial(
                record,
                spec.objectives,
                runs.get(record.number),
                sweep_dir.trial_path(record.number),
                spec.constraints,
                self._groups.group_of(record.number, record.tags) if repeats else None,
            )
            for record in records
        ]

    def lost_trials(self) -> list[int]:
        """Return trials that the records of late have and the study, which may have been damaged, has not.

        It looks at the end of the record log only; ``tuner verify`` looks at all of it.
        """
        return recently_lost(self.dir, self.spec, self._storage_url, self._in_study)

    @property
    def best(self) -> Trial:
        """The complete and feasible trial with the best first objective.

        If parameters are repeated with several seeds, it is of the set with the best mean, whole sets
        before others, the trial nearest to that mean (the first of equals).

        Raises:
            SweepError: No trial is complete, or none of them is feasible.
        """
        found = self.best_or_none
        if found is None:
            raise self.why_no_best()
        return found

    def why_no_best(self) -> SweepError:
        """Return the error that says why a sweep without a best trial has none, and what to do."""
        name = self.spec.name
        if any(trial.state is TrialState.COMPLETE for trial in self.trials):
            if not self.spec.constraints:
                return SweepError(
                    f"the objective of every complete trial of the sweep {name!r} is NaN or infinite",
                    f"see them with: tuner show {name}",
                )
            bounds = ", ".join(f"{c.metric} {c}" for c in self.spec.constraints)
            return SweepError(
                f"no complete trial of the sweep {name!r} is feasible (constraints: {bounds})",
                f"see by how much with: tuner show {name}",
            )
        states = ", ".join(sorted({trial.state.value for trial in self.trials})) or "none"
        return SweepError(f"the sweep {name!r} has no complete trial (states there are: {states})", self._to_get_one())

    def _to_get_one(self) -> str:
        """Return what can be done about a sweep that has no complete trial."""
        name = self.spec.name
        if at_work(self.dir):
            return f"wait for one: tuner watch {name}; see what each has shown with: tuner show {name}"
        open_trials = [trial for trial in self.trials if not trial.state.is_finished]
        if not open_trials:
            return f"see why with: tuner show {name}"
        shown = f"see what each has shown with: tuner show {name}; go on with: tuner resume {name}"
        if any(trial.state is not TrialState.RUNNING and trial.ranked_steps for trial in open_trials):
            return f"{shown}; or export one: tuner export {name}:N OUT_DIR"
        return shown

    @property
    def best_or_none(self) -> Trial | None:
        """The complete and feasible trial with the best first objective, or None; see ``best``."""
        group = self._groups.best_of_all()
        return next((t for t in self.trials if group and t.number == group.typical), None)

    @property
    def front(self) -> list[Trial]:
        """The complete and feasible trials that no other one dominates (the Pareto front).

        One dominates another if it is nowhere worse and somewhere better.
        """
        complete = {trial.number: trial for trial in self._feasible() if trial.values}
        return [complete[number] for number in nondominated({n: self._losses(t) for n, t in complete.items()})]

    def select(self, where: str = "", sort: str = "", top: int | None = None) -> list[Trial]:
        """Return some of the trials, as ``tuner show --where --sort --top`` does.

        Args:
            where: A condition on parameters, objectives and what ``Trial.row`` has: ``units > 64 and state = PRUNED``.
            sort: What to sort by, or ``-`` and that for the other way round. By ``value`` or an objective the best
                come first, those that are complete and feasible before others.
            top: How many at most: the best, unless ``sort`` says otherwise.

        Raises:
            InvalidInput: The condition cannot be read, or there is no such field.
        """
        ranks: dict[str, Callable[[Trial], Any]] = {"value": partial(self._rank, objective=None)}
        ranks |= {o.metric: partial(self._rank, objective=o) for o in self.spec.objectives}
        entries = {name: value for trial in self.trials[:1] for name, value in trial.row().items()}
        names = [*self.spec.space.names, *(name for name, value in entries.items() if not isinstance(value, dict))]
        return select(self.trials, Trial.fields, ranks, where, sort, top, names, self._choices())

    def _choices(self) -> dict[str, set[str]]:
        """Return which texts a state or a categorical parameter may be: of the space, and what trials have."""
        found = {"state": {state.value for state in TrialState}}
        for parameter in self.spec.space.parameters:
            if not isinstance(parameter, Categorical) or not all(isinstance(c, str) for c in parameter.choices):
                continue
            had = {trial.params[parameter.name] for trial in self.trials if parameter.name in trial.params}
            found[parameter.name] = found[f"params.{parameter.name}"] = {*parameter.choices, *map(str, had)}
        return found

    def _rank(self, trial: Trial, objective: Objective | None) -> tuple[bool, float, int]:
        """Return a key by which the best come first; by what it is judged by if no objective is named."""
        value = trial.judged if objective is None else trial.values.get(objective.metric)
        goal = (objective or self.spec.objectives[0]).goal
        loss = goal.loss(value) if value is not None and math.isfinite(value) else math.inf
        return trial.state is not TrialState.COMPLETE or trial.feasible is False, loss, trial.number

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

        With constraints, what counts of each is ``constraints_NAME``.

        ``started`` and ``ended`` are times in UTC; the latter is missing if the trial may go on.
        """
        import pandas

        rows = []
        for trial in self.trials:
            row = trial.row()
            values = row.pop("values")
            times = {"started": _utc(trial.record.started), "ended": _utc(trial.record.ended)}
            mappings = {kind: row.pop(kind, {}) for kind in ("constraints", "params")}
            named = {f"{kind}_{name}": value for kind, of in mappings.items() for name, value in of.items()}
            rows.append({**row, **values, **times, **named})
        frame: pandas.DataFrame = pandas.DataFrame(rows)
        return frame

    def save_tables(self, folder: Path | str) -> list[Path]:
        """Write the trials as CSV and as Parquet; return the files."""
        import pandas

        frame = self.dataframe()
        files = [Path(folder) / "trials.csv", Path(folder) / "trials.parquet"]
        frame.rename(columns=csv_text).apply(lambda column: column.map(csv_text)).to_csv(files[0], index=False)
        for name in frame.columns:  # a column of Parquet has one type
            kinds = {type(value) for value in frame[name] if not pandas.api.types.is_scalar(value) or value == value}
            if len(kinds - {type(None)}) > 1 or list in kinds:
                frame[name] = [value if value is None or value != value else str(value) for value in frame[name]]
        frame.to_parquet(files[1], index=False)
        return files

    def charts(self) -> list[Chart | Parallel]:
        """Return what is drawn of the sweep; what has nothing to show is left out."""
        from tuner.plots import make_charts

        records = [trial.record for trial in self.trials]
        return make_charts(self.spec, records, self.importances)

    @cached_property
    def importances(self) -> dict[str, Importances | None]:
        """What mattered for each objective, by its metric; None if it cannot be told yet."""
        from tuner.study.importance import importances

        records = [trial.record for trial in self.trials]
        return {objective.metric: importances(self.spec, records, objective) for objective in self.spec.objectives}

    def importance(self) -> dict[str, float]:
        """Return each parameter's share (0 to 1) in the variation of the first objective, the greatest first.

        Empty if it cannot be told yet: it takes four complete trials.
        """
        found = self.importances[self.spec.objectives[0].metric]
        shares = found.shares if found is not None else {}
        return dict(sorted(shares.items(), key=lambda pair: -pair[1]))

    def plot(self, name: str) -> Any:
        """Return a Plotly figure: ``history``, ``learning_curves``, ``importance``, ``slices``,
        ``parallel_coordinates``, ``nondominated``.

        Raises:
            InvalidInput: There is none of that name, or nothing to show in it; names those that are there.
        """  # noqa: D205
        from tuner.plots.write import to_plotly

        return to_plotly(self.charts(), name)

    def save_plots(self, folder: Path | str) -> list[Path]:
        """Write each plot as a picture (PNG) and as a page that stands alone (HTML); return the files."""
        from tuner.plots.write import write_charts

        return write_charts(self.charts(), self.spec.name, Path(folder))

    def report(self, charts: Sequence[Chart | Parallel] | None = None) -> str:
        """Return one HTML page of the sweep that stands alone: charts, every trial, how to repeat it."""
        from tuner.plots.report import report

        records = [trial.record for trial in self.trials]
        return report(
            self.spec, records, self.charts() if charts is None else charts, self._best_numbers(), self.facts()
        )

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
        from tuner.plots.notebook_html import result_html

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
    """Return seconds since 1970 as a time, or None if there are none."""
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds else None
