"""What a change of a running lab does, for people to read before and afterwards."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from pynetemu.engine.protocol.envelope import Overtaken
from pynetemu.plan.as_shell import commands
from pynetemu.plan.difference import difference, essential
from pynetemu.plan.operations import Plan, parts_of
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.steps import nodes_of
from pynetemu.wording import shortened

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.topology import Topology


_MOST_TRIES = 100  # some milliseconds each
_P = ParamSpec("_P")
_R = TypeVar("_R")


class LabChange:
    """A change of a lab: which nodes come, go and change, and the `commands` that do the same, in their order.

        change = net.apply(Routed())
        change.added, change.removed, change.changed       ("r1",), (), ("s1", "h1")

    `told` is what was in the way, made by hand, and had to go, and how long links were interrupted. A change in which nothing
    is to do is false.
    """

    def __init__(self, old: Plan, new: Plan, told: Iterable[str] = ()) -> None:
        self._old, self._new = old, new
        self.told = tuple(told)

    @cached_property
    def added(self) -> tuple[str, ...]:
        """The nodes that are new."""
        before = set(self._old.nodes)
        return tuple(node for node in self._new.nodes if node not in before)

    @cached_property
    def removed(self) -> tuple[str, ...]:
        """The nodes that have gone."""
        after = set(self._new.nodes)
        return tuple(node for node in self._old.nodes if node not in after)

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The nodes that were there, and at which something is different."""
        touched = {node for step in self._steps for node in nodes_of(step)}
        return tuple(node for node in self._new.nodes if node in touched and node not in self.added)

    @property
    def commands(self) -> tuple[str, ...]:
        """As commands of ip(8) and others: ("ip -n h1 route replace default via 10.0.1.254", ...)."""
        return tuple(line for step in self._steps for line in commands(step))

    @cached_property
    def _steps(self) -> tuple[Effect, ...]:
        return tuple(essential(difference(parts_of(self._old), parts_of(self._new))))

    def __bool__(self) -> bool:
        return bool(self._steps)

    def __str__(self) -> str:
        """In a line: "added r1; changed h1, s1"; what was in the way below it."""
        parts = ("added", self.added), ("removed", self.removed), ("changed", self.changed)
        said = "; ".join(f"{how} {shortened(list(nodes))}" for how, nodes in parts if nodes)
        return "\n".join([said or "nothing has changed", *self.told])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


def become(lab: "Lab", old: Plan, plan: Plan, topology: "Topology | None" = None, same: bool = False) -> LabChange:
    """Makes a running lab, which is what the `old` plan says, what another says, all of it or nothing: what both have is not
    touched. The new one was made of the `topology`, or of the `same` as the old one.

    Raises KernelError, ServiceError and LabError, also when somebody else changes the lab meanwhile; then, and after
    Ctrl-C, all is as it was.
    """
    return LabChange(old, plan, lab.followed.change(lab.control, old, plan, topology, same))


def until_first(change: Callable[_P, _R]) -> Callable[_P, _R]:
    """Of a method that makes its change from what the lab is now: tries again when somebody else's change comes between."""

    @wraps(change)
    def tried(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for _ in range(_MOST_TRIES - 1):
            with suppress(Overtaken):
                return change(*args, **kwargs)
        return change(*args, **kwargs)

    return tried


def undo(lab: "Lab") -> LabChange:
    """Takes the last change back that has not been taken back. Raises as `become`."""
    old = lab.plan
    told = lab.followed.take_back(lab.control)
    return LabChange(old, lab.plan, told)
