"""Population based training over a parameter that changes a variable's shape."""

import pytest

from tests.sweep.test_budgets import run
from tuner.values import TrialState

pytestmark = pytest.mark.slow


def test_an_exploit_whose_parameters_change_a_variables_shape_is_refused_with_the_remedy(space_file, root, tmp_path):
    model = tmp_path / "wide.py"
    model.write_text(
        "import tensorflow as tf\nfrom tests.models.tiny import *\nfrom tests.models import tiny\n"
        "def model_fn(features, labels, mode, params):\n"
        "    tf.compat.v1.get_variable('wide', [params['units'], 2])\n"
        "    return tiny.model_fn(features, labels, mode, params)\n"
    )
    parameters = "learning_rate: {type: float, low: 0.01, high: 0.1}\nunits: {type: int, low: 4, high: 64}"
    scheduler = "{name: pbt, population: 2, every: 20, quantile: 0.5, perturb: [units]}"
    search = f"{{sampler: random, scheduler: {scheduler}, trials: 3}}"
    file = space_file(model=model, parameters=parameters, search=search, train="{max_steps: 40, evaluate_every: 20}")
    ran, _ = run(file, root)
    (forked,) = [t for t in ran.result.trials if "tuner.forked_from" in t.record.tags]
    assert forked.state is TrialState.FAIL
    assert "does not fit the model: wide has the shape [" in forked.record.reason
    assert "take it out of search.scheduler.perturb" in forked.record.reason
