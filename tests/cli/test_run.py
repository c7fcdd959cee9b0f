"""``tuner run``: what is refused before any trial."""

import json
import os

import pytest

from tests.cli.command import tuner


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("import nothing_of_that_name", "does not import: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("def model_fn(features, labels, mode, params): ...", "has no function train_input_fn(params)"),
        ("def modelfn(): ...", "has none of model_fn, estimator_fn, keras_model_fn"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_before_any_trial_and_takes_no_name(
    model, expected, space_file, root, tmp_path
):
    file = tmp_path / "model.py"
    file.write_text(model)
    done = tuner("run", space_file(model=file), "--root", root)
    assert done.returncode == 2
    assert expected in done.stderr
    assert json.loads(tuner("list", "--root", root, "--format", "json").stdout) == []


def test_a_folder_that_cannot_be_written_to_is_refused_before_work_starts(space_file, tmp_path):
    (tmp_path / "file").write_text("")
    done = tuner("run", space_file(), "--root", tmp_path / "file")
    assert done.returncode == 2
    assert "choose another --root" in done.stderr
    assert os.listdir(tmp_path / "..")
