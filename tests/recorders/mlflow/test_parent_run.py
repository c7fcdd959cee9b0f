"""What MLflow's pages show of a sweep, on a real SQLite store: metrics, description, files, data sets."""

import base64
import json
import math
import zlib
from dataclasses import replace

import pytest

from tests.events.event_records import record, several_event, version_event
from tuner.domain.trial import Evaluation, TrialState
from tuner.files.paths import Root
from tuner.files.run_ids import RunIds, run_ids
from tuner.recorders.mlflow.parent_run import LENGTH, _cell, parent_description
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.mlflow.shared_view import TAG
from tuner.recorders.mlflow.summary import SweepSummary
from tuner.recorders.mlflow.training_curves import POINTS, TrainingCurves
from tuner.recorders.mlflow.uploads import TRIES
from tuner.recorders.sender import Sender
from tuner.records.log import RecordLog
from tuner.records.record import Evaluated, SweepClosed, SweepOpened, TrialChanged, TrialOpened

OPENED = SweepOpened(
    "b" * 32,
    "sweep",
    1_700_000_000.0,
    {"rmse": "minimize"},
    "name: sweep\n",
    {"trials": 2, "max_steps": 1000},
    {"team": "houses"},
    {"mlflow.user": "me", "tuner.command": "tuner run"},
    options={"training": ["loss"], "plots": True},
)


@pytest.fixture
def sweep_dir(root):
    folder = Root(root).sweep("sweep")
    folder.trials_dir.mkdir(parents=True)
    return folder


@pytest.fixture
def client(sweep_dir):
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{sweep_dir.root.database_file}")


class Made:
    """Files that are there at once."""

    def __init__(self, **importance):
        self.importance = importance

    def done(self):
        return True

    def stop(self):
        pass


def trial(number, values, state=TrialState.COMPLETE, at=1_700_000_010.0):
    """The records of a trial with an evaluation every 100 steps."""
    yield TrialOpened(number, at, {"rate": 0.1 * (number + 1), "on": True})
    yield TrialChanged(number, at, TrialState.RUNNING)
    for index, value in enumerate(values, 1):
        yield Evaluated(number, Evaluation(100 * index, at + index, "eval", {"rmse": value, "loss": value**2}))
    yield TrialChanged(number, at + 50, state, "", {"rmse": values[-1]}, 100 * len(values))


def write(sweep_dir, records, sweep_files=None, client=None):
    """Send records as the sender does."""
    recorder = MlflowRecorder(sweep_dir, client=client, sweep_files=sweep_files)
    recorder.open()
    recorder.write(records)
    for _ in range(TRIES + 1):
        if not recorder.attach(closing=True):
            break
    recorder.close()


def read(sweep_dir, number=0):
    return MlflowReader(sweep_dir).read(run_ids(sweep_dir)[number])


def training(sweep_dir, number, steps, file="events.out.tfevents.1700000000.here"):
    folder = sweep_dir.trial(number).path
    folder.mkdir(exist_ok=True)
    events = [several_event(step, {"loss": 1.0 / step, "other": 1.0}) for step in steps]
    (folder / file).write_bytes(b"".join(map(record, [version_event(), *events])))


def test_the_best_value_so_far_stands_beside_the_last_one(sweep_dir):
    write(sweep_dir, [OPENED, *trial(0, [3.0, 1.0, math.nan, 2.0, 0.5, 0.7])])
    run = read(sweep_dir)
    assert run.metrics["best/rmse"] == {100: 3.0, 200: 1.0, 500: 0.5}
    assert run.metrics["eval/rmse"][600] == 0.7
    assert run.doubled == ()


def test_training_loss_is_thinned_and_stops_where_a_decision_was_made(sweep_dir):
    training(sweep_dir, 0, range(1, 1001))
    training(sweep_dir, 1, range(1, 1001))
    write(sweep_dir, [OPENED, *trial(0, [1.0] * 10), *trial(1, [1.0] * 3, TrialState.PRUNED)])
    complete, pruned = (read(sweep_dir, number).metrics["train/loss"] for number in (0, 1))
    assert 100 <= len(complete) <= POINTS + 1
    assert max(complete) == 1000
    assert max(pruned) <= 300
    assert set(read(sweep_dir).metrics) == {"eval/rmse", "eval/loss", "best/rmse", "train/loss", "objective"}


