"""Every socket on which a sweep listens: all on loopback, but TensorFlow's own servers, which know no other way."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from tests.services.postgres import free_port

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.tf]


def listening(command, root, until=None):
    """Run a command; return the address and port of each TCP or UDP socket that it and its processes listened on.

    Args:
        command: Arguments of tuner.
        root: Folder of the records.
        until: A line of its output upon which it is ended.
    """
    arguments = [sys.executable, "-m", "tuner", command[0], "--root", str(root), *map(str, command[1:])]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "RAY_AUTH_MODE": "", "RAY_AUTH_TOKEN": ""}
    environment = {name: value for name, value in environment.items() if value}
    found, said, log = {}, "", root.parent / "said.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output, env=environment)
        driver, ended = psutil.Process(process.pid), False
        while process.poll() is None:
            try:
                tree = [driver, *driver.children(recursive=True)]
            except psutil.NoSuchProcess:
                break
            for one in tree:
                try:
                    sockets = one.net_connections("inet")
                except psutil.Error:
                    continue
                for entry in sockets:
                    if entry.status == psutil.CONN_LISTEN or (entry.type == 2 and entry.laddr and not entry.raddr):
                        found[entry.laddr.ip.removeprefix("::ffff:"), entry.laddr.port] = one.name()
            said = log.read_text(errors="replace")
            if until and until in said and not ended:
                process.terminate()  # what it listens on was there before it said so, and was seen
                ended = True
            time.sleep(0.1)
    assert process.returncode == (143 if until else 0), said
    return found


def addresses(found):
    return {address for address, _ in found}


def test_a_sweep_on_this_machine_listens_on_nothing(space_file, root):
    file = space_file(train="{max_steps: 20, evaluate_every: 10}", search="{sampler: random, trials: 1}")
    assert listening(["run", file, "--no-export"], root) == {}


def test_of_a_trial_that_is_a_cluster_the_gate_is_on_loopback_and_tensorflows_servers_are_where_they_always_are(
    space_file, root
):
    file = space_file(train="{max_steps: 20, evaluate_every: 10}", search="{sampler: random, trials: 1}")
    with file.open("a") as stream:
        stream.write("cluster: {workers: 0, ps: 1}\n")
    found = listening(["run", file, "--no-export"], root)
    ours = {port for address, port in found if address.startswith("127.")}
    servers = {port for address, port in found if not address.startswith("127.")}
    assert len(ours) == 1, found  # the gate
    assert len(servers) == 2, found  # chief and ps; an evaluator has none


def test_a_ray_that_is_started_here_is_on_loopback_and_wants_a_token(space_file, root):
    file = space_file(train="{max_steps: 20, evaluate_every: 10}", search="{sampler: random, trials: 1}")
    found = listening(["run", file, "--no-export", "--backend", "ray"], root)
    assert found
    assert addresses(found) <= {"127.0.0.1", "::1"}, found


def test_the_ui_is_on_loopback(space_file, root):
    port = free_port()
    found = listening(["ui", "--port", port], root, until="Ctrl-C ends it")
    assert addresses(found) == {"127.0.0.1"}, found
    assert ("127.0.0.1", port) in found
