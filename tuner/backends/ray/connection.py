"""A Ray cluster: connected to or started, and asked for room before any trial is drawn.

The one place, with the backend beside it, that imports Ray.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from tuner.domain.spec import RaySettings
from tuner.errors import BackendError, InvalidInput, Problem

_CONNECT_S = 5.0
_STORE_BYTES = 100_000_000  # of a local cluster's object store: messages are small
_NOT_COPIED = [".git", ".venv*", "mlruns", "mlflow.db*", "__pycache__"]


@dataclass(frozen=True)
class Request:
    """What each trial gets of the cluster.

    Attributes:
        cpus: Cores.
        gpus: Devices, or a fraction of one.
        custom: Ray's custom resources, name to amount.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    custom: Mapping[str, float] = field(default_factory=dict)

    @property
    def amounts(self) -> dict[str, float]:
        """Ray's names of resources to amounts above 0."""
        named = {"CPU": self.cpus, "GPU": self.gpus, **self.custom}
        return {name: amount for name, amount in named.items() if amount > 0}

    def room(self, resources: Mapping[str, float]) -> int:
        """Return how many trials a node with these resources has room for."""
        return min(int(resources.get(name, 0.0) / amount + 1e-9) for name, amount in self.amounts.items())


class Cluster:
    """A connection to Ray; ``close`` ends it, and the cluster if we started it.

    Attributes:
        ray: The module.
        address: What was connected to, for people.
        local: Whether the cluster is ours and ends with us.
    """

    def __init__(self, ray: Any, address: str, folder: str, joined: bool) -> None:
        self.ray = ray
        self.address = address
        self.local = bool(folder)
        self._folder = folder
        self._joined = joined

    def nodes(self) -> dict[str, tuple[str, dict[str, float]]]:
        """Return the living nodes: id to address and resources."""
        return {
            node["NodeID"]: (node["NodeManagerAddress"], _shown(node["Resources"]))
            for node in self.ray.nodes()
            if node["Alive"]
        }

    def room(self, request: Request, processes: int = 1) -> int:
        """Return how many trials the cluster has room for at a time.

        Args:
            request: What each process of a trial gets.
            processes: How many a trial has.

        Raises:
            InvalidInput: There is no room for one; each node's resources are named.
        """
        nodes = self.nodes()
        room = sum(request.room(resources) for _, resources in nodes.values())
        if room < processes:
            asked = ", ".join(f"{name} {amount:g}" for name, amount in request.amounts.items())
            there = [
                Problem("", f"node {address} has {', '.join(f'{k} {v:g}' for k, v in resources.items()) or 'nothing'}")
                for address, resources in sorted(nodes.values(), key=lambda node: node[0])
            ]
            message = f"each trial asks for {asked}, and no node of the cluster at {self.address} has as much"
            if room:
                each = f"each trial is a cluster of {processes} tasks that ask for {asked} each"
                message = f"{each}, and the cluster at {self.address} has room for {room} of them"
            raise InvalidInput("resources", [Problem("", message), *there])
        return room // processes

    def close(self) -> None:
        """Leave the cluster; allowed more than once."""
        if not self._joined:
            with _handlers_kept():
                self.ray.shutdown()
        self._joined = True
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def connect(settings: RaySettings, cores: int) -> Cluster:
    """Connect to the cluster that the settings or RAY_ADDRESS name, or start one on this machine.

    Args:
        settings: Of the search space file.
        cores: Of a cluster that is started here.

    Raises:
        InvalidInput: Ray is not installed, or there is no such cluster.
        BackendError: The cluster refuses us.
    """
    address = settings.address or os.environ.get("RAY_ADDRESS", "") or "local"
    if address == "local":
        _ask_for_token()
    ray = _import_ray()
    if address not in ("auto", "local"):
        _check_address(address)
    if ray.is_initialized():  # a notebook or script that uses Ray itself
        return Cluster(ray, ray.get_runtime_context().gcs_address, "", joined=True)
    options: dict[str, Any] = {"address": address, "log_to_driver": False, "configure_logging": False}
    folder = ""
    if address == "local":
        folder = tempfile.mkdtemp(prefix="tuner-ray-")  # short: sockets have paths of at most 107 bytes
        options |= {
            "num_cpus": cores,
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
            "_temp_dir": folder,
            "_node_ip_address": "127.0.0.1",
        }
    elif host := _loopback(address):
        options["_node_ip_address"] = host
    if settings.working_dir:
        options["runtime_env"] = {"working_dir": settings.working_dir, "excludes": _NOT_COPIED}
    with _handlers_kept(), _quiet(), _loopback_only(address == "local"):
        try:
            ray.init(**options)
        except Exception as error:
            with suppress(Exception):
                ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True) if folder else None
            raise _translated(error, address) from error
    return Cluster(ray, "this machine" if folder else ray.get_runtime_context().gcs_address, folder, joined=False)


