"""What operations have in common: they are values, which cannot change and are equal when they say the same.

    @operation
    class SetUp:
        node: str
        interface: str
        source: str = ""

They are written like dataclasses, but not made by that module, which takes 0.3 ms for each class, at every start and in two
processes. `source`, where the user wrote it, counts neither for equality nor for the hash.
"""

from collections.abc import Hashable
from typing import Any, NoReturn, TypeVar, dataclass_transform

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
    """Makes a class of its annotations: slots, a constructor that takes them in order or by name, equality, hash, repr."""
    names = tuple(cls.__annotations__)
    space = {name: value for name, value in vars(cls).items() if name not in (*names, "__dict__", "__weakref__")}
    methods = {"__eq__": _eq, "__hash__": _hash, "__repr__": _repr, "__reduce__": _reduce}
    fixed = {"__setattr__": _refuse, "__delattr__": _refuse, "__slots__": names, "__match_args__": names}
    made = type(cls.__name__, cls.__bases__, {**space, **methods, **fixed})
    made.__init__ = _constructor(made, names, vars(cls))  # type: ignore[misc]
    return made


def _constructor(cls: type, names: tuple[str, ...], defaults: Any) -> Any:
    parameters = ", ".join(f"{name}=_default_{name}" if name in defaults else name for name in names)
    lines = "".join(f"\n    _set_{name}(self, {name})" for name in names)
    space = {f"_default_{name}": defaults[name] for name in names if name in defaults}
    space |= {f"_set_{name}": vars(cls)[name].__set__ for name in names}
    exec(f"def __init__(self, {parameters}):{lines}", space)
    return space["__init__"]


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in self.__match_args__ if name != "source")


def _eq(self: Any, other: object) -> bool:
    return type(self) is type(other) and _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash((type(self), _values(self)))


def _repr(self: Any) -> str:
    return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"


def _reduce(self: Any) -> tuple[type, tuple[Any, ...]]:
    """For pickle and copy, which would set attributes."""
    return type(self), tuple(getattr(self, name) for name in self.__match_args__)


def _refuse(self: Any, name: str, *_: object) -> NoReturn:
    raise AttributeError(f"{type(self).__name__} is a value: {name} cannot change")
