"""What is said of a name that no sweep has."""

import pytest

from tuner.config.unknown_sweep import unknown_sweep
from tuner.files.paths import Root


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sweep = Root(tmp_path).sweep("houses")
    sweep.path.mkdir(parents=True)
    sweep.spec_file.write_text("{}")
    return Root(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("house", None, "did you mean 'houses'? sweeps here: houses"),
        ("7", None, "a trial is written NAME:7; sweeps here: houses"),
        ("rows.csv", None, "sweeps here: houses"),
        ("mine.yaml", "name: houses\n", "it is a search space file, and its sweep is called 'houses'; sweeps"),
        ("mine.yaml", "name: other\n", "whose sweep has not begun: tuner run mine.yaml; sweeps here"),
        ("houses.yaml", None, "did you mean 'houses'? sweeps"),
        ("houses.yml", "- a list\n", "did you mean 'houses'? sweeps"),
    ],
)
def test_a_name_that_no_sweep_has(root, tmp_path, name, text, meant):
    if text is not None:
        (tmp_path / name).write_text(text)
    (problem,) = unknown_sweep(root.sweep(name)).problems
    assert problem.message == f"no sweep {name!r} under {tmp_path}"
    assert problem.hint.startswith(meant) or meant in problem.hint
