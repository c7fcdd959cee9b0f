"""What is said of a name that no sweep has."""

import pytest

from tuner.config.unknown_sweep import sweeps_elsewhere, sweeps_here, unknown_sweep
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


@pytest.fixture
def begun(root, tmp_path):
    def begin(folder, name):
        sweep = Root(folder).sweep(name)
        sweep.path.mkdir(parents=True)
        sweep.spec_file.write_text("{}")

    begin(tmp_path / "below", "flats")
    return begin


def test_a_sweep_under_another_root_is_named_with_it(root, begun, tmp_path):
    (problem,) = unknown_sweep(root.sweep("flats")).problems
    assert problem.hint == "there is one with --root below"
    (problem,) = unknown_sweep(Root(tmp_path / "empty").sweep("gone")).problems
    assert problem.hint == "there are no sweeps here; there are some with --root ."
    assert sweeps_elsewhere(Root(tmp_path / "empty")) == "there are some with --root ."


@pytest.mark.parametrize("name", ["house", "run-3", "deleted"])
def test_only_a_misspelled_name_is_taken_for_another(root, begun, tmp_path, name):
    for other in ("run-4", "undeleted-2"):
        begun(tmp_path, other)
    (problem,) = unknown_sweep(root.sweep(name)).problems
    assert ("did you mean 'houses'?" in problem.hint) is (name == "house")
    assert problem.hint.count("did you mean") == (name == "house")


def test_of_many_sweeps_some_are_named(root, begun, tmp_path):
    for number in range(30):
        begun(tmp_path, f"a{number:02d}")
    assert sweeps_here(root).endswith("a18, a19 and 11 more (tuner list)")
