"""What is said of an objective that never came."""

import pytest

from tuner.driver.missing_objective import missing_objective


@pytest.mark.parametrize(
    ("metrics", "tags", "unwritten", "said"),
    [
        (["rmse"], [], None, "the objective 'rmse' never came: no evaluation wrote a scalar"),
        (["rmse"], ["loss"], None, "the objective 'rmse' never came; tags that are there: loss"),
        (["rmse", "mae"], [], {}, "the objective 'rmse', 'mae' never came: no evaluation wrote a scalar"),
    ],
)
def test_what_there_is_instead_is_said(metrics, tags, unwritten, said):
    assert missing_objective(metrics, tags, unwritten=unwritten) == said


def test_the_nearest_tag_is_named():
    assert missing_objective(["rmsee"], ["loss", "rmse"]).endswith("loss, rmse; did you mean 'rmse'?")


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("float64", "cast it to a float32"),
        ("float32 of shape (3,)", "reduce it to one number"),
        ("string", "let its operation in eval_metric_ops return a number"),
    ],
)
def test_of_what_was_evaluated_and_is_no_scalar_the_remedy_is_said(kind, remedy):
    said = missing_objective(["acc", "size"], ["loss"], "constraint", {"acc": kind})
    first, second = said.split("; ", 1)
    assert first.startswith(f"the constraint 'acc' was evaluated, as {kind}, which an Estimator writes as no scalar")
    assert remedy in first
    assert second.startswith("the constraint 'size' never came; tags that are there: loss")
