"""The table and charts of a sweep as a view that MLflow shares."""

import base64
import json
import zlib
from dataclasses import replace

from tests.recorders.mlflow.sending import OPENED, Made, trial, write
from tuner.files.run_ids import RunIds
from tuner.recorders.mlflow.shared_view import TAG
from tuner.records.record import SweepClosed, TrialOpened


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
