"""What is said when there is no Ray, or no cluster: at once, and with what to do."""

import signal
import socket
import sys

import pytest

from tuner.backends.ray.connection import _translated, connect
from tuner.domain.spec import RaySettings
from tuner.errors import BackendError, InvalidInput


def test_the_extra_to_install_is_named_where_ray_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        InvalidInput, match=r"Ray is not installed in this environment \(pip install 'estimator-tuner\[ray\]'\)"
    ):
        connect(RaySettings(), cores=1)


def test_an_address_where_nothing_answers_is_refused_in_seconds():
    pytest.importorskip("ray", reason="Ray is not tested: pip install -e '.[ray]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(InvalidInput, match=rf"ray.address: no Ray cluster at {address}: .*refused"):
        connect(RaySettings(address), cores=1)
    assert signal.getsignal(signal.SIGTERM) is handler  # Ray takes it when it is imported


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:port"])
def test_an_address_of_another_form_is_refused(address, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not tested: pip install -e '.[ray]'")
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(InvalidInput, match=r"expected HOST:PORT"):
        connect(RaySettings(), cores=1)


def test_other_versions_than_the_clusters_are_named():
    said = "Version mismatch: The cluster was started with:\n    Ray: 2.40.0\n    Python: 3.11.9\nThis process has 3.13"
    error = _translated(RuntimeError(said), "head:6379")
    assert isinstance(error, BackendError)
    assert "Ray: 2.40.0 Python: 3.11.9" in error.message
    assert "versions of Ray and Python" in error.hint
