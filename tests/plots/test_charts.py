"""Charts from a study's trials: what they show, as values, as pictures and as pages."""

import json
import math
import random
import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plots.sweeps import TWO, spec, trials
from tuner.config import load_spec
from tuner.domain.objective import Goal
from tuner.domain.trial import TrialRecord, TrialState
from tuner.plots import Parallel, make_charts
from tuner.plots.axes import ABSENT, Scale, varying
from tuner.plots.chart import number_ticks, robust_view
from tuner.plots.html_page import chart_page
from tuner.plots.matplotlib_png import png
from tuner.plots.plotly_figure import figure
from tuner.plots.report import report
from tuner.study.importance import importances


@pytest.fixture
def one(tmp_path):
    return spec(tmp_path)


def named(charts):
    return {chart.name: chart for chart in charts}


def test_a_sweep_of_one_objective_has_these_charts(one):
    charts = make_charts(one, trials(one))
    assert list(named(charts)) == ["history", "learning_curves", "importance", "slices", "parallel_coordinates"]


def test_a_sweep_of_several_objectives_has_its_pareto_front_first(tmp_path):
    two = spec(tmp_path, TWO)
    found = trials(two)
    charts = make_charts(two, found)
    assert charts[0].name == "pareto_front"
    (front,) = [series for series in charts[0].panels[0].series if series.name == "Pareto front"]
    shown = set(zip(front.x, front.y, strict=True))
    for trial in found:
        if trial.state is TrialState.COMPLETE:
            beaten = any(x <= trial.values["rmse"] and y > trial.values["speed"] for x, y in shown)
            assert beaten or (trial.values["rmse"], trial.values["speed"]) in shown
    assert len(charts[1].panels) == 2  # the history of each


def test_only_parameters_that_vary_are_drawn(one):
    assert varying(trials(one)) == ["learning_rate", "layers", "optimizer", "momentum"]
    found = [replace(t, params={**t.params, "layers": 2}) for t in trials(one)]
    titles = [dimension.title for dimension in named(make_charts(one, found))["parallel_coordinates"].dimensions]
    assert titles == ["learning_rate", "optimizer", "momentum", "rmse"]


def test_a_trial_without_a_conditional_parameter_stands_below_its_axis(one):
    charts = named(make_charts(one, trials(one)))
    momentum = charts["parallel_coordinates"].dimensions[3]
    assert momentum.ticks[0][1] == "absent"
    assert momentum.positions.count(momentum.low) == 10  # the complete trials with adam


def test_the_end_of_each_pruned_trial_is_marked_and_the_best_curve_stands_out(one):
    found = trials(one)
    series = {s.name: s for s in named(make_charts(one, found))["learning_curves"].panels[0].series}
    assert len(series["pruned here"].x) == 5
    assert set(series["pruned here"].x) == {500.0}
    best = min((t for t in found if t.state is TrialState.COMPLETE), key=lambda t: t.values["rmse"])
    assert f"best: trial {best.number}" in series
    thirds = ("complete: worst third", "middle third", "best third")
    assert sum(x is None for name in thirds for x in series[name].x) == 15  # a gap behind each trial's curve


def test_an_outlier_leaves_room_for_the_others_and_the_title_says_so(one):
    found = [replace(t, curve={}) for t in trials(one, 40, pruned=False)]
    found[0] = replace(found[0], values={"rmse": -1.0})  # no logarithmic axis
    found[1] = replace(found[1], values={"rmse": 1000.0})
    history = named(make_charts(one, found))["history"]
    low, high = history.panels[0].y.view
    assert low < -1.0 < high < 1000.0
    assert history.title.startswith(f"{one.name}: History, ")
    assert f" of 40 values are above {high:.4g} (double click: all)" in history.title
    assert figure(history)["layout"]["yaxis"]["range"] == [low, high]
    assert png(history).startswith(b"\x89PNG")


