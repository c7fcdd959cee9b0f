"""What MLflow's pages show of a sweep, on a real SQLite store: metrics, description, files, data sets."""

import math
from dataclasses import replace

from tests.recorders.mlflow.sending import OPENED, read, trial, write
from tuner.domain.trial import Evaluation, TrialState
from tuner.files.run_ids import RunIds, run_ids
from tuner.recorders.mlflow.artifacts import UploadSchedule
from tuner.recorders.mlflow.parent_run import LENGTH, ParentRun, _cell, parent_description
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.mlflow.summary import SweepSummary
from tuner.records.record import Evaluated, SweepClosed, TrialChanged, TrialOpened


def test_the_best_value_so_far_stands_beside_the_last_one(sweep_dir):
    write(sweep_dir, [OPENED, *trial(0, [3.0, 1.0, math.nan, 2.0, 0.5, 0.7])])
    run = read(sweep_dir)
    assert run.metrics["best/rmse"] == {100: 3.0, 200: 1.0, 500: 0.5}
    assert run.metrics["eval/rmse"][600] == 0.7
    assert run.doubled == ()


def test_each_run_has_the_tags_and_a_tag_given_later_comes_to_runs_that_are_there(sweep_dir, client):
    write(sweep_dir, [OPENED, *trial(0, [1.0])])
    log = [OPENED, *trial(0, [1.0])]
    recorder = MlflowRecorder(sweep_dir)
    recorder.open()
    recorder.recall(log)
    recorder.write([replace(OPENED, tags={"team": "houses", "note": "again"}), *trial(1, [1.0])])
    for run_id in (RunIds(sweep_dir.runs_file).parent, *run_ids(sweep_dir).values()):
        tags = client.get_run(run_id).data.tags
        assert (tags["team"], tags["note"], tags["mlflow.user"]) == ("houses", "again", "me")
        assert tags["tuner.sweep"] == "sweep"
    assert "tuner.command" not in read(sweep_dir, 1).tags


def test_the_first_metric_of_a_run_is_the_one_it_is_judged_by_which_a_comparison_begins_with(sweep_dir, client):
    metrics = {"a": 1.0, "rmse": 2.0}
    at = [TrialOpened(0, 1.0, {}), Evaluated(0, Evaluation(100, 1.0, "eval", metrics))]
    write(sweep_dir, [OPENED, *at])
    assert next(iter(client.get_run(run_ids(sweep_dir)[0]).data.metrics)) == "eval/rmse"


def test_a_trial_says_whose_it_is_and_how_it_ended_and_a_run_has_no_empty_tag(sweep_dir, client):
    log = [OPENED, *trial(0, [2.0, 1.0]), *trial(1, [3.0], TrialState.PRUNED), TrialOpened(2, 1.0, {"rate": 1.0})]
    log += [TrialChanged(2, 1.0, TrialState.PAUSED, "at rung 100", {}, 100), TrialChanged(2, 2.0, TrialState.RUNNING)]
    write(sweep_dir, [*log, SweepClosed(1_700_000_100.0, True)])
    tags = [client.get_run(run_ids(sweep_dir)[number]).data.tags for number in range(3)]
    parent = client.get_run(RunIds(sweep_dir.runs_file).parent)
    for found in [*tags, parent.data.tags]:
        assert all(found.values())
    assert [found.get("tuner.step") for found in tags] == ["200", "100", None]
    assert "tuner.reason" not in tags[2]
    assert [found.get("mlflow.runColor", "own") for found in tags] == ["own", "#c4c4c4", "own"]
    assert (
        f"[sweep](#/experiments/{parent.info.experiment_id}/runs/{parent.info.run_id}?"
        in tags[1]["mlflow.note.content"]
    )
    assert "**PRUNED** at step 100<br>`rmse` 3" in tags[1]["mlflow.note.content"]
    experiment = client.get_experiment_by_name("sweep").tags["mlflow.note.content"]
    assert "Hyperparameter sweep **sweep**: minimize `rmse`" in experiment


