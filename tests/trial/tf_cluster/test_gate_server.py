"""The gate of a cluster over TCP, for its own workers only."""

import socket
import threading

import pytest

from tests.cluster import SECRET
from tuner.backends.tf_cluster import LocalAddresses
from tuner.trial.tf_cluster.gate import StepGate
from tuner.trial.tf_cluster.gate_server import GateClient, GateServer


class TestGate:
    def test_over_tcp_a_worker_begins_steps_and_hears_that_training_is_over(self):
        reserved = LocalAddresses().reserve(0, [])
        gate, ends = StepGate(10, 10, settle_s=0.0), threading.Event()
        client = GateClient(reserved.gate, "worker 0", ends.is_set, SECRET)
        threading.Timer(0.05, lambda: GateServer(gate, reserved.gate, SECRET)).start()  # the chief is later
        assert client.connect()
        threading.Timer(0.05, lambda: gate.begin(lambda: 0)).start()
        assert client.begun()
        assert client.may_step()
        again = GateClient(
            reserved.gate, "worker 0", ends.is_set, SECRET
        )  # its machine vanished, another one takes its place
        again.connect()
        assert again.may_step()
        again.stepped()
        threading.Timer(0.05, gate.close).start()
        while again.may_step():
            again.stepped()
        assert not again.begun()
        ends.set()
        reserved.release()

    @pytest.mark.parametrize("said", [b"", b"worker 0\nstep\n", b"a b worker 0\nstep\n", b"\xff\n", b"x" * 5000])
    def test_a_stranger_gets_no_step_and_takes_none_from_a_worker(self, said):
        reserved, ends = LocalAddresses().reserve(0, []), threading.Event()
        gate = StepGate(3, 3, settle_s=0.0)
        GateServer(gate, reserved.gate, SECRET)
        gate.begin(lambda: 0)
        client = GateClient(reserved.gate, "worker 0", ends.is_set, SECRET)
        assert client.connect()
        assert client.may_step()
        host, _, port = reserved.gate.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as stranger:
            greeting = stranger.recv(100)
            stranger.sendall(said)
            stranger.shutdown(socket.SHUT_WR)
            assert stranger.recv(100) == b""
        assert len(greeting) == 33
        assert len(gate._under_way) == 1  # the worker's step is its own still
        client.stepped()
        assert client.may_step()
        reserved.release()

    def test_a_worker_talks_to_no_chief_that_does_not_know_the_secret(self):
        reserved, ends = LocalAddresses().reserve(0, []), threading.Event()
        GateServer(StepGate(10), reserved.gate, "another")
        threading.Timer(0.2, ends.set).start()
        assert not GateClient(reserved.gate, "worker 0", ends.is_set, SECRET).connect()
        reserved.release()

    def test_a_worker_whose_chief_is_gone_waits_until_it_is_ended(self):
        reserved, ends = LocalAddresses().reserve(0, []), threading.Event()
        client = GateClient(reserved.gate, "worker 0", ends.is_set, SECRET)
        threading.Timer(0.1, ends.set).start()
        assert not client.connect()
        assert not client.may_step()
        reserved.release()
