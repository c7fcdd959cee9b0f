"""What tests of a trial's process share."""

import pytest


@pytest.fixture(scope="session")
def tf():
    """TensorFlow with Estimators in place."""
    import tuner

    tuner.install_estimator()
    import tensorflow

    return tensorflow
