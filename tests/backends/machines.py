"""Two machines that this one plays: network namespaces with a wire between them, and nothing else."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass

import pytest

_DEVICE = "wire"


def _ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30)


@dataclass(frozen=True)
class Machine:
    """A network namespace; it has the loopback device of its own and one end of the wire."""

    name: str
    address: str

    @property
    def inside(self):
        """What stands before a command that runs there; the command keeps its process id."""
        return ("ip", "netns", "exec", self.name)

    def processes(self):
        """Process ids of all that runs there."""
        return [int(pid) for pid in _ip("netns", "pids", self.name).stdout.split()]

    def pull_the_plug(self):
        """Cut the wire at this end: nobody is told, what is sent is lost."""
        self._do("link", "set", _DEVICE, "down")

    def plug_in(self):
        """Mend what ``pull_the_plug`` cut."""
        self._do("link", "set", _DEVICE, "up")
        self._do("route", "replace", "default", "dev", _DEVICE)  # by which Ray finds out the machine's address

    def end_all(self):
        """End what runs there."""
        deadline = time.monotonic() + 30
        while pids := self.processes():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            assert time.monotonic() < deadline, f"{pids} do not end"
            time.sleep(0.1)

    def _do(self, *words):
        done = _ip("-n", self.name, *words)
        assert done.returncode == 0, (words, done.stderr)


class Machines:
    """Make two machines; ``close`` removes them with all that runs there. A test is skipped where they cannot be made."""

    def __init__(self):
        if shutil.which("ip") is None:
            pytest.skip("machines that are cut off are not tested: apt-get install iproute2")
        self.first = Machine(f"tuner-{os.getpid()}-1", "10.213.7.1")
        self.second = Machine(f"tuner-{os.getpid()}-2", "10.213.7.2")
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def __iter__(self):
        return iter((self.first, self.second))

    def _make(self):
        first, second = self.first.name, self.second.name
        wire = ["link", "add", _DEVICE, "netns", first, "type", "veth", "peer", "name", _DEVICE, "netns", second]
        for words in (["netns", "add", first], ["netns", "add", second], wire):
            done = _ip(*words)
            if done.returncode:
                why = done.stderr.strip()
                pytest.skip(
                    f"machines that are cut off are not tested: run the tests as root, where network namespaces are allowed: {why}"
                )
        for machine in self:
            machine._do("link", "set", "lo", "up")
            machine._do("address", "add", f"{machine.address}/24", "dev", _DEVICE)
            machine.plug_in()

    def close(self):
        for machine in self:
            if machine.name in _ip("netns", "list").stdout.split():
                machine.end_all()
                _ip("netns", "delete", machine.name)