def _ask_for_token() -> None:
    """Let a cluster that is started here answer nobody but this process and those that it starts.

    Other users of the machine can reach its ports, too. Ray reads both when it is imported, and never again.
    """
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", token_hex())


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of a cluster that we start
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")  # what has no GPU sees none
    try:
        with _handlers_kept():
            import ray
    except ImportError as error:
        problem = Problem("", "Ray is not installed in this environment", "pip install 'estimator-tuner[ray]'")
        raise InvalidInput("backend ray", [problem]) from error
    return ray


def _check_address(address: str) -> None:
    """Find out in seconds what Ray takes a minute to say."""
    host, _, port = address.rpartition(":")
    if "://" in address:
        message = f"{address}: expected HOST:PORT of the head node, auto or local"
        hint = "run the driver on a machine of the cluster; Ray Client (ray://) is not used"
        raise InvalidInput("ray.address", [Problem("", message, hint)])
    if not host or not port.isdecimal():
        raise InvalidInput("ray.address", f"{address!r} is no address: expected HOST:PORT, auto or local")
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        message = f"no Ray cluster at {address}: {error}"
        hint = "start one with `ray start --head`, or leave the address out for a local one"
        raise InvalidInput("ray.address", [Problem("", message, hint)]) from error


def _loopback(address: str) -> str:
    """Return the host of an address that is on the loopback device, if Ray does not look by itself."""
    host = address.rpartition(":")[0]
    return host if host.startswith("127.") else ""


def _translated(error: Exception, address: str) -> Exception:
    text = str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if "ersion mismatch" in text:
        return BackendError(
            f"the cluster at {address} runs other versions: {' '.join(lines)}",
            "the driver needs the cluster's versions of Ray and Python",
        )
    if type(error).__name__ == "AuthenticationError" or "AuthToken" in text:
        return BackendError(
            f"the cluster at {address} wants its token, and has refused ours",
            "set RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN, and RAY_AUTH_MODE=token, as on the cluster's machines",
        )
    if isinstance(error, ConnectionError) and address not in ("auto", "local"):
        return BackendError(
            f"something answers at {address}, but not as a Ray cluster answers us: {lines[0]}",
            "give the port of `ray start --head`; if the cluster wants a token, set RAY_AUTH_MODE=token and "
            "RAY_AUTH_TOKEN_PATH as on its machines",
        )
    if isinstance(error, ConnectionError):
        hint = "start one with `ray start --head`, or leave the address out for a local one"
        return InvalidInput("ray.address", [Problem("", f"no Ray cluster at {address}: {lines[0]}", hint)])
    return BackendError(
        f"cannot use the Ray cluster at {address}: {lines[-1] if lines else type(error).__name__}",
        "the driver has to run on a machine that `ray start` made a node of the cluster",
    )


def _shown(resources: Mapping[str, float]) -> dict[str, float]:
    """Leave out what Ray counts for itself."""
    return {
        name: amount
        for name, amount in sorted(resources.items())
        if name not in ("memory", "object_store_memory") and not name.startswith(("node:", "accelerator_type:"))
    }


@contextmanager
def _loopback_only(wanted: bool) -> Iterator[None]:
    """Let a cluster that is started listen on the loopback device alone, as Ray does by itself on macOS and Windows.

    Elsewhere it replaces 127.0.0.1 by an address that others can reach, and has no option not to.
    """
    from ray._private import ray_constants

    before = getattr(ray_constants, "ENABLE_RAY_CLUSTER", None)
    if wanted and before is not None:
        ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        if before is not None:
            ray_constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray's notes on its own settings off the terminal; its errors come as exceptions."""
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Keep the handlers of signals, which Ray replaces: the sweep listens to them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
