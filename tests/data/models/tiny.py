"""A real Estimator that trains in a fraction of a second, and faults on request."""

import os
import signal
import time

import numpy as np
import tensorflow as tf

_RANDOM = np.random.RandomState(0)
X = _RANDOM.uniform(-1, 1, (256, 4)).astype(np.float32)
Y = (X @ np.array([1.0, -2.0, 0.5, 3.0], np.float32)).astype(np.float32)


def model_fn(features, labels, mode, params):
    _fault(params)
    weights = tf.compat.v1.get_variable("weights", [4, 1], initializer=tf.compat.v1.glorot_uniform_initializer())
    output = tf.squeeze(tf.matmul(features["x"], weights), 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": output})
    loss = tf.reduce_mean((labels - output) ** 2)
    if params.get("fault") == "nan":
        loss = loss * float("nan")
    metrics = {"rmse": tf.compat.v1.metrics.root_mean_squared_error(labels, output)}
    step = tf.compat.v1.train.get_or_create_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(params["learning_rate"]).minimize(loss, step)
    return tf.estimator.EstimatorSpec(
        mode, loss=loss, train_op=train_op, eval_metric_ops=metrics, training_hooks=[_FaultAt(params)]
    )


class _FaultAt(tf.compat.v1.train.SessionRunHook):
    def __init__(self, params):
        self._params = params

    def before_run(self, run_context):
        step = run_context.session.run(tf.compat.v1.train.get_global_step())
        time.sleep(self._params.get("sleep", 0.0))
        if step >= self._params.get("fault_at", 1 << 60) and not os.path.exists(self._params.get("once", "/nowhere")):
            if "once" in self._params:
                open(self._params["once"], "w").close()
            _strike(self._params["fault_there"])


def _fault(params):
    fault = params.get("fault")
    if fault and fault != "nan":
        _strike(fault)


def _strike(fault):
    if fault == "raise":
        raise ValueError("this model always fails")
    if fault == "exit":
        raise SystemExit(3)
    if fault == "os_exit":
        os._exit(7)
    if fault == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "hang":
        time.sleep(3600)
    if fault == "memory":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))  # of this trial alone
        np.ones(1 << 31, np.uint8)
    if fault == "infeasible":
        import tuner

        raise tuner.Infeasible("too large for this house")


def train_input_fn(params):
    return tf.data.Dataset.from_tensor_slices(({"x": X}, Y)).shuffle(256).repeat().batch(32)


def eval_input_fn(params):
    return tf.data.Dataset.from_tensor_slices(({"x": X}, Y)).batch(256)
