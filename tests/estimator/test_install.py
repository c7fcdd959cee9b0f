"""``tf.estimator`` where TensorFlow no longer has it: complete, harmless, and refused where it cannot be.

``names_2_15.json`` lists the public names of tf.estimator and tf.compat.v1.estimator on TensorFlow
2.15.1, found by walking dir() of both and of the modules in them.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tf

NAMES = json.loads(Path(__file__).with_name("names_2_15.json").read_text())


def python(code, **env):
    import os

    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env={**os.environ, **env}
    )


@pytest.fixture(scope="module")
def tf():
    import tuner

    tuner.install_estimator()
    import tensorflow

    return tensorflow


@pytest.mark.parametrize("where", sorted(NAMES))
def test_every_public_name_of_2_15_is_there(tf, where):
    root = tf.estimator if where == "tf.estimator" else tf.compat.v1.estimator
    missing = []
    for name in NAMES[where]:
        found = root
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is None:
            missing.append(name)
    assert missing == []
    assert len(NAMES[where]) >= 74


def test_embeddings_of_tpus_say_that_they_are_not_supported(tf):
    if tuple(map(int, tf.__version__.split(".")[:2])) == (2, 15):
        pytest.skip("TensorFlow 2.15 has them")
    with pytest.raises(NotImplementedError, match=r"AdagradParameters: TPUs and their embeddings are not supported"):
        from tensorflow_estimator.python.estimator.tpu._tpu_estimator_embedding import AdagradParameters

        AdagradParameters(0.1)


CLUSTERS = {
    "one machine": {},
    "master": {"cluster": {"master": ["127.0.0.1:1"]}, "task": {"type": "master", "index": 0}},
    "master and ps": {
        "cluster": {"master": ["127.0.0.1:1"], "ps": ["127.0.0.1:2"]},
        "task": {"type": "master", "index": 0},
    },
    "chief and worker": {
        "cluster": {"chief": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]},
        "task": {"type": "chief", "index": 0},
    },
}


@pytest.mark.parametrize("name", CLUSTERS)
def test_strategies_are_refused_only_if_the_coordinator_ran_them(tf, name, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps(CLUSTERS[name]))
    newer = tuple(map(int, tf.__version__.split(".")[:2])) > (2, 15)
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    if name == "chief and worker" and newer:
        with pytest.raises(ValueError, match=r"train_distribute over a TF_CONFIG cluster needs TensorFlow 2\.15"):
            tf.estimator.RunConfig(train_distribute=strategy)
        return
    config = tf.estimator.RunConfig(train_distribute=strategy)
    if name == "chief and worker":
        assert config._distribute_coordinator_mode
        return
    found = (config.task_type, config.is_chief, config.num_worker_replicas, config.num_ps_replicas, config.master)
    expected = {
        "one machine": ("worker", True, 1, 0, ""),
        "master": ("master", True, 1, 0, ""),
        "master and ps": ("master", True, 1, 1, "grpc://127.0.0.1:1"),
    }[name]
    assert found == expected and config.train_distribute is strategy


def test_it_is_importable_by_all_its_names(tf):
    from tensorflow.compat.v1 import estimator as v1

    assert v1.Estimator is tf.compat.v1.estimator.Estimator
    if "estimator" in vars(tf):
        import tensorflow.estimator
        from tensorflow.estimator import experimental

        assert tensorflow.estimator.experimental is experimental


def test_installing_twice_changes_nothing(tf):
    import tuner

    before = tf.estimator.Estimator
    tuner.install_estimator()
    assert tf.estimator.Estimator is before


def test_importing_tuner_changes_nothing_and_installing_starts_no_device():
    code = (
        "import sys, tuner\n"
        "assert 'tensorflow' not in sys.modules and 'TF_USE_LEGACY_KERAS' not in __import__('os').environ\n"
        "tuner.install_estimator()\n"
        "from tensorflow.python.eager import context\n"
        "current = context.context_safe()\n"
        "assert current is None or current._context_handle is None\n"
        "import tensorflow as tf\n"
        "assert tf.keras.Model.__module__.startswith(('tf_keras', 'keras.src.engine')), tf.keras.Model\n"
    )
    import os

    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    done = python(code)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"tensorflow": "2.22.0"}, "tensorflow: found 2.22.0, expected 2.15 to 2.21"),
        ({"tensorflow": "2.14.1"}, "tensorflow: found 2.14.1, expected 2.15 to 2.21"),
        ({"tensorflow": "2.20.0", "tf-keras": "2.19.0"}, "tf-keras: found 2.19.0, expected 2.20"),
        ({"tensorflow": "2.20.0", "tf-keras": ""}, "tf-keras: is not installed, expected 2.20"),
        ({"tensorflow-estimator": "2.14.0"}, "tensorflow-estimator: found 2.14.0, expected 2.15"),
        ({"tensorflow": ""}, "tensorflow: is not installed"),
    ],
)
def test_versions_that_do_not_go_together_are_refused_with_the_remedy(versions, expected, monkeypatch):
    import tuner
    from tuner.estimator import install

    real = install._version
    monkeypatch.setattr(install, "_version", lambda name: versions.get(name, real(name)))
    with pytest.raises(tuner.InvalidInput) as caught:
        tuner.install_estimator()
    assert expected in str(caught.value)
    assert "pip install" in str(caught.value)


def test_keras_3_that_is_active_already_is_refused_with_the_remedy():
    code = (
        "import tensorflow as tf\n"
        "if tf.__version__.startswith('2.15'): raise SystemExit(0)\n"
        "assert tf.keras.__version__.startswith('3.')\n"
        "import tuner\n"
        "try: tuner.install_estimator()\n"
        "except tuner.InvalidInput as error: assert 'Keras 3' in str(error) and 'before TensorFlow is used' in str(error), error\n"
        "else: raise SystemExit('not refused')\n"
    )
    done = python(code, TF_USE_LEGACY_KERAS="0")
    assert done.returncode == 0, done.stderr[-2000:]
