"""A simulated sweep."""

import tuner
from tests.spaces import SIMULATED


def simulated(tmp_path, notify=""):
    (tmp_path / "sim.yaml").write_text(SIMULATED.replace("evaluate_every: 90", "evaluate_every: 30") + notify)
    return tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
