"""A Ray cluster of this machine's own, of as many nodes as a test wants, on loopback addresses or in network namespaces."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

TOKEN = secrets.token_hex(32)  # of all clusters of this process: Ray reads it once
os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=TOKEN, RAY_USAGE_STATS_ENABLED="0")
MEMORY = 80_000_000
TREE = Path(__file__).parents[2]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1] % 5000 + 4000  # below those that Ray gives its workers


class RayCluster:
    """Nodes by ``ray start``, each with folders and an address of its own; ``close`` ends them all.

    Args:
        machines: Where they run, the head on the first and all others on the last; where there are
            none, all are here.
    """

    def __init__(self, machines=()):
        self.machines = list(machines)
        self.folder = tempfile.mkdtemp(prefix="ray-")  # short: sockets have paths of at most 107 bytes
        self.address = f"{self.machines[0].address if self.machines else '127.0.0.3'}:{free_port()}"
        self.env = {
            **os.environ,
            "TUNER_TEST_CLUSTER": self.folder,  # everything that runs on it has this
            "RAY_health_check_initial_delay_ms": "0",
            "RAY_health_check_period_ms": "500",
            "RAY_health_check_timeout_ms": "1000",
            "RAY_health_check_failure_threshold": "3",
            "PYTHONPATH": os.pathsep.join([str(TREE), os.environ.get("PYTHONPATH", "")]),
        }
        self.raylets = []

    def start(self, cpus=1, gpus=0, resources="{}"):
        """Start a node, the head first; return the process id of its raylet."""
        head = ["--head", f"--port={self.address.rpartition(':')[2]}", "--include-dashboard=false"]
        head += [f"--ray-client-server-port={free_port()}", f"--temp-dir={self.folder}"]
        machine = self.machines[-1 if self.raylets else 0] if self.machines else None
        host = machine.address if machine else f"127.0.0.{3 + len(self.raylets)}"
        before = set(self.processes("raylet/raylet"))
        command = [
            *(machine.inside if machine else ()),
            sys.executable,
            "-m",
            "ray.scripts.scripts",
            "start",
            f"--node-ip-address={host}",
        ]
        command += [f"--address={self.address}"] if self.raylets else head
        command += [f"--num-cpus={cpus}", f"--num-gpus={gpus}", f"--resources={resources}"]
        command += [f"--object-store-memory={MEMORY}", "--disable-usage-stats", "--include-log-monitor=false"]
        with open(f"{self.folder}.log", "ab") as log:  # what stays behind holds it open, so it is no pipe
            env = {**self.env, "TMPDIR": self.scratch(host)}
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, timeout=90)
        assert done.returncode == 0, Path(f"{self.folder}.log").read_text()[-3000:]
        (raylet,) = set(self.processes("raylet/raylet")) - before
        self.raylets.append(raylet)
        return raylet

    def scratch(self, host):
        """The folder for temporary files of a node."""
        folder = Path(f"{self.folder}.{host.rpartition('.')[2]}")
        folder.mkdir(exist_ok=True)
        return str(folder)

    def processes(self, what=""):
        """Process ids of what this cluster runs: all have its folder in their environment."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
                ours = process.environ().get("TUNER_TEST_CLUSTER") == self.folder
            except psutil.Error:
                continue
            if ours and what in line and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        return found

    def close(self):
        for _ in range(3):
            for pid in self.processes():
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    continue
        for folder in Path(self.folder).parent.glob(f"{Path(self.folder).name}*"):
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
