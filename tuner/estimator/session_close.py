"""Sessions that nobody waits for to close.

A session that is closed destroys its iterators, and one of tf.data waits for the thread that tunes its
pipeline. That thread sleeps for periods that double, from 10 ms up to a minute; a wake-up that comes
while it is being cancelled is lost (``Model::OptimizeLoop`` in tensorflow/core/framework/model.cc), and
then all wait for the rest of the period: a trial of two minutes up to one minute more, at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from tuner.estimator.patch import patched


@contextmanager
def close_sessions_in_background() -> Iterator[None]:
    """Close the local sessions that are closed meanwhile in threads, which end with the process.

    For a process that ends by ``os._exit``: no destructor then runs beside such a thread. A session with
    a server is closed as ever, because the server has to hear of it.
    """

    def close(original: Callable[..., None], session: Any) -> None:
        if session.sess_str or session._closed or session._session is None:
            original(session)
            return
        handle, session._session, session._closed = session._session, None, True
        Thread(target=_destroy, args=(handle,), name="close session", daemon=True).start()

    with patched("tensorflow.python.client.session:BaseSession.close", "session_close", close):
        yield


def _destroy(handle: Any) -> None:
    from tensorflow.python.client import pywrap_tf_session

    pywrap_tf_session.TF_CloseSession(handle)
    pywrap_tf_session.TF_DeleteSession(handle)
