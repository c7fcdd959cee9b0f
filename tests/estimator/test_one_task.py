"""What a trainer on one machine is told, and what its Estimators make of it."""

import json

import pytest

from tuner.estimator.one_task import run_configs_of_one_machine, sole_task, tf_config


def test_a_trainer_is_told_what_ai_platform_told_it_on_one_machine():
    told = json.loads(tf_config(2))
    assert told["task"] == {"type": "master", "index": 0, "trial": "3"}
    assert list(told["cluster"]) == ["master"]
    assert told["environment"] == "cloud"


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (tf_config(0), "master"),
        ('{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}', "chief"),
        ('{"cluster": {"chief": ["a:1"], "ps": ["b:1"]}, "task": {"type": "chief", "index": 0}}', ""),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}', ""),
        ('{"cluster": {"chief": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}', ""),
        ('{"task": {"type": "worker", "index": 0}}', ""),
        ("", ""),
        ("no JSON", ""),
    ],
)
def test_a_cluster_of_one_process_is_known(told, kind):
    assert sole_task(told) == kind


@pytest.mark.tf
@pytest.mark.parametrize("as_chief", [False, True])
def test_an_estimator_of_a_cluster_of_one_is_one_of_one_machine_with_the_type_it_was_told(monkeypatch, as_chief):
    from tuner.estimator.install import install_estimator

    install_estimator()
    import tensorflow as tf

    told = tf_config(0).replace("master", "chief") if as_chief else tf_config(0)
    monkeypatch.setenv("TF_CONFIG", told)
    with run_configs_of_one_machine():
        config = tf.estimator.RunConfig(train_distribute=tf.distribute.MirroredStrategy(["/cpu:0"]))
    assert (config.task_type, config.is_chief) == ("chief" if as_chief else "master", True)
    assert not config.cluster_spec
    assert config.session_config is None
