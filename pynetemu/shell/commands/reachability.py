"""Who reaches whom, how fast, and how much goes through."""

import sys
import time

from pynetemu.errors import LabError, UsageError
from pynetemu.lab.addresses import usable
from pynetemu.measure.ping import Pinger
from pynetemu.shell.answers import Answer
from pynetemu.shell.argument_types import BitRate, Count, NodeName, NodeNames, Seconds
from pynetemu.shell.command import command
from pynetemu.shell.measurements import Pinged, Sent
from pynetemu.shell.shell import Shell
from pynetemu.terminal_output import is_terminal


@command
def pingall(
    shell: Shell, *nodes: NodeNames, count: Count = 1, timeout: Seconds = 1.0, ipv4: bool = False, ipv6: bool = False
) -> Answer:
    """pings between all pairs of nodes, all at once

    It fails if an answer is missing.

    nodes          all that have an address by default: pingall h*; pingall h1,h2 s*
    -c, --count    echo requests to each; 1 by default
    -t, --timeout  how long an answer may take; 1 s by default
    -4, --ipv4     over IPv4 only; by default over it where both have it
    -6, --ipv6     over IPv6 only
    """
    return _ping(shell, shell.chosen(nodes), count, timeout, _version(ipv4, ipv6), full=False)


@command
def pingallfull(
    shell: Shell, *nodes: NodeNames, count: Count = 3, timeout: Seconds = 1.0, ipv4: bool = False, ipv6: bool = False
) -> Answer:
    """as pingall, and lists each pair's round trips

    -c, --count    echo requests to each; 3 by default
    -t, --timeout  how long an answer may take; 1 s by default
    -4, --ipv4     over IPv4 only; by default over it where both have it
    -6, --ipv6     over IPv6 only
    """
    return _ping(shell, shell.chosen(nodes), count, timeout, _version(ipv4, ipv6), full=True)


@command
def pingpair(shell: Shell, a: NodeName | None = None, b: NodeName | None = None) -> Answer:
    """pings between two hosts, the first two by default"""
    return _ping(shell, _pair(shell, a, b, last=False), 1, 1.0, None, full=False)


@command
def pingpairfull(shell: Shell, a: NodeName | None = None, b: NodeName | None = None) -> Answer:
    """as pingpair, and lists the round trips"""
    return _ping(shell, _pair(shell, a, b, last=False), 3, 1.0, None, full=True)


@command
def iperf(
    shell: Shell,
    a: NodeName | None = None,
    b: NodeName | None = None,
    *,
    seconds: Seconds = 2.0,
    ipv4: bool = False,
    ipv6: bool = False,
) -> Answer:
    """measures how much TCP carries from one host to another

    Without names, from the first host to the last. No program is needed in the nodes. Ctrl-C ends it.

    -t, --seconds  how long; 2 s by default
    -4, --ipv4     over IPv4 only; by default over it where both have it
    -6, --ipv6     over IPv6 only
    """
    source, target = _pair(shell, a, b, last=True)
    return Sent(shell.network.throughput(source, target, seconds=seconds, version=_version(ipv4, ipv6)))


@command
def iperfudp(
    shell: Shell,
    rate: BitRate = 10e6,
    a: NodeName | None = None,
    b: NodeName | None = None,
    *,
    seconds: Seconds = 2.0,
    ipv4: bool = False,
    ipv6: bool = False,
) -> Answer:
    """sends UDP at a rate, and tells what has arrived

    rate  in bits per second of data, such as 10mbit or 1gbit; 10mbit by default

    -t, --seconds  how long; 2 s by default
    -4, --ipv4     over IPv4 only; by default over it where both have it
    -6, --ipv6     over IPv6 only
    """
    source, target = _pair(shell, a, b, last=True)
    return Sent(shell.network.throughput(source, target, seconds=seconds, rate=rate, version=_version(ipv4, ipv6)))


def _ping(shell: Shell, nodes: tuple[str, ...], count: int, timeout: float, version: int | None, full: bool) -> Pinged:
    if timeout <= 0:
        raise UsageError("the timeout is more than 0 s")
    pinger = Pinger(shell.network, nodes, count=count, timeout=timeout, version=version)
    if len(pinger.nodes) < 2:
        raise LabError("a ping needs two nodes with an address" + (f" of IPv{version}" if version else ""))
    progress = _Progress()
    interrupted = False
    try:
        pinger.run(progress.show)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        progress.clear()
    return Pinged(pinger.result(interrupted), full)


class _Progress:
    """A line on the terminal while it takes long."""

    _LONG = 0.4  # seconds

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._shown = False

    def show(self, done: int, of: int) -> None:
        if is_terminal(sys.stderr) and time.monotonic() - self._start > self._LONG and done < of:
            self._shown = True
            filled = 24 * done // of
            print(f"\r[{'#' * filled}{' ' * (24 - filled)}] {done} of {of} pairs", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print(f"\r{' ' * 60}\r", end="", file=sys.stderr, flush=True)


def _pair(shell: Shell, a: str | None, b: str | None, last: bool) -> tuple[str, str]:
    """Two nodes: those named, else the first of the hosts and the second or the last."""
    if a is not None and b is not None:
        if a == b:
            raise UsageError(f"say two different nodes, not {a} twice")
        return a, b
    hosts = _hosts(shell)
    if a is not None:
        others = [host for host in hosts if host != a]
        hosts = [a, *others]
    if len(hosts) < 2:
        raise LabError("this needs two nodes with addresses")
    return hosts[0], hosts[-1 if last else 1]


def _hosts(shell: Shell) -> list[str]:
    """The hosts with addresses; where there are fewer than two, other nodes after them."""
    kinds = shell.network.inventory.kinds
    addresses = usable(shell.network, shell.network.nodes)
    reachable = [node for node, theirs in addresses.items() if theirs]
    hosts = [node for node in reachable if kinds[node] == "host"]
    return hosts if len(hosts) >= 2 else hosts + [node for node in reachable if node not in hosts]


def _version(ipv4: bool, ipv6: bool) -> int | None:
    if ipv4 and ipv6:
        raise UsageError("say --ipv4 or --ipv6, or neither, not both")
    return 4 if ipv4 else 6 if ipv6 else None
