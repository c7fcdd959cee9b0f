"""Values as people read them: the same on a page and in a terminal."""

import pytest

from tuner.cli.tables import write_table
from tuner.plots.table import table
from tuner.showing import shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.123456789, "0.123457"),
        (float("nan"), "nan"),
        (7, "7"),
        (True, "true"),
        ("adam", "adam"),
        ([1, "a"], '[1, "a"]'),
        ({"rate": 0.5, "layers": [3, 4], "bias": True, "norm": None}, "rate=0.5, layers=[3, 4], bias=true, norm=null"),
    ],
)
def test_a_value_is_shown_alike_everywhere(value, text, capsys):
    assert shown(value) == text
    write_table([{"column": value}], ["column"])
    assert capsys.readouterr().out.split("\n")[1].strip() == text
    escaped = text.replace('"', "&quot;")
    assert f">{escaped}</td>" in table([{"column": value}], ["column"])
