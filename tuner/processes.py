"""Start a process of ours that has TensorFlow, joined to this one by a socket."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ADDED = {"TF_USE_LEGACY_KERAS": "1", "PYTHONUNBUFFERED": "1"}
DEFAULTS = {"TF_CPP_MIN_LOG_LEVEL": "1"}
_TO_ALL = (signal.SIGINT, signal.SIGTERM)  # sent to all processes of a sweep at once


def end_with_input() -> None:
    """End this process when its standard input ends, in a thread: whoever started it is gone, or wants it no more."""
    threading.Thread(target=_end_with_input, daemon=True).start()


def _end_with_input() -> None:
    while os.read(0, 64):
        pass
    os._exit(1)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Hold signals back from processes that are started meanwhile, until they call ``ignore_signals``.

    A fork of this process has them at the end of this, as it has itself.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _TO_ALL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_server(
    module: str, log_file: Path, folder: str = "", own: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start ``python -m module FD``, where FD is its end of a socket; it ends when ours closes.

    Args:
        module: What to run.
        log_file: Takes its output.
        folder: Its working directory, or an empty string for this process's.
        own: Variables for it alone, not for programs that it starts; their names follow FD, see ``drop_private_env``.

    Returns:
        The process, and our end of the socket.
    """
    ours, theirs = socket.socketpair()
    with theirs, log_file.open("ab") as log, signals_blocked():
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(theirs.fileno()), *(own or {})],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**DEFAULTS, **os.environ, **ADDED, **(own or {})},
            cwd=folder or None,
            start_new_session=True,  # Ctrl-C of the terminal is the driver's to handle
        )
    return process, ours


def ignore_signals() -> None:
    """Let no SIGINT or SIGTERM end this process: when its end comes, the driver says so by closing its end.

    Both are sent to all processes at once by a terminal, systemd or Slurm, and then trials are to stop at their
    checkpoints. The handlers do nothing; signals that are ignored would be so in the programs that are started, too.
    """
    for signum in _TO_ALL:
        signal.signal(signum, lambda _signum, _frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _TO_ALL)


def log_to(file: Path, mode: int = 0o644) -> None:
    """Send both outputs of this process to a file, appending.

    Args:
        file: Made if it is not there.
        mode: Its permissions then.
    """
    log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def into_void(fd: int) -> None:
    """Let what is written to a file descriptor go nowhere from now on."""
    void = os.open(os.devnull, os.O_WRONLY)
    os.dup2(void, fd)
    os.close(void)


def drop_private_env(names: list[str]) -> None:
    """Take out of the environment of this process, which ``start_server`` started, what was for it alone."""
    for name in names:
        os.environ.pop(name, None)


def private_env() -> list[str]:
    """Return the environment variables that such a process has and this one has not."""
    return [name for name in (*ADDED, *DEFAULTS) if name not in os.environ]


def import_beside(*modules: str) -> threading.Thread:
    """Import modules in a thread, while this one waits for processes."""
    thread = threading.Thread(target=lambda: [*map(importlib.import_module, modules)], daemon=True)
    thread.start()
    return thread