def test_the_parent_forgets_a_parameter_that_only_a_former_best_had(sweep_dir, client):
    first = [r if not isinstance(r, TrialOpened) else replace(r, params={"momentum": 0.9}) for r in trial(0, [2.0])]
    write(sweep_dir, [OPENED, *first, *trial(1, [1.0])])
    run = client.get_run(RunIds(sweep_dir.runs_file).parent)
    assert run.data.tags["tuner.best_trial"] == "1"
    assert "tuner.best.momentum" not in run.data.tags
    assert run.data.tags["tuner.best.rate"] == "0.2"
    history = client.get_metric_history(run.info.run_id, "best_objective")
    assert [(row.step, row.value) for row in history] == [(1, 2.0), (2, 1.0)]


def summary(**changes):
    found = SweepSummary()
    for entry in [replace(OPENED, **changes), *trial(0, [2.0]), *trial(1, [1.0], TrialState.PRUNED)]:
        found.on_record(entry)
    return found


def test_the_description_says_how_the_sweep_stands_and_how_to_go_on():
    note = parent_description(summary(description="Which **rate**?"))
    assert "Which **rate**?" in note
    assert "**Trials:** 1 complete, 1 pruned" in note
    assert "**Best so far:** trial 0, `rmse` 2" in note
    assert "| rate | 0.1 |" in note
    assert "tuner resume sweep" in note
    assert note.endswith("```yaml\nname: sweep\n```")
    found = summary()
    found.on_record(SweepClosed(1_700_000_100.0, True))
    assert "tuner resume" not in parent_description(found)
    assert "tuner export sweep OUT_DIR" in parent_description(found)


def test_a_long_search_space_is_cut_and_its_block_still_ends():
    note = parent_description(summary(space="\n".join(f"p{n}: {n}" for n in range(5000))))
    assert len(note) <= LENGTH + 1000
    assert note.endswith("# ... the rest is in search_space.yaml\n```")


def test_the_description_of_several_objectives_lists_the_pareto_front():
    found = SweepSummary()
    found.on_record(replace(OPENED, objectives={"rmse": "minimize", "speed": "maximize"}))
    for number, (rmse, speed) in enumerate([(1.0, 1.0), (2.0, 5.0), (3.0, 4.0)]):
        found.on_record(TrialChanged(number, 1.0, TrialState.COMPLETE, "", {"rmse": rmse, "speed": speed}, 10))
    note = parent_description(found)
    assert found.front == [0, 1]
    assert "| 0 | 1 | 1 |\n| 1 | 2 | 5 |" in note
    assert "\n| 2 | 3" not in note


def test_names_and_texts_of_a_description_are_shown_as_they_are_whatever_markup_is_in_them():
    assert _cell("<img src=x> | ![a](http://b) *c* `d` a_b _e_\nf") == (
        "&lt;img src=x> \\| \\!\\[a\\](http://b) \\*c\\* \\`d\\` a_b \\_e\\_ f"
    )
    note = parent_description(summary(space="name: x  # ```\n\n![a](http://b)"))
    assert note.count("````") == 2 and note.endswith("![a](http://b)\n````")


def test_an_end_that_is_recorded_before_the_export_and_again_behind_it_is_one_end(tmp_path):
    summary, schedule = SweepSummary(), UploadSchedule(tmp_path / "attached")
    page, end = ParentRun(summary), SweepClosed(1_700_000_100.0, True, "2 of 2 trials", 0)
    summary.on_record(OPENED)
    summary.on_record(end)
    schedule.closed(end.time)
    assert schedule.closing
    assert page.due(closing=True).status == "FINISHED"
    page.arrived()
    schedule.closed(end.time)  # while the last plots are being drawn
    assert schedule.closing
    schedule.stored(closing=True)
    summary.on_record(end)
    schedule.closed(end.time)
    assert not schedule.due
    assert page.due(closing=True) is None
