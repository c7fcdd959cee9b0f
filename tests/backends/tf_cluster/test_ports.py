"""Ports that are held until a task listens on them."""

import socket

import pytest

from tests.cluster import NAMES, SECRET
from tuner.backends.tf_cluster import LocalAddresses
from tuner.trial.tf_cluster.gate import StepGate
from tuner.trial.tf_cluster.gate_server import GateServer


class TestLoopback:
    def test_a_port_is_taken_from_others_and_free_for_the_task(self):
        reserved = LocalAddresses().reserve(0, NAMES)
        assert len({*reserved.addresses.values(), reserved.gate}) == len(NAMES) + 1
        host, _, port = reserved.gate.rpartition(":")
        with socket.socket() as other, pytest.raises(OSError):
            other.bind((host, int(port)))
        GateServer(StepGate(10), reserved.gate, SECRET)
        reserved.release()
