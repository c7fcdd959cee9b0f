"""A real PostgreSQL server on loopback, in a folder of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def postgres():
    """Start a server, yield the URL of its database ``tuner``, and stop it."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    pytest.importorskip("psycopg", reason="!!!! psycopg IS NOT INSTALLED: POSTGRESQL IS NOT TESTED !!!!")
    if not folders and not shutil.which("initdb"):
        pytest.skip("!!!! NO POSTGRESQL ON THIS MACHINE: IT IS NOT TESTED !!!!")
    binaries = folders[-1] if folders else Path(shutil.which("initdb")).parent
    root = os.geteuid() == 0
    if root:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("!!!! NO USER postgres ON THIS MACHINE, AND POSTGRESQL REFUSES ROOT !!!!")
    folder = Path(tempfile.mkdtemp(prefix="tuner-postgres-"))
    data, port = folder / "data", free_port()
    who = ["runuser", "-u", "postgres", "--"] if root else []
    if root:
        shutil.chown(folder, "postgres")

    def run(program, *arguments):
        command = [*who, str(binaries / program), *map(str, arguments)]
        # No pipes: the server that pg_ctl leaves behind would hold them open.
        with (folder.parent / f"{folder.name}.log").open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd="/", timeout=120)

    try:
        run("initdb", "-D", data, "-U", "tuner", "--auth=trust", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
        run("pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
        try:
            run("createdb", "-h", "127.0.0.1", "-p", port, "-U", "tuner", "tuner")
            run("createdb", "-h", "127.0.0.1", "-p", port, "-U", "tuner", "mlflow")
            yield f"postgresql://tuner@127.0.0.1:{port}/tuner"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)
