"""Frozen values with slots, and records that change, written like dataclasses.

    @frozen
    class Point:
        x: int
        y: int = 0

    @record
    class Line:
        points: list[Point] = fresh(factory=list)

The module of that name is not used for what every start needs: it takes 0.3 ms for each class, and there are dozens, in two
processes.
"""

from collections.abc import Callable, Collection, Mapping
from functools import update_wrapper
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, cast, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def frozen(cls: type[_T]) -> type[_T]:
    """Makes a class of its annotations: slots, a constructor that takes them in order or by name, equality, hash, repr."""
    return frozen_but_for(())(cls)


def frozen_but_for(uncompared: Collection[str]) -> Callable[[type[_T]], type[_T]]:
    """As `frozen`; some fields count neither for equality nor for the hash."""

    def make(cls: type[_T]) -> type[_T]:
        compared = tuple(name for name in cls.__annotations__ if name not in uncompared)
        values = attrgetter(*compared, *compared[:1]) if compared else _no_values  # of one name it would give no tuple
        return _made(cls, _Frozen, {"__compared__": values})

    return make


def fresh(*, factory: Callable[[], _T]) -> _T:
    """In place of a field's default: what is made anew for each record."""
    return cast(_T, _Fresh(factory))


@dataclass_transform(eq_default=False, field_specifiers=(fresh,))
def record(cls: type[_T]) -> type[_T]:
    """Makes a class of its annotations: slots and a constructor, as of `frozen`. Each record is equal to itself only."""
    return _made(cls, _Record, {})


def with_quick_constructor(cls: type[_T]) -> type[_T]:
    """For a frozen dataclass with slots, of which there are thousands: its own constructor takes twice as long."""
    own: Any = cls.__init__
    names: tuple[str, ...] = cls.__match_args__  # type: ignore[attr-defined]  # dataclasses have it
    given = own.__defaults__ or ()
    made = _constructor(cls, names, dict(zip(names[len(names) - len(given) :], given, strict=True)), is_frozen=True)
    cls.__init__ = update_wrapper(made, own)  # type: ignore[method-assign]
    return cls


class _Fresh:
    def __init__(self, factory: Callable[[], Any]) -> None:
        self.factory = factory


def _made(cls: type[_T], base: type, more: Mapping[str, Any]) -> type[_T]:
    names = tuple(cls.__annotations__)
    space = {name: value for name, value in vars(cls).items() if name not in (*names, "__dict__", "__weakref__")}
    space["__slots__"] = space["__match_args__"] = names
    space["__defaults__"] = defaults = {name: vars(cls)[name] for name in names if name in vars(cls)}
    space |= more

    def construct(self: Any, *values: Any, **named: Any) -> None:
        """Most starts need a few of the classes only, and compiling a constructor takes longer than all the rest."""
        made.__init__ = _constructor(made, names, defaults, issubclass(made, _Frozen))
        made.__init__(self, *values, **named)

    space["__init__"] = construct
    made: Any = type(cls.__name__, (*(other for other in cls.__bases__ if other is not object), base), space)
    return cast(type[_T], made)


def _constructor(cls: type, names: tuple[str, ...], defaults: Mapping[str, Any], is_frozen: bool) -> Any:
    parameters = ", ".join(f"{name}=_default_{name}" if name in defaults else name for name in names)
    made_anew = {name for name, default in defaults.items() if isinstance(default, _Fresh)}
    values = {name: f"_make_{name}() if {name} is _default_{name} else {name}" if name in made_anew else name for name in names}
    store = "_set_{0}(self, {1})" if is_frozen else "self.{0} = {1}"  # the latter takes half as long
    lines = "".join(f"\n    {store.format(name, value)}" for name, value in values.items()) or " pass"
    space = {f"_default_{name}": default for name, default in defaults.items()}
    space |= {f"_make_{name}": defaults[name].factory for name in made_anew}
    space |= {f"_set_{name}": vars(cls)[name].__set__ for name in names}
    exec(f"def __init__(self, {parameters}):{lines}", space)
    return space["__init__"]


_no_values = cast("attrgetter[tuple[Any, ...]]", staticmethod(lambda _: ()))


class _Signature:
    """For inspect.signature, the documentation and help(): as the constructor will be."""

    def __get__(self, _: object, cls: Any) -> Any:
        from inspect import Parameter, Signature

        kind = Parameter.POSITIONAL_OR_KEYWORD
        return Signature(
            [
                Parameter(name, kind, default=cls.__defaults__.get(name, Parameter.empty), annotation=cls.__annotations__[name])
                for name in cls.__match_args__
            ]
        )


class _Record:
    __slots__ = ()
    __signature__ = _Signature()
    __match_args__: tuple[str, ...]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"


class _Frozen(_Record):
    __slots__ = ()
    __compared__: "attrgetter[tuple[Any, ...]]"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is a value: {name} cannot change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is a value: {name} cannot change")

    def __eq__(self, other: object) -> bool:
        values = self.__compared__
        return type(self) is type(other) and values(self) == values(other)

    def __hash__(self) -> int:
        return hash((type(self), self.__compared__(self)))

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        """For pickle and copy, which would set attributes."""
        return type(self), tuple(getattr(self, name) for name in self.__match_args__)


def replaced(value: _T, **changes: Any) -> _T:
    """A frozen value with some of its fields changed: replaced(plan, warnings=())."""
    return type(value)(**{**as_data(value), **changes})


def as_data(value: object) -> dict[str, Any]:
    """The fields of a frozen value by name: as_data(Point(1, 2)) == {"x": 1, "y": 2}."""
    return {name: getattr(value, name) for name in type(value).__match_args__}  # type: ignore[attr-defined]  # of `frozen`