def test_the_same_points_of_training_come_out_however_the_files_grow_and_from_wherever_they_are_read(sweep_dir):
    training(sweep_dir, 0, range(1, 301))
    whole = TrainingCurves(sweep_dir, ["loss"], 1000)
    first = list(whole.due(0, 200))
    whole.arrived(0)
    # A later attempt repeats steps from its checkpoint on; what was written first stands.
    training(sweep_dir, 0, range(201, 601), "events.out.tfevents.1700000100.here")
    rest = list(whole.due(0, None))
    again = list(TrainingCurves(sweep_dir, ["loss"], 1000).due(0, None))
    assert [(p.step, p.value) for p in first + rest] == [(p.step, p.value) for p in again]
    assert [p.step for p in again] == sorted({p.step for p in again})


def test_points_of_training_that_did_not_arrive_are_due_again(sweep_dir):
    training(sweep_dir, 0, range(1, 101))
    curves = TrainingCurves(sweep_dir, ["loss"], 1000)
    assert list(curves.due(0, 50)) == list(curves.due(0, 50)) != []
    curves.arrived(0)
    assert curves.due(0, 50) == []


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


def test_the_experiment_names_its_primary_metric(sweep_dir, client):
    write(sweep_dir, [OPENED])
    tags = client.get_experiment_by_name("sweep").tags
    assert tags["mlflow.experiment.primaryMetric.name"] == "objective"
    assert tags["mlflow.experiment.primaryMetric.greaterIsBetter"] == "false"


def view(client, name="sweep"):
    """What the experiment's view tells MLflow's page, read as the page reads it."""
    kept = client.get_experiment_by_name(name).tags[TAG]
    assert len(kept) <= 5000
    return json.loads(zlib.decompress(base64.b64decode(kept.removeprefix("deflate;"))))


def test_the_view_shows_all_trials_the_best_first_with_the_parameters_that_vary(sweep_dir, client):
    write(sweep_dir, [OPENED, *trial(0, [2.0]), *trial(1, [1.0])], lambda folder, closing: {})
    shown = view(client)
    parent = RunIds(sweep_dir.runs_file).parent
    assert shown["searchFilter"] == f"tags.`mlflow.parentRunId` = '{parent}'"
    assert (shown["orderByKey"], shown["orderByAsc"]) == ("metrics.`objective`", True)
    columns = ["tags.`tuner.state`", "metrics.`objective`", "tags.`tuner.step`", "params.`rate`"]
    assert shown["selectedColumns"] == columns  # `on` is true in each trial
    assert shown["runsHiddenMode"] == "SHOW_ALL"
    kinds = [chart["type"] for chart in shown["compareRunCharts"]]
    assert kinds == ["LINE", "PARALLEL", "SCATTER", "DIFFERENCE"]
    sections = {section["uuid"] for section in shown["compareRunSections"]}
    assert sections == {chart["metricSectionId"] for chart in shown["compareRunCharts"]}
    assert client.search_runs([client.get_experiment_by_name("sweep").experiment_id], shown["searchFilter"])


def test_the_view_has_the_most_important_parameters_first_and_a_parameter_of_few_has_no_axis(sweep_dir, client):
    opened = replace(OPENED, objectives={"rmse": "minimize", "speed": "maximize"})
    log = [opened, SweepClosed(1.0, True)]
    for number, params in enumerate([{"a": 1, "b": "x"}, {"a": 2, "b": "y", "c": 0.5}]):
        log[1:1] = [TrialOpened(number, 1.0, params)]
    write(sweep_dir, log, lambda folder, closing: Made(b=0.75, a=0.25))
    shown = view(client)
    assert shown["selectedColumns"][1:3] == ["metrics.`objective/rmse`", "metrics.`objective/speed`"]
    assert shown["selectedColumns"][-3:] == ["params.`b`", "params.`a`", "params.`c`"]
    (parallel,) = [chart for chart in shown["compareRunCharts"] if chart["type"] == "PARALLEL"]
    assert parallel["selectedParams"] == ["b", "a"]
    assert "importance: b 75%, a 25%" in [section["name"] for section in shown["compareRunSections"]]


def test_a_view_of_very_many_parameters_still_fits_into_its_tag(sweep_dir, client):
    log = [OPENED]
    for number in range(2):
        log.append(TrialOpened(number, 1.0, {f"a_parameter_{n * 7919 % 1009}_{n:x}": n + number for n in range(400)}))
    write(sweep_dir, log)
    assert 5 <= len(view(client)["selectedColumns"]) - 3 < 400


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


