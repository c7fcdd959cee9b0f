"""Words beside a search space file that are no command."""

from pathlib import Path

import pytest

from tuner.cli.script_words import check_script_words
from tuner.errors import InvalidInput


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("run a.yaml 12x", "found '12x' beside SPACE.yaml, expected an option, or -- and the command of each trial"),
        ("run -- python train.py", "SPACE.yaml is missing in front of --"),
    ],
)
def test_what_is_no_command_is_said(line, found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space, *script = [word for word in line.split()[1:] if word != "--"]
    with pytest.raises(InvalidInput) as error:
        check_script_words(line.split(), Path(space), script)
    (problem,) = error.value.problems
    assert problem.message == found and problem.hint == "as in: tuner run SPACE.yaml -- python train.py"


def test_two_search_space_files_are_two_sweeps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.yaml").touch()
    with pytest.raises(InvalidInput, match=r"found two search space files, a\.yaml and b\.yaml, expected one"):
        check_script_words(["run", "a.yaml", "b.yaml"], Path("a.yaml"), ["b.yaml"])


@pytest.mark.parametrize(
    ("arguments", "space", "script"),
    [
        (["run", "a.yaml"], "a.yaml", []),
        (["run", "a.yaml", "sh", "x"], "a.yaml", ["sh", "x"]),
        (["run", "a.yaml", "here.sh"], "a.yaml", ["here.sh"]),
        (["run", "a.yaml", "--", "nowhere", "x"], "a.yaml", ["nowhere", "x"]),
        (["run", "--", "here.sh"], "here.sh", []),
        ([], "a.yaml", ["nowhere"]),
    ],
)
def test_others_are_left_to_what_looks_at_commands(arguments, space, script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.sh").touch()
    check_script_words(arguments, Path(space), script)
