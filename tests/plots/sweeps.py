"""A sweep in memory: what the study would know of it."""

import math
import random
import re

from tuner.config import load_spec
from tuner.domain.trial import TrialRecord, TrialState

ONE = """
name: drawn
model: tuner.examples.housing
objective: {metric: rmse, goal: minimize}
parameters:
  learning_rate: {type: float, low: 1e-4, high: 1e-1, log: true}
  layers: {type: int, low: 1, high: 4}
  optimizer: {type: categorical, choices: [adam, sgd]}
  momentum: {type: float, low: 0.0, high: 0.99, when: {optimizer: sgd}}
  batch_size: 128
train: {max_steps: 1000, evaluate_every: 100}
search: {trials: 20}
"""

TWO = ONE.replace("{metric: rmse, goal: minimize}", "[{metric: rmse, goal: minimize}, {metric: speed, goal: maximize}]")


def spec(folder, text=ONE):
    file = folder / "drawn.yaml"
    file.write_text(text)
    return load_spec(file)


def trials(spec, count=20, pruned=True):
    """A learning rate near 0.01 is best, layers matter less, momentum not at all."""
    rng = random.Random(0)
    found = []
    for number in range(count):
        params = {"learning_rate": 10 ** rng.uniform(-4, -1), "layers": rng.randint(1, 4), "optimizer": "adam"}
        if number % 2:
            params |= {"optimizer": "sgd", "momentum": min(rng.random(), 0.99)}
        params["batch_size"] = 128
        base = 0.5 + 0.3 * (math.log10(params["learning_rate"]) + 2) ** 2 + 0.02 * params["layers"]
        stops = pruned and number % 4 == 3
        curve = {step: base + math.exp(-step / 300) for step in range(100, 501 if stops else 1001, 100)}
        values = {o.metric: (curve[max(curve)] if o.metric == "rmse" else rng.random()) for o in spec.objectives}
        state = TrialState.PRUNED if stops else TrialState.COMPLETE
        reason = "by median at step 500" if stops else ""
        found.append(TrialRecord(number, state, params, reason, values, curve, seconds=3.0))
    return found


def named(charts):
    return {chart.name: chart for chart in charts}


def fetched(text):
    """Return whatever in a page would make a browser ask another place."""
    found = re.findall(r"""(?:src|href|action|data)\s*=\s*["']?(?!data:)([^"'\s>]+)""", text)
    found += re.findall(r"url\(([^)]*)\)|@import|(https?://[^\s\"'<]*)", text)
    return [entry for entry in found if entry]
