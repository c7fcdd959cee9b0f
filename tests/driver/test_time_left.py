"""How long a sweep will still take: what is said while it runs, against how long it took."""

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.domain.spec import SearchSettings, TrainSettings
from tuner.driver import loop
from tuner.driver.progress import NullDisplay
from tuner.driver.time_left import Trained, time_left
from tuner.operations.watch import WatchedSweep
from tuner.schedulers import scheduler_class


class Seen(NullDisplay):
    def __init__(self):
        self.said = []  # elapsed and left, in seconds

    def update(self, progress):
        self.said.append((progress.elapsed_s, progress.left_s))


@pytest.mark.parametrize("trials", [12, 40])
@pytest.mark.parametrize("search", ["scheduler: none", "scheduler: asha", "scheduler: hyperband", "scheduler: pbt"])
def test_what_is_said_comes_true_though_trials_pause_and_most_never_go_on(tmp_path, monkeypatch, search, trials):
    monkeypatch.setattr(loop, "SHOW_S", 0.0)
    text = SIMULATED.replace("max_steps: 90, evaluate_every: 90", "max_steps: 1000, evaluate_every: 100")
    text = text.replace("trials: 2, workers: 1", f"{search}, trials: {trials}, workers: 2")
    (tmp_path / "sim.yaml").write_text(text)
    seen = Seen()
    tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path).run(backend="simulated", display=seen)
    took = seen.said[-1][0]
    told = [(took - elapsed, left) for elapsed, left in seen.said if left is not None]
    assert len(told) > len(seen.said) / 2
    for true, left in told[len(told) // 20 :]:  # one of two workers has shown nothing at the very first
        assert left == pytest.approx(true, abs=max(3.0, 0.05 * took, 0.4 * true)), (true, left, took)
    assert seen.said[-1][1] is None  # it is over


def left(settled, running=(), to_begin=0, planned=None, elapsed_s=100.0, workers=1, **search):
    return time_left(SearchSettings(**search), Trained(settled, running, to_begin, planned), elapsed_s, workers)


def test_trials_that_have_not_begun_take_what_others_took_and_those_that_run_what_those_did_that_came_further():
    assert left([10, 30], to_begin=3) == pytest.approx(150.0)  # 2.5 s a step, 20 steps each
    assert left([10, 30], [(10, 90)]) == pytest.approx(2.0 * 20)  # of the two the one that came further had 20 more
    assert left([10, 30], [(40, 5)]) == pytest.approx(100 / 80 * 5)  # none came further, and it ends itself then
    assert left([10, 30], [(10, 5)]) == pytest.approx(2.0 * 5)


def test_one_trial_alone_takes_its_own_time_however_many_workers_there_are():
    assert left([10, 10], [(0, 10)], workers=2) == pytest.approx(2 * 10 * 100 / 20)


def test_what_the_scheduler_knows_beforehand_counts_more_than_what_trials_have_come_to():
    assert left([10, 10], to_begin=8, planned=400) == pytest.approx(100 / 20 * 380)
    assert left([10, 10], [(10, 20)], planned=0) == pytest.approx(100 / 30 * 20)  # more than was planned


def test_it_is_not_told_before_a_trial_has_settled_or_when_none_is_left_and_never_beyond_the_sweeps_time():
    assert left([], [(10, 20)], to_begin=5) is None
    assert left([10]) is None
    assert left([10], to_begin=50, timeout_s=130.0) == pytest.approx(30.0)
    assert left([10], to_begin=50, timeout_s=90.0) == 0.0


def test_without_steps_trials_are_counted():
    assert left([0, 0, 0], [(0, None), (0, None)], to_begin=2) == pytest.approx(100 / 4 * 3)


@pytest.mark.parametrize(
    ("name", "options", "trials", "steps"),
    [
        ("none", {}, 9, None),
        ("asha", {}, 9, 9 * 1 + 3 * 2 + 1 * 6),
        ("asha", {}, 1, 9),  # the best is promoted to the end
        ("asha", {"min_steps": 3}, 9, 9 * 3 + 3 * 6),
        ("asha", {}, 0, 0),
        ("hyperband", {}, 9, (5 * 1 + 1 * 2 + 1 * 6) + (2 * 3 + 1 * 6) + 2 * 9),
    ],
)
def test_a_scheduler_that_halves_knows_how_many_steps_its_trials_take(name, options, trials, steps):
    scheduler = scheduler_class(name)(**({} if name == "none" else {"train": TrainSettings(9, 1)}), **options)
    if name == "hyperband":
        assert [sum(scheduler.bracket(n) == b for n in range(trials)) for b in range(3)] == [5, 2, 2]
    assert scheduler.planned_steps(trials) == steps


def test_whoever_watches_is_told_about_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SHOW_S", 0.0)
    text = SIMULATED.replace("max_steps: 90, evaluate_every: 90", "max_steps: 900, evaluate_every: 100")
    (tmp_path / "sim.yaml").write_text(text.replace("trials: 2, workers: 1", "scheduler: asha, trials: 12"))
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    sweep.run(backend="simulated")
    whole = sweep.dir.records_file.read_bytes().splitlines(keepends=True)
    begun = next(i for i, line in enumerate(whole) if b'"trial":6' in line)
    sweep.dir.records_file.write_bytes(b"".join(whole[:begun]))
    watched = WatchedSweep(sweep.dir, sweep.spec)
    list(watched.new_lines())
    watched._now = lambda: watched._begun_at + 50.0
    done = sum(watched._steps.values())
    assert watched.progress().left_s == pytest.approx(50.0 * (12 * 100 + 4 * 200 + 1 * 600 - done) / done)
