"""What a model may say of its data, and the digest that comes of it."""

import json
from types import SimpleNamespace

import pytest

from tuner.domain.spec import ModelRef
from tuner.errors import InvalidInput
from tuner.files.paths import TrialDir
from tuner.model import UserModel
from tuner.model import dataset as datasets
from tuner.model.dataset import describe, write_dataset


def model(said):
    return UserModel(ModelRef(module="mine"), SimpleNamespace(dataset=lambda params: said), "model_fn")


def test_a_path_is_named_by_its_file_and_digested_by_its_content(tmp_path):
    file = tmp_path / "houses.csv.gz"
    file.write_bytes(b"one")
    (first,) = describe(model(file), {})
    assert (first["name"], first["context"], first["source"]) == ("houses", "training", {"uri": [str(file)]})
    (again,) = describe(model([str(file)]), {})
    assert again["digest"] == first["digest"]
    file.write_bytes(b"two")
    (changed,) = describe(model(file), {})
    assert changed["digest"] != first["digest"]


def test_a_folder_is_digested_with_the_names_in_it(tmp_path):
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "a").write_bytes(b"x")
    (before,) = describe(model(tmp_path / "shards"), {})
    (tmp_path / "shards" / "a").rename(tmp_path / "shards" / "b")
    (after,) = describe(model(tmp_path / "shards"), {})
    assert before["digest"] != after["digest"]
    assert before["name"] == "shards"


def test_large_files_are_digested_by_their_ends_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "WHOLE_BYTES", 10)
    monkeypatch.setattr(datasets, "_ENDS", 4)
    file = tmp_path / "large"
    file.write_bytes(b"aaaa" + b"b" * 20 + b"cccc")
    (found,) = describe(model(file), {})
    assert found["profile"] == {"digest of": "names, sizes, beginnings and ends"}
    file.write_bytes(b"aaaa" + b"b" * 20 + b"cccd")
    assert describe(model(file), {})[0]["digest"] != found["digest"]


def test_a_mapping_gives_what_else_is_known_and_a_list_of_them_several_data_sets(tmp_path):
    said = [
        {"source": "s3://bucket/train", "rows": 10, "schema": {"x": "float"}},
        {"source": "s3://bucket/held_out", "context": "evaluation", "name": "held out", "digest": "v7"},
    ]
    one, other = describe(model(said), {})
    assert (one["source_type"], one["profile"]["rows"]) == ("s3", 10)
    assert one["schema"] == {"mlflow_colspec": [{"name": "x", "type": "float", "required": True}]}
    assert (other["name"], other["digest"], other["context"]) == ("held out", "v7", "evaluation")


@pytest.mark.parametrize("said", [None, 3, {}, [], "nowhere.csv", {"source": "s3://x", "rows": object()}])
def test_what_cannot_be_described_is_refused_with_what_was_expected(said):
    with pytest.raises(InvalidInput, match="expected a path, a list of paths, or a mapping with a source"):
        describe(model(said), {})


def test_it_is_written_once_into_the_trials_folder(tmp_path):
    file = tmp_path / "rows"
    file.write_bytes(b"x")
    trial_dir = TrialDir(tmp_path)
    write_dataset(model(file), {}, trial_dir)
    before = trial_dir.dataset_file.stat().st_mtime_ns
    write_dataset(model(file), {}, trial_dir)
    assert trial_dir.dataset_file.stat().st_mtime_ns == before
    assert json.loads(trial_dir.dataset_file.read_text())[0]["name"] == "rows"
