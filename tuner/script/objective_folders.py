"""Which folder's evaluations of an objective count, if a command wrote it in several."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tuner.domain.spec import SweepSpec
from tuner.domain.tags import OBJECTIVE_FOLDERS
from tuner.domain.trial import Evaluation
from tuner.text import suggestion


def metrics_of(spec: SweepSpec) -> tuple[str, ...]:
    """Return the tags that a command's folders are chosen by: objectives and constraints."""
    return (*(objective.metric for objective in spec.objectives), *(limit.metric for limit in spec.constraints))


def wanted_folders(spec: SweepSpec) -> dict[str, str]:
    """Return each objective's folder, if the file says which counts."""
    return {objective.metric: objective.folder for objective in spec.objectives if objective.folder}


class ObjectiveFolders:
    """Which folder's evaluations of an objective count of a command.

    Those of the folder that is wanted, else of the first that has it, so that none are mixed.

    Args:
        wanted: Objective to folder.
    """

    def __init__(self, wanted: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._chosen: dict[str, str] = dict(wanted)
        self._others: dict[str, set[str]] = {}

    def counts(self, metric: str, evaluation: Evaluation) -> bool:
        """Whether what an evaluation has of ``metric`` counts."""
        chosen = self._chosen.setdefault(metric, evaluation.folder)
        if chosen != evaluation.folder:
            self._others.setdefault(metric, set()).add(evaluation.folder)
        return chosen == evaluation.folder

    def elsewhere(self, metric: str) -> str:
        """Say that ``metric`` came in other folders than the wanted one; empty if it did not."""
        others = sorted(self._others.get(metric, ()))
        if not others:
            return ""
        said = f"the objective {metric!r} never came in the folder {self._wanted[metric]!r} that objective.folder names"
        hint = suggestion(self._wanted[metric], others)
        return f"{said}; folders that have it: {', '.join(others)}{hint and f'; {hint}'}"

    @property
    def tags(self) -> dict[str, str]:
        """The choice as a tag of the trial."""
        return {OBJECTIVE_FOLDERS: json.dumps(self._chosen)} if self._chosen else {}

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
    found: dict[str, str] = json.loads(tags.get(OBJECTIVE_FOLDERS, "{}"))
    return found
