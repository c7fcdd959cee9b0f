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


class Server(str):
    """The URL of a database on a server that can be stopped and started again."""

    def __new__(cls, url, stop, start):
        server = super().__new__(cls, url)
        server.stop, server.start = stop, start
        return server


@contextmanager
def postgres():
    """Start a server, yield the URL of its database ``tuner``, and stop it."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    pytest.importorskip("psycopg", reason="PostgreSQL is not tested: pip install -e '.[postgres]'")
    if not folders and not shutil.which("initdb"):
        pytest.skip("PostgreSQL is not tested: apt-get install postgresql")
    binaries = folders[-1] if folders else Path(shutil.which("initdb")).parent
    root = os.geteuid() == 0
    if root:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip(
                "PostgreSQL is not tested: it refuses root, and there is no user postgres; run the tests as another user"
            )
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

        def start():
            run("pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")

        def stop(mode="fast"):
            run("pg_ctl", "-D", data, "-w", "-m", mode, "stop")

        start()
        try:
            run("createdb", "-h", "127.0.0.1", "-p", port, "-U", "tuner", "tuner")
            run("createdb", "-h", "127.0.0.1", "-p", port, "-U", "tuner", "mlflow")
            yield Server(f"postgresql://tuner@127.0.0.1:{port}/tuner", stop, start)
        finally:
            stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)
