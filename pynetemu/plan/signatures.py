"""Arguments that do not fit: what was given, and what is taken instead."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pynetemu.topology.part import quoted
from pynetemu.wording import did_you_mean, nearest, suggested

_SHORTEST = 2  # a shorter word is like too many
_MOST_SHOWN = 7  # parameters of a part in a hint
Arguments = tuple[tuple[object, ...], dict[str, object]]


_OTHERS_WORDS = {  # of Mininet, tc and others, and what they are called here
    "bw": "rate",
    "bandwidth": "rate",
    "speed": "rate",
    "latency": "delay",
    "lag": "delay",
    "packet_loss": "loss",
    "max_queue_size": "limit",
    "queue_size": "limit",
    "defaultRoute": "default_via",
    "default_route": "default_via",
    "gateway": "default_via",
    "gw": "default_via",
    "via": "default_via",
    "mac_address": "mac",
    "hwaddr": "mac",
    "metric": "cost",
    "weight": "cost",
    "forwarding": "forward",
    "ip_forward": "forward",
    "spanning_tree": "stp",
    "lo": "loopback",
    "loopbacks": "loopback",
    "volumes": "mounts",
    "binds": "mounts",
    "environment": "env",
}


_ADDRESSES = "ip", "ips", "ipv4", "ipv6", "address", "addresses", "mac"
_OF_INTERFACES = 'addresses are of interfaces: Link(h1.interface("eth0", "10.0.0.1/24"), s1)'


def _meant(word: str, known: Iterable[str]) -> str | None:
    """The option that somebody means by a word."""
    known = list(known)
    if _OTHERS_WORDS.get(word) in known:
        return _OTHERS_WORDS[word]
    return nearest(word, known) if len(word) > _SHORTEST else None


def explain_arguments(kind: type, arguments: Arguments) -> Iterator[tuple[str, str]]:
    """What is wrong with a call of a kind of part, and a hint, for each mistake: Host(defualt_via=...), Link(a)."""
    args, kwargs = arguments
    name = kind.__name__
    parameters = _parameters(kind.__init__)  # type: ignore[misc]
    hint = f"it is used as {_usage(name, parameters)}"
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    given = {p.name for p in positional[: len(args)]}
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    for argument in args[len(positional) :] if not any(p.kind is p.VAR_POSITIONAL for p in parameters) else ():
        yield f"{name} does not take {argument!r} in this place", hint
    for keyword in kwargs:
        if keyword not in named and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            of_interfaces = _OF_INTERFACES if keyword in _ADDRESSES and "routes" in named else ""
            yield f"{name} has no option {keyword!r}", suggested(_meant(keyword, named)) or of_interfaces or hint
        elif keyword in given:
            yield f"{name} is given {keyword!r} twice", hint
    for parameter in parameters:
        if _is_required(parameter) and parameter.name not in given | set(kwargs):
            yield f"{name} lacks {parameter.name!r}", hint


def explain_parameters(
    name: str, build: Callable[..., object], given: Iterable[str], in_order: tuple[object, ...] = ()
) -> Iterator[tuple[str, str]]:
    """What is wrong with the parameters of a topology, by their names and `in_order`: those that `build` does not take, and
    those that it needs."""
    parameters = _parameters(build)
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    has = f"{name} has {', '.join(named)}" if named else f"{name} has no parameters"
    places = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    given = list(given)
    for argument in in_order[len(places) :] if not any(p.kind is p.VAR_POSITIONAL for p in parameters) else ():
        yield f"{name} does not take {quoted(argument)} in this place", has
    for parameter in given:
        if parameter in places[: len(in_order)]:
            yield f"{name} is given {parameter!r} twice", has
        elif parameter not in named and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            yield f"{name} has no parameter {parameter!r}", did_you_mean(parameter, named) or has
    for needed in parameters:
        if _is_required(needed) and needed.name not in (*places[: len(in_order)], *given):
            yield f"{name} needs the parameter {needed.name!r}", f"-p {needed.name}=..., or {name}({needed.name}=...)"


def _usage(name: str, parameters: Iterable[inspect.Parameter]) -> str:
    """How a part is made: "HttpServer(node, port=...)"."""
    words: list[str] = []
    for parameter in parameters:
        if len(words) == _MOST_SHOWN:
            words.append("...")
            break
        keyword = parameter.kind is parameter.KEYWORD_ONLY or parameter.default is not parameter.empty
        words.append(f"{parameter.name}=..." if keyword else str(parameter).partition(":")[0])
    return f"{name}({', '.join(words)})"


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.name != "self"]


def _is_required(parameter: inspect.Parameter) -> bool:
    variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not variadic
