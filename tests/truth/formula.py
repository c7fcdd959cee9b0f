"""What models of the truth tests evaluate: formulas of parameters, seed and step, in plain Python.

Both metrics are float32 widened to a double, as event files hold them.
"""

import math
import random
import struct

MOST = 60  # global steps of a trial, at most


def float32(value):
    """Return a number as an event file gives it back."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def at(params, step, seed=0):
    """Return tag to value of the evaluation at a global step.

    Args:
        params: ``x`` in 0 to 1; ``k``, a whole number; ``c``, ``a`` or ``b``; ``m``, there only with ``b``;
            ``odd``, which curves are odd: none, ``nan`` or ``inf``; ``stride``, for how many steps one counts.
        step: Global step.
        seed: Of the trial; 0 for models whose score does not depend on it.
    """
    share, k = step * params.get("stride", 1) / MOST, params["k"]
    level = (params["x"] - 0.3) ** 2 + 0.05 * abs(k - 2) + (0.2 * params["m"] if params["c"] == "b" else 0.1)
    peak = 0.15 + 0.2 * k  # of its time: from there on it unlearns
    score = level + abs(share - peak) + 0.02 * random.Random(f"{seed}/{step}").random() * (seed > 0)
    if params.get("odd") == "nan" and k == 1 and share > 0.4:
        score = math.nan
    if params.get("odd") == "inf" and k == 3 and share > 0.3:
        score = math.inf
    size = 1.0 + k - 2.0 * share + params["x"]
    return {"score": float32(score), "size": float32(size)}


class FormulaCurves:
    """Learning curves of simulated trials by the formula; see ``tuner.backends.simulated.Curves``."""

    def __init__(self, *_settings):
        pass

    def begin(self, params, seed):
        return FormulaCourse(params, seed)

    def fork(self, donor, step, params, seed):
        del donor, step  # a checkpoint's score is a formula of its step and the parameters
        return FormulaCourse(params, seed)


class FormulaCourse:
    """One trial's curve."""

    def __init__(self, params, seed):
        self._params, self._seed = dict(params), seed

    def at(self, step):
        return at(self._params, step, self._seed)

    def seconds(self, begin, end):
        return 0.01 * (end - begin) * (1 + self._params["k"])
