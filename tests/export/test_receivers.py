"""What servers can be given: real Estimators of every kind, exported, loaded without tuner, compared, served by MLflow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.errors import SweepError
from tuner.export import export

pytestmark = [pytest.mark.slow, pytest.mark.tf]

HERE = Path(__file__).parent
MODEL = HERE.parent / "data" / "models" / "receivers.py"

# One process trains and saves all, another one checks all: TensorFlow is imported twice, not twice a case.
SAVES = """
import sys
from pathlib import Path
from tuner.estimator.install import install_estimator
install_estimator()
import tensorflow as tf
from tuner.export.saved_model import save, saved
from tuner.domain.job import Job
from tuner.model import load_model
from tuner.trial.run import build
tf.compat.v1.logging.set_verbosity("ERROR")
for stage in map(Path, sys.argv[1:]):
    job = Job.read(stage / "job.json")
    estimator, specs = build(load_model(job.model), job, stage / "trial")
    estimator.train(specs.train.input_fn, steps=2)
    saved(stage, save)
"""
CHECKS = """
import json
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import parity_check
import mlflow.models
for stage in map(Path, sys.argv[2:]):
    parity_check.judge(stage)
    if "MLflow" in json.loads((stage / "verdict.json").read_text()).get("compared", []):
        served = stage / "model"  # and it answers what a client of its server sends
        mlflow.models.validate_serving_input(str(served), (served / "serving_input_example.json").read_text())
