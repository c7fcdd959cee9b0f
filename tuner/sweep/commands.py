"""What the sweep knows of commands: whether one can be run, what a trial's is, which folder counts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from tuner.command import check_command, fill
from tuner.errors import InvalidInput, Problem
from tuner.events.command import ROOT
from tuner.paths import SweepDir, TrialDir
from tuner.recorders.names import MetricNames
from tuner.records import Evaluated, read_records
from tuner.results import Trial
from tuner.spec import SweepSpec
from tuner.study import TrialRecord
from tuner.values import Evaluation

FOLDERS = "tuner.objective_folders"
"""Tag of a command's trial: objective to the folder whose evaluations counted, as JSON."""


def check(spec: SweepSpec, backend: str) -> None:
    """Look whether a sweep's command can be run, before any trial.

    Raises:
        InvalidInput: It cannot.
    """
    if spec.model is not None:
        raise InvalidInput("", [Problem("model", "stands beside a command, expected one of the two", "remove one")])
    if backend == "inline":
        raise InvalidInput("backend", "inline runs models in this process, and there is a command; use local")
    if not Path(spec.command_dir).is_dir():
        raise InvalidInput(
            "command", f"its working directory {spec.command_dir} is gone; run it again with `tuner run` in the new one"
        )
    check_command(spec.command, _names(spec), spec.command_dir)


def command_of(spec: SweepSpec, record: TrialRecord, trial_dir: TrialDir) -> tuple[str, ...]:
    """Return the command of a trial; empty where the sweep has a model."""
    if not spec.command:
        return ()
    params = {**record.params, **spec.space.constants}
    return fill(spec.command, params, _names(spec), record.number, trial_dir.path.absolute())


def metrics_of(spec: SweepSpec) -> tuple[str, ...]:
    """Return the tags that a command's folders are chosen by: objectives and constraints."""
    return (*(objective.metric for objective in spec.objectives), *(limit.metric for limit in spec.constraints))


def wanted_folders(spec: SweepSpec) -> dict[str, str]:
    """Return each objective's folder, where the file says which counts."""
    return {objective.metric: objective.folder for objective in spec.objectives if objective.folder}


def _names(spec: SweepSpec) -> list[str]:
    return [*(parameter.name for parameter in spec.space.parameters), *spec.space.constants]


class ObjectiveFolders:
    """Which folder's evaluations of an objective count.

    Of a command those of the folder that is wanted, else of the first that has it, so that none are mixed; of a
    model its own evaluations.

    Args:
        command: Whether the trial is a command.
        wanted: Of a command, objective to folder.
    """

    def __init__(self, command: bool, wanted: Mapping[str, str]) -> None:
        self._command = command
        self._wanted = wanted
        self._chosen: dict[str, str] = dict(wanted)
        self._others: dict[str, set[str]] = {}

    def counts(self, metric: str, evaluation: Evaluation) -> bool:
        """Whether what an evaluation has of ``metric`` counts."""
        if not self._command:
            return not evaluation.aside
        chosen = self._chosen.setdefault(metric, evaluation.folder)
        if chosen != evaluation.folder:
            self._others.setdefault(metric, set()).add(evaluation.folder)
        return chosen == evaluation.folder

    def elsewhere(self, metric: str) -> str:
        """Say in which other folders than the wanted one there is ``metric``; empty where there are none."""
        others = sorted(self._others.get(metric, ()))
        return f"the folder {self._wanted[metric]!r} has none; {', '.join(others)} has" if others else ""

    @property
    def tags(self) -> dict[str, str]:
        """The choice as a tag of the trial."""
        return {FOLDERS: json.dumps(self._chosen)} if self._command and self._chosen else {}

    @property
    def choices(self) -> list[str]:
        """A line for each objective that several folders have."""
        return [
            f"{metric!r} is written in {', '.join(sorted({self._chosen[metric], *others}))}: "
            f"what {self._chosen[metric]} has counts, because it was there first; objective.folder says which shall"
            for metric, others in self._others.items()
            if metric not in self._wanted
        ]


def folders_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the choice that a trial's tags hold: objective to folder."""
    found: dict[str, str] = json.loads(tags.get(FOLDERS, "{}"))
    return found


class Scripted:
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
                    self._names[record.trial].name(found.folder, tag, found.aside)

    def names(self, trial: int) -> MetricNames:
        """Return the names of a trial's metrics, given in the order in which its evaluations were recorded."""
        return self._names[trial]

    def counted(self, trial: Trial, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
        """Return what counts of a trial's events: its objectives where they were chosen, and what was recorded."""
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
        # A trial that is not settled has no choice recorded yet.
        return tag in self._metrics and folders_of(trial.record.tags).get(tag, self._wanted.get(tag, folder)) == folder
