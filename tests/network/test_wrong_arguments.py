"""What callers give that is of a wrong type, or cannot be: an error of ours that says which, and the lab lives on."""

import inspect
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP

from pynetemu import Host, HttpServer, Link, Network, Process, PynetemuError, RunningLink, RunningNode, Topology


class Pair(Topology):
    h1, h2 = Host(), Host()
    wire = Link(h1.interface("eth0", "10.0.0.1/24"), h2.interface("eth0", "10.0.0.2/24"))
    page = HttpServer(h2, port=80)


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with Network(Pair(), name="wrong-arguments") as network:
        network.link("wire").journal()  # what the lab needs for it stays open
        network.apply(Pair)
        yield network


# What is right for a parameter that has no default.
_RIGHT: dict[str, Any] = {
    "name": "page",
    "node": "h1",
    "old": "h2",
    "to": "h1",
    "a": "h1",
    "b": "h2",
    "source": "h1",
    "target": "h2",
    "up": True,
    "argv": "true",
    "topology": Pair,
    "number": 0,
    "packet": IP(dst="10.0.0.2") / ICMP(),
    "which": "wire",
    "link": "wire",
    "tables": ("links",),
    "file": "/dev/null",
    "timeout": 0.05,
    "seconds": 0.1,
}
_WRONG: tuple[Any, ...] = (
    *(-1.5, True, b"\xff", [], {"x": ["y"]}, object(), float("nan"), float("inf"), 10**400, "\0", 0.0),
    *(Pair.h1, Pair, lambda: None, threading.Lock(), IP()),
)
_ELSEWHERE = {  # methods that tests of their own ask for, and parameters that anything may be
    *("tell", "describe", "rename", "begin", "open", "close", "fileno", "socket", "scapy", "undo", "resume", "sr", "sr1"),
    *("progress", "options", "terminal", "own_group", "engine"),
}


def _parameters() -> Iterator[tuple[type, str, str]]:
    """Each parameter of each public method of what users hold."""
    for kind in Network, RunningNode, RunningLink, Process:
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_") and name not in _ELSEWHERE:
                for parameter in list(inspect.signature(method).parameters)[1:]:
                    if parameter not in _ELSEWHERE:
                        yield kind, name, parameter


def _do(method: Callable[..., Any], parameter: str, wrong: object) -> None:
    """Calls a method with one wrong argument, and enters what it gives back."""
    values: dict[str, Any] = {}
    several: tuple[Any, ...] = ()
    for known in inspect.signature(method).parameters.values():
        value = wrong if known.name == parameter else _RIGHT.get(known.name, known.default)
        if known.kind is known.VAR_POSITIONAL:
            several = (value,) if known.name == parameter or known.name in _RIGHT else ()
        elif known.kind is not known.VAR_KEYWORD and value is not known.empty:
            values[known.name] = value
    positional = [values.pop(known) for known in list(values) if several and _stands_first(method, known)]
    given = method(*positional, *several, **values)
    if isinstance(given, Process):
        given.kill()
    elif hasattr(given, "__enter__"):
        with given:
            pass


def _stands_first(method: Callable[..., Any], name: str) -> bool:
    return inspect.signature(method).parameters[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


@pytest.mark.parametrize(("kind", "method", "parameter"), list(_parameters()))
def test_any_argument_works_or_is_refused(
    net: Network, kind: type, method: str, parameter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    owners: dict[type, Callable[[], Any]] = {
        Network: lambda: net,
        RunningNode: lambda: net["h1"],
        RunningLink: lambda: net.link("wire"),
        Process: lambda: net["h1"].start("true"),
    }
    for wrong in _WRONG:
        try:
            _do(getattr(owners[kind](), method), parameter, wrong)
        except PynetemuError as error:
            assert str(error)
        except FileNotFoundError:
            assert wrong == b"\xff"  # a file may be called so
        except TypeError:
            assert parameter == "prn" and callable(wrong)  # a packet of the kernel's own has come, and it was called with that
    assert net["h1"].run("echo", "alive").stdout == "alive\n"
    assert net.ping_all().loss == 0
