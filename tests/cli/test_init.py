"""``tuner init``."""

from pathlib import Path

import pytest

from tests.cli.command import tuner
from tuner.cli.command_line import run
from tuner.config import load_spec


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("mine", "mine"),
        ("my model (2)", "my_model_2_"),
        ("_x", "x"),
        ("2024", "2024"),
        ("true", "true"),
        ("é", "first"),
    ],
)
def test_the_sweep_is_called_as_the_folder_is(tmp_path, monkeypatch, folder, name):
    assert run(["init", str(tmp_path / folder)]) == 0
    assert load_spec(tmp_path / folder / "search_space.yaml").name == name
    (tmp_path / "other" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "other" / folder)
    assert run(["init"]) == 0
    assert load_spec(Path("search_space.yaml")).name == name


def test_the_commands_that_it_names_are_right_for_a_folder_with_a_blank(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["init", "my model"]) == 0
    assert "then:\n  tuner run 'my model/search_space.yaml'\n" in capsys.readouterr().out


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
