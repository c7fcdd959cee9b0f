"""``tuner init``."""

import pytest

from tests.cli.command import tuner


@pytest.mark.slow
def test_what_init_writes_checks_and_runs(tmp_path, root):
    assert tuner("init", tmp_path / "mine").returncode == 0
    again = tuner("init", tmp_path / "mine")
    assert again.returncode == 2
    checked = tuner("check", tmp_path / "mine/search_space.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "tags of the evaluation: loss, rmse" in checked.stdout
    done = tuner(
        "run", tmp_path / "mine/search_space.yaml", "--root", root, "--trials", 2, "--set", "train.max_steps=200"
    )
    assert done.returncode == 0, done.stderr
