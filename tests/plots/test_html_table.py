"""Tables of a page: nothing of a cell is markup."""

import math

import pytest

from tuner.plots.html_table import cell, definitions, table


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, '<td class="number" data-value="0.1" title="0.1">0.1</td>'),
        (7, '<td class="number">7</td>'),
        ("COMPLETE", '<td class="COMPLETE">COMPLETE</td>'),
        ("<b>", "<td>&lt;b&gt;</td>"),
    ],
)
def test_a_cell_has_all_digits_of_a_number_and_its_text_escaped(value, expected):
    assert cell(value) == expected


def test_a_cell_that_is_no_number_sorts_by_none_and_one_that_differs_is_marked():
    assert "data-value" not in cell(math.nan)
    assert cell(7, differs=True).startswith('<td class="number differs">')
    assert 'class="number"' not in cell(True)


def test_a_table_has_the_columns_in_order_and_its_best_rows_marked():
    rows = [{"a": 1, "b": "x"}, {"b": "y"}]
    made = table(rows, ["b", "a"], best=[1])
    assert '<th class="sortable">b</th><th class="sortable">a</th>' in made
    assert made.count("<tr") == 3 and made.count('<tr class="best">') == 1
    assert made.index(">x<") < made.index('class="best"') < made.index(">y<")
    assert 'type="search"' in made
    assert 'type="search"' not in table(rows[:1], ["a"]) and "sortable" not in table(rows, ["a"], sortable=False)


def test_definitions_are_escaped_on_both_sides():
    assert definitions({"<a>": "<b>"}) == "<dl><dt>&lt;a&gt;</dt><dd>&lt;b&gt;</dd></dl>"
