"""What a trial's process builds of a job, before it trains."""

import pytest

from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.model import load_model
from tuner.trial.run import build

OWN_CONFIG = """
import tensorflow as tf
from tests.data.models.peak import *

def run_config(params, config):
    return config.replace(keep_checkpoint_max=2, save_summary_steps=7)
"""
OWN_ESTIMATOR = """
import tensorflow as tf
from tests.data.models import peak
from tests.data.models.peak import eval_input_fn, train_input_fn

def estimator_fn(params, config):
    own = tf.estimator.RunConfig(model_dir=config.model_dir, save_checkpoints_steps=10, save_summary_steps=7)
    return tf.estimator.Estimator(peak.model_fn, config=own, params=params)
"""


@pytest.mark.tf
@pytest.mark.parametrize("text", [OWN_CONFIG, OWN_ESTIMATOR])
def test_no_estimator_deletes_the_best_checkpoint_whatever_its_own_config_says(tf, tmp_path, text):
    file = tmp_path / f"own_{len(text)}.py"
    file.write_text(text)
    job = Job(0, 1, {"height": 0.5}, 0, TrainSettings(270, 10), ModelRef(file=str(file)))
    estimator, _ = build(load_model(job.model), job, tmp_path / "0000")
    assert estimator.config.keep_checkpoint_max == 0
    assert estimator.config.save_summary_steps == 7
