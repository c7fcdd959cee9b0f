"""Sessions of a trial's process are closed without waiting for it, and its process is batch work."""

import gc
import os
import sys
import threading

import pytest

from tuner.estimator import session_close
from tuner.forkserver import child

EARLIER = set()  # threads of tests before, which may sleep for a minute; see session_close


@pytest.fixture
def destroyed(monkeypatch):
    """Hold back what destroys sessions; return the event that lets it go on, and the handles it had."""
    gc.collect()  # sessions that tests before have left
    EARLIER.update(threads())
    go_on, handles, original = threading.Event(), [], session_close._destroy

    def destroy(handle):
        go_on.wait()
        original(handle)
        handles.append(handle)

    monkeypatch.setattr(session_close, "_destroy", destroy)
    yield go_on, handles
    go_on.set()


def threads():
    """Return the threads of this test that close sessions."""
    found = [thread for thread in threading.enumerate() if thread.name == "close session"]
    return [thread for thread in found if thread not in EARLIER]


@pytest.mark.tf
def test_a_session_is_closed_at_once_for_its_user_and_destroyed_beside(tf, destroyed):
    go_on, handles = destroyed
    with tf.Graph().as_default(), session_close.close_sessions_in_background():
        one = tf.constant(1)
        session = tf.compat.v1.Session()
        assert session.run(one) == 1
        session.close()
        session.close()  # closed twice, as MonitoredSession may
        with pytest.raises(RuntimeError, match="closed Session"):
            session.run(one)
        (thread,) = threads()
        assert thread.daemon and not handles
        del session  # its destructor leaves the handle to the thread
        go_on.set()
        thread.join(30)
    assert len(handles) == 1 and not threads()


@pytest.mark.tf
def test_a_session_that_nobody_closed_is_destroyed_once(tf, destroyed):
    go_on, handles = destroyed
    go_on.set()
    with tf.Graph().as_default(), session_close.close_sessions_in_background():
        session = tf.compat.v1.Session()
        session.run(tf.constant(1))
        del session
        for thread in threads():
            thread.join(30)
    assert len(handles) == 1


@pytest.mark.tf
def test_a_session_of_a_server_and_one_outside_close_as_ever(tf, destroyed):
    _, handles = destroyed
    server = tf.compat.v1.train.Server.create_local_server()
    with tf.Graph().as_default():
        with session_close.close_sessions_in_background(), tf.compat.v1.Session(server.target) as session:
            session.run(tf.constant(1))
        with tf.compat.v1.Session() as outside:
            outside.run(tf.constant(1))
    assert not threads() and not handles


@pytest.mark.skipif(sys.platform != "linux", reason="a policy of Linux")
def test_a_trials_process_is_batch_work():
    pid = os.fork()
    if pid == 0:
        child._be_batch_work()
        os._exit(os.sched_getscheduler(0))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == os.SCHED_BATCH
