"""What --where takes, and how it answers what it does not take."""

import pytest

from tuner.errors import InvalidInput
from tuner.results.condition import Condition

TRIAL = {
    "trial": 3,
    "state": "PRUNED",
    "units": 128,
    "optimizer": "adam",
    "rate": 1e-3,
    "eval/loss": 0.5,
    "wide": True,
    "batch": "64",
    "flag": "true",
    "one": 1,
    "mix": None,
    "reason": "by median at step 300",
    "goal": 0.4,
}
NAMES = [*TRIAL, "momentum"]  # one that the trial does not have


CHOICES = {"state": {"COMPLETE", "PRUNED", "FAIL"}, "optimizer": {"adam", "ftrl"}}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("units>64 and state=PRUNED", True),
        ("units > 64 and state = complete", False),
        ("state != complete", True),
        ("1e-4 < rate <= 1e-3", True),
        ("1e-4 < rate < .001", False),
        ("optimizer = adam", True),
        ("optimizer = 'adam' or units = 1", True),
        ("optimizer in (sgd, ftrl)", False),
        ("optimizer in (sgd, adam) and trial = 3", True),
        ("not (units = 128 or units = 64)", False),
        ("not units = 64 and not units < 64", True),
        ("units = 1 or units = 2 or rate < 1 and trial = 3", True),
        ("eval/loss < 0.6 AND wide = true", True),
        ("goal < eval/loss", True),
        ("momentum > 0.5", False),
        ("momentum != 0.5", False),
        ("not momentum > 0.5", True),
        ("reason = 'by median at step 300'", True),
        ("units < inf", True),
        ("units = -3", False),
        ("batch = 64", True),
        ("batch in (32, 64)", True),
        ("batch != 64", False),
        ("batch = '64' and not units = '128'", True),
        ("flag = true", True),
        ("flag = false", False),
        ("mix = null", True),
        ("mix != null", False),
        ("mix = 'null'", False),
        ("mix != 1", True),
        ("mix < 1", False),
        ("one = null", False),
        ("momentum = null", False),
        ("wide = 1", False),
        ("wide != 1", True),
        ("one = true", False),
    ],
)
def test_a_condition_holds_as_it_reads(text, holds):
    assert Condition(text, NAMES).holds(TRIAL) is holds


def test_a_choice_that_no_trial_has_yet_is_one():
    assert not Condition("optimizer = ftrl or state = fail", TRIAL, choices=CHOICES).holds(TRIAL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "found its end, expected a field, a number or text"),
        ("units", "found its end, expected one of = != < <= > >= in"),
        ("units >", "found its end, expected a field"),
        ("units > 64 state = PRUNED", "found 'state' at character 12, expected 'and', 'or' or the end"),
        ("(units > 64", "found its end, expected ')'"),
        ("unit > 64", "'unit' is no field of these trials (did you mean 'units'?)"),
        ("xyz > 64", "'xyz' is no field of these trials (fields: batch, eval/loss,"),
        ("1 < 2", "'1' is no field"),
        ("units > adam", "'128' and 'adam' have no order (units > adam)"),
        ("units > 64; import os", "cannot read '; import os'"),
        ("optimizer = 'adam", "a quote is not closed"),
        ("optimizer in adam", "found 'adam' at character 14, expected '('"),
        ("units => 64", "found '>' at character 8, expected a field, a number or text (did you mean >=?)"),
        ("units > 64 && state = PRUNED", "cannot read '&& state = PRUNED' (write and)"),
        (
            "state == PRUNNED",
            "state is never 'PRUNNED', expected one of COMPLETE, FAIL, PRUNED (did you mean 'PRUNED'?)",
        ),
        ("state in (pruned, fial)", "state is never 'fial'"),
        ("'adm' = optimizer", "optimizer is never 'adm', expected one of adam, ftrl (did you mean 'adam'?)"),
        ("__import__('os')", "expected one of = != < <= > >= in"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_was_expected(text, expected):
    with pytest.raises(InvalidInput) as error:
        Condition(text, TRIAL, choices=CHOICES).holds(TRIAL)
    assert expected in str(error.value)
    assert str(error.value).startswith("--where: ")