def test_a_view_never_leaves_out_what_is_good():
    assert robust_view([1.0, 1.1, 1.2, 1.3, 1.4, -50.0], Goal.MINIMIZE) is None
    low, high = robust_view([1.0, 1.1, 1.2, 1.3, 1.4, -50.0], Goal.MAXIMIZE)
    assert low > -50.0
    assert high > 1.4


def test_best_so_far_falls_only_with_complete_trials(one):
    found = trials(one)
    found[3] = replace(found[3], values={"rmse": 0.0})  # pruned, and so never the best
    (best,) = [s for s in named(make_charts(one, found))["history"].panels[0].series if s.name == "best so far"]
    assert list(best.y) == sorted(best.y, reverse=True)
    assert min(best.y) > 0.0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_trials_or_none_give_fewer_charts_and_no_error(one, count):
    charts = make_charts(one, trials(one, count))
    assert all(png(chart).startswith(b"\x89PNG") for chart in charts)
    assert "importance" not in named(charts)


def test_values_that_are_no_numbers_are_left_out(one):
    found = trials(one)
    found[0] = replace(found[0], values={"rmse": math.inf}, curve={100: math.nan, 200: math.inf})
    found[1] = replace(found[1], state=TrialState.FAIL, values={}, curve={})
    for chart in make_charts(one, found):
        assert png(chart).startswith(b"\x89PNG")
        json.dumps(figure(chart), allow_nan=False)


def test_importance_is_by_optuna_and_by_ranks_where_trials_are_few(one):
    many = importances(one, trials(one, 40, pruned=False), one.objectives[0])
    assert many.method == "fANOVA of 40 complete trials"
    assert max(many.shares, key=many.shares.get) == "learning_rate"
    assert set(many.shares) == {"learning_rate", "layers", "optimizer", "momentum"}  # of the trials that have it
    few = importances(one, trials(one, 5, pruned=False), one.objectives[0])
    assert few.method.startswith("rank correlation")
    assert sum(few.shares.values()) == pytest.approx(1.0)
    assert importances(one, trials(one, 3), one.objectives[0]) is None


def test_importance_without_scikit_learn_is_by_another_evaluator(one, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else find(name))
    found = importances(one, trials(one, 40, pruned=False), one.objectives[0])
    assert found.method.startswith("PED-ANOVA")


def test_trials_that_are_all_equal_have_no_importance(one):
    found = [replace(t, values={"rmse": 1.0}) for t in trials(one)]
    assert importances(one, found, one.objectives[0]) is None


def test_ticks_are_round_and_within_their_bounds():
    assert number_ticks(0, 10, log=False) == [0, 2, 4, 6, 8, 10]
    assert number_ticks(1e-4, 1e-1, log=True) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert number_ticks(0.3, 0.9, log=True) == [0.3, 0.9]
    assert number_ticks(5, 5, log=False) == [5]


def test_choices_of_any_type_have_places_of_their_own(one):
    scale = Scale.of("batch_size", [True, 1, "1", [1, 2]], one.space)
    assert [scale.place(value) for value in (True, 1, "1", [1, 2])] == [0, 1, 2, 3]
    dimension = scale.dimension("x", ["1", ABSENT])
    assert dimension.positions[1] < dimension.positions[0]


def pixels(data):
    """The bytes of an RGBA picture, and how wide a line of them is."""
    width, height = struct.unpack(">II", data[16:24])
    return width, height, zlib.crc32(data)


def test_pictures_are_of_a_size_to_be_read(one):
    for chart in make_charts(one, trials(one)):
        width, height, _ = pixels(png(chart))
        assert 600 <= width <= 2000
        assert 200 <= height <= 1600


def test_a_page_stands_alone(one):
    """Nothing in it makes a browser fetch: no address of another place at all, outside the packed library."""
    chart = make_charts(one, trials(one))[0]
    assert isinstance(chart, Parallel) is False
    text = chart_page(chart, "drawn")
    assert fetched(text) == []
    assert "data:image/png;base64," in text


