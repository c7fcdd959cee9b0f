"""Compare what three places hold of a trial: event files, study, MLflow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from tuner.domain.scoring import constraint_values, objective_values
from tuner.domain.tags import STATE, STOPPED_AT
from tuner.domain.trial import Evaluation, TrialState
from tuner.events import FirstValueFilter, Follower
from tuner.events.first_values import same_bits
from tuner.events.foreign import begun_since, foreign_events
from tuner.files.paths import SweepDir
from tuner.operations.recorded_metrics import RecordedMetrics
from tuner.recorders.mlflow.batch import text
from tuner.recorders.mlflow.naming import LONGEST_VALUE, MetricNames, ValidNames
from tuner.recorders.mlflow.reader import RecordedRun
from tuner.recorders.mlflow.statuses import STATUS
from tuner.results import Trial


@dataclass
class Report:
    """What was compared and what differs.

    Attributes:
        differences: A line each; empty if all is equal.
        notes: What is not a difference but worth knowing, a line each.
        trials: How many trials were compared.
        values: How many values of evaluations were compared.
        unsettled: How many trials were not compared, as a driver is at work on them.
    """

    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trials: int = 0
    values: int = 0
    unsettled: int = 0


class TrialComparison:
    """Compare one trial.

    Args:
        evaluations: What it evaluated, or None to read its event files.
        scripted: What counts of what a command wrote, or None if there is a model.
        names: What MLflow calls the parameters.
        beyond: Folder, step and tag of what was recorded of a trial that is not complete, from the last step on that
            its study has.
        idle_since: Since when it has no process: who has begun an event file later is not the trial.
    """

    def __init__(
        self,
        sweep_dir: SweepDir,
        trial: Trial,
        run: RecordedRun | None,
        report: Report,
        evaluations: list[Evaluation] | None = None,
        scripted: RecordedMetrics | None = None,
        names: ValidNames | None = None,
        beyond: Set[tuple[str, int, str]] = frozenset(),
        idle_since: float = math.inf,
    ) -> None:
        self._trial = trial
        self._evaluations = evaluations
        self._run = run
        self._report = report
        self._scripted = scripted
        self._dir = sweep_dir.trial(trial.number).path
        self._foreign = foreign_events(sweep_dir.trial(trial.number))
        self._later = begun_since(self._dir, idle_since) - self._foreign
        self._follower = Follower(self._dir, anywhere=scripted is not None, without=self._later)
        self._first = FirstValueFilter()
        self._names = names or ValidNames()
        self._beyond = beyond

    def run(self) -> None:
        found = self._follower.poll() if self._evaluations is None else self._evaluations
        if self._scripted is not None:
            found = self._scripted.counted(self._trial, found)
        evaluations = [e for e in map(self._first.filter, found) if e is not None]
        self._compare_study(self._up_to_its_end(evaluations, self._is_in_study))
        if self._run is not None:
            self._compare_run(self._run, self._up_to_its_end(evaluations, self._is_recorded))
        self._note()

    def _up_to_its_end(
        self, evaluations: list[Evaluation], counts: Callable[[Evaluation, str], bool]
    ) -> list[Evaluation]:
        """Return what counts of a trial: all if it was complete at its end, else what came before it was decided."""
        if self._trial.state is TrialState.COMPLETE and STOPPED_AT not in self._trial.record.tags:
            return evaluations
        counted = (
            replace(e, scalars={tag: value for tag, value in e.scalars.items() if counts(e, tag)}) for e in evaluations
        )
        return [evaluation for evaluation in counted if evaluation.scalars]

    def _is_in_study(self, evaluation: Evaluation, _tag: str) -> bool:
        last = self._trial.record.step
        return last is not None and evaluation.step <= last

    def _is_recorded(self, evaluation: Evaluation, tag: str) -> bool:
        """Whether a value was recorded: at the last step of the study others than its own may have come too late.

        What no objective came with was recorded too, and the study knows nothing of it.
        """
        last = self._trial.record.step
        if last is not None and evaluation.step < last:
            return True
        of_study = tag == self._trial.objectives[0].metric or tag in self._trial.record.others
        if last == evaluation.step and of_study and self._is_source(evaluation, tag):
            return True
        return (evaluation.folder, evaluation.step, tag) in self._beyond

    def _compare_study(self, evaluations: list[Evaluation]) -> None:
        curves: dict[str, dict[int, float]] = {}
        for evaluation in evaluations:
            for tag, value in evaluation.scalars.items():
                if self._is_source(evaluation, tag):
                    curves.setdefault(tag, {}).setdefault(evaluation.step, value)
        objectives, record = self._trial.objectives, self._trial.record
        self._compare(f"study, {objectives[0].metric}", record.curve, curves.get(objectives[0].metric, {}))
        for metric, curve in record.others.items():
            of_objectives = {step: value for step, value in curves.get(metric, {}).items() if step in record.curve}
            self._compare(f"study, {metric}", curve, of_objectives)
        for metric, value in constraint_values(self._trial.constraints, curves).items():
            if metric in record.constraints and not same_bits(value, record.constraints[metric]):
                self._differ(f"study: constraint {metric} is {record.constraints[metric]!r}, recomputed {value!r}")
        if self._trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and self._trial.values:
            self._compare_objective(objective_values(objectives, curves))

    def _is_source(self, evaluation: Evaluation, tag: str) -> bool:
        if self._scripted is None:
            return not evaluation.is_secondary
        return self._scripted.is_source(self._trial, evaluation.folder, tag)

    def _compare_objective(self, expected: Mapping[str, float]) -> None:
        for metric, value in self._trial.values.items():
            if metric not in expected:
                if math.isfinite(value):
                    self._differ(f"study: objective {metric} is {value!r}, the event files have none")
            elif not same_bits(value, expected[metric]) and math.isfinite(value):
                self._differ(f"study: objective {metric} is {value!r}, recomputed {expected[metric]!r}")

    def _compare_run(self, run: RecordedRun, evaluations: list[Evaluation]) -> None:
        names = MetricNames() if self._scripted is None else self._scripted.names(self._trial.number)
        expected: dict[str, dict[int, float]] = {}
        for evaluation in evaluations:
            for tag, value in evaluation.scalars.items():
                if not math.isinf(value):
                    name = names.name(evaluation.folder, tag, evaluation.is_secondary)
                    expected.setdefault(name, {}).setdefault(evaluation.step, value)
        held = {name: values for name, values in run.metrics.items() if name.startswith("eval/")}
        for name in sorted({*expected, *held}):
            self._compare(f"MLflow, {name}", held.get(name, {}), expected.get(name, {}))
        for line in run.doubled:
            self._differ(f"MLflow: {line} has more than one row")
        self._compare_recorded(run)
        self._compare_params(run)

    def _compare_recorded(self, run: RecordedRun) -> None:
        trial = self._trial
        if run.status != STATUS[trial.state]:
            self._differ(
                f"MLflow: status {run.status}, expected {STATUS[trial.state]} of a trial that is {trial.state.value}"
            )
        if run.tags.get(STATE) != trial.state.value:
            self._differ(f"MLflow: state {run.tags.get(STATE)}, study: {trial.state.value}")
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            names = ValidNames(f"objective/{metric}" for metric in trial.values)
            for metric, value in trial.values.items():
                name = names[f"objective/{metric}"] if len(trial.values) > 1 else "objective"
                held = list(run.metrics.get(name, {}).values())
                if not math.isinf(value) and not (held and same_bits(held[-1], value)):
                    self._differ(f"MLflow: {name} is {held}, study: {value!r}")

    def _compare_params(self, run: RecordedRun) -> None:
        expected = {self._names[name]: text(value)[:LONGEST_VALUE] for name, value in self._trial.params.items()}
        for name in sorted({*expected, *run.params}):
            held, value = run.params.get(name), expected.get(name)
            if held != value:
                self._differ(f"MLflow: parameter {name} is {held!r}, study: {value!r}")

    def _compare(self, where: str, held: Mapping[int, float], expected: Mapping[int, float]) -> None:
        for step in sorted({*held, *expected}):
            self._report.values += 1
            if step not in held:
                self._differ(f"{where}: step {step} is missing, event files: {expected[step]!r}")
            elif step not in expected:
                self._differ(f"{where}: step {step} is {held[step]!r}, the event files have none")
            elif not same_bits(held[step], expected[step]):
                self._differ(f"{where}: step {step} is {held[step]!r}, event files: {expected[step]!r}")

    def _differ(self, line: str) -> None:
        self._report.differences.append(f"trial {self._trial.number}: {line}")

    def _note(self) -> None:
        if self._first.differing:
            self._report.notes.append(
                f"trial {self._trial.number}: {self._first.differing} repeats differ from the first value, which stands"
            )
        for files, when in ((self._foreign, "while it did not run"), (self._later, "after it had ended")):
            folders = {Path(file).parent.as_posix() for file in files if (self._dir / file).exists()}
            if folders:
                self._report.notes.append(
                    f"trial {self._trial.number}: event files in {', '.join(sorted(folders))} were begun {when}: what "
                    "they say is no part of the record and is not compared"
                )
        for damage in self._follower.damage:
            self._report.notes.append(f"trial {self._trial.number}: {damage}")
