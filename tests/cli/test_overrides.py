"""A --set that the shell has taken apart is answered with what to type."""

import pytest

from tuner.cli.overrides import check_overrides
from tuner.errors import InvalidInput


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["mine.yaml", "--set", "search.trials", "12"], "did you mean --set search.trials=12?"),
        (["--set", "search.trials", "12", "mine.yaml"], "did you mean --set search.trials=12?"),
        (["--set", "search.trials", "=", "12"], "did you mean --set search.trials=12?"),
        (["--set", "search.trials", "=12"], "did you mean --set search.trials=12?"),
        (["--set", "search.trials=", "12"], "did you mean --set search.trials=12?"),
        (["--set", "search.trials:12"], "did you mean --set search.trials=12?"),
        (["--set", "search.trials:", "12"], "did you mean --set search.trials=12?"),
        (["--set=search.trials", "12"], "did you mean --set search.trials=12?"),
        (["--set", "search.trials", "mine.yaml"], ""),
        (["--set", "search.trials"], ""),
        (
            ["--set", "parameters.lr={type:", "float,", "low:", "0.1,", "high:", "1}", "mine.yaml"],
            "in quotes: --set 'parameters.lr={type: float, low: 0.1, high: 1}'",
        ),
        (
            ["--set", "parameters.lr=type:float", "parameters.lr=low:0.1", "--trials", "3"],
            "in quotes: --set 'parameters.lr={type: float, low: 0.1}'",
        ),
        (["--set", "a.b=[1,", "[2,", "3]]"], "in quotes: --set 'a.b=[1, [2, 3]]'"),
    ],
)
def test_what_was_meant_is_said(words, meant):
    with pytest.raises(InvalidInput) as error:
        check_overrides(["run", *words])
    (problem,) = error.value.problems
    assert problem.where == "--set" and problem.hint == meant


@pytest.mark.parametrize(
    "words",
    [
        ["mine.yaml", "--set", "a={b: 1}", "--set=c=[1, 2]", "--set", "d="],
        ["--set", "notify.command=", "mine.yaml"],
        ["--set", "description=a {"],
        ["--trials", "3", "--", "train", "--set", "a"],
        ["--set"],
    ],
)
def test_what_is_one_word_is_left_alone(words):
    check_overrides(["run", *words])
