"""A trial as people see it: its parameters, values and folder, what it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuner.domain.objective import Constraint, Objective
from tuner.domain.pareto import ranked_steps
from tuner.domain.repeats import SeedGroup, first_of
from tuner.domain.scoring import curves_of, objective_values
from tuner.domain.tags import SERVABLE
from tuner.domain.trial import TrialRecord, TrialState
from tuner.text import cell_text


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
    group: SeedGroup | None = None

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
        """Objective's metric to value; of a trial that may go on as it stands now; empty if there is none."""
        if self.state.is_finished:
            return dict(self.record.values)
        return objective_values(self.objectives, curves_of(self.record, self.objectives))

    @property
    def value(self) -> float | None:
        """The first objective, as in ``values``."""
        return self.values.get(self.objectives[0].metric)

    @property
    def value_step(self) -> int | None:
        """Global step of the evaluation that the first objective is of; of a mean the last one; None without any."""
        return self.value_steps.get(self.objectives[0].metric)

    @property
    def value_steps(self) -> dict[str, int]:
        """Each objective's metric to the step of its value, as ``value_step`` has it of the first."""
        curves = curves_of(self.record, self.objectives)
        return {
            objective.metric: ranked_steps(curve, objective.goal)[0] if objective.of.rule == "best" else max(curve)
            for objective in self.objectives
            if (curve := curves.get(objective.metric))
        }

    @property
    def ranked_steps(self) -> list[int]:
        """The global steps that it was evaluated at by the first objective, the best first.

        Those that break a constraint come last.
        """
        first, record = self.objectives[0], self.record
        return ranked_steps(record.curve, first.goal, self.constraints, {first.metric: record.curve, **record.others})

    def values_at(self, step: int) -> dict[str, float]:
        """Return what the metric of each objective was at a global step."""
        first, others = self.objectives[0].metric, self.record.others
        curves = {first: self.record.curve, **{o.metric: others.get(o.metric, {}) for o in self.objectives[1:]}}
        return {metric: curve[step] for metric, curve in curves.items() if step in curve}

    @property
    def feasible(self) -> bool | None:
        """Whether it breaks no constraint; None if that is not known, or the sweep has none."""
        if not self.constraints or len(self.record.constraints) < len(self.constraints):
            return None
        return self.record.feasible

    @property
    def is_servable(self) -> bool:
        """Whether its model can be exported."""
        return self.record.tags.get(SERVABLE) == "true"

    @property
    def judged(self) -> float | None:
        """What it is judged by: the first objective, or its mean if parameters are repeated."""
        return self.value if self.group is None else self.group.mean

    def _of_group(self) -> dict[str, Any]:
        if self.group is None:
            return {}
        first = first_of(self.number, self.record.tags)
        return {"repeat_of": None if first == self.number else first, **self.group.row()}

    def __repr__(self) -> str:
        values = "".join(f", {metric} {value:.6g}" for metric, value in self.values.items())
        at = f" at step {self.record.step}" if self.record.step else ""
        reason = f" ({self.record.reason})" if self.record.reason else ""
        return f"<Trial {self.number}: {self.state.value}{at}{values}{reason}, {cell_text(self.params)}>"

    def fields(self) -> dict[str, Any]:
        """Return what conditions and sorting know of it: a row's entries, its parameters and values by their names.

        None is a choice there; entries that it has no value of are left out.
        """
        row = self.row()
        params, values = row.pop("params"), {**row.pop("values"), **row.pop("constraints", {})}
        whole = {f"params.{name}": value for name, value in params.items()}
        there = {name: value for name, value in {**row, "value": self.judged}.items() if value is not None}
        return {**whole, **params, **values, **there}

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
