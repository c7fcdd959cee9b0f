"""A simulated sweep that learns from another one: what breaks constraints, whatever it is read from; and nothing twice."""

import pytest

import tuner
from tests.displays import Lines
from tuner.sweep import RunOptions
from tuner.warm_start.sources import read_source

SPACE = """
objective: {metric: loss}
constraints: {latency: {max: 0.5}}
parameters: {x: {type: float, low: 0.0, high: 1.0}}
train: {max_steps: 9, evaluate_every: 1}
search: {sampler: random, trials: 25, workers: 1, seed: 0}
simulation: {curves: curves.csv, record: false}
"""


@pytest.fixture
def write(tmp_path):
    """Returns a sweep of a file; the objective is the better, the farther beyond the constraint."""
    rows = ["trial,step,seconds,params.x,metrics.loss,metrics.latency"]
    for trial in range(200):
        x = trial / 199
        rows += [f"{trial},{step},{step},{x},{1 - x + 0.1 / step},{x}" for step in range(1, 10)]
    (tmp_path / "curves.csv").write_text("\n".join(rows) + "\n")

    def sweep(name, search="sampler: random", repeats=1, constraints="latency: {max: 0.5}"):
        text = SPACE.replace("sampler: random", search).replace("latency: {max: 0.5}", constraints)
        (tmp_path / f"{name}.yaml").write_text(text.replace("trials: 25", f"trials: 25, repeats: {repeats}"))
        return tuner.Sweep.from_file(tmp_path / f"{name}.yaml", tmp_path)

    return sweep


def run(sweep, *sources):
    lines = Lines()
    outcome = sweep.session(RunOptions(backend="simulated", sources=sources), lines).run()
    return outcome.result, lines.lines


@pytest.mark.parametrize("search", ["sampler: tpe", "method: freeze_thaw", "sampler: tpe, scheduler: asha"])
def test_new_trials_keep_to_the_constraints_that_earlier_ones_broke(write, search):
    run(write("old"))
    found, lines = run(write("new", search), "old")
    assert "from old: 25 of 25 complete trials used" in lines
    assert sum(trial.params["x"] <= 0.5 for trial in found.trials) > 15
    assert found.best.feasible and found.best.value < 0.6


def test_all_that_it_can_be_read_from_says_the_same(write, tmp_path):
    sweep = write("old")
    found, _ = run(sweep)
    wanted, (table, _) = write("new"), found.save_tables(tmp_path)
    sources = ["old", str(sweep.dir.journal_file), str(sweep.dir.records_file), str(table)]
    read = {given: read_source(given, sweep.dir.root, wanted.spec).trials for given in sources}
    expected = [{"loss": t.value, "latency": pytest.approx(t.params["x"], abs=1e-2)} for t in found.trials]
    for given, trials in read.items():
        assert [dict(trial.values) for trial in trials] == expected, given


def test_of_a_sweep_that_did_not_evaluate_what_a_constraint_is_on_nothing_is_learned_and_that_is_said(write):
    run(write("old"))
    _, lines = run(write("new", "sampler: tpe", constraints="memory: {max: 0.5}"), "old")
    assert "from old: 0 of 25 complete trials used; 25 left out (no value of memory)" in lines


def test_a_sampler_that_knows_no_constraints_learns_from_those_alone_that_keep_to_them(write):
    pytest.importorskip("cmaes")
    found, _ = run(write("old"))
    kept = sum(trial.feasible for trial in found.trials)
    _, lines = run(write("new", "sampler: cmaes"), "old")
    left_out = f"{25 - kept} left out (breaks a constraint, of which cmaes knows nothing)"
    assert f"from old: {kept} of 25 complete trials used; {left_out}" in lines


@pytest.mark.parametrize("search", ["sampler: random", "sampler: tpe", "method: freeze_thaw"])
def test_a_sweep_of_the_same_seed_as_those_that_it_learns_from_tries_none_of_their_trials_again(write, search):
    first, _ = run(write("first", search))
    second, _ = run(write("second", search), "first")
    third, _ = run(write("third", search), "second")
    tried = [[trial.params["x"] for trial in result.trials] for result in (first, second, third)]
    known = [{t.params["x"] for t in result.trials if t.state.value == "COMPLETE"} for result in (first, second)]
    for before, complete, after in zip(tried, known, tried[1:], strict=False):
        assert not complete & set(after)
        assert len(set(before) & set(after)) < 3  # an end of the range may come again


def test_it_is_said_how_many_trials_did_not_come_to_their_end(write):
    first, _ = run(write("first", "sampler: random, scheduler: asha"))
    pruned = sum(trial.state.value == "PRUNED" for trial in first.trials)
    _, lines = run(write("second", "sampler: tpe"), "first")
    (said,) = [line for line in lines if line.startswith("from first: ")]
    assert said == (
        f"from first: {25 - pruned} of {25 - pruned} complete trials used; {pruned} PRUNED there, which say nothing of the end"
    )
