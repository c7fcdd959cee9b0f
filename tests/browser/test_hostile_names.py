"""Pages of a sweep whose names and texts are made to break them, in a real browser: nothing of theirs runs, all charts are there."""

import dataclasses
import random

import pytest

from tests.fuzz.pages import HOSTILE, NOTHING, Pages, chromium, opened
from tests.plots.sweeps import trials
from tuner.config import parse_spec
from tuner.plots.comparison_page import comparison_page
from tuner.plots.html_page import chart_page
from tuner.plots.notebook_html import result_html
from tuner.plots.report import report
from tuner.plots.sweep_charts import make_charts

pytestmark = [pytest.mark.service, pytest.mark.slow]


def hostile(folder):
    """Return a sweep in which all that a user names is hostile, and its trials."""
    quoted = [
        repr(name) if "'" not in name else f'"{name}"'
        for name in map(str, HOSTILE)
        if '"' not in name and "\\" not in name
    ]
    names = [name for name in quoted if "proto" not in name]
    parameters = ", ".join(f"{name}: {{type: float, low: 0, high: 1}}" for name in names[:8])
    text = f"""
name: hostile
description: {names[0]}
objective: {{metric: {names[1]}, goal: minimize}}
parameters: {{choice: {{choices: [{", ".join(quoted)}]}}, {parameters}, "$\\\\frac{{1}}": {{choices: ["$\\\\frac", "$x$", "$"]}}}}
train: {{max_steps: 1000, evaluate_every: 100}}
search: {{trials: 20}}
"""
    spec = parse_spec(text, "space.yaml", folder, "hostile", command=["true"])
    chance = random.Random(0)
    plain = parse_spec(text.replace(names[1], "rmse", 1), "space.yaml", folder, "hostile", command=["true"])
    found = []
    for trial in trials(plain):
        params = {
            p.name: chance.choice(p.choices) if hasattr(p, "choices") else chance.random()
            for p in spec.space.parameters
        }
        values = {spec.objectives[0].metric: trial.values["rmse"]}
        reason = chance.choice(HOSTILE)
        found.append(dataclasses.replace(trial, params=params, values=values, reason=reason))
    return spec, found


@pytest.fixture
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as opened_browser:
        if opened_browser is None:
            pytest.skip("!!!! NO CHROMIUM OR NO PLAYWRIGHT HERE: PAGES ARE NOT TESTED !!!!")
        yield opened_browser


def test_nothing_that_a_name_says_runs_or_asks_and_every_chart_is_drawn(browser, tmp_path):
    spec, found = hostile(tmp_path)
    charts = make_charts(spec, found)
    assert {chart.name for chart in charts} >= {"history", "learning_curves", "slices", "parallel_coordinates"}
    pages = {"report": (report(spec, found, charts, [0], {name: name for name in HOSTILE}), len(charts))}
    pages |= {chart.name: (chart_page(chart, HOSTILE[0]), 1) for chart in charts}
    curves = {name: {1: 1.0, 2: 0.5} for name in HOSTILE}
    rows = [{"": name, **dict.fromkeys(HOSTILE, name)} for name in HOSTILE]
    pages["comparison"] = (comparison_page(rows, curves, HOSTILE[1], False), 1)
    pages["notebook"] = (f"<!DOCTYPE html><body>{result_html(spec, found, [0])}", 0)
    for name, (text, count) in pages.items():
        file = tmp_path / f"{name}.html"
        file.write_text(text, encoding="utf-8")
        assert opened(browser, file, count) == (NOTHING, count), name


def test_pages_of_sweeps_made_up_by_chance_are_whole_and_run_nothing(tmp_path):
    part, chance = Pages(tmp_path), random.Random(0)
    try:
        for _ in range(12):
            part.check(part.made_up(chance), chance)
    finally:
        part.close()
