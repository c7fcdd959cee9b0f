"""What a chart shows of its values: ticks, and a view that outliers do not spoil."""

from dataclasses import replace

import pytest

from tests.plots.sweeps import named, trials
from tuner.domain.objective import Goal
from tuner.plots import make_charts
from tuner.plots.chart import number_ticks, robust_view
from tuner.plots.matplotlib_png import png
from tuner.plots.plotly_figure import figure


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


def test_ticks_are_round_and_within_their_bounds():
    assert number_ticks(0, 10, log=False) == [0, 2, 4, 6, 8, 10]
    assert number_ticks(1e-4, 1e-1, log=True) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert number_ticks(0.3, 0.9, log=True) == [0.3, 0.9]
    assert number_ticks(5, 5, log=False) == [5]
