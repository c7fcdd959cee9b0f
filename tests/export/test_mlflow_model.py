"""A SavedModel as an MLflow model: signature and input example."""

import numpy as np
import pytest

from tuner.export.mlflow_model import pack
from tuner.export.signature import Signature, TensorShape


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """Pack inputs of these shapes; return the model as MLflow loads it, and the note."""
    import mlflow.pyfunc

    monkeypatch.setattr("tuner.export.mlflow_model.requirements", lambda: ["numpy"])
    (tmp_path / "saved_model").mkdir()

    def pack_and_load(takes, inputs):
        served = Signature(takes, {"y": TensorShape("float32", (None, 3))}, {}, {})
        note = pack(tmp_path / "model", tmp_path / "saved_model", served, inputs, (), {})
        return mlflow.models.Model.load(str(tmp_path / "model")), note

    return pack_and_load


def objects(*rows):
    array = np.empty(np.shape(rows), object)
    array[...] = rows
    return array


PIXELS = np.arange(24, dtype=np.float32).reshape(6, 4)


@pytest.mark.parametrize(
    "words",
    [objects(b"u", b"v", b"w", "h\u00e9".encode(), b"long word", b"x"), objects(*[[b"a", b"b"]] * 6)],
)
def test_strings_beside_features_of_several_dimensions_have_a_signature_and_an_example(words, packed, tmp_path):
    takes = {"pixels": TensorShape("float32", (None, 4)), "words": TensorShape("string", (None, *words.shape[1:]))}
    model, note = packed(takes, {"pixels": PIXELS, "words": words})
    assert note == ""
    found = {spec.name: (spec.type, spec.shape) for spec in model.signature.inputs}
    assert found == {"pixels": (np.dtype("float32"), (-1, 4)), "words": (np.dtype("str"), (-1, *words.shape[1:]))}
    example = model.load_input_example(str(tmp_path / "model"))
    assert [text.encode() for text in example["words"].ravel().tolist()] == words[:5].ravel().tolist()
    assert example["pixels"].tolist() == PIXELS[:5].tolist()


@pytest.mark.tf
def test_bytes_are_served_to_the_last_one_also_where_that_is_null():
    import tensorflow as tf

    from tuner.export.served_model import _tensor

    rows = objects(b"a\x00", b"\x00")
    tensor = _tensor({"raw": rows}, "raw", tf.TensorSpec([None], tf.string))
    assert tensor.numpy().tolist() == rows.tolist()


def test_an_export_needs_what_is_installed_without_looking_at_every_file_that_is(monkeypatch):
    from importlib import metadata

    from tuner.export.mlflow_model import requirements

    monkeypatch.setattr(metadata, "packages_distributions", lambda: pytest.fail("went through all files"))
    assert requirements() == [
        f"{name}=={metadata.version(name)}" for name in ("mlflow", "tensorflow", "numpy", "pandas")
    ]
    known = metadata.distribution

    def distribution(name):
        if name == "tensorflow":
            raise metadata.PackageNotFoundError
        return known(name)

    monkeypatch.setattr(metadata, "distribution", distribution)
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"tensorflow": ["keras", "tensorflow-cpu"]})
    monkeypatch.setattr(metadata, "version", lambda name: "1.0")
    assert requirements() == ["mlflow==1.0", "tensorflow-cpu==1.0", "numpy==1.0", "pandas==1.0"]
