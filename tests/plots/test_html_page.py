"""Charts as pages that stand alone."""

from dataclasses import replace
from pathlib import Path

from tests.plots.sweeps import fetched, trials
from tuner.plots import Parallel, make_charts
from tuner.plots.html_page import chart_page
from tuner.plots.report import report


def test_a_page_stands_alone(one):
    """Nothing in it makes a browser fetch: no address of another place at all, outside the packed library."""
    chart = make_charts(one, trials(one))[0]
    assert isinstance(chart, Parallel) is False
    text = chart_page(chart, "drawn")
    assert fetched(text) == []
    assert "data:image/png;base64," in text


def test_what_users_write_cannot_break_a_page(one):
    nasty = '</script><script src="x">'
    renamed = replace(one, description=nasty, source=nasty)
    found = [replace(t, reason=nasty) for t in trials(one)]
    text = report(renamed, found, make_charts(renamed, found), [4], {})
    assert nasty not in text


def test_the_stylesheet_and_scripts_are_in_the_package():
    import tuner.plots

    folder = Path(tuner.plots.__file__).parent
    assert {file.name for file in folder.iterdir()} >= {"page.css", "sort.js", "draw.js"}
