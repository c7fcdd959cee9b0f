"""The benchmarks of searches and of scale, on a miniature: what they count."""

from dataclasses import replace

import optuna
import pytest

from benchmarks import scale
from benchmarks.search import schedulers as search
from benchmarks.search import sizes
from benchmarks.search.judging import Run, read, wins, write
from benchmarks.search.picture import picture
from benchmarks.search.steps import random_search, until_shown, until_shown_by_optuna
from benchmarks.search.stragglers import stragglers
from benchmarks.search.tasks import DATA, Task, tasks
from tuner.backends.simulated import make_curves
from tuner.config import load_spec
from tuner.domain.spec import Named


@pytest.fixture
def task():
    spec = load_spec(DATA / "synthetic.yaml")
    return Task("small", replace(spec, train=replace(spec.train, max_steps=900)), 8, "a miniature")


def test_optunas_loop_without_a_pruner_trains_the_steps_of_ours_without_a_scheduler(task):
    for seed in range(3):
        reached = random_search(task, seed)
        assert 0 < reached.steps <= task.budget
        assert until_shown(task, Named("none"), seed, reached.loss) == reached.steps
        theirs = until_shown_by_optuna(task, optuna.pruners.NopPruner(), seed, reached.loss)
        assert theirs == pytest.approx(reached.steps, abs=4)  # of shares of a step


@pytest.mark.parametrize("name", ["runs.json", "runs.json.gz"])
def test_paired_runs_are_counted_written_and_drawn(tmp_path, name):
    def runs(*ends):
        return [
            Run((1.0, end, end, end), 1.0, False, 1, 0.0, (), (1.0, end), "t", seed) for seed, end in enumerate(ends)
        ]

    found = {"ours": runs(0.2, 0.5, 0.3), "theirs": runs(0.4, 0.5, 0.2)}
    said = next(iter(wins(found)))
    assert said.startswith("ours against theirs at 25%: 1 of 3 won, 1 even, regret differs by -0.033 (standard error")
    write(tmp_path / name, found)
    assert read(tmp_path / name) == found
    drawn = picture(found)
    assert drawn.count("<polyline") == 2
    assert ">theirs<" in drawn


def test_a_seed_that_never_gets_there_counts_twice_the_budget(task):
    assert until_shown(task, Named("asha"), 0, -1.0) == 2 * task.budget
    assert until_shown_by_optuna(task, optuna.pruners.NopPruner(), 0, -1.0) == 2 * task.budget


def test_each_contender_has_a_row_and_each_of_ours_its_ratios(task):
    found = search._task(task, range(2))
    assert list(found) == ["random", *search.OURS, *search.optunas()]
    assert [row.contender for row in search._rows(task, found)] == list(found)
    ratios = search._ratios(task, found)
    assert set(ratios) == {
        f"{other}/{name}/small" for other in ("random", "optuna_sha", "optuna_hyperband") for name in search.OURS
    }


def test_the_recorded_tasks_have_curves_to_their_ends():
    for task in tasks():
        course = make_curves(task.spec).begin({p.name: _any(p) for p in task.spec.space.parameters}, 0)
        assert task.spec.objectives[0].metric in course.at(task.spec.train.max_steps)


def _any(parameter):
    return parameter.choices[0] if hasattr(parameter, "choices") else parameter.low


def test_stragglers_are_simulated_for_each_scheduler_and_shares_are_shares():
    rows = stragglers(workers=4, trials=20, schedulers=("none", "asha"))
    assert [row.contender for row in rows] == ["none", "asha"]
    assert rows[0].figures["steps"] == 20 * 2700
    assert rows[1].figures["steps"] < rows[0].figures["steps"]
    assert rows[0].figures["steps on the other nine tenths"] == "90.0%"


def test_scale_measures_a_sweep_and_computes_a_million_from_it():
    small, large = scale.measure("none", 120), scale.measure("none", 200)
    assert large.journal_bytes > small.journal_bytes > 0
    row = scale._computed(small, large)
    assert row.figures["journal, MB"] == pytest.approx(large.journal_bytes / 1e6 * 5000)


def test_a_sweep_on_a_made_up_task_comes_to_less_than_the_median_of_random_trials():
    task = sizes.MadeUpTask("slopes", 2, "alike")
    regret, steps = sizes.run(task, "freeze_thaw", trials=12, workers=2, seed=0)
    assert 0.0 <= regret < 1.0
    assert steps == 27  # of ten evaluations: 12 trials to the first, 4 on to the third, 1 to the end
