"""What is said when a sweep ends."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

import tuner
from tests.cli.command import call
from tests.spaces import SIMULATED
from tuner.cli.ending import ending_lines
from tuner.domain.objective import Aggregation, Goal, Objective
from tuner.domain.trial import TrialRecord, TrialState
from tuner.driver.progress import NullDisplay
from tuner.driver.stop_criteria import StopReason
from tuner.driver.trial_queue import NEVER_RESUMED
from tuner.files.driver_lock import DriverLock
from tuner.results import SweepResult, Trial
from tuner.study import Study
from tuner.study.reading import StudyOnDisk
from tuner.study.storage import open_journal
from tuner.sweep import RunOptions
from tuner.sweep.run_outcome import RunOutcome

C, P, F = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL


def ended(tmp_path, monkeypatch, records, search="sampler: random", end=None, of="", command=()):
    monkeypatch.chdir(tmp_path)
    text = SIMULATED.replace("sampler: random", search).replace("{metric: rmse}", f"{{metric: rmse{of}}}")
    (tmp_path / "sim.yaml").write_text(text)
    sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path)
    sweep.dir.trials_dir.mkdir(parents=True)
    spec = replace(sweep.spec, command=command)
    result = SweepResult(sweep.dir, spec, study=StudyOnDisk(records, frozenset(), 0.0))
    return list(ending_lines(RunOutcome(result, end or StopReason("5 of 5 trials"), 0)))


def record(number, state=C, curve=(0.5,), **tags):
    values = {"rmse": curve[-1]} if curve and state is not F else {}
    steps = {10 * (at + 1): value for at, value in enumerate(curve)}
    params = {"rate": 0.1 * (number + 1), "units": 16 + number}
    return TrialRecord(number, state, params, curve=steps, values=values, tags=tags)


def test_the_commands_that_come_next_have_lines_of_their_own_and_only_those_that_have_an_answer(tmp_path, monkeypatch):
    four = [record(number, curve=(0.5 + number,)) for number in range(4)]
    lines = ended(tmp_path, monkeypatch, four)
    assert lines[-4:] == ["next:", "  tuner show sim", "  tuner ui sim", "  tuner importance sim"]


@pytest.mark.parametrize("curves", [(0.5, 0.6, 0.7), (0.5, 0.5, 0.5, 0.5)])
def test_importance_is_not_named_where_it_cannot_be_told(tmp_path, monkeypatch, curves):
    lines = ended(tmp_path, monkeypatch, [record(n, curve=(value,)) for n, value in enumerate(curves)])
    assert lines[-3:] == ["next:", "  tuner show sim", "  tuner ui sim"]


def test_where_no_trial_completed_a_mistake_in_the_file_and_one_in_the_model_have_each_their_way(tmp_path, monkeypatch):
    end = StopReason("the objective 'rmse' never came; tags that are there: loss", failed=True)
    lines = ended(tmp_path, monkeypatch, [record(0, F)], end=end)
    assert lines == [
        "failed: the objective 'rmse' never came; tags that are there: loss",
        "no trial completed; see why with:",
        "  tuner show sim",
        "  tuner logs sim:0",
        "if the search space file is wrong, mend it, delete this sweep, and run it again:",
        "  tuner delete sim",
        "if the model is wrong, mend it, and run the failed trial again:",
        "  tuner retry sim",
    ]


def test_of_a_command_it_is_not_a_model_that_may_be_wrong(tmp_path, monkeypatch):
    end = StopReason("1 trials failed one after another", failed=True)
    lines = ended(tmp_path, monkeypatch, [record(0, F)], end=end, command=("python", "task.py"))
    assert (
        "if the search space file or the command line is wrong, mend it, delete this sweep, and run it again:" in lines
    )
    assert "if the program is wrong, mend it, and run the failed trial again:" in lines


def test_where_trials_completed_the_failed_ones_are_run_again_and_new_ones_are_offered(tmp_path, monkeypatch):
    lines = ended(tmp_path, monkeypatch, [record(0), record(1, F), record(2, F)])
    assert lines[2:8] == [
        "2 trials failed; when the cause is mended, run the failed trials again:",
        "  tuner retry sim",
        "for 10 new trials, 13 in all:",
        "  tuner resume sim --trials 13",
        "to begin anew:",
        "  tuner delete sim",
    ]


def test_trials_whose_last_value_is_no_number_are_not_to_be_run_again_as_it_stands(tmp_path, monkeypatch):
    last = replace(record(0, F), curve={80: 0.5, 90: float("nan")})  # 90 are max_steps
    end = StopReason("3 trials failed one after another", failed=True)
    lines = ended(tmp_path, monkeypatch, [last], end=end)
    assert lines[-2:] == [
        "if the model or the file is wrong, mend it, delete this sweep, and run it again:",
        "  tuner delete sim",
    ]


def test_beside_a_trial_that_stopped_on_its_way_the_failed_ones_are_run_again(tmp_path, monkeypatch):
    last = replace(record(0, F), curve={80: 0.5, 90: float("nan")})
    assert "  tuner retry sim" in ended(tmp_path, monkeypatch, [last, record(1, F)])


def test_where_trials_completed_those_without_a_number_leave_new_trials(tmp_path, monkeypatch):
    lines = ended(tmp_path, monkeypatch, [record(0), replace(record(1, F), curve={90: float("inf")})])
    assert lines[2:5] == [
        "1 trial failed by the value at the last step, which stands if run again",
        "for 10 new trials, 12 in all:",
        "  tuner resume sim --trials 12",
    ]


@pytest.mark.parametrize(("state", "was"), [(P, "pruned"), (TrialState.PAUSED, "paused")])
def test_a_trial_that_was_better_on_its_way_is_said_not_to_compete(tmp_path, monkeypatch, state, was):
    others = [record(1, state, (0.9, 0.25)), record(2, P, (0.3,)), record(3, P, (float("nan"),))]
    lines = ended(tmp_path, monkeypatch, [record(0), *others])
    best = lines.index("best: trial 0, rmse 0.5, with rate=0.1, units=16")
    said = f"trial 1 was at 0.25 when it was {was} at step 20, and only complete trials can be the best"
    assert lines[best + 1] == said


@pytest.mark.parametrize(
    ("rule", "value", "judged"),
    [("last", 0.5, "at step 20"), ("mean", 0.3, "in the mean of its last 2 evaluations")],
)
def test_an_export_of_another_step_than_the_one_judged_is_a_line_of_its_own(tmp_path, rule, value, judged):
    from tuner.cli.ending import _exported, _judged_at
    from tuner.files.paths import Root

    sweep_dir = Root(tmp_path).sweep("mine")
    folder = sweep_dir.trial(0).path
    folder.mkdir(parents=True)
    (folder / "model.ckpt-10.index").touch()
    objective = Objective("rmse", Goal.MINIMIZE, Aggregation(rule, 2 if rule == "mean" else 1))
    found = TrialRecord(0, C, {}, curve={10: 0.1, 20: 0.5}, values={"rmse": value}, tags={"tuner.servable": "true"})
    best = Trial(found, (objective,), None, str(folder))
    result = SimpleNamespace(dir=sweep_dir)
    assert _judged_at(best) == judged
    assert _exported(result, best) == "to export: its checkpoint of step 10, rmse 0.1"
    sweep_dir.best_model_file.write_text('{"trial": 0, "step": 10}')
    assert _exported(result, best) == "exported: its checkpoint of step 10, rmse 0.1"


def test_what_a_limit_leaves_unfinished_is_counted_and_what_goes_on_with_it_is_typed(tmp_path, monkeypatch):
    waiting = [record(0, TrialState.PAUSED), record(1, TrialState.PAUSED), record(2, TrialState.INTERRUPTED)]
    end = StopReason("the sweep's time of 20 s is over", limit="--timeout")
    lines = ended(tmp_path, monkeypatch, waiting, search="sampler: random, timeout: 20s", end=end)
    assert lines == [
        "finished: the sweep's time of 20 s is over",
        "trials that have not ended: 1 interrupted and 2 paused; a larger --timeout continues it",
        "  tuner resume sim --timeout 40s",
        "no trial has completed yet; see all with:",
        "  tuner show sim",
    ]


def test_how_many_waited_until_the_end_is_said_in_a_line(tmp_path, monkeypatch):
    waited = [replace(record(number, P), reason=NEVER_RESUMED) for number in (1, 2)]
    lines = ended(tmp_path, monkeypatch, [record(0), *waited, record(3, P)])
    assert lines[1] == "trials that were paused until the end, and so are PRUNED: 2"


def test_of_a_budget_its_key_is_said(tmp_path, monkeypatch):
    end = StopReason("the budget of 800 steps is spent", limit="search.budget.steps")
    lines = ended(tmp_path, monkeypatch, [record(0), record(1, TrialState.PAUSED)], end=end)
    said = "trials that have not ended: 1 paused; a larger search.budget.steps in its file continues it"
    assert lines[1:3] == [said, "best: trial 0, rmse 0.5, with rate=0.1, units=16"]


def test_importance_of_too_few_trials_says_how_many_it_takes_and_what_adds_some(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    tuner.Sweep.from_file("sim.yaml", tmp_path).session(RunOptions(backend="simulated"), NullDisplay()).run()
    from tuner.cli import importance  # noqa: F401

    said = call("importance", "sim")
    assert said.exit_code == 0
    assert said.output.splitlines() == [
        "importance for rmse cannot be told yet: it takes 4 complete trials with a number as rmse, and there are 2",
        "for 10 more trials, 12 in all:",
        "  tuner resume sim --trials 12",
    ]


def test_importance_of_a_sweep_that_is_not_through_names_no_more_trials_than_it_has(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    limits = RunOptions(backend="simulated", timeout_s=0.001)
    tuner.Sweep.from_file("sim.yaml", tmp_path).session(limits, NullDisplay()).run()
    assert call("importance", "sim").output.splitlines()[-2:] == [
        "1 of 2 trials have ended; go on with:",
        "  tuner resume sim",
    ]


def test_while_a_driver_is_at_work_nobody_is_told_to_resume(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    limits = RunOptions(backend="simulated", timeout_s=0.001)
    sweep = tuner.Sweep.from_file("sim.yaml", tmp_path)
    sweep.session(limits, NullDisplay()).run()
    from tuner.cli import importance, retry, verify  # noqa: F401

    with DriverLock(sweep.dir.driver_file):
        for words in (["importance", "sim"], ["retry", "sim"], ["retry", "sim:0"]):
            said = " ".join(call(*words).output.split())
            assert "tuner watch sim" in said and "tuner resume" not in said
        Study(sweep.spec, open_journal(sweep.dir.journal_file)).ask()  # which runs
        verified = call("verify", "sim")
        said = "trials that have not ended, or whose records are on their way, are not compared (1 of 2)"
        assert verified.exit_code == 0 and said in " ".join(verified.output.split())
        assert verified.output.splitlines()[-1].startswith("1 trial, 1 value: study, MLflow and")
    assert "go on with: tuner resume sim" in " ".join(call("retry", "sim").output.split())
