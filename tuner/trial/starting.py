"""Start a process of ours that has TensorFlow, joined to this one by a socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ADDED = {"TF_USE_LEGACY_KERAS": "1", "PYTHONUNBUFFERED": "1"}
DEFAULTS = {"TF_CPP_MIN_LOG_LEVEL": "1"}


def start_server(module: str, log_file: Path, folder: str = "") -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start ``python -m module FD``, where FD is its end of a socket; it ends when ours closes.

    Args:
        module: What to run.
        log_file: Takes its output.
        folder: Its working directory, or an empty string for this process's.

    Returns:
        The process, and our end of the socket.
    """
    ours, theirs = socket.socketpair()
    with theirs, log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**DEFAULTS, **os.environ, **ADDED},
            cwd=folder or None,
            start_new_session=True,  # Ctrl-C of the terminal is the driver's to handle
        )
    return process, ours


def only_ours() -> list[str]:
    """Return the environment variables that such a process has and this one has not."""
    return [name for name in (*ADDED, *DEFAULTS) if name not in os.environ]
