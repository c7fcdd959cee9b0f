"""Values as people read them: the same on a page and in a terminal."""

import pytest

from tuner.cli.tables import write_table
from tuner.plots.table import table
from tuner.showing import hidden, shown


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://me:s3cret@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql+psycopg://me:s3cret@host/db#study", "postgresql+psycopg://me:***@host/db#study"),
        ("mysql://me:s3/cret#s3cret@host/db", "mysql://me:***@host/db"),
        ("mysql://me:s3cret@s3cret@host/db", "mysql://me:***@host/db"),
        ("redis://:s3cret@host", "redis://:***@host"),
        ("postgresql://host/db?user=me&password=s3cret&x=1#a", "postgresql://host/db?user=me&password=***&x=1#a"),
        ("tuner run x --from http://me:s3cret@a/b --tag a@b=1", "tuner run x --from http://me:***@a/b --tag a@b=1"),
        ("postgresql://me@host:5432/db#a@b", "postgresql://me@host:5432/db#a@b"),
        ("housing", "housing"),
    ],
)
def test_a_password_in_a_url_is_never_shown(text, expected):
    assert hidden(text) == expected
