"""``tuner delete``."""

import json

import pytest

from tests.cli.command import call, tuner


@pytest.mark.slow
def test_a_trial_and_then_the_sweep_are_deleted_with_their_runs(space_file, root):
    file = space_file(search="{sampler: random, trials: 2}")
    assert tuner("run", file, "--root", root).returncode == 0
    folder = root / "mlruns" / "sweeps" / "tiny"
    dry = tuner("delete", "tiny:1", "--dry-run", "--root", root)
    assert "would delete trial 1 of tiny: 1 MLflow run," in dry.stdout
    assert (folder / "trials" / "0001").exists()
    assert tuner("delete", "tiny:1", "--root", root).returncode == 0
    assert not (folder / "trials" / "0001").exists()
    shown = json.loads(tuner("show", "tiny", "--format", "json", "--root", root).stdout)
    assert [trial["trial"] for trial in shown] == [0]
    assert tuner("verify", "tiny", "--root", root).returncode == 0
    again = tuner("run", file, "--trials", "3", "--root", root)
    assert again.returncode == 0
    shown = json.loads(tuner("show", "tiny", "--format", "json", "--root", root).stdout)
    assert [trial["trial"] for trial in shown] == [0, 2]
    missing = tuner("delete", "tiny:9", "--root", root)
    assert missing.returncode == 2 and "has no trial 9" in missing.stderr
    assert tuner("delete", "tiny", "--root", root).returncode == 0
    assert not folder.exists()
    assert tuner("show", "tiny", "--root", root).returncode == 2
    # The name is free again, and what was deleted stays deleted.
    assert tuner("run", file, "--trials", "1", "--root", root).returncode == 0
    assert tuner("verify", "tiny", "--root", root).returncode == 0


def test_the_help_says_that_nothing_is_asked_and_nothing_comes_back():
    from tuner.cli import delete  # noqa: F401

    said = " ".join(call("delete", "-h").output.split())
    assert "without asking: its folder, its runs and exported models in MLflow" in said
    assert "cannot be undone" in said and "--dry-run" in said
    assert "without asking" in " ".join(call("-h").output.split())
