"""Freeze-thaw search through the loop: simulated sweeps of every kind, and one of real trials."""

import os
import re
import subprocess
import sys

import pytest

import tuner
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput
from tuner.events import read_all
from tuner.operations.verify import verify_sweep
from tuner.operations.watch import WatchedSweep
from tuner.sweep import RunOptions

SPACE = """
name: {name}
objective: {objective}
parameters:
  rate: {{type: float, low: 1.0e-4, high: 1.0, log: true}}
  units: {{type: int, low: 16, high: 256}}
  kind: {{type: categorical, choices: [plain, deep]}}
  depth: {{type: int, low: 2, high: 8, when: {{kind: deep}}}}
train: {{max_steps: 270, evaluate_every: 10}}
search: {search}
simulation: {{task: surface, noise: 0.01, record: false, startup: {startup}}}
"""


class Lines(NullDisplay):
    """What is said."""

    said: tuple[str, ...] = ()

    def line(self, line):
        self.said = (*self.said, line)


def write(folder, search, objective="{metric: rmse, of: {mean: 3}}", name="sim", startup="1s"):
    file = folder / f"{name}.yaml"
    file.write_text(SPACE.format(search=search, objective=objective, name=name, startup=startup))
    return file


def run(file, root, backend="simulated", display=None, **limits):
    sweep = tuner.Sweep.from_file(file, root)
    return sweep.session(RunOptions(**limits, backend=backend), display or NullDisplay()).run(), sweep


def told(result):
    return [(t.number, t.state, t.record.step, dict(t.values), t.params) for t in result.trials]


def test_trials_are_frozen_where_others_promise_more_and_thawed_and_the_best_is_complete(tmp_path):
    lines = Lines()
    ran, sweep = run(write(tmp_path, "{method: freeze_thaw, trials: 30, workers: 4}"), tmp_path / "one", display=lines)
    assert ran.exit_status == 0
    begun = [line for line in lines.said if ": running" in line]
    assert all(line.endswith("(one of 8 spread over the space)") for line in begun[:8])
    assert any(re.search(r"\(rmse [\d.]+ at step (10|30|90|270) expected\)$", line) for line in begun[8:])
    resumed = [line for line in lines.said if ": resumed" in line]
    assert resumed
    assert all(re.search(r"\(among the best with rmse [\d.]+ at|\(no new trial may begin", line) for line in resumed)
    watched = [line.replace(", simulated", "") for line in WatchedSweep(sweep.dir, sweep.spec).new_lines()]
    assert {line.replace(", simulated", "") for line in (*begun, *resumed)} <= {*watched}
    records = [t.record for t in ran.result.trials]
    assert len(records) == 30
    assert {r.state for r in records} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert any(r.attempts > 1 for r in records)
    assert sum(r.step or 0 for r in records) < 0.7 * 30 * 270
    assert all(r.params.keys() >= {"depth"} for r in records if r.params["kind"] == "deep")
    again, _ = run(write(tmp_path, "{method: freeze_thaw, trials: 30, workers: 4}"), tmp_path / "two")
    assert told(again.result) == told(ran.result)


@pytest.mark.parametrize(("startup", "pauses"), [("0.001s", {10, 30, 90}), ("0.05s", {10, 30, 90}), ("1s", {30, 90})])
def test_where_trials_pause_depends_on_what_a_start_takes_and_so_it_does_for_the_next_driver(tmp_path, startup, pauses):
    """An evaluation takes 100 ms. The first trials are begun before anything is known of starts."""
    file = write(tmp_path, "{method: freeze_thaw, trials: 60, workers: 2}", startup=startup)
    ran, sweep = run(file, tmp_path)
    paused = {t.record.step for t in ran.result.trials[8:] if t.state is TrialState.PRUNED}
    assert paused == pauses
    starts = [t.record.starting / t.record.attempts for t in sweep.result().trials]
    assert starts == pytest.approx([0.1 + float(startup[:-1])] * len(starts))


KILLED = """
import os, sys, tuner
from tuner.driver.progress import NullDisplay

class Kill(NullDisplay):
    lines = int(sys.argv[3])
    def line(self, line):
        self.lines -= line.startswith("trial ")
        if not self.lines:
            os.kill(os.getpid(), 9)

tuner.Sweep.from_file(sys.argv[1], sys.argv[2]).run(backend="simulated", display=Kill())
"""


