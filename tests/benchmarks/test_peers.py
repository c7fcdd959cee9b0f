"""The virtual clock on which peers are driven, and the comparison of runs: decisions that are known, figures that follow."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.search import compare, regret
from benchmarks.search.judging import Costs, Run, paired, read, write
from benchmarks.search.peers.__main__ import main
from benchmarks.search.peers.by_optuna import PEERS
from benchmarks.search.peers.loop import Decision, race
from benchmarks.search.tables import CurveTable, blended, table
from tuner.domain.spec import Named
from tuner.space import Float, Space
from tuner.sweep.simulate import simulate

LOSSES = np.array([[1.0, 0.8, 0.6, 0.5], [0.9, 0.4, 0.3, 0.2], [2.0, 2.0, 1.0, 1.0]])
SPACE = Space((Float("x", 0.0, 1.0),))
TABLE = CurveTable("small", SPACE, LOSSES, blended(SPACE, np.array([[0.0], [0.5], [1.0]]), LOSSES))
"""Three configurations of four steps; the best known is 0.2, the median configuration's best 0.5."""


class Script:
    """Begins the trials that it is given, and decides as it is told; what it was told it keeps."""

    def __init__(self, xs, decisions=None, resumed=()):
        self.xs, self.decisions, self.resumed = xs, decisions or {}, list(resumed)
        self.begun, self.paused, self.heard = 0, [], []

    def next(self):
        for trial in self.resumed:
            if trial in self.paused:
                self.paused.remove(trial)
                self.resumed.remove(trial)
                return trial, {"x": self.xs[trial]}
        if self.begun == len(self.xs):
            return None
        self.begun += 1
        return self.begun - 1, {"x": self.xs[self.begun - 1]}

    def report(self, trial, step, loss):
        self.heard.append((trial, step, round(loss, 6)))
        decision = self.decisions.get((trial, step), Decision.GO_ON)
        if decision is Decision.PAUSE:
            self.paused.append(trial)
        return decision


def run(script, costs=None, seed=0):
    return race(lambda table, seed: script, TABLE, seed, costs or Costs())


def test_four_workers_take_turns_and_a_trial_ends_with_its_last_step():
    script = Script([0.0, 0.5, 1.0, 0.0, 0.5])
    found = run(script)
    assert [trial for trial, _, _ in script.heard[:8]] == [0, 1, 2, 3, 0, 1, 2, 3]
    assert script.heard[16:] == [(4, 1, 0.9), (4, 2, 0.4), (4, 3, 0.3), (4, 4, 0.2)]
    assert found.trials == 5
    assert found.curve[-1] == pytest.approx(0.0, abs=1e-6)


def test_regret_is_that_of_the_best_shown_at_each_share_of_the_budget():
    found = run(Script([0.0] * 100))  # always the configuration that is the median one
    assert found.regret == pytest.approx((2.0, 1.0, 1.0, 1.0))  # of 0.8 at 8 steps (two rounds of four), then of 0.5
    assert found.curve[:2] == pytest.approx(((1.0 - 0.2) / 0.3,) * 2)  # the first hundredth is less than a step
    assert found.to_best_percent == float("inf")
    assert not found.in_best


def test_the_budget_is_the_steps_of_twenty_trainings():
    script = Script([0.5] * 100)
    found = run(script)
    assert len(script.heard) == 79  # with the one that used it up, of which nobody hears
    assert found.trials == 23  # twenty that came to their ends, and three that followed before the last step
    assert found.to_best_percent == 3.0  # the thirteenth evaluation, behind three full trainings' worth
    assert found.in_best


def test_a_trial_that_was_stopped_or_paused_frees_its_worker_and_goes_on_where_it_was():
    decisions = {(0, 1): Decision.STOP, (1, 2): Decision.PAUSE}
    script = Script([1.0, 0.5], decisions, resumed=[1])
    found = run(script)
    assert [one for one in script.heard if one[0] == 1] == [(1, 1, 0.9), (1, 2, 0.4), (1, 3, 0.3), (1, 4, 0.2)]
    assert [one for one in script.heard if one[0] == 0] == [(0, 1, 2.0)]
    assert found.gone_on == (0.5, 1.0, 0.0)


