"""Names of metrics and tags that MLflow takes."""

import pytest

from tuner.errors import InvalidInput
from tuner.recorders.mlflow.naming import MetricNames, check_tags, valid_name


def test_tags_of_two_folders_and_tags_that_look_alike_keep_names_of_their_own():
    names = MetricNames()
    assert names.name("eval", "rmse") == "eval/rmse"
    assert names.name("eval_test", "rmse") == "eval/eval_test/rmse"
    assert names.name("eval", "rmse") == "eval/rmse"
    assert names.name("eval", "a@b") == "eval/a_b"
    assert names.name("eval", "a#b") == "eval/a_b_2"
    assert names.name("", "loss") == "train/loss"
    assert valid_name("a/../b") == "a/_/b"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a@b", "1"),
        ("a=b", "1"),
        ("../a", "1"),
        ("/a", "1"),
        ("a//b", "1"),
        ("a/", "1"),
        (".", "1"),
        ("a\nb", "1"),
        ("a" * 251, "1"),
        ("tuner.a", "1"),
        ("mlflow.a", "1"),
        ("a", "1" * 6001),
    ],
)
def test_a_tag_that_could_not_be_recorded_as_it_is_is_refused(key, value):
    with pytest.raises(InvalidInput, match=r"^--tag: .*(taken|expected)"):
        check_tags({"good": "1", key: value}, "--tag")


def test_the_names_that_are_allowed_are_those_that_mlflow_takes_and_others_become_such(root):
    import mlflow

    keys = ["a", "a b", "Über", "a/b.c", "a:b-c_d", ".a", "..a", "a@b", "a//b", "/a", "a/", ".", "a/../b", "", "a\tb"]
    client = mlflow.MlflowClient(f"sqlite:///{root}/mlflow.db")
    run = client.create_run("0").info.run_id
    refused = set()
    for key in keys:
        try:
            client.log_batch(run, tags=[mlflow.entities.RunTag(key, "1")])
        except mlflow.MlflowException:
            refused.add(key)
    assert {key for key in keys if key != valid_name(key)} == refused
    long = ["x" * 249 + "/y", "x" * 248 + "/..", "/" * 250]
    client.log_batch(run, tags=[mlflow.entities.RunTag(valid_name(key), "1") for key in [*refused, *long]])
