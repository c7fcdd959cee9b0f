"""Trials that break a constraint: each scheduler takes them for worse than those that keep to all."""

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.domain.trial import TrialState
from tuner.sweep.simulate import simulate


class Curves:
    """Curves of a trial that is the better, the farther it is beyond its constraint."""

    def __init__(self, params=None):
        self.params = params

    def begin(self, params, seed):
        return Curves(params)

    def fork(self, donor, step, params, seed):
        return Curves(params)

    def at(self, step):
        return {"rmse": 2.0 - self.params["x"] + 0.1 * self.params["y"] + 0.1 / step, "latency": self.params["x"]}

    def seconds(self, begin, end):
        return float(end - begin)


@pytest.mark.parametrize(
    "search",
    [
        "sampler: random, scheduler: asha",
        "sampler: tpe, scheduler: asha",
        "sampler: random, scheduler: asha_stopping",
        "sampler: random, scheduler: hyperband",
        "sampler: random, scheduler: median",
        "sampler: random, scheduler: {name: percentile, percentile: 50}",
        "sampler: tpe, scheduler: {name: pbt, population: 8}",
        "method: freeze_thaw",
    ],
)
def test_those_that_go_on_keep_to_the_constraints_if_some_do(tmp_path, search):
    text = SIMULATED.replace(
        "rate: {type: float, low: 1.0e-4, high: 1.0, log: true}", "x: {type: float, low: 0, high: 1}"
    )
    text = text.replace("units: {type: int, low: 16, high: 256}", "y: {type: float, low: 0, high: 1}")
    text = text.replace("max_steps: 90, evaluate_every: 90", "max_steps: 27, evaluate_every: 1")
    text = text.replace("sampler: random, trials: 2, workers: 1", f"{search}, trials: 60, seed: 1")
    (tmp_path / "sim.yaml").write_text(text + "constraints: {latency: {max: 0.5}}\n")
    found = simulate(tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path).spec, 1, None, Curves())
    complete = [trial for trial in found.trials if trial.state is TrialState.COMPLETE]
    assert complete and sum(trial.feasible for trial in complete) > len(complete) / 2
