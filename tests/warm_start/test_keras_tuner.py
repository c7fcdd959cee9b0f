"""Results folders of Keras Tuner as finished trials."""

import json

import pytest

from tuner.domain.objective import Goal, Objective
from tuner.errors import InvalidInput
from tuner.warm_start import read_results


def keras_trial(folder, number, values, metrics, status="COMPLETED"):
    place = folder / f"trial_{number}"
    place.mkdir(parents=True)
    histories = {
        name: {"direction": "min", "observations": [{"value": v, "step": s} for s, v in enumerate(curve)]}
        for name, curve in metrics.items()
    }
    data = {"hyperparameters": {"space": [], "values": values}, "metrics": {"metrics": histories}, "status": status}
    (place / "trial.json").write_text(json.dumps(data))


@pytest.fixture
def keras_folder(tmp_path):
    folder = tmp_path / "around" / "demo"
    keras_trial(folder, "0", {"lr": 0.1, "tuner/epochs": 9}, {"val_loss": [[3.0, 5.0], [1.0, 2.0]], "loss": [[9], [8]]})
    keras_trial(folder, "1", {"lr": 0.2, "tuner/epochs": 3}, {"val_loss": [[1.0]], "loss": [[1.0]]})
    keras_trial(folder, "2", {"lr": 0.3}, {}, status="FAILED")
    (folder / "oracle.json").write_text("{}")
    return folder


def test_keras_tuners_trials_are_read_with_the_value_of_the_evaluation(keras_folder):
    for folder in (keras_folder, keras_folder.parent):
        found = read_results(folder, (Objective("loss"),))
        # Executions of one trial are averaged; Hyperband's shorter trial is left out.
        assert found.trials == (({"lr": 0.1}, {"loss": 1.5}),)
        assert [note.split()[0] for note in found.notes] == ["1", "1"]


def test_keras_tuners_objective_that_goes_the_other_way_is_refused(keras_folder):
    with pytest.raises(InvalidInput, match="val_loss is to minimize there, expected to maximize it"):
        read_results(keras_folder, (Objective("loss", Goal.MAXIMIZE),))
