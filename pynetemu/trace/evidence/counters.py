"""A node's counters of what went wrong with packets, as `nstat` names them: IpInHdrErrors, TcpExtIPReversePathFilter…

They count for the whole node, not for one packet: what moved while a packet vanished suggests why.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pynetemu.lab import reading

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_BAD = (
    *("InHdrErrors", "InAddrErrors", "InNoRoutes", "OutNoRoutes", "InDiscards", "OutDiscards", "InUnknownProtos"),
    *("InTruncatedPkts", "FragFails", "ReasmFails", "InTooBigErrors", "InCsumErrors", "InErrors", "NoPorts", "RcvbufErrors"),
    *("SndbufErrors", "IPReversePathFilter", "ListenDrops", "ListenOverflows", "TCPBacklogDrop", "ArpFilter"),
    *("TCPMD5NotFound", "TCPMD5Unexpected", "TCPMD5Failure", "TCPMinTTLDrop", "PolBlock", "InNoPols"),
)


def read(lab: "Lab", nodes: Sequence[str]) -> dict[str, memoryview]:
    """The counters of nodes as the kernel writes them, for `moved`."""
    return reading.read_statistics(lab.control, nodes)


def moved(before: memoryview, after: memoryview) -> dict[str, int]:
    """Those of something wrong that have grown, and by how much."""
    if bytes(before) == bytes(after):
        return {}
    old = dict(_parse(*reading.statistics_in(before)))
    now = _parse(*reading.statistics_in(after))
    return {name: value - old.get(name, 0) for name, value in now if value > old.get(name, 0) and name.endswith(_BAD)}


def _parse(snmp: str, netstat: str, *in_lines: str) -> Iterator[tuple[str, int]]:
    for text in (snmp, netstat):
        lines = text.splitlines()
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            prefix, *columns = names.split()
            for column, value in zip(columns, values.split()[1:], strict=False):
                yield prefix.rstrip(":") + column, int(value)
    for line in "".join(in_lines).splitlines():
        name, value = line.split()
        yield name, int(value)
