"""From the settings of a simulation to its curves."""

from __future__ import annotations

from pathlib import Path

from tuner.errors import InvalidInput
from tuner.simulation._base import Curves
from tuner.spec import SweepSpec


def make_curves(spec: SweepSpec) -> Curves:
    """Return the curves that a sweep's simulation names.

    Raises:
        InvalidInput: There is no simulation, or its table lacks what the sweep needs.
    """
    settings = spec.simulation
    if settings is None:
        raise InvalidInput(
            "simulation",
            "is missing in the search space file, expected where simulated trials have their curves from: "
            "{curves: FILE} or {task: surface}",
        )
    if settings.curves:  # both with NumPy, which commands that simulate nothing do not need
        from tuner.simulation.table import TableCurves

        return TableCurves(Path(settings.curves), spec.space, spec.objectives, spec.train, settings)
    from tuner.simulation.synthetic import SyntheticCurves

    return SyntheticCurves(spec.space, spec.objectives, spec.train, settings)