assert "tuner" not in sys.modules
"""

TEXT, BYTES = "str", "binary"
CLASSIFIER = ["classification", "predict", "regression", "serving_default"]
REGRESSOR = ["predict", "regression", "serving_default"]
ALONE = ["serving_default"]
TABLE = {  # case to rows that are compared, signatures, inputs of the MLflow model
    "raw floats": (64, ALONE, {"a": "double", "b": "double"}),
    "raw scalars": (64, ["predict"], {"age": "double"}),
    "raw text and a matrix": (64, ["predict"], {"color": TEXT, "x": "float32"}),
    "raw of open rank": (64, ALONE, {"x": "float32"}),
    "raw, eight rows at a time": (8, ALONE, {"x": "float32"}),
    "Examples of one float feature": (64, CLASSIFIER, {"inputs": BYTES}),
    "Examples of several features": (64, CLASSIFIER, {"inputs": BYTES}),
    "Examples of one string": (64, REGRESSOR, {"inputs": BYTES}),
    "Examples of lists, padded in evaluation": (64, REGRESSOR, {"inputs": BYTES}),
    "Examples of lists, sparse in evaluation": (64, REGRESSOR, {"inputs": BYTES}),
    "Examples of lists, ragged": (64, ALONE, {"examples": BYTES}),
    "Examples for a regressor": (64, REGRESSOR, {"inputs": BYTES}),
    "Examples with names of their own": (64, ALONE, {"serialized": BYTES}),
    "Examples, parsed row by row": (64, ALONE, {"input": BYTES}),
    "Examples, classified only": (64, ["regress", "serving_default"], {"inputs": BYTES}),
    "a tensor": (64, ALONE, {"pixels": "float32"}),
    "several heads": (64, ["kind/predict", "predict", "size/predict"], {"x": "float32"}),
    "Keras": (64, ALONE, {"x": "float32"}),
    "text of several lines": (64, ALONE, {"color": "string"}),
    "predictions that are bytes": (64, ALONE, {"x": "float32"}),
    "lists that are padded batch by batch": (40, ALONE, {"tokens": "int64"}),
}
NOT_COMPARED = "predictions were not compared, and the MLflow model has no input example: "
NOTED = {  # case to rows that are compared, and the note
    "a prediction without rows": (
        64,
        "the MLflow model does not answer its input example: ValueError: All arrays must be",
    ),
    "bytes and a matrix": (64, "the MLflow model has no signature and no input example: image is bytes"),
    "raw, of another shape": (0, NOT_COMPARED + "ValueError: Cannot feed value of shape (64, 4)"),
    "features that the server makes": (0, NOT_COMPARED + "serving_input_receiver_fn makes another 'x' of a row"),
    "sparse placeholders": (0, "predictions were not compared: words is sparse"),
    "Examples of what the evaluation lacks": (
        0,
        NOT_COMPARED + "tensorflow.python.framework.errors_impl.InvalidArgumentError: Name: <unknown>, Feature: age",
    ),
    "an alternative": (64, "not compared: scaled:serving_default, whose inputs or outputs"),
    "an evaluation that fails": (0, NOT_COMPARED + "OSError: the rows for validation are gone"),
}
REFUSED = {  # case to the message
    "random predictions": "the export does not do what the Estimator does: predictions differ by",
    "Python in the graph": (
        "did not pass its check: the signature serving_default fails for rows that the Estimator predicts for: "
        "InvalidArgumentError: ValueError: Could not find callback"
    ),
    "raw floats, classified only": "exports no signature: regress, serving_default of its export_outputs classify or",
}


class Stages:
    """Every case, saved and checked, in a folder of its own."""

    def __init__(self, root):
        self.log = root / "log.txt"
        self.folders = {}
        for number, case in enumerate((*TABLE, *NOTED, *REFUSED)):
            self.folders[case] = stage = root / str(number)
            stage.mkdir()
            job = Job(0, 1, {"case": case}, 7, TrainSettings(2, 2), ModelRef(file=str(MODEL)))
            job.write(stage / "job.json")
            (stage / "order.json").write_text(json.dumps({"step": 2, "metadata": {}}))
            (stage / "export.json").write_text("{}")
        self.run(SAVES, *self.folders.values(), environment=os.environ)
        without_tuner = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        saved = [stage for stage in self.folders.values() if (stage / "done.json").exists()]
        self.run(CHECKS, Path(export.__file__).parent, *saved, environment=without_tuner, cwd=root)

    def run(self, code, *arguments, environment, cwd=None):
        with self.log.open("ab") as log:
            line = [sys.executable, "-c", code, *map(str, arguments)]
            subprocess.run(line, stdout=log, stderr=log, env=environment, cwd=cwd, check=True)

    def judged(self, case):
        """Return signatures, what the check says, its notes, and the verdict."""
        stage = self.folders[case]
        done = export.done_or_fault(stage, self.log, 0)
        verdict = json.loads((stage / "verdict.json").read_text())
        return done["signatures"], *export.verdict_of(stage, done, self.log, 0), verdict

    def inputs(self, case):
        """Return what the MLflow model takes, by name; None where it does not say."""
        from mlflow.models import Model

        signature = Model.load(str(self.folders[case] / "model")).signature
        if signature is None:
            return None
        found = {one.name: one.type for one in signature.inputs.inputs}
        return {name: "str" if one == "<U0" else getattr(one, "name", str(one)) for name, one in found.items()}


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("receivers")
    try:
        return Stages(folder)
    except subprocess.CalledProcessError:
        pytest.fail((folder / "log.txt").read_text()[-3000:])


@pytest.mark.parametrize("case", TABLE)
def test_whatever_a_server_is_given_is_compared_for_held_out_rows_and_served_by_mlflow(stages, case):
    rows, signatures, inputs = TABLE[case]
    found, said, notes, verdict = stages.judged(case)
    assert (found, notes) == (signatures, [])
    assert said.startswith(f"{rows} held-out rows, predictions equal to ")
    assert "MLflow" in verdict["compared"]
    assert verdict["left_out"] == []
    assert stages.inputs(case) == inputs


@pytest.mark.parametrize("case", NOTED)
def test_what_cannot_be_fed_or_told_to_mlflow_is_exported_with_a_note_of_why(stages, case):
    rows, note = NOTED[case]
    _, said, notes, _ = stages.judged(case)
    assert any(one.startswith(note) for one in notes), notes
    expected = f"{rows} held-out rows, predictions equal to" if rows else "loaded again; predictions were not compared"
    assert said.startswith(expected)


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_served_or_answers_otherwise_is_refused_and_only_then_random_numbers_are_asked_for(stages, case):
    with pytest.raises(SweepError) as refused:
        stages.judged(case)
    assert REFUSED[case] in str(refused.value)
    assert ("random numbers" in str(refused.value)) == (case == "random predictions")


def test_sparse_inputs_and_bytes_beside_a_matrix_have_no_mlflow_signature(stages):
    assert stages.inputs("sparse placeholders") is None
    assert stages.inputs("bytes and a matrix") is None
    assert stages.inputs("an evaluation that fails") == {"x": "float32"}
