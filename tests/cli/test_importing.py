"""``tuner import``: a search space on stdout, notes on stderr."""

from pathlib import Path

from tests.cli.command import tuner


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
