"""Compare what three places hold of a sweep: event files, study, MLflow.

Equal means the last bit: an event's float32 widened to a double is what study and MLflow hold, and
the objective recomputed by the sweep's rule is the recorded one (NaN equals NaN).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from tuner.events import FirstValues, Follower
from tuner.events.first import same
from tuner.paths import SweepDir
from tuner.recorders.names import MetricNames, valid_name
from tuner.recorders.recorded import RecordedRun, RecordedSweep
from tuner.results import SweepResult, Trial
from tuner.sweep.commands import Scripted
from tuner.sweep.opening import read_frozen
from tuner.sweep.outcomes import constraint_values, objective_values
from tuner.sweep.parts import STOPPED_AT
from tuner.sweep.simulating import TAG, evaluations_in_log
from tuner.values import Evaluation, TrialState


@dataclass
class Report:
    """What was compared and what differs.

    Attributes:
        differences: A line each; empty where all is equal.
        notes: What is not a difference but worth knowing, a line each.
        trials: How many trials were compared.
        values: How many values of evaluations were compared.
    """

    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trials: int = 0
    values: int = 0


def verify_sweep(sweep_dir: SweepDir, result: SweepResult) -> Report:
    """Compare event files, study and MLflow of all trials of a sweep.

    Raises:
        RecorderError: MLflow does not answer, or refuses.
    """
    report = Report()
    frozen = read_frozen(sweep_dir)
    simulation = frozen.spec.simulation if TAG in frozen.tags else None
    in_log = None
    if simulation is not None and not simulation.event_files:
        in_log = evaluations_in_log(sweep_dir)
        report.notes.append("simulated without event files: compared with what stands in curves.jsonl instead")
    in_mlflow = simulation is None or simulation.record
    if not in_mlflow:
        report.notes.append("simulated with record: false: there is nothing in MLflow to compare")
    recorded = RecordedSweep(sweep_dir, os.environ.get("MLFLOW_TRACKING_URI"))
    if in_mlflow and not recorded.is_there:
        report.differences.append("MLflow: there are no records, its database is not there")
        in_mlflow = False
    runs = recorded.runs_of_trials(frozen.sweep_id) if in_mlflow else {}
    scripted = Scripted(sweep_dir, result.spec) if result.spec.command and simulation is None else None
    for trial in result.trials:
        found = runs.pop(trial.number, [])
        if len(found) != 1 and in_mlflow:
            report.differences.append(f"trial {trial.number}: has {len(found)} MLflow runs, expected 1")
        run = recorded.read(found[0]) if found else None
        evaluations = None if in_log is None else in_log.get(trial.number, [])
        _Comparison(sweep_dir, trial, run, report, evaluations, scripted).run()
        report.trials += 1
    for number in runs:
        report.differences.append(f"trial {number}: has an MLflow run but is not in the study")
    return report


class _Comparison:
    """Compare one trial.

    Args:
        evaluations: What it evaluated, or None to read its event files.
        scripted: What counts of what a command wrote, or None where there is a model.
    """

    def __init__(
        self,
        sweep_dir: SweepDir,
        trial: Trial,
        run: RecordedRun | None,
        report: Report,
        evaluations: list[Evaluation] | None = None,
        scripted: Scripted | None = None,
    ) -> None:
        self._trial = trial
        self._evaluations = evaluations
        self._run = run
        self._report = report
        self._scripted = scripted
        self._follower = Follower(sweep_dir.trial(trial.number).path, anywhere=scripted is not None)
        self._first = FirstValues()

    def run(self) -> None:
        found = self._follower.poll() if self._evaluations is None else self._evaluations
        if self._scripted is not None:
            found = self._scripted.counted(self._trial, found)
        evaluations = [e for e in map(self._first.take, found) if e is not None]
        last = self._last_step()
        counted = [e for e in evaluations if last is None or e.step <= last]
        self._compare_study(counted)
        if self._run is not None:
            self._compare_run(self._run, counted)
        self._note()

    def _last_step(self) -> int | None:
        """Return the step beyond which a trial's evaluations do not count, or None."""
        if self._trial.state is TrialState.COMPLETE and STOPPED_AT not in self._trial.record.tags:
            return None
        step = self._trial.record.step
        return -1 if step is None else step

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
            if metric in record.constraints and not same(value, record.constraints[metric]):
                self._differ(f"study: constraint {metric} is {record.constraints[metric]!r}, recomputed {value!r}")
        if self._trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and self._trial.values:
            self._compare_objective(objective_values(objectives, curves))

    def _is_source(self, evaluation: Evaluation, tag: str) -> bool:
        if self._scripted is None:
            return not evaluation.aside
        return self._scripted.is_source(self._trial, evaluation.folder, tag)

    def _compare_objective(self, expected: Mapping[str, float]) -> None:
        for metric, value in self._trial.values.items():
            if metric not in expected:
                if math.isfinite(value):
                    self._differ(f"study: objective {metric} is {value!r}, the event files have none")
            elif not same(value, expected[metric]) and math.isfinite(value):
                self._differ(f"study: objective {metric} is {value!r}, recomputed {expected[metric]!r}")

    def _compare_run(self, run: RecordedRun, evaluations: list[Evaluation]) -> None:
        names = MetricNames() if self._scripted is None else self._scripted.names(self._trial.number)
        expected: dict[str, dict[int, float]] = {}
        for evaluation in evaluations:
            for tag, value in evaluation.scalars.items():
                if not math.isinf(value):
                    name = names.name(evaluation.folder, tag, evaluation.aside)
                    expected.setdefault(name, {}).setdefault(evaluation.step, value)
        held = {name: values for name, values in run.metrics.items() if name.startswith("eval/")}
        for name in sorted({*expected, *held}):
            self._compare(f"MLflow, {name}", held.get(name, {}), expected.get(name, {}))
        for line in run.doubled:
            self._differ(f"MLflow: {line} has more than one row")
        self._compare_recorded(run)

    def _compare_recorded(self, run: RecordedRun) -> None:
        trial = self._trial
        if run.tags.get("tuner.state") != trial.state.value:
            self._differ(f"MLflow: state {run.tags.get('tuner.state')}, study: {trial.state.value}")
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            for metric, value in trial.values.items():
                name = valid_name(f"objective/{metric}") if len(trial.values) > 1 else "objective"
                held = list(run.metrics.get(name, {}).values())
                if not math.isinf(value) and not (held and same(held[-1], value)):
                    self._differ(f"MLflow: {name} is {held}, study: {value!r}")

    def _compare(self, where: str, held: Mapping[int, float], expected: Mapping[int, float]) -> None:
        for step in sorted({*held, *expected}):
            self._report.values += 1
            if step not in held:
                self._differ(f"{where}: step {step} is missing, event files: {expected[step]!r}")
            elif step not in expected:
                self._differ(f"{where}: step {step} is {held[step]!r}, the event files have none")
            elif not same(held[step], expected[step]):
                self._differ(f"{where}: step {step} is {held[step]!r}, event files: {expected[step]!r}")

    def _differ(self, line: str) -> None:
        self._report.differences.append(f"trial {self._trial.number}: {line}")

    def _note(self) -> None:
        if self._first.differing:
            self._report.notes.append(
                f"trial {self._trial.number}: {self._first.differing} repeats differ from the first value, which stands"
            )
        for damage in self._follower.damage:
            self._report.notes.append(f"trial {self._trial.number}: {damage}")
