"""Of evaluations that come twice the first counts."""

import math

from tuner.domain.trial import Evaluation
from tuner.events import FirstValueFilter


def test_the_first_value_of_a_step_stands_and_repeats_that_differ_are_counted():
    first = FirstValueFilter()
    assert first.filter(Evaluation(1, 0.0, "eval", {"a": 1.0, "n": math.nan})) is not None
    assert first.filter(Evaluation(1, 9.0, "eval", {"a": 1.0, "n": math.nan})) is None
    assert first.differing == 0
    fresh = first.filter(Evaluation(1, 9.0, "eval", {"a": 2.0, "b": 3.0}))
    assert fresh is not None
    assert fresh.scalars == {"b": 3.0}
    assert first.differing == 1
