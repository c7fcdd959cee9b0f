"""What an Estimator evaluates and writes as no scalar of its event file."""

import numpy as np
import pytest

from tuner.driver.missing_objective import missing_objective
from tuner.estimator.unwritten_metrics import unwritten_kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.float32(1), ""),
        (np.float64(1), ""),
        (np.int64(1), ""),
        (np.ones([1], np.float32), ""),
        (np.float16(1), "float16"),
        (np.bool_(True), "bool"),
        (np.uint8(1), "uint8"),
        (b"good", "string"),
        (np.ones([2, 3], np.float32), "float32 of shape [2, 3]"),
        (np.array([b"good"], object), "string of shape [1]"),
    ],
)
def test_type_and_shape_are_those_of_the_value(value, kind):
    assert unwritten_kind(value) == kind


def test_what_was_evaluated_is_said_beside_what_never_came():
    said = missing_objective(["score", "rmsee"], ["rmse"], unwritten={"score": "string", "other": "bool"})
    assert said == (
        "the objective 'score' was evaluated, as string, which an Estimator writes as no scalar: let its operation in "
        "eval_metric_ops return a number; the objective 'rmsee' never came; tags that are there: rmse; did you mean "
        "'rmse'?"
    )
