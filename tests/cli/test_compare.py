"""Values, the steps that they are of, and times, each under a label that says what it is."""

import json

import pytest

import tuner
from tests.cli.command import call
from tuner.cli import best, compare, show  # noqa: F401
from tuner.driver.progress import NullDisplay
from tuner.files.driver_lock import DriverLock
from tuner.study import Study
from tuner.study.storage import open_journal
from tuner.sweep import RunOptions

SPACE = """
name: NAME
objective: {metric: rmse, of: OF}
parameters: {rate: {type: float, low: 1.0e-4, high: 1.0, log: true}}
train: {max_steps: 200, evaluate_every: 10}
search: {sampler: random, trials: 4, workers: 1, repeats: REPEATS}
simulation: {task: surface, noise: 0.3, record: false}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return the root of sweeps that judge by the best, by a mean, and by several seeds."""
    folder = tmp_path_factory.mktemp("compared")
    for name, of, repeats in (("best", "best", 1), ("mean", "{mean: 3}", 1), ("seeds", "last", 2)):
        file = folder / f"{name}.yaml"
        file.write_text(SPACE.replace("NAME", name).replace("OF", of).replace("REPEATS", str(repeats)))
        sweep = tuner.Sweep.from_file(file, folder)
        sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    return folder


@pytest.fixture(scope="module")
def judged(root):
    """Return the best trial of the sweep that judges by the best evaluation; it is not at the last step."""
    found = tuner.Sweep.open("best", root).result().best
    assert found.value_step != found.record.step == 200
    return found


def rows(root, *names):
    shown = call("compare", *names, "--root", root, "--format", "table")
    assert shown.exit_code == 0, shown.output
    found = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in shown.stdout.splitlines()]
    return {title: cells for title, *cells in found}


def test_the_step_beside_a_value_is_that_of_the_value(root, judged):
    shown = call("best", "best", "--root", root).stdout
    assert f"COMPLETE at step 200, rmse {judged.value:.6g} (best, of step {judged.value_step})" in shown
    assert "folder       none: a simulated trial trains nothing" in shown
    for name in ("best", f"best:{judged.number}"):
        compared = rows(root, name)
        assert compared["step of the objective"] == [str(judged.value_step)]
        assert compared["last step"] == ["200"]
        row = json.loads(call("compare", name, "--root", root, "--format", "json").stdout)[0]
        assert row["step"] == judged.value_step and row["last_step"] == 200


def test_seconds_of_a_trial_and_of_a_sweep_are_told_apart(root):
    compared = rows(root, "best", "best:0")
    assert "seconds" not in compared and "trial, of a sweep the best" in compared
    trials = tuner.Sweep.open("best", root).result().trials
    assert len(compared["seconds of this trial"]) == 2
    assert float(compared["seconds of all trials"][0]) == pytest.approx(sum(t.record.seconds for t in trials), abs=1e-2)
    assert "seconds" in rows(root, "best:0", "best:1")


def test_different_rules_of_objectives_are_said(root):
    assert rows(root, "best", "mean")["objective of"] == ["best", "mean of the last 3"]
    assert "objective of" not in rows(root, "best", "best:0")


def test_the_value_of_one_seed_and_the_mean_of_all_are_told_apart(root):
    found = tuner.Sweep.open("seeds", root).result().best
    compared = rows(root, "seeds", "best")
    assert float(compared["objective rmse, this trial"][0]) == pytest.approx(found.value, rel=1e-4)
    assert float(compared["objective rmse, mean over seeds"][0]) == pytest.approx(found.group.mean, rel=1e-4)
    assert compared["seeds"] == ["2"]


def test_why_a_sweep_has_no_best_trial_is_said(root, tmp_path):
    (tmp_path / "none.yaml").write_text(SPACE.replace("NAME", "none").replace("OF", "last").replace("REPEATS", "1"))
    sweep = tuner.Sweep.from_file(tmp_path / "none.yaml", tmp_path)
    sweep.session(RunOptions(backend="simulated", trials=1), NullDisplay()).run()
    sweep.dir.journal_file.unlink()
    Study(sweep.spec, open_journal(sweep.dir.journal_file)).ask()
    assert "has no trial 7: it has trial 0 alone" in call("show", "none:7", "--root", tmp_path).output
    assert "has no trial '7'; trials there: 0" in call("compare", "none:7", "--root", tmp_path).output
    page = tmp_path / "page.html"
    shown = call("compare", "none", "--root", tmp_path, "--html", page)
    said = "the sweep 'none' has no complete trial (states there are: RUNNING)"
    assert f"note: {said}, so there is no best trial to compare" in " ".join(shown.stderr.split())
    assert said.replace("'", "&#x27;") in page.read_text()
    refused = " ".join(call("best", "none", "--root", tmp_path).output.split())
    assert "go on with: tuner resume none" in refused and "tuner export" not in refused
    with DriverLock(sweep.dir.driver_file):
        refused = " ".join(call("best", "none", "--root", tmp_path).output.split())
        assert "wait for one: tuner watch none" in refused and "tuner resume" not in refused