def test_a_description_that_somebody_wrote_for_the_experiment_stays(sweep_dir, client):
    write(sweep_dir, [OPENED])
    experiment = client.get_experiment_by_name("sweep").experiment_id
    client.set_experiment_tag(experiment, "mlflow.note.content", "mine")
    write(sweep_dir, [OPENED])
    assert client.get_experiment(experiment).tags["mlflow.note.content"] == "mine"


def test_the_parent_forgets_a_parameter_that_only_a_former_best_had(sweep_dir, client):
    first = [r if not isinstance(r, TrialOpened) else replace(r, params={"momentum": 0.9}) for r in trial(0, [2.0])]
    write(sweep_dir, [OPENED, *first, *trial(1, [1.0])])
    run = client.get_run(RunIds(sweep_dir.runs_file).parent)
    assert run.data.tags["tuner.best_trial"] == "1"
    assert "tuner.best.momentum" not in run.data.tags
    assert run.data.tags["tuner.best.rate"] == "0.2"
    history = client.get_metric_history(run.info.run_id, "best_objective")
    assert [(row.step, row.value) for row in history] == [(1, 2.0), (2, 1.0)]


def test_a_trial_has_its_log_its_job_and_a_table_of_its_evaluations(sweep_dir, client):
    folder = sweep_dir.trial(0)
    folder.path.mkdir()
    folder.log_file.write_text("all that TensorFlow said\n")
    folder.job_file.write_text("{}")
    write(sweep_dir, [OPENED, *trial(0, [2.0, 1.0])])
    run_id = run_ids(sweep_dir)[0]
    assert {f.path for f in client.list_artifacts(run_id)} == {"evaluations.csv", "job.json", "log.txt"}
    table = (sweep_dir.root.artifacts_dir / run_id / "artifacts" / "evaluations.csv").read_text()
    assert table == "step,loss,rmse\n100,4.0,2.0\n200,1.0,1.0\n"


def test_a_sender_that_died_before_it_stored_files_stores_them_and_one_that_had_does_not(sweep_dir):
    log = [OPENED, *trial(0, [1.0]), SweepClosed(1_700_000_100.0, True)]
    made = []

    def files(folder, closing):
        made.append(closing)
        (folder / "trials.csv").write_text("")
        return Made()

    recorder = MlflowRecorder(sweep_dir, sweep_files=files)
    recorder.open()
    recorder.write(log)  # and died here
    for _ in range(2):
        recorder = MlflowRecorder(sweep_dir, sweep_files=files)
        recorder.open()
        recorder.recall(log)
        assert recorder.attach(closing=True) == ""
    assert made == [True]
    assert json.loads(sweep_dir.attached_file.read_text().splitlines()[0]) == {"trial": 0}


def test_files_that_cannot_be_stored_keep_no_record_waiting_and_are_given_up(sweep_dir, client):
    def files(folder, closing):
        raise OSError("no room for files")

    log = [OPENED, *trial(0, [1.0]), SweepClosed(1_700_000_100.0, True)]
    write(sweep_dir, log, sweep_files=files)
    parent = client.get_run(RunIds(sweep_dir.runs_file).parent)
    assert parent.data.tags["tuner.files"] == "could not be stored: no room for files"
    assert parent.info.status == "FINISHED"
    assert read(sweep_dir).metrics["objective"] == {100: 1.0}


def test_what_a_trials_process_said_of_its_data_becomes_a_dataset_of_trial_and_sweep(sweep_dir, client):
    folder = sweep_dir.trial(0)
    folder.path.mkdir()
    data = {"name": "houses", "digest": "abc", "source_type": "local", "source": {"uri": "/x"}, "schema": None}
    folder.dataset_file.write_text(json.dumps([{**data, "profile": {"rows": 3}, "context": "training"}]))
    write(sweep_dir, [OPENED, *trial(0, [1.0])])
    write(sweep_dir, [OPENED, *trial(0, [1.0])])
    for run_id in (RunIds(sweep_dir.runs_file).parent, run_ids(sweep_dir)[0]):
        (found,) = client.get_run(run_id).inputs.dataset_inputs
        assert (found.dataset.name, found.dataset.digest) == ("houses", "abc")
        assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]


def test_metrics_of_the_machine_are_on_the_sweep_where_they_are_asked_for(sweep_dir, client):
    write(sweep_dir, [replace(OPENED, options={"system_metrics": True, "plots": False}), *trial(0, [1.0])])
    metrics = client.get_run(RunIds(sweep_dir.runs_file).parent).data.metrics
    assert "system/cpu_utilization_percentage" in metrics
    assert not any(name.startswith("system/") for name in read(sweep_dir).metrics)


