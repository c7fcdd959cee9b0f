"""What a sweep's settings will not do, said before it starts: allowed, and rarely meant."""

from __future__ import annotations

import math

from tuner.space import Float, Int
from tuner.space.drawing import fitted
from tuner.spec import SweepSpec

_POPULATION = 8  # pbt's own


def hints(spec: SweepSpec) -> list[str]:
    """Return what is worth a line, from the settings alone."""
    found = []
    search = spec.search
    population = int(search.scheduler.options.get("population", _POPULATION))
    if search.scheduler.name == "pbt" and search.trials <= population:
        found.append(
            f"pbt trains a population of {population}, and {search.trials} trials leave none for copies of the best, "
            "each of which is a trial: give more trials, or {name: pbt, population: 4}"
        )
    for parameter in spec.space.parameters:
        if not isinstance(parameter, (Int, Float)) or not parameter.step:
            continue
        last = fitted(parameter, parameter.high)
        if last < parameter.high and not math.isclose(last, parameter.high):
            found.append(
                f"parameters.{parameter.name}: steps of {parameter.step:g} from {parameter.low:g} do not come to "
                f"{parameter.high:g}; the last is {last:g}"
            )
    if spec.command and not any("{trial_dir}" in word for word in spec.command):
        found.append(
            "the command does not mention {trial_dir}: what it writes is looked for in each trial's folder, "
            "so tell it where that is, as in --job-dir {trial_dir}"
        )
    return found
