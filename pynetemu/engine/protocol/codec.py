"""Frozen values as data for messages, and back, with the open descriptors in them beside it.

    descriptors: list[int] = []
    data = to_data(Resume(7, Descriptor(3)), descriptors)     # {"pid": 7, "terminal": 0}, and [3]
    from_data(Resume, data, descriptors)

What a field may be is what its annotation says: text, numbers, bytes, None, tuples, dictionaries with text as keys,
other frozen values, `Any` for what is JSON already, and `Descriptor`. Whatever else comes is refused, since anybody can write
to a socket.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin

Descriptor = NewType("Descriptor", int)
"""A number of an open file of this process; on the way it is the place in the list of those that travel along."""

_UNIONS = (UnionType, Union)  # of classes, and of what else stands in annotations
_Encoder = Callable[[Any, list[int]], Any]
_Decoder = Callable[[Any, Sequence[int]], Any]


class NotUnderstood(ValueError):
    """What came is not what a field may be; the text says where."""


def to_data(value: Any, descriptors: list[int], kind: Any = None) -> Any:
    """The value as JSON; the descriptors in it are appended to the list. `kind` is what it is of, by default its class."""
    of: Any = type(value) if kind is None else kind
    return _encoder(of)(value, descriptors)


def from_data(kind: Any, data: Any, descriptors: Sequence[int]) -> Any:
    """The value that `to_data` gave; raises NotUnderstood."""
    return _decoder(kind)(data, descriptors)


@cache
def _encoder(kind: Any) -> _Encoder:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Descriptor:
        return _put_down
    if origin is tuple:
        inner = _encoder(arguments[0])
        if inner is _as_it_is:
            return lambda values, _: list(values)
        return lambda values, descriptors: [inner(value, descriptors) for value in values]
    if origin is dict:
        inner = _encoder(arguments[1])
        if inner is _as_it_is:
            return lambda values, _: dict(values)
        return lambda values, descriptors: {key: inner(value, descriptors) for key, value in values.items()}
    if origin in _UNIONS:
        inner = _encoder(_but_none(kind))
        return lambda value, descriptors: None if value is None else inner(value, descriptors)
    if isinstance(kind, type) and hasattr(kind, "__match_args__"):
        fields = [(name, _encoder(kind.__annotations__[name])) for name in kind.__match_args__]
        return lambda value, descriptors: {name: encode(getattr(value, name), descriptors) for name, encode in fields}
    return _as_it_is


def _as_it_is(value: Any, _: list[int]) -> Any:
    return value


def _put_down(descriptor: int, descriptors: list[int]) -> int:
    descriptors.append(descriptor)
    return len(descriptors) - 1


@cache
def _decoder(kind: Any) -> _Decoder:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda data, _: data
    if kind is Descriptor:
        return _take_up
    if origin is tuple:
        return _tuple_decoder(_decoder(arguments[0]))
    if origin is dict:
        return _dict_decoder(_decoder(arguments[1]))
    if origin in _UNIONS:
        inner = _decoder(_but_none(kind))
        return lambda data, descriptors: None if data is None else inner(data, descriptors)
    if kind in _PLAIN:
        return _plain_decoder(*_PLAIN[kind])
    return _frozen_decoder(kind)


_PLAIN: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "text"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
    bytes: ((bytes,), "bytes"),
    None: ((NoneType,), "null"),
    NoneType: ((NoneType,), "null"),
}


def _but_none(kind: Any) -> Any:
    """X of `X | None`."""
    (inner,) = (one for one in get_args(kind) if one is not NoneType)
    return inner


def _take_up(place: Any, descriptors: Sequence[int]) -> int:
    if type(place) is not int or not 0 <= place < len(descriptors):
        raise NotUnderstood(f"{_short(place)} is none of the {len(descriptors)} descriptors that came with it")
    return descriptors[place]


def _plain_decoder(types: tuple[type, ...], name: str) -> _Decoder:
    def decode(data: Any, _: Sequence[int]) -> Any:
        if type(data) not in types:
            raise NotUnderstood(f"{_short(data)} is not {name}")
        return data

    return decode


def _tuple_decoder(inner: _Decoder) -> _Decoder:
    def decode(data: Any, descriptors: Sequence[int]) -> tuple[Any, ...]:
        if not isinstance(data, list):
            raise NotUnderstood(f"{_short(data)} is not a list")
        return tuple([inner(one, descriptors) for one in data])

    return decode


def _dict_decoder(inner: _Decoder) -> _Decoder:
    def decode(data: Any, descriptors: Sequence[int]) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise NotUnderstood(f"{_short(data)} is not an object")
        return {key: inner(value, descriptors) for key, value in data.items()}

    return decode


def _frozen_decoder(kind: Any) -> _Decoder:
    fields = {name: _decoder(kind.__annotations__[name]) for name in kind.__match_args__}

    def decode(data: Any, descriptors: Sequence[int]) -> Any:
        if not isinstance(data, dict):
            raise NotUnderstood(f"{kind.__name__}: {_short(data)} is not an object")
        if unknown := data.keys() - fields:
            raise NotUnderstood(f"{kind.__name__} has no {', '.join(map(_short, sorted(islice(unknown, 3))))}")
        if lacking := fields.keys() - data.keys() - kind.__defaults__.keys():
            raise NotUnderstood(f"{kind.__name__} lacks {', '.join(sorted(lacking))}")
        found = {}
        for name, value in data.items():
            try:
                found[name] = fields[name](value, descriptors)
            except NotUnderstood as error:
                raise NotUnderstood(f"{kind.__name__}.{name}: {error}") from None
        return kind(**found)

    return decode


def _short(data: Any) -> str:
    """What came, for a message: it may be long."""
    text = repr(data)
    return text if len(text) <= 40 else text[:37] + "..."
