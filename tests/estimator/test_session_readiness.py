"""A session is not asked whether its variables are initialized where that is known, and asked where it is not."""

import numpy as np
import pytest

from tuner.estimator.one_task import tf_config
from tuner.estimator.session_readiness import skip_readiness_check


@pytest.fixture
def graph(tf):
    """A graph with a global and a local variable."""
    with tf.Graph().as_default() as made:
        tf.compat.v1.train.get_or_create_global_step()
        tf.compat.v1.get_variable("w", initializer=2.0)
        tf.compat.v1.get_variable("n", initializer=3.0, collections=["local_variables"])
        yield made


def read(tf, scaffold=None, **options):
    """Make a session as Estimator does; return the two variables' values, and the questions that it could run."""
    graph = tf.compat.v1.get_default_graph()
    with (
        skip_readiness_check(),
        tf.compat.v1.train.MonitoredTrainingSession(scaffold=scaffold, **options) as session,
    ):
        values = session.run([graph.get_tensor_by_name(f"{name}/Read/ReadVariableOp:0") for name in ("w", "n")])
    return values, [op.name for op in graph.get_operations() if op.name.startswith("report_uninitialized_variables")]


pytestmark = pytest.mark.tf


def test_what_tensorflow_initializes_itself_is_not_asked_about(tf, graph):
    assert read(tf) == ([2.0, 3.0], [])


def test_nor_is_what_was_restored(tf, graph, tmp_path):
    v1 = tf.compat.v1
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        session.run(v1.global_variables()[1].assign(7.0))
        v1.train.Saver().save(session, str(tmp_path / "model.ckpt"), global_step=1)
    assert read(tf, checkpoint_dir=str(tmp_path)) == ([7.0, 3.0], [])


@pytest.mark.parametrize("piece", ["init_op", "local_init_op", "ready_op", "ready_for_local_init_op"])
def test_pieces_of_the_users_own_are_asked_about(tf, graph, piece):
    v1 = tf.compat.v1
    made = {
        "init_op": v1.global_variables_initializer,
        "local_init_op": v1.local_variables_initializer,
        "ready_op": v1.report_uninitialized_variables,
        "ready_for_local_init_op": lambda: v1.report_uninitialized_variables(v1.global_variables()),
    }[piece]()
    values, questions = read(tf, v1.train.Scaffold(**{piece: made}))
    assert values == [2.0, 3.0] and questions


def test_a_variable_that_nobody_initializes_is_an_error_as_ever(tf, graph):
    v1 = tf.compat.v1
    with pytest.raises(RuntimeError, match=r"Variables not initialized: w"):
        read(tf, v1.train.Scaffold(init_op=v1.train.get_global_step().initializer))


def test_an_initializer_that_is_not_an_assignment_is_asked_about(tf, graph):
    w = tf.compat.v1.global_variables()[1]
    w._initializer_op = tf.group(w.initializer)
    values, questions = read(tf)
    assert values == [2.0, 3.0] and questions


def test_a_saver_of_some_variables_is_asked_about_and_one_of_all_is_not(tf, graph):
    v1 = tf.compat.v1
    variables = v1.global_variables()
    assert read(tf, v1.train.Scaffold(saver=v1.train.Saver(variables)))[1] == []
    with tf.Graph().as_default():
        v1.train.get_or_create_global_step()
        w = v1.get_variable("w", initializer=2.0)
        v1.get_variable("n", initializer=3.0, collections=["local_variables"])
        assert read(tf, v1.train.Scaffold(saver=v1.train.Saver({"other_name": w})))[1]


def test_a_task_of_a_cluster_is_asked(tf, graph, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"chief": ["localhost:1"]}}')
    assert read(tf)[1]


def test_a_script_is_told_of_a_cluster_of_itself_and_not_asked(tf, graph, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config(0))
    assert read(tf)[1] == []


def test_a_session_that_breaks_down_is_made_again(tf, graph):
    failing = [tf.errors.AbortedError(None, None, "the machine was taken away")]

    class Fails(tf.compat.v1.train.SessionRunHook):
        def before_run(self, run_context):
            if failing:
                raise failing.pop()

    with skip_readiness_check(), tf.compat.v1.train.MonitoredTrainingSession(hooks=[Fails()]) as session:
        assert np.isclose(session.run(graph.get_tensor_by_name("w/Read/ReadVariableOp:0")), 2.0)
    assert not failing
