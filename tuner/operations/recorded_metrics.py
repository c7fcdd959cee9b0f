"""What was recorded of a sweep's evaluations: which metric came from which folder, by the record log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from tuner.domain.spec import SweepSpec
from tuner.domain.trial import Evaluation
from tuner.events.script_follower import ROOT
from tuner.files.paths import SweepDir
from tuner.recorders.mlflow.naming import MetricNames
from tuner.records.log import read_records
from tuner.records.record import Evaluated
from tuner.results import Trial
from tuner.script.objective_folders import folders_of, metrics_of, wanted_folders


class RecordedMetrics:
    """Which of all that the trials' commands wrote was recorded, so that it can be compared.

    Args:
        sweep_dir: The sweep's folder.
        spec: The sweep.
    """

    def __init__(self, sweep_dir: SweepDir, spec: SweepSpec) -> None:
        self._metrics = set(metrics_of(spec))
        self._wanted = wanted_folders(spec)
        self._recorded: dict[int, set[tuple[str, int, str]]] = {}
        self._names: defaultdict[int, MetricNames] = defaultdict(MetricNames)
        for record, _ in read_records(sweep_dir.records_file):
            if isinstance(record, Evaluated):
                found = record.evaluation
                keys = ((found.folder, found.step, tag) for tag in found.scalars)
                self._recorded.setdefault(record.trial, set()).update(keys)
                for tag in found.scalars:
                    self._names[record.trial].name(found.folder, tag, found.is_secondary)

    def names(self, trial: int) -> MetricNames:
        """Return the names of a trial's metrics, given in the order in which its evaluations were recorded."""
        return self._names[trial]

    def counted(self, trial: Trial, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
        """Return what counts of a trial's events: its objectives if they were chosen, and what was recorded."""
        recorded, found = self._recorded.get(trial.number, set()), []
        for evaluation in evaluations:
            folder = evaluation.folder or ROOT
            scalars = {
                tag: value
                for tag, value in evaluation.scalars.items()
                if (folder, evaluation.step, tag) in recorded or self.is_source(trial, folder, tag)
            }
            if scalars:
                found.append(replace(evaluation, folder=folder, scalars=scalars))
        return found

    def is_source(self, trial: Trial, folder: str, tag: str) -> bool:
        """Whether ``tag`` is an objective and its value in ``folder`` counts."""
        # A trial that is not finished has no choice recorded yet.
        return tag in self._metrics and folders_of(trial.record.tags).get(tag, self._wanted.get(tag, folder)) == folder


def evaluations_in_log(sweep_dir: SweepDir) -> dict[int, list[Evaluation]]:
    """Return what each trial evaluated, in the order in which it was recorded."""
    found: dict[int, list[Evaluation]] = {}
    for record, _ in read_records(sweep_dir.records_file):
        if isinstance(record, Evaluated):
            found.setdefault(record.trial, []).append(record.evaluation)
    return found


def recorded_beyond_study(sweep_dir: SweepDir, trials: Sequence[Trial]) -> Mapping[int, Set[tuple[str, int, str]]]:
    """Return folder, step and tag of what was recorded of trials from the last step on that the study has of them.

    A trial that ended before its end wrote evaluations that nobody took any more; one whose objective never came has
    no step in its study, though its evaluations were recorded.
    """
    last = {trial.number: trial.record.step or 0 for trial in trials}
    found: defaultdict[int, set[tuple[str, int, str]]] = defaultdict(set)
    for record, _ in read_records(sweep_dir.records_file):
        if isinstance(record, Evaluated):
            shown = record.evaluation
            if shown.step >= last.get(record.trial, 0):
                found[record.trial].update((shown.folder, shown.step, tag) for tag in shown.scalars)
    return found
