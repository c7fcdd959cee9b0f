"""What a sweep must have found, worked out from the formula alone: nothing of tuner's own rules is used here."""

import math
import statistics

from tests.truth import formula


def same(one, other):
    """Whether two numbers are equal to the last bit, NaN included."""
    return one == other or (one != one and other != other)


def value_of(rule, values, minimize):
    """Return what ``of`` makes of values in step order."""
    if rule == "last":
        return values[-1]
    if rule == "best":
        numbers = [value for value in values if math.isfinite(value)]
        return (min if minimize else max)(numbers) if numbers else values[0]
    tail = values[-rule["mean"] :]
    return statistics.fmean(tail)


class Oracle:
    """A sweep as its file says it, read anew.

    Args:
        data: The file as plain values.
        seed_of: Trial's number to the seed that the formula is given.
    """

    def __init__(self, data, seed_of):
        objective = data["objective"]
        self.objectives = objective if isinstance(objective, list) else [objective]
        self.constraint = data.get("constraints", {}).get("size")
        self.steps, self.every = data["train"]["max_steps"], data["train"]["evaluate_every"]
        self.search = data["search"]
        self._seed_of = seed_of

    def minimizes(self, objective):
        return objective.get("goal", "minimize") == "minimize"

    def grid(self, begins, until):
        """Return the steps that a trial is evaluated at: that which it was copied at first, its end last."""
        steps = [*range(self.every, self.steps, self.every), self.steps]
        return [*([begins] if begins else []), *(step for step in steps if begins < step <= until)]

    def curve(self, trial, params, steps):
        """Return step to tag to value."""
        return {step: formula.at(params, step, self._seed_of(trial)) for step in steps}

    def values(self, curve):
        """Return the objectives of a trial with that curve."""
        found = {}
        for objective in self.objectives:
            values = [point[objective["metric"]] for point in curve.values()]
            found[objective["metric"]] = value_of(objective.get("of", "last"), values, self.minimizes(objective))
        return found

    def feasible(self, curve):
        """Whether a trial with that curve keeps to the constraint."""
        if self.constraint is None:
            return True
        values = [point["size"] for point in curve.values()]
        return self.allowed(value_of(self.constraint.get("of", "last"), values, minimize="max" in self.constraint))

    def allowed(self, size):
        """Whether a size keeps to the constraint."""
        if self.constraint is None:
            return True
        return self.constraint.get("min", -math.inf) <= size <= self.constraint.get("max", math.inf)

    def losses(self, values):
        """Return the objectives as numbers of which less is better; an infinity is none."""
        found = [values[o["metric"]] * (1 if self.minimizes(o) else -1) for o in self.objectives]
        return [value if math.isfinite(value) else math.nan for value in found]

    def best_step(self, curve):
        """Return the step that is exported: the best by the first objective that keeps to the constraint."""
        first = self.objectives[0]

        def key(step):
            value = curve[step][first["metric"]] * (1 if self.minimizes(first) else -1)
            sound = math.isfinite(value)
            return (not self.allowed(curve[step]["size"]), not sound, value if sound else 0.0, step)

        return min(curve, key=key)

    def improvements(self, curve, objective):
        """Return step to value of each evaluation that was the best when it came."""
        found, best, sign = {}, math.inf, 1 if self.minimizes(objective) else -1
        for step, point in curve.items():
            value = point[objective["metric"]]
            if math.isfinite(value) and sign * value < best:
                found[step], best = value, sign * value
        return found

    def value_step(self, curve):
        """Return the step that the first objective is of."""
        first = self.objectives[0]
        if first.get("of", "last") != "best":
            return max(curve)
        target = self.values(curve)[first["metric"]]
        return next(step for step, point in curve.items() if same(point[first["metric"]], target))
