"""Slots for all tasks of a trial at once, with addresses on their nodes: all or none.

A task that died is started again in its slot, so that the others find it under its address. A node
that is lost takes the whole trial with it, which begins again with other slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tuner.backends.ray.slots import Node, Slot
from tuner.backends.tf_cluster.ports import ReservedAddresses
from tuner.backends.tf_cluster.task_ids import number_of
from tuner.domain.tf_cluster import CHIEF, Name

_ASK_S = 20.0  # how long a node may take to find ports


@dataclass(frozen=True)
class Gang:
    """The slots of one trial.

    Attributes:
        slots: By the number of the task.
        nodes: On which they are, by id.
    """

    slots: Mapping[int, Slot]
    nodes: Mapping[str, Node]


class Gangs:
    """The slots that are kept for the tasks of trials."""

    def __init__(self) -> None:
        self._gangs: dict[int, Gang] = {}

    def reserve(
        self, trial: int, numbers: Sequence[int], free: Sequence[Slot], nodes: Mapping[str, Node]
    ) -> Gang | None:
        """Keep slots for all tasks of a trial; None if there are not as many.

        Args:
            trial: Its number.
            numbers: Of its tasks.
            free: Slots that nobody has.
            nodes: Those on which slots are, by id.
        """
        if len(free) < len(numbers):
            return None
        slots = dict(zip(numbers, free, strict=False))
        for slot in slots.values():
            slot.kept_for = trial
        self._gangs[trial] = Gang(slots, {slot.node: nodes[slot.node] for slot in slots.values()})
        return self._gangs[trial]

    def free(self, trial: int) -> None:
        """Let others have the slots of a trial; allowed for one that has none."""
        gang = self._gangs.pop(trial, None)
        for slot in gang.slots.values() if gang else ():
            slot.kept_for = None

    def slot_for(self, number: int) -> Slot | None:
        """Return the slot that is kept for a task, or None."""
        return next((gang.slots[number] for gang in self._gangs.values() if number in gang.slots), None)


class Backend(Protocol):
    """What runs single processes in slots."""

    @property
    def gangs(self) -> Gangs:
        """Slots that are kept."""

    def reserve_gang(self, trial: int, numbers: Sequence[int]) -> Gang | None:
        """Keep slots for all tasks of a trial; None while there are not as many."""


class Nodes:
    """Find addresses on the nodes of a cluster; see ``AddressSource``.

    Args:
        ray: The module.
        backend: Has the slots.
    """

    def __init__(self, ray: Any, backend: Backend) -> None:
        self._ray = ray
        self._backend = backend

    def reserve(self, trial: int, names: Sequence[Name]) -> ReservedAddresses | None:
        numbers = {name: number_of(trial, name, names) for name in names}
        gang = self._backend.reserve_gang(trial, list(numbers.values()))
        if gang is None:
            return None
        chief = gang.slots[numbers[CHIEF]]
        wanted = Counter(slot.node for slot in gang.slots.values()) + Counter([chief.node])  # and the gate's
        try:
            refs = {node: gang.nodes[node].ports(trial, count) for node, count in wanted.items()}
            ports = {node: iter(self._ray.get(ref, timeout=_ASK_S)) for node, ref in refs.items()}
        except self._ray.exceptions.RayError:
            self._release(trial, gang)  # the node is lost, or about to be: another try finds others
            return None
        addresses = {name: _address(gang.slots[number], ports) for name, number in numbers.items()}
        return ReservedAddresses(addresses, _address(chief, ports), lambda: self._release(trial, gang))

    def _release(self, trial: int, gang: Gang) -> None:
        for node in gang.nodes.values():
            node.free_ports(trial)
        self._backend.gangs.free(trial)


def _address(slot: Slot, ports: Mapping[str, Any]) -> str:
    return f"{slot.address}:{next(ports[slot.node])}"
