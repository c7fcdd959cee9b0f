"""Pages of sweeps whose names and texts are made to break them: nothing of theirs runs, and every chart is drawn.

Pages are opened in Chromium, as the system has it; without it or playwright they are only parsed.
"""

import dataclasses
import json
import math
import shutil
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

from tests.fuzz.part import Outcome, Part
from tests.plots.sweeps import trials
from tuner.config import parse_spec
from tuner.errors import InvalidInput
from tuner.plots.comparison_page import comparison_page
from tuner.plots.html_page import chart_page
from tuner.plots.notebook_html import result_html
from tuner.plots.report import report
from tuner.plots.sweep_charts import make_charts

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
PIECES = [
    *HOSTILE, "<script>", "</script", "<!--", "-->", "</title>", "</style>", "</pre>", "</body></html>", "<base href=//198.51.100.1>", "<iframe src=//198.51.100.1>",
    "<style>@import '//198.51.100.1/x'</style>", "<math><mtext></form><form><mglyph><style></math><img src onerror=window.ran=1>", "<br>", "<b>", "<extra></extra>",
    "<a href=\"//198.51.100.1\">", "&#60;script&#62;window.ran=1&#60;/script&#62;", "&quot; onload=window.ran=1 x=&quot;", "`", "\\", "\\u003c", "\\x3cscript>", "\u2028",
    "\u0000", "\u200f", "\U0001f600", "\ufeff", "e\u0301", "$", "$$", "\\frac", "\\input{x}", "_", "^", "{", "}", "%", "%s", "%{x}", "{{", "${", "constructor", "toString", "#", "|",
    "*", "[x](javascript:window.ran=1)", "NaN", "null", "true", "x" * 300, " ", "\t", "\n", "'", '"',
]  # fmt: skip
NUMBERS = [0.0, -0.0, 1.0, -1.5, 1e-320, 1e308, -1.7e308, math.inf, -math.inf, math.nan, 2.0**53, 0.1]
NOTHING = {"asked": [], "dialogs": [], "errors": [], "ran": 0, "scripts": 0, "elements": 0, "left": 0}


@contextmanager
def chromium(profile):
    """Yield a browser, or None if there is none.

    Args:
        profile: A folder for it.
    """
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        yield None
        return
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=program, headless=True, args=arguments
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
        place.hover(force=True, no_wait_after=True) if place.is_visible() else None
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


class Elements(HTMLParser):
    """Notes whatever in a page would run or ask another place, and is not ours."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        odd = [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]
        if odd or tag in ("iframe", "base", "form", "object", "embed", "math", "b" if attrs else "iframe"):
            self.found.append((tag, attrs))


def name(chance):
    """Return a text of one to three pieces."""
    return "".join(chance.choices(PIECES, k=chance.choice((1, 1, 2, 3))))


def number(chance):
    return chance.choice(NUMBERS) if chance.random() < 0.3 else chance.uniform(-2, 2)


class Pages(Part):
    """Reports, charts, comparisons and what a notebook shows."""

    name = "pages"

    def __init__(self, folder):
        super().__init__(folder)
        self._opening = chromium(folder / "profile")
        self.browser = self._opening.__enter__()
        self.notes = ("pages opened in Chromium" if self.browser else "NO BROWSER HERE: PAGES ARE PARSED ONLY",)

    def close(self):
        self._opening.__exit__(None, None, None)

    def made_up(self, chance):
        """Return a search space file, and what else its sweep has: values, choices, reasons, facts, curves, by one seed."""
        choices = [name(chance) for _ in range(chance.randint(1, 5))]
        parameters = {name(chance): {"type": "float", "low": 0, "high": 1} for _ in range(chance.randint(1, 5))}
        parameters["choice"] = {"choices": [*choices, "a"]}
        metrics = [name(chance) for _ in range(chance.choice((1, 1, 2)))]
        sections = {
            "name": "hostile",
            "description": name(chance),
            "objective": [{"metric": metric, "goal": chance.choice(("minimize", "maximize"))} for metric in metrics],
            "parameters": parameters,
            "train": {"max_steps": 1000, "evaluate_every": 100},
            "search": {"trials": 20},
        }
        return (
            json.dumps(sections),
            chance.getrandbits(64),
            chance.choice(("report", "chart", "comparison", "notebook")),
        )

    def check(self, made, chance):
        text, seed, kind = made
        chance.seed(seed)
        try:
            spec = parse_spec(text, "space.yaml", self.folder, "hostile", command=["true"])
        except InvalidInput as error:
            assert error.problems
            return Outcome.REFUSED
        page, charts = self.written(spec, kind, chance)
        assert_stands_alone(page)
        if self.browser is not None:
            file = self.folder / "page.html"
            file.write_text(page, encoding="utf-8")
            assert opened(self.browser, file, charts) == (NOTHING, charts), kind
        return Outcome.ACCEPTED

    def written(self, spec, kind, chance):
        """Return a page of a sweep, and how many charts are in it."""
        found = sweep_trials(spec, chance)
        if kind == "comparison":
            labels = list({name(chance) for _ in range(3)})
            rows = [{"": name(chance), **{label: name(chance) for label in labels}} for _ in range(3)]
            curves = {label: {step: number(chance) for step in (1, 2, 3)} for label in labels}
            return comparison_page(rows, curves, spec.objectives[0].metric, chance.random() < 0.5), 1
        if kind == "notebook":
            return f"<!DOCTYPE html><body>{result_html(spec, found, [0])}", 0
        charts = make_charts(spec, found)
        if kind == "chart" and charts:
            return chart_page(chance.choice(charts), name(chance)), 1
        return report(spec, found, charts, [0], {name(chance): name(chance) for _ in range(3)}), len(charts)


def sweep_trials(spec, chance):
    """Return trials of a sweep with hostile reasons, and some odd numbers in place of what they came to."""
    plain = parse_spec(
        '{"name": "a", "objective": {"metric": "rmse"}, "parameters": {"learning_rate": {"type": "float", "low": 1, "high": 2}}, '
        '"train": {"max_steps": 1000, "evaluate_every": 100}}', "space.yaml", Path("/nowhere"), "a", command=["true"]
    )  # fmt: skip
    found = []
    for trial in trials(plain, chance.choice((0, 1, 4, 20))):
        params = {
            p.name: chance.choice(p.choices) if hasattr(p, "choices") else chance.random()
            for p in spec.space.parameters
            if chance.random() < 0.95
        }
        values = {o.metric: number(chance) for o in spec.objectives if chance.random() < 0.95}
        curve = {step: number(chance) if chance.random() < 0.1 else value for step, value in trial.curve.items()}
        reason = name(chance) if chance.random() < 0.5 else ""
        found.append(dataclasses.replace(trial, params=params, values=values, curve=curve, reason=reason))
    return found


def assert_stands_alone(page):
    """Make sure, without a browser, that nothing in a page runs or is fetched that is not ours."""
    parser = Elements()
    parser.feed(page)
    assert parser.found == []
