"""The report of a sweep."""

from tests.plots.sweeps import fetched, trials
from tuner.plots import make_charts
from tuner.plots.report import report


def test_a_report_stands_alone_and_has_every_trial_and_the_space(one):
    found = trials(one)
    text = report(one, found, make_charts(one, found), [4], {"git.commit": "abc", "command": "tuner run <x>"})
    assert fetched(text) == []
    assert text.count("<tr") == 1 + len(found)
    assert 'class="best"' in text
    assert "learning_rate: {type: float" in text
    assert "tuner run &lt;x&gt;" in text
