"""``tuner import``: a search space on stdout, notes on stderr."""

from pathlib import Path

from tests.cli.command import call, tuner
from tuner.cli import importing  # noqa: F401


def test_import_prints_a_search_space_on_stdout_and_notes_on_stderr():
    done = tuner("import", Path(__file__).parents[1] / "importers" / "files" / "ai_platform.yaml")
    assert done.returncode == 0
    assert "\nlearning_rate" not in done.stdout and "  learning_rate: {type: float" in done.stdout
    assert "note: trainingInput.scaleTier is not used" in done.stderr
    assert "--from housing_1" in done.stderr


def test_import_of_what_it_does_not_know_names_what_it_knows(space_file):
    done = tuner("import", space_file())
    assert done.returncode == 2 and done.stdout == ""
    assert "is no search space of: AI Platform" in done.stderr


def test_import_of_a_python_file_says_what_it_takes(tmp_path):
    (tmp_path / "model.py").write_text("")
    done = call("import", tmp_path / "model.py")
    assert done.exit_code == 2
    assert "is a Python file, expected a search space of: AI Platform, " in " ".join(done.output.split())
    assert "model: ..." not in done.output