def test_a_report_stands_alone_and_has_every_trial_and_the_space(one):
    found = trials(one)
    text = report(one, found, make_charts(one, found), [4], {"git.commit": "abc", "command": "tuner run <x>"})
    assert fetched(text) == []
    assert text.count("<tr") == 1 + len(found)
    assert 'class="best"' in text
    assert "learning_rate: {type: float" in text
    assert "tuner run &lt;x&gt;" in text


def test_what_users_write_cannot_break_a_page(one):
    nasty = '</script><script src="x">'
    renamed = replace(one, description=nasty, source=nasty)
    found = [replace(t, reason=nasty) for t in trials(one)]
    text = report(renamed, found, make_charts(renamed, found), [4], {})
    assert nasty not in text


def fetched(text):
    """Return whatever in a page would make a browser ask another place."""
    found = re.findall(r"""(?:src|href|action|data)\s*=\s*["']?(?!data:)([^"'\s>]+)""", text)
    found += re.findall(r"url\(([^)]*)\)|@import|(https?://[^\s\"'<]*)", text)
    return [entry for entry in found if entry]


def test_the_stylesheet_and_scripts_are_in_the_package():
    import tuner.plots

    folder = Path(tuner.plots.__file__).parent
    assert {file.name for file in folder.iterdir()} >= {"page.css", "sort.js", "draw.js"}


def test_of_hundreds_of_parameters_only_those_that_mattered_are_drawn(tmp_path):
    lines = "".join(f"  p{number}: {{type: float, low: 0, high: 1}}\n" for number in range(264))
    file = tmp_path / "many.yaml"
    file.write_text(
        f"name: many\nmodel: m\nobjective: {{metric: rmse}}\nparameters:\n{lines}train: {{max_steps: 9, evaluate_every: 9}}\n"
    )
    many = load_spec(file)
    chance = random.Random(0)
    found = []
    for number in range(40):
        params = {f"p{place}": chance.random() for place in range(264)}
        value = 10 * params["p7"] + params["p200"]
        found.append(TrialRecord(number, TrialState.COMPLETE, params, values={"rmse": value}, curve={9: value}))
    charts = named(make_charts(many, found))
    assert len(charts["importance"].panels[0].series[0].x) == 30
    assert "234 more parameters explain " in charts["importance"].note
    panels = [panel.x.title for panel in charts["slices"].panels]
    assert len(panels) == 12
    assert "p7" in panels
    assert "the 12 of 264 parameters that mattered most" in charts["slices"].note
    assert len(charts["parallel_coordinates"].dimensions) == 13
    assert sum(len(png(chart)) for chart in charts.values()) < 3 << 20


def test_of_thousands_of_trials_the_better_ones_and_some_others_are_drawn_and_a_page_says_so(one):
    found = trials(one, 3_000)
    charts = named(make_charts(one, found))
    best = min((t for t in found if t.state is TrialState.COMPLETE), key=lambda t: t.values["rmse"])
    *points, so_far = charts["history"].panels[0].series
    assert sum(len(series.x) for series in points) == 500
    assert so_far.y[-1] == best.values["rmse"] and so_far.x[-1] == 2_999  # of all of them
    assert "500 of 3000 trials" in charts["history"].title
    hovers = [words for series in charts["learning_curves"].panels[0].series for words in series.hover if words]
    curves = {int(re.findall(r"\d+", words)[0]) for words in hovers}
    assert len(curves) <= 500 and best.number in curves
    assert all(sum(len(s.x) for s in panel.series) <= 1_000 for panel in charts["slices"].panels)
    text = report(one, found, list(charts.values()), [best.number], {})
    assert len(text) < 5_000_000
    assert text.count("<tr") == 1 + 1_000 and "The best 1000 of 3000" in text and '<tr class="best">' in text
