"""Slots and nodes, as the driver sees them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

from tuner.backends.gpus import environment_of
from tuner.backends.ray.connection import Request
from tuner.backends.ray.messages import NodeSettings, Order
from tuner.domain.tf_cluster import Kind, Task
from tuner.errors import Problem


class SlotActor:
    """An actor that holds what a trial asks for, and does nothing."""

    def where(self) -> tuple[str, str, str]:
        """Return the node's id and address, and the GPUs that Ray gave us."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        return node, ray.util.get_node_ip_address(), os.environ.get("CUDA_VISIBLE_DEVICES", "")


class Slot:
    """Room for one trial on some node.

    Attributes:
        actor: Holds it.
        said: Ray's reference to what the actor says, or None when it was taken.
        node: Id of the node it is on, or empty as long as Ray looks for one.
        address: Of the node.
        env: What the environment of a trial there needs.
        trial: Which one runs there, or None.
        kept_for: The trial for whose tasks it is kept, or None: any may run there.
    """

    def __init__(self, ray: Any, actor: Any, request: Request) -> None:
        self.actor = actor
        self.said: Any = actor.where.remote()
        self.node = ""
        self.address = ""
        self.env: dict[str, str] = {}
        self.trial: int | None = None
        self.kept_for: int | None = None
        self._ray = ray
        self._request = request

    def locate(self) -> None:
        """Take what the actor says of where it is."""
        self.node, self.address, devices = self._ray.get(self.said)
        self.said = None
        names = [name for name in devices.split(",") if name] if self._request.gpus else []
        self.env = environment_of(names, shared=0 < self._request.gpus < 1)

    def env_for(self, task: Task | None) -> dict[str, str]:
        """Return what the environment of a process here needs; a ps sees no devices."""
        return environment_of((), shared=False) if task is not None and task.name.kind is Kind.PS else self.env


class Node:
    """A node with a worker of ours.

    Attributes:
        id: Ray's.
        address: For people.
        actor: The worker.
        said: Ray's reference to what the worker says next.
        warm: Whether it can run trials.
        notes: Of its fork server.
    """

    def __init__(self, ray: Any, node_id: str, address: str, kind: type[Any], settings: NodeSettings) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # Orders have a thread of their own, so that they come in order and while the worker listens.
        remote = ray.remote(concurrency_groups={"orders": 1})(kind)
        strategy = NodeAffinitySchedulingStrategy(node_id=node_id, soft=False)
        self.id = node_id
        self.address = address
        self.actor = remote.options(num_cpus=0, scheduling_strategy=strategy).remote(settings)
        self.said: Any = self.actor.open.remote()
        self.warm = False
        self.notes: tuple[str, ...] = ()

    def tell(self, order: Order) -> None:
        """Send an order."""
        self.actor.tell.options(concurrency_group="orders").remote(order)

    def ports(self, trial: int, count: int) -> Any:
        """Ask for ports that nobody else takes; return Ray's reference to the answer."""
        return self.actor.take_ports.options(concurrency_group="orders").remote(trial, count)

    def free_ports(self, trial: int) -> None:
        """Give back the ports of a trial."""
        self.actor.free_ports.options(concurrency_group="orders").remote(trial)

    def close(self) -> Any:
        """Ask the worker to end everything; return Ray's reference to its answer."""
        return self.actor.close.options(concurrency_group="orders").remote()


def hold(ray: Any, request: Request) -> Slot:
    """Ask Ray for room for one trial."""
    remote = ray.remote(SlotActor)
    actor = remote.options(num_cpus=request.cpus, num_gpus=request.gpus, resources=dict(request.custom)).remote()
    return Slot(ray, actor, request)


def end_all(ray: Any, nodes: Sequence[Node], slots: Sequence[Slot]) -> None:
    """Let the workers end what they run, then end them and give back what slots hold."""
    closing = [node.close() for node in nodes]
    with contextlib.suppress(Exception):  # who does not answer is killed below
        ray.wait(closing, num_returns=len(closing), timeout=10) if closing else None
    for actor in (*(node.actor for node in nodes), *(slot.actor for slot in slots)):
        with contextlib.suppress(Exception):
            ray.kill(actor)


def at_node(address: str, problem: Problem) -> Problem:
    """Return a problem with the node at which it was found."""
    return Problem(f"node {address}", f"{problem.where}: {problem.message}".removeprefix(": "), problem.hint)