@pytest.mark.slow
def test_a_sweep_whose_driver_was_killed_again_and_again_ends_as_an_undisturbed_one(tmp_path):
    search = "{method: freeze_thaw, trials: 14, workers: 1}"
    whole, _ = run(write(tmp_path, search), tmp_path / "whole")
    for lines in (5, 12, 9):
        arguments = [str(write(tmp_path, search)), str(tmp_path / "killed"), str(lines)]
        assert subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False).returncode == -9
    ran, _ = run(write(tmp_path, search), tmp_path / "killed")
    assert told(ran.result) == told(whole.result)


def test_several_seeds_of_the_best_sets_are_trained_to_their_ends(tmp_path):
    ran, _ = run(write(tmp_path, "{method: freeze_thaw, trials: 20, repeats: 3, workers: 3}"), tmp_path)
    again = [t for t in ran.result.trials if "tuner.repeat_of" in t.record.tags]
    firsts = {int(t.record.tags["tuner.repeat_of"]) for t in again}
    assert firsts
    assert all(t.state is TrialState.COMPLETE for t in again)
    assert all(ran.result.trials[first].state is TrialState.COMPLETE for first in firsts)
    assert ran.result.best.row()["seeds"] == 3


def test_starting_points_come_first_and_what_they_leave_open_is_drawn(tmp_path):
    search = "{method: freeze_thaw, trials: 6, workers: 1, enqueue: [{rate: 0.5, kind: plain}, {units: 100}]}"
    ran, _ = run(write(tmp_path, search), tmp_path)
    first, second, *others = [t.params for t in ran.result.trials]
    assert (first["rate"], first["kind"], second["units"]) == (0.5, "plain", 100)
    assert len(others) == 4


def test_an_earlier_sweep_says_where_to_begin(tmp_path):
    one = write(tmp_path, "{sampler: random, trials: 30, workers: 4}", name="one")
    run(one, tmp_path)
    sweep = tuner.Sweep.from_file(write(tmp_path, "{method: freeze_thaw, trials: 12}", name="two"), tmp_path)
    lines = Lines()
    sweep.session(RunOptions(backend="simulated", sources=["one"]), lines).run()
    assert "from one: 30 of 30 complete trials used" in lines.said
    assert not any("learns nothing" in line for line in lines.said)


@pytest.mark.parametrize(
    "search, objective, found",
    [
        ("{method: freeze_thaw, sampler: tpe}", "{metric: rmse}", "search.sampler: stands beside search.method"),
        ("{method: freeze_thaw, scheduler: none}", "{metric: rmse}", "search.scheduler: stands beside search.method"),
        ("{method: freezethaw}", "{metric: rmse}", "did you mean 'freeze_thaw'"),
        ("{method: freeze_thaw}", "[{metric: rmse}, {metric: mae}]", "freeze_thaw searches for one objective"),
        ("{method: {name: freeze_thaw, eta: 3}}", "{metric: rmse}", "is no option of freeze_thaw"),
    ],
)
def test_what_does_not_go_with_the_method_is_refused(tmp_path, search, objective, found):
    with pytest.raises(InvalidInput, match=found):
        tuner.Sweep.from_file(write(tmp_path, search, objective), tmp_path)


@pytest.mark.slow
def test_real_trials_go_on_from_the_checkpoint_at_which_they_were_frozen(space_file, root):
    search = "{method: freeze_thaw, trials: 10, seed: 2}"
    file = space_file(train="{max_steps: 60, evaluate_every: 10}", search=search)
    sweep = tuner.Sweep.from_file(file, root)
    ran = sweep.session(RunOptions(workers=2), NullDisplay()).run()
    assert ran.exit_status == 0
    assert verify_sweep(sweep.dir, ran.result).differences == []
    assert ran.result.best.state is TrialState.COMPLETE
    thawed = [t for t in ran.result.trials if t.record.attempts > 1]
    assert thawed
    for trial in thawed:
        assert list(trial.record.curve) == list(range(10, (trial.record.step or 0) + 1, 10))
        events = read_all(sweep.dir.trial(trial.number).path)
        trained = [e.step for e in events if not e.folder and "loss" in e.scalars]
        assert len(trained) - len(set(trained)) <= 10 * trial.record.attempts  # at most what came after the checkpoint
    assert os.listdir(sweep.dir.trials_dir)