def test_at_equal_seconds_starting_and_resuming_take_their_ticks_and_idle_workers_count():
    one = Script([0.5], {(0, 2): Decision.PAUSE}, resumed=[0])
    found = run(one, Costs(start=2.0, resume=3.0, are_counted=True))  # evaluations at ticks 3, 4, 8, 9 of 20
    assert found.to_best_percent == (9 * 4 - 1) / 4
    assert found.curve[14] == pytest.approx((0.9 - 0.2) / 0.3)  # 12 of 80
    assert found.curve[19] == pytest.approx((0.4 - 0.2) / 0.3)  # 16 of 80
    assert found.curve[-1] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("costs", [Costs(), Costs(start=1.0, are_counted=True)])
def test_ours_and_a_peer_that_draws_and_decides_the_same_come_to_the_same(costs):
    task = table("ts_lstm128")
    spec = task.spec()
    search = replace(spec.search, sampler=Named("random"), scheduler=Named("none"), trials=24, seed=1)
    spec = replace(spec, search=search)
    params = [trial.params for trial in simulate(spec, 4, None, task).trials]

    class Same(Script):
        def next(self):
            chosen = super().next()
            return chosen and (chosen[0], params[chosen[0]])

    ours, theirs = regret.judged(task.name, spec, costs), race(lambda table, seed: Same(params), task, 1, costs)
    assert ours.curve == theirs.curve
    assert (ours.table, ours.seed) == (theirs.table, theirs.seed)


def test_optunas_own_pruners_search_a_table():
    small = replace(table("ts_lstm128"), losses=table("ts_lstm128").losses[:, :9])
    for name, make in PEERS.items():
        found, again = race(make, small, 3, Costs()), race(make, small, 3, Costs())
        assert found.curve == again.curve, name
        assert found.gone_on[1] == 1.0 if name == "random" else found.gone_on[0] <= 1.0
    assert race(PEERS["optuna:tpe+sha"], small, 3, Costs()).trials > race(PEERS["random"], small, 3, Costs()).trials


def test_a_peer_that_is_not_there_is_an_error_that_names_those_that_are(capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.search.peers.__main__.LIBRARIES", ("by_optuna", "by_nobody"))
    with pytest.raises(SystemExit):
        main(["nobody", "--seeds", "1"])
    said = capsys.readouterr().err
    assert "left out: nobody, No module named" in said
    assert "unknown or not installed: nobody; expected some of random, " in said


def test_runs_are_read_as_they_were_written_and_paired_by_table_and_seed(tmp_path, capsys):
    ours, theirs = [run(Script([0.5] * 9), seed=seed) for seed in (0, 1)], [run(Script([0.0] * 9), seed=1)]
    write(tmp_path / "ours.json", {"ours": ours})
    write(tmp_path / "theirs.json", {"theirs": theirs})
    assert read(tmp_path / "ours.json") == {"ours": ours}
    assert list(paired(ours, theirs)) == [(ours[1], theirs[0])]
    assert compare.main([str(tmp_path / "ours.json"), str(tmp_path / "theirs.json"), "--by-table"]) == 0
    said = capsys.readouterr().out
    assert "ours (2 runs)" in said
    assert "ours against theirs at 100%: 1 of 1 won, 0 even" in said
    assert compare.main([str(tmp_path / "ours.json"), str(tmp_path / "theirs.json"), "--markdown"]) == 0
    head, _, first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("| `ours` | 2 | 0.67 | 0.00 | 0.00 | 0.00 | 0.00 (0.00 to 0.00) |")
    assert second.endswith("| 1 and 1 of 1 |")
    assert head.count("|") == first.count("|") == second.count("|")


def test_a_run_of_a_later_file_replaces_that_of_an_earlier_one(tmp_path):
    first, second = run(Script([0.0] * 9)), run(Script([0.5] * 9))
    for name, found in (("a", first), ("b", second)):
        write(tmp_path / name, {"ours": [found]})
    assert compare.merged([tmp_path / "a", tmp_path / "b"]) == {"ours": [second]}
    assert isinstance(second, Run)
