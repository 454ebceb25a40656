"""A node's counters of what went wrong with packets, as `nstat` names them: IpInHdrErrors, TcpExtIPReversePathFilter…

They count for the whole node, not for one packet: what moved while a packet vanished suggests why.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.requests import ReadFiles

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_FILES = ("/proc/net/snmp", "/proc/net/netstat", "/proc/net/snmp6")
_BAD = (
    *("InHdrErrors", "InAddrErrors", "InNoRoutes", "OutNoRoutes", "InDiscards", "OutDiscards", "InUnknownProtos"),
    *("InTruncatedPkts", "FragFails", "ReasmFails", "InTooBigErrors", "InCsumErrors", "InErrors", "NoPorts", "RcvbufErrors"),
    *("SndbufErrors", "IPReversePathFilter", "ListenDrops", "ListenOverflows", "TCPBacklogDrop", "ArpFilter"),
)

Counters = Mapping[str, int]


def read(lab: "Lab", nodes: Sequence[str]) -> dict[str, Counters]:
    """The counters of nodes; one request for all."""
    found = lab.control.ask(ReadFiles(tuple(nodes), _FILES))
    return {node: dict(_parse(*texts)) for node, texts in found.items()}


def moved(before: Counters, after: Counters) -> dict[str, int]:
    """Those of something wrong that have grown, and by how much."""
    return {
        name: value - before.get(name, 0)
        for name, value in after.items()
        if value > before.get(name, 0) and name.endswith(_BAD)
    }


def _parse(snmp: str, netstat: str, snmp6: str) -> Iterator[tuple[str, int]]:
    for text in (snmp, netstat):
        lines = text.splitlines()
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            prefix, *columns = names.split()
            for column, value in zip(columns, values.split()[1:], strict=False):
                yield prefix.rstrip(":") + column, int(value)
    for line in snmp6.splitlines():
        name, value = line.split()
        yield name, int(value)
