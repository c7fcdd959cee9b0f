"""Folders near a root that have sweeps."""

from tuner.files.other_roots import other_roots, root_option
from tuner.files.paths import Root


def begin(folder, name="demo"):
    sweep = Root(folder).sweep(name)
    sweep.path.mkdir(parents=True)
    sweep.spec_file.write_text("{}")


def test_the_nearest_above_and_those_right_below_are_found(tmp_path, monkeypatch):
    here = tmp_path / "project/deep/here"
    for folder in (tmp_path, tmp_path / "project", here / "b", here / "a b", here / ".hidden", here / "c/deeper"):
        begin(folder)
    assert [root.path for root in other_roots(Root(here))] == [tmp_path / "project", here / "a b", here / "b"]
    monkeypatch.chdir(here)
    assert [root_option(root) for root in other_roots(Root(here))] == ["--root ../..", "--root 'a b'", "--root b"]


def test_a_folder_inside_of_a_sweep_and_one_that_is_not_there_have_one_above(tmp_path):
    begin(tmp_path)
    for folder in (tmp_path / "mlruns", Root(tmp_path).sweep("demo").path, tmp_path / "gone"):
        assert [root.path for root in other_roots(Root(folder))] == [tmp_path]


def test_a_folder_without_sweeps_is_none(tmp_path):
    (tmp_path / "mlruns/sweeps/.deleted-demo").mkdir(parents=True)
    (tmp_path / "file").touch()
    assert tmp_path not in [root.path for root in other_roots(Root(tmp_path / "here"))]
