"""Charts from a study's trials: what they show, as values."""

import json
import math
import random
import re
from dataclasses import replace

import pytest

from tests.plots.sweeps import ONE, TWO, named, spec, trials
from tuner.config import load_spec
from tuner.domain.objective import Constraint
from tuner.domain.tags import FEASIBLE, REPEAT_OF
from tuner.domain.trial import TrialRecord, TrialState
from tuner.errors import InvalidInput
from tuner.plots import make_charts
from tuner.plots.matplotlib_png import png
from tuner.plots.plotly_figure import figure
from tuner.plots.report import report
from tuner.plots.write import to_plotly


def test_a_sweep_of_one_objective_has_these_charts(one):
    charts = make_charts(one, trials(one))
    assert list(named(charts)) == ["history", "learning_curves", "importance", "slices", "parallel_coordinates"]


@pytest.mark.parametrize(("text", "metrics"), [(ONE, ["rmse"]), (TWO, ["rmse", "speed"])])
def test_each_panel_of_importance_names_its_objective(tmp_path, text, metrics):
    drawn = spec(tmp_path, text)
    panels = named(make_charts(drawn, trials(drawn)))["importance"].panels
    assert [panel.x.title for panel in panels] == [f"share of the variation of {metric}" for metric in metrics]


def test_a_name_that_no_plot_has_is_answered_with_the_near_one(one):
    with pytest.raises(InvalidInput, match=r"there is no plot 'hisotry' .* \(did you mean 'history'\?\)"):
        to_plotly(make_charts(one, trials(one)), "hisotry")


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


def test_the_end_of_each_pruned_trial_is_marked_and_the_best_curve_stands_out(one):
    found = trials(one)
    series = {s.name: s for s in named(make_charts(one, found))["learning_curves"].panels[0].series}
    assert len(series["pruned here"].x) == 5
    assert set(series["pruned here"].x) == {500.0}
    best = min((t for t in found if t.state is TrialState.COMPLETE), key=lambda t: t.values["rmse"])
    assert f"best: trial {best.number}" in series
    thirds = ("complete: worst third", "middle third", "best third")
    assert sum(x is None for name in thirds for x in series[name].x) == 15  # a gap behind each trial's curve


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


@pytest.mark.parametrize("huge", [1e308, -1.7e308, 1e200, math.inf, math.nan])
def test_a_number_that_no_axis_can_show_is_left_out_of_every_chart(tmp_path, huge):
    two = spec(tmp_path, TWO)
    found = [replace(t, curve={**t.curve, 300: huge if t.number % 5 else -huge}) for t in trials(two)]
    found = [replace(t, values=dict.fromkeys(t.values, huge)) if t.number in (3, 5) else t for t in found]
    charts = make_charts(two, found)
    assert {chart.name for chart in charts} >= {"history", "learning_curves", "slices", "pareto_front"}
    for chart in charts:
        assert png(chart)
        drawn = [y for trace in figure(chart)["data"] for y in trace.get("y", ()) if isinstance(y, float)]
        assert all(abs(y) < 100 for y in drawn)


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


def infeasible(trial):
    return replace(trial, tags={**trial.tags, FEASIBLE: "false"})


def test_what_breaks_a_constraint_is_neither_the_best_nor_on_the_front_and_is_marked(one, tmp_path):
    limited = replace(one, constraints=(Constraint("size", high=1.0),))
    found = trials(limited)
    ranked = sorted((t for t in found if t.state is TrialState.COMPLETE), key=lambda t: t.values["rmse"])
    for trial in ranked[:4]:
        found[trial.number] = infeasible(trial)
    charts = named(make_charts(limited, found))
    series = {s.name: s for s in charts["history"].panels[0].series}
    assert sorted(series["infeasible"].y) == [t.values["rmse"] for t in ranked[:4]]
    assert series["best so far"].y[-1] == ranked[4].values["rmse"]
    curves = {s.name: s for s in charts["learning_curves"].panels[0].series}
    assert f"best: trial {ranked[4].number}" in curves
    assert sum(x is None for x in curves["infeasible"].x) == 4
    assert len(charts["parallel_coordinates"].shades) == len(ranked) - 4

    two = replace(spec(tmp_path, TWO), constraints=limited.constraints)
    found = trials(two)
    points = {s.name: s for s in make_charts(two, found)[0].panels[0].series}["Pareto front"]
    front = [t for t in found if (t.values["rmse"], t.values["speed"]) in zip(points.x, points.y, strict=True)]
    for trial in front:
        found[trial.number] = infeasible(trial)
    series = {s.name: s for s in make_charts(two, found)[0].panels[0].series}
    assert set(series["infeasible"].x) == {t.values["rmse"] for t in front if t.state is TrialState.COMPLETE}
    assert not set(series["Pareto front"].x) & {t.values["rmse"] for t in front}


def test_of_parameters_with_several_seeds_the_curve_that_stands_out_is_of_the_best_set(one):
    repeating = replace(one, search=replace(one.search, repeats=2))
    found = [
        replace(t, state=TrialState.COMPLETE, tags={REPEAT_OF: str(t.number - t.number % 2)}) for t in trials(one, 8)
    ]
    found = [replace(t, tags={} if t.number % 2 == 0 else t.tags, values={"rmse": 5.0}) for t in found]
    found[3] = replace(found[3], values={"rmse": 0.1})  # a lucky seed: the mean of its set is 2.55
    found[6], found[7] = (replace(t, values={"rmse": 1.0}) for t in found[6:])
    names = [s.name for s in named(make_charts(repeating, found))["learning_curves"].panels[0].series]
    assert "best: trial 6" in names
