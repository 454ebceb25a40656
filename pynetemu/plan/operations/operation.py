"""What operations have in common: they are values, which cannot change and are equal when they say the same.

    @operation
    class SetUp:
        node: str
        interface: str
        source: str = ""

`source`, where the user wrote it, counts neither for equality nor for the hash.
"""

from collections.abc import Hashable
from typing import TypeVar, dataclass_transform

from pynetemu.frozen import frozen_but_for

_T = TypeVar("_T")

Thing = tuple[Hashable, ...]  # what operations make and need: a node, an interface, what is at one: ("blue", "eth0", "up")


class Effect:
    """What a change of a running lab must know of an operation.

    Two operations of a class that agree in `IDENTITY` are about the same. Where they differ in `CHANGEABLE` only, the
    kernel changes it in place; where only in `INFORMS`, which people read, there is nothing to do. What an operation
    `makes` is there afterwards; the kernel removes with it what `needs` it.
    """

    __slots__ = ()
    IDENTITY: tuple[str, ...] = "node", "interface"
    CHANGEABLE: tuple[str, ...] = ()
    INFORMS: tuple[str, ...] = ()
    __match_args__: tuple[str, ...] = ()
    source: str  # where the user wrote it

    @property
    def makes(self) -> tuple[Thing, ...]:
        """What is there afterwards."""
        return ()

    @property
    def needs(self) -> tuple[Thing, ...]:
        """What must be there before: as a rule the interface that it is about, or the node."""
        interface = getattr(self, "interface", None)
        return ((getattr(self, "node"), interface),) if interface else ((getattr(self, "node"),),)  # noqa: B009

    @property
    def gateways(self) -> tuple[Hashable, ...]:
        """The addresses that must be on a network of the node before."""
        return ()

    def can_become(self, other: "Effect") -> bool:
        """Whether the kernel makes this of that in place, both being about the same."""
        differing = {name for name in self.__match_args__ if getattr(self, name) != getattr(other, name)}
        return differing <= {*self.CHANGEABLE, *self.INFORMS, "source"}

    def identity(self) -> tuple[Hashable, ...]:
        """What it is about, to be compared with others'."""
        return (type(self), *(getattr(self, name) for name in self.IDENTITY))


@dataclass_transform(frozen_default=True)
def operation(cls: type[_T]) -> type[_T]:
    """Makes a class of its annotations, as `frozen` does."""
    return frozen_but_for(("source",))(cls)
