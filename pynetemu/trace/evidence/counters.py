"""A node's counters of what went wrong with packets, as `nstat` names them: IpInHdrErrors, TcpExtIPReversePathFilter…

They count for the whole node, not for one packet: what moved while a packet vanished suggests why.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.requests import ReadFiles

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_FILES = ("/proc/net/snmp", "/proc/net/netstat", "/proc/net/snmp6", "/proc/net/xfrm_stat")
_BAD = (
    *("InHdrErrors", "InAddrErrors", "InNoRoutes", "OutNoRoutes", "InDiscards", "OutDiscards", "InUnknownProtos"),
    *("InTruncatedPkts", "FragFails", "ReasmFails", "InTooBigErrors", "InCsumErrors", "InErrors", "NoPorts", "RcvbufErrors"),
    *("SndbufErrors", "IPReversePathFilter", "ListenDrops", "ListenOverflows", "TCPBacklogDrop", "ArpFilter"),
    *("TCPMD5NotFound", "TCPMD5Unexpected", "TCPMD5Failure", "TCPMinTTLDrop", "PolBlock", "InNoPols"),
)

Texts = Mapping[str, Sequence[str]]


def read(lab: "Lab", nodes: Sequence[str], besides: Sequence[str] = ()) -> Texts:
    """The counters of nodes as the kernel writes them, and other files of /proc/net behind; one request for all."""
    return lab.control.ask(ReadFiles(tuple(nodes), (*_FILES, *besides)))


def moved(before: Sequence[str], after: Sequence[str]) -> dict[str, int]:
    """Those of something wrong that have grown, and by how much."""
    known, now = before[: len(_FILES)], after[: len(_FILES)]
    if known == now:
        return {}
    old = dict(_parse(*known))
    return {name: value - old.get(name, 0) for name, value in _parse(*now) if value > old.get(name, 0) and name.endswith(_BAD)}


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
