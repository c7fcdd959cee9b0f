"""The tasks of the search benchmark: spaces and learning curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tuner.config import load_spec
from tuner.domain.spec import Named, Simulation, SweepSpec

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Task:
    """A task on which schedulers are compared.

    Attributes:
        name: As it stands in the names of ratios.
        spec: Space, objective, steps, curves.
        trials: Of random search at full budget.
        about: What it is, in a line.
    """

    name: str
    spec: SweepSpec
    trials: int
    about: str

    @property
    def budget(self) -> int:
        """Steps of random search at full budget."""
        return self.trials * self.spec.train.max_steps

    def run_with(self, scheduler: Named, seed: int, trials: int, reaction_s: float = 0.0) -> SweepSpec:
        """Return the sweep of one contender and seed."""
        simulation = self.spec.simulation or Simulation()
        search = replace(
            self.spec.search,
            sampler=Named("random"),
            scheduler=scheduler,
            trials=trials,
            seed=seed,
            max_consecutive_failures=trials,
        )
        return replace(self.spec, search=search, simulation=replace(simulation, reaction_s=reaction_s))


def tasks() -> list[Task]:
    """Return the three tasks."""
    return [
        Task("housing", load_spec(DATA / "housing.yaml"), 48, "curves recorded from tuner.examples.housing"),
        Task("digits", load_spec(DATA / "digits.yaml"), 48, "curves recorded from tuner.examples.digits"),
        Task("synthetic", load_spec(DATA / "synthetic.yaml"), 48, "synthetic curves that cross, with noise"),
    ]