class Counting:
    """A client that counts the requests it passes on."""

    def __init__(self, client):
        self._client = client
        self.calls = {}

    def __getattr__(self, name):
        function = getattr(self._client, name)

        def call(*arguments, **kwargs):
            self.calls[name] = self.calls.get(name, 0) + 1
            return function(*arguments, **kwargs)

        return call


def test_a_trial_costs_four_requests_and_no_metric_is_missing(sweep_dir, client):
    """Made, filled, ended, its files: and nothing is searched for, however many trials there are."""
    count = 60
    log = RecordLog(sweep_dir.records_file)
    log.append(OPENED)
    for number in range(count):
        log.append(*trial(number, [number + 1.0 / step for step in range(1, 11)]))
    log.append(SweepClosed(1_700_000_100.0, True))
    log.close()
    counting = Counting(client)
    sender = Sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, client=counting))
    while not sender.step(closing=True):
        pass
    batches = math.ceil((2 + 13 * count) / 500)
    assert counting.calls["create_run"] == count + 1
    assert counting.calls["log_batch"] <= count + batches + 4
    assert counting.calls["set_terminated"] == count + 1
    assert counting.calls["log_artifacts"] == count
    assert counting.calls.get("search_runs", 0) == 1
    assert set(counting.calls) <= {
        *("create_run", "log_batch", "set_terminated", "log_artifacts", "search_runs", "update_run"),
        *("get_experiment_by_name", "create_experiment", "set_experiment_tag", "log_text"),
    }
    assert counting.calls["set_experiment_tag"] <= 4 + batches + 1  # the view is renewed with the page
    for number in (0, count // 2, count - 1):
        held = read(sweep_dir, number).metrics
        assert held["eval/rmse"] == {100 * step: number + 1.0 / step for step in range(1, 11)}
        assert len(held["eval/loss"]) == 10


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


class Drawing:
    """Files that are made until somebody says that they are there."""

    def __init__(self):
        self.made, self.stopped, self.is_done, self.importance = [], 0, False, {}

    def __call__(self, folder, closing):
        self.made.append(closing)
        (folder / "trials.csv").write_text("")
        return self

    def done(self):
        return self.is_done

    def stop(self):
        self.stopped += 1


def test_pictures_hold_back_no_record_and_what_is_waited_for_is_said(sweep_dir, client, capsys):
    drawing = Drawing()
    log = RecordLog(sweep_dir.records_file)
    log.append(OPENED, *trial(0, [1.0]), SweepClosed(1_700_000_100.0, True))
    sender = Sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, client=client, sweep_files=drawing))
    assert not sender.step(closing=True)
    assert sender.pause_s < 1
    log.append(replace(OPENED, time=OPENED.time + 101), *trial(1, [2.0]), SweepClosed(1_700_000_200.0, True))
    assert not sender.step(closing=True)
    assert read(sweep_dir, 1).metrics["objective"] == {100: 2.0}
    waits = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in waits if line["event"] == "waits"] == ["its plots are being drawn"]
    drawing.is_done = True
    assert sender.step(closing=True)
    assert {file.path for file in client.list_artifacts(RunIds(sweep_dir.runs_file).parent)} >= {"trials.csv"}
    assert list(sweep_dir.path.glob(".files-*")) == []
    sender.close()


def test_a_recorder_that_ends_while_files_are_made_gives_them_up_and_the_next_makes_them(sweep_dir, client):
    drawing = Drawing()
    log = RecordLog(sweep_dir.records_file)
    log.append(OPENED, *trial(0, [1.0]), SweepClosed(1_700_000_100.0, True))
    for _ in range(2):
        sender = Sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, client=client, sweep_files=drawing))
        sender.step(closing=True)
        sender.close()
    assert (drawing.made, drawing.stopped) == ([True, True], 2)
    assert list(sweep_dir.path.glob(".files-*")) == []


def test_names_and_texts_of_a_description_are_shown_as_they_are_whatever_markup_is_in_them():
    assert _cell("<img src=x> | ![a](http://b) *c* `d` a_b _e_\nf") == (
        "&lt;img src=x> \\| \\!\\[a\\](http://b) \\*c\\* \\`d\\` a_b \\_e\\_ f"
    )
    note = parent_description(summary(space="name: x  # ```\n\n![a](http://b)"))
    assert note.count("````") == 2 and note.endswith("![a](http://b)\n````")
