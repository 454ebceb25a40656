"""Plans as data for JSON, and back: `from_data(to_data(plan)) == plan`."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any, get_args

from pynetemu.errors import DescriptionError, Problem
from pynetemu.plan.operations import (
    Address,
    DeviceKind,
    FileKind,
    InterfaceAddress,
    IPNetwork,
    Mechanism,
    NodeKind,
    Operations,
    Part,
    Plan,
    TunnelKind,
    Ways,
    as_parts,
    parts_of,
)
from pynetemu.plan.operations.splices import splices

VERSION = 1


def to_data(plan: Plan) -> dict[str, Any]:
    """{"version": 1, "name": "Blue", ..., "operations": [{"op": "AddNode", "node": "root", ...}, ...]}."""
    return {
        "version": VERSION,
        "name": plan.name,
        "host": plan.host,
        "host_address": None if plan.host_address is None else str(plan.host_address),
        "warnings": list(plan.warnings),
        "ids": plan.ids,
        "operations": [_encode(part) for part in parts_of(plan)],
    }


def from_data(data: Mapping[str, Any]) -> Plan:
    """The plan that `to_data` gave; raises DescriptionError for what is none."""
    try:
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']!r}; this pynetemu reads version {VERSION}")
        host_address = data["host_address"]
        return Plan(
            name=_string(data["name"]),
            operations=Operations(map(_decode, data["operations"])),
            host=_boolean(data["host"]),
            host_address=None if host_address is None else _address(host_address),
            warnings=tuple(map(_string, data["warnings"])),
            ids=_string(data["ids"]),
        )
    except KeyError as error:
        raise DescriptionError([Problem(f"not a plan: it lacks {error}")]) from error
    except (TypeError, ValueError) as error:
        raise DescriptionError([Problem(f"not a plan: {error}")]) from error


def change_to_data(old: Plan, new: Plan) -> dict[str, Any]:
    """What leads from one plan to another, which is less than all of the latter: changes are small, and labs are large."""
    whole = to_data(Plan(new.name, (), new.host, new.host_address, new.warnings, new.ids))
    found = splices(parts_of(old), parts_of(new))
    return {**whole, "operations": [[begin, count, list(map(_encode, coming))] for begin, count, coming in found]}


def change_from_data(old: Plan, data: Mapping[str, Any]) -> Plan:
    """The new plan; raises DescriptionError for what leads to none."""
    empty = from_data({**data, "operations": []})
    try:
        found = [(_integer(begin), _integer(count), tuple(map(_decode, coming))) for begin, count, coming in data["operations"]]
        operations = Operations(as_parts(old).spliced(found))
        return Plan(empty.name, operations, empty.host, empty.host_address, empty.warnings, empty.ids)
    except (KeyError, TypeError, ValueError) as error:
        raise DescriptionError([Problem(f"not a change of a plan: {error}")]) from error


def _encode(operation: Part) -> dict[str, Any]:
    kind = type(operation)
    data: dict[str, Any] = {"op": kind.__name__}
    for name, _ in _FIELDS[kind.__name__]:
        value = getattr(operation, name)
        data[name] = value if isinstance(value, str | int | float) else _encode_value(value)
    return data


def _encode_value(value: object) -> Any:
    if not isinstance(value, tuple):
        return _text(value)
    return [part if isinstance(part, int) else _encode_value(part) for part in value]


# A routed lab has a hundred thousand routes, but some hundred networks and addresses: each is read and written once.
_text = lru_cache(maxsize=1 << 16, typed=True)(str)


def _decode(data: Mapping[str, Any]) -> Part:
    kind = data["op"]
    if kind not in _FIELDS:
        raise ValueError(f"no operation is called {kind!r}")
    decoders = _FIELDS[kind]
    if len(data) > len(decoders) + 1:
        unknown = sorted(set(data) - {"op", *(name for name, _ in decoders)})
        raise ValueError(f"{kind} has no {', '.join(unknown)}")
    try:
        return _KINDS[kind](*[decode(data[name]) for name, decode in decoders])
    except KeyError as error:
        raise ValueError(f"{kind} lacks {error}") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{kind}: {error}") from error


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a number")
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} is not a list")
    return tuple(map(_string, value))


def _integers(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} is not a list")
    return tuple(map(_integer, value))


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not true or false")
    return value


def _node_kind(value: object) -> str:
    if value not in get_args(NodeKind):
        raise ValueError(f"no kind of node is called {value!r}")
    return str(value)


def _file_kind(value: object) -> str:
    if value not in get_args(FileKind):
        raise ValueError(f"no kind of file is called {value!r}")
    return str(value)


def _device_kind(value: object) -> str:
    if value not in get_args(DeviceKind):
        raise ValueError(f"no kind of interface is called {value!r}")
    return str(value)


def _tunnel_kind(value: object) -> str:
    if value not in get_args(TunnelKind):
        raise ValueError(f"no kind of tunnel is called {value!r}")
    return str(value)


def _mechanism(value: object) -> str:
    if value not in get_args(Mechanism):
        raise ValueError(f"no mechanism is called {value!r}")
    return str(value)


@lru_cache(maxsize=1 << 16)
def _address(value: object) -> Address:
    text = _string(value)
    return IPv6Address(text) if ":" in text else IPv4Address(text)


@lru_cache(maxsize=1 << 16)
def _interface_address(value: object) -> InterfaceAddress:
    text = _string(value)
    return IPv6Interface(text) if ":" in text else IPv4Interface(text)


@lru_cache(maxsize=1 << 16)
def _network(value: object) -> IPNetwork:
    text = _string(value)
    return IPv6Network(text) if ":" in text else IPv4Network(text)


def _addresses(value: object) -> tuple[Address, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return tuple(map(_address, value))


def _ways(value: object) -> Ways:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return tuple((_addresses(vias), tuple(map(_network, destinations))) for vias, destinations in value)


_DECODERS: dict[Any, Callable[[object], Any]] = {
    str: _string,
    int: _integer,
    float: _number,
    bool: _boolean,
    tuple[str, ...]: _strings,
    tuple[int, ...]: _integers,
    NodeKind: _node_kind,
    DeviceKind: _device_kind,
    FileKind: _file_kind,
    TunnelKind: _tunnel_kind,
    Mechanism: _mechanism,
    Address: _address,
    tuple[Address, ...]: _addresses,
    InterfaceAddress: _interface_address,
    IPNetwork: _network,
    Ways: _ways,
}
_KINDS: dict[str, type[Part]] = {kind.__name__: kind for kind in get_args(Part)}
_FIELDS: dict[str, list[tuple[str, Callable[[object], Any]]]] = {
    name: [(field, _DECODERS[type_]) for field, type_ in kind.__annotations__.items()] for name, kind in _KINDS.items()
}
