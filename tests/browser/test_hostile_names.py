"""Pages of a sweep whose names and texts are made to break them, in a real browser: nothing of theirs runs, all charts are there."""

import dataclasses
import random
import shutil

import pytest

from tests.plots.sweeps import trials
from tuner.config import parse_spec
from tuner.plots.comparison_page import comparison_page
from tuner.plots.html_page import chart_page
from tuner.plots.notebook_html import result_html
from tuner.plots.report import report
from tuner.plots.sweep_charts import make_charts

pytestmark = [pytest.mark.service, pytest.mark.slow]

HOSTILE = [
    "<!--<script>",
    "</script><script>window.ran=1</script>",
    "<img src=http://198.51.100.1/x onerror=window.ran=1>",
    "<svg/onload=window.ran=1>",
    '"><script>window.ran=1</script>',
    "]]><script>window.ran=1</script>",
    "<a href='javascript:window.ran=1'>x</a>",
    "$\\frac{1}{2$",
    "$x$ $$",
    "%{x}{{y}}${z}",
    "&lt;b&gt; <b>bold</b>",
    "=1+1",
    "__proto__",
    "\u202eright to left",
    "' onmouseover='window.ran=1",
]


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


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    sync_api = pytest.importorskip("playwright.sync_api", reason="!!!! NO PLAYWRIGHT HERE: PAGES ARE NOT TESTED !!!!")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("!!!! NO CHROMIUM HERE: PAGES ARE NOT TESTED !!!!")
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=program,
            headless=True,
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield context
        context.close()


def opened(browser, file, charts):
    """Open a page; return what it did of what it should not, and how many charts it drew."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    asked, dialogs, errors = [], [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    if charts:
        page.wait_for_function("document.body.dataset.drawn === '1'")
    for place in page.query_selector_all("td, .xtick, .ytick")[:40]:
        place.hover(force=True, timeout=1000, no_wait_after=True) if place.is_visible() else None
    found = {
        "asked": [url for url in asked if not url.startswith(("file:", "data:", "blob:"))],
        "dialogs": dialogs,
        "errors": errors,
        "ran": page.evaluate("window.ran || 0"),
        "scripts": page.evaluate("[...document.scripts].filter(s => s.textContent.startsWith('window.ran')).length"),
        "elements": page.evaluate(
            "document.querySelectorAll('body img:not([src^=data]), a[href^=javascript], [onerror], [onload], [onmouseover]').length"
        ),
        "left": page.evaluate("document.querySelectorAll('.chart > img').length"),
    }
    drawn = page.evaluate("document.querySelectorAll('.chart .js-plotly-plot').length")
    page.close()
    return found, drawn


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
    nothing = {"asked": [], "dialogs": [], "errors": [], "ran": 0, "scripts": 0, "elements": 0, "left": 0}
    for name, (text, count) in pages.items():
        file = tmp_path / f"{name}.html"
        file.write_text(text, encoding="utf-8")
        assert opened(browser, file, count) == (nothing, count), name
