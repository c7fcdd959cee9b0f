"""A process whose sessions get nowhere is given up; one that is slow, or idle by itself, is not."""

import time

import pytest

from tuner.estimator.progress_watch import sessions_watched

pytestmark = pytest.mark.tf


def test_a_session_that_does_not_come_back_is_given_up_with_where_it_stands(tf):
    given_up = []
    with tf.Graph().as_default(), tf.compat.v1.Session() as session, sessions_watched(0.4, given_up.append):
        for _ in range(8):
            session.run(tf.constant(1))
            time.sleep(0.1)
        assert not given_up
        time.sleep(1.2)
    (stacks,) = given_up
    assert any(frame.filename == __file__ for frame in stacks[0])


def test_whoever_is_not_at_work_is_left_alone(tf):
    given_up = []
    with sessions_watched(0.2, given_up.append, lambda: False):
        time.sleep(0.6)
    assert not given_up
