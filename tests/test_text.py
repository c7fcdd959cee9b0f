"""Values as people read them: the same on a page and in a terminal."""

import pytest

from tuner.cli.tables import write_table
from tuner.plots.html_table import table
from tuner.text import cell_text, counted, csv_text, from_csv_text, nearest, nearest_name, parse_duration


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
    assert cell_text(value) == text
    write_table([{"column": value}], ["column"])
    assert capsys.readouterr().out.split("\n")[1].strip() == text
    escaped = text.replace('"', "&quot;")
    assert f">{escaped}</td>" in table([{"column": value}], ["column"])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-relu", "@x", "'=1", "'", "\tx", "plain", "", "a=b"])
def test_a_cell_that_a_spreadsheet_would_reckon_with_gets_an_apostrophe_and_comes_back(text):
    assert not csv_text(text).startswith(("=", "+", "-", "@", "\t"))
    assert from_csv_text(csv_text(text)) == text and csv_text(-1.5) == -1.5


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("huosing", "housing"),
        ("housing", "housing_2"),
        ("housing-2", "housing-3"),
        ("model_a", "model_b"),
        ("c7", "c6"),
        ("digit_2", "digits_2"),
        ("dpeth", "depth"),
        ("lr", "rl"),
        ("deleted", "spirals"),
    ],
)
def test_a_name_is_near_if_it_is_misspelled_and_not_if_it_is_counted_up(word, name):
    near = (word, name) in [("huosing", "housing"), ("digit_2", "digits_2"), ("dpeth", "depth")]
    assert nearest_name(word, [name]) == (name if near else "")


def test_a_word_in_other_letters_is_near():
    assert nearest("SIM", ["max", "sim"]) == nearest_name("SIM", ["sim"]) == "sim"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("5min", "5m"),
        ("2 hours", "2h"),
        ("1 hour 30 minutes", "1h30m"),
        ("90 sec", "90s"),
        ("2H", "2h"),
        ("1:30", ""),
        ("soon", ""),
        ("5 months", ""),
    ],
)
def test_a_duration_in_other_units_is_answered_in_ours(text, meant):
    with pytest.raises(ValueError, match="expected a duration like 90s, 15m or 2h") as error:
        parse_duration(text)
    assert str(error.value).partition("; write ")[2] == meant
    assert not meant or parse_duration(meant)


@pytest.mark.parametrize(("count", "said"), [(0, "0 trials"), (1, "1 trial"), (2, "2 trials")])
def test_one_is_not_called_many(count, said):
    assert counted(count, "trial") == said
