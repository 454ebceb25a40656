"""What is known about the nodes besides the packets: counters before and after, rules that dropped, tables asked afterwards."""

import socket
import struct
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pynetemu.capture.marks import relayed_directions
from pynetemu.engine.messages import wireguard
from pynetemu.engine.messages.wireguard import Device
from pynetemu.engine.protocol.relay_requests import EndedPacket, ReadEnded
from pynetemu.engine.protocol.requests import ReadFiles
from pynetemu.errors import PynetemuError
from pynetemu.packets.identity import identity
from pynetemu.plan.operations import Impair
from pynetemu.trace.evidence import counters, tc_actions
from pynetemu.trace.evidence.lookups import Link, NodeTables, Queue
from pynetemu.trace.sources import iptables, nftrace
from pynetemu.trace.sources.iptables import LegacyRule
from pynetemu.trace.sources.nftrace import Drop, Firewall

if TYPE_CHECKING:
    from pynetemu.lab.events import AddressEvent, LabEvent
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.state import PacketFilter


_FEW = 30  # so many nodes are asked for their queues beforehand; of more, what was dropped before counts too
_WITHOUT_FILTERS = ("noqueue", "pfifo", "pfifo_fast", "bfifo", "tbf", "netem", "fq_codel", "fq")
_MOST_NOTED = 10_000
_LEGACY = "/proc/net/ip{}_tables_names"
_NO_MAC = "00:00:00:00:00:00"  # that of interfaces which need none
_TRACKING = "/proc/net/stat/nf_conntrack"
_LISTENING = ("0A", "07")  # TCP_LISTEN; TCP_CLOSE, which UDP sockets without a peer are in


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a node, its answer, and when that was given, in nanoseconds since 1970."""

    node: str
    question: str
    answer: str
    time: int


class Evidence:
    """Begins to watch when it is made; `stop` ends that. What is asked later is asked once, and remembered."""

    def __init__(self, lab: "Lab", nodes: Sequence[str], filters: "Sequence[PacketFilter]") -> None:
        self._lab, self._nodes, self._filtered = lab, list(nodes), filters
        self._before = counters.read(lab, self._nodes)
        self._tables: dict[str, NodeTables] = {}
        self._rules: dict[str, dict[tuple[str, str, str, int], str]] = {}
        self._settings: dict[tuple[str, str], str] = {}
        self._filters: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
        self._new_rules: dict[str, list[Drop]] = {}
        self.asked: list[Question] = []
        self.events: Sequence[LabEvent] = ()  # what was heard of the nodes between beginning and end
        self._legacy: dict[str, list[LegacyRule]] = {}
        looked_at = self._nodes if len(self._nodes) <= _FEW else ()
        self._queues_before = {node: self._queues(node) for node in looked_at}
        self.firewall = Firewall(lab, sorted({one.node for one in filters if one.tool == "nft"}))
        self._legacy_before = {node: iptables.read(lab[node], names) for node in self._nodes if any(names := self._names(node))}
        with_rules = sorted({one.node for one in filters})
        texts = lab.control.ask(ReadFiles(tuple(with_rules), (_TRACKING,))) if with_rules else {}
        self._not_tracked_before = {node: _insert_failed(*own) for node, own in texts.items()}
        self.moved: dict[str, dict[str, int]] = {}
        self.ended = False

    def _queues(self, node: str) -> dict[tuple[int, str], Queue]:
        with NodeTables(self._lab[node]) as tables:
            return {(queue.interface, queue.kind): queue for queue in tables.queues if queue.kind != "noqueue"}

    def stop(self, met: Collection[str] | None = None) -> None:
        """Takes the firewall's traces away, and reads the counters again: those of nodes that packets met, or of all."""
        self.firewall.close()
        met = None if met is None else {*met, *(drop.node for drop in self.firewall.drops)}
        nodes = [node for node in self._nodes if met is None or node in met]
        with suppress(PynetemuError):  # a lab that has ended has no counters any more
            after = counters.read(self._lab, nodes)
            self.moved = {node: counters.moved(self._before[node], after[node]) for node in nodes}

    def refresh(self) -> None:
        """Forgets what was asked, since time has passed, and reads the counters again."""
        self._forget()
        with suppress(PynetemuError):
            after = counters.read(self._lab, self._nodes)
            self.moved = {node: counters.moved(self._before[node], after[node]) for node in self._nodes}
            self._before = after

    def _forget(self) -> None:
        for tables in self._tables.values():
            tables.close()
        for known in (self._tables, self._rules, self._settings, self._legacy, self._filters, self._new_rules):
            known.clear()
        for name in ("owners", "macs", "_ended"):
            self.__dict__.pop(name, None)

    def close(self) -> None:
        """From now on nothing more is asked."""
        self.ended = True
        for tables in self._tables.values():
            tables.close()
        self._tables.clear()

    def tables(self, node: str) -> NodeTables | None:
        """The tables of a node; None when the lab has ended, or nothing more is to be asked."""
        if node not in self._tables and not self.ended:
            with suppress(PynetemuError):
                self._tables[node] = NodeTables(self._lab[node])
        return self._tables.get(node)

    def note(self, node: str, question: str, answer: object) -> None:
        """Keeps what a node was asked, for `why -v`; the last thousands of it."""
        self.asked.append(Question(node, question, str(answer), time.time_ns()))
        if len(self.asked) > _MOST_NOTED:
            del self.asked[: _MOST_NOTED // 2]

    def link(self, node: str, interface: str) -> Link | None:
        """An interface as it is now, None if there is no such; what was found is noted as asked."""
        tables = self.tables(node)
        link = tables.links.get(interface) if tables else None
        if link is not None:
            state = f"{'up' if link.up else 'down'}, {'carrier' if link.carrier else 'no carrier'}, mtu {link.mtu}"
            self.note(node, f"interface {interface}", state)
        return link

    def setting(self, node: str, path: str) -> str:
        """A sysctl of a node by its path below /proc/sys, "" for one that it does not have."""
        if (node, path) not in self._settings and not self.ended:
            with suppress(PynetemuError):
                texts = self._lab.control.ask(ReadFiles((node,), (f"/proc/sys/{path}",)))
                self._settings[node, path] = texts[node][0].strip()
        answer = self._settings.get((node, path), "")
        self.note(node, f"sysctl {path.replace('/', '.')}", answer or "there is none")
        return answer

    def listening(self, node: str, protocol: str, port: int) -> list[str]:
        """The addresses on which programs of a node listen at a port, as /proc/net/tcp has them (proc(5))."""
        if self.ended:
            return []
        paths = tuple(f"/proc/net/{protocol.lower()}{version}" for version in ("", "6"))
        with suppress(PynetemuError):
            texts = self._lab.control.ask(ReadFiles((node,), paths))
            return [address for text in texts[node] for address, bound in _sockets(text) if bound == port]
        return []

    def has_raw_socket(self, node: str, protocol: int, version: str) -> bool:
        """Whether a program of a node reads an IP protocol by itself; `version` is "6" for IPv6, else ""."""
        lines = self.text(node, f"/proc/net/raw{version}").splitlines()[1:]
        return any(line.split()[1].endswith(f":{protocol:04X}") for line in lines)

    def rule(self, drop: Drop) -> str:
        """The text of the rule that dropped."""
        if drop.node not in self._rules:
            self._rules[drop.node] = {}
            with suppress(PynetemuError):
                self._rules[drop.node] = nftrace.rules(self._lab, drop.node)
        return self._rules[drop.node].get((drop.family, drop.table, drop.chain, drop.rule), "")

    def legacy_rules(self, node: str) -> list[LegacyRule]:
        """The rules of iptables-legacy in a node that have ended packets meanwhile."""
        if node not in self._legacy and not self.ended:
            names = self._names(node)
            if not any(names):  # it may have got rules meanwhile
                names = self.text(node, _LEGACY.format("")), self.text(node, _LEGACY.format("6"))
            with suppress(PynetemuError):
                now = iptables.read(self._lab[node], names) if any(names) else {}
                self._legacy[node] = iptables.moved(self._legacy_before.get(node, {}), now)
        return self._legacy.get(node, [])

    def _names(self, node: str) -> tuple[str, str]:
        """The tables of iptables-legacy for IPv4 and for IPv6, as their programs know them."""
        here = [one for one in self._filtered if one.node == node]
        ipv4, ipv6 = (" ".join(one.table for one in here if one.tool == tool) for tool in iptables.PROGRAMS)
        return ipv4, ipv6

    def endings_of_new_rules(self, node: str) -> list[Drop]:
        """The rules of nftables that could end a packet in a node that had none when the trace began: nobody traces these."""
        if node not in self._new_rules and not self.ended and not self.firewall_of(node):
            with suppress(PynetemuError):
                self._new_rules[node] = nftrace.endings(self._lab, node)
        return self._new_rules.get(node, [])

    def firewall_of(self, node: str) -> bool:
        """Whether a node had rules of a firewall when the trace began."""
        return any(one.node == node for one in self._filtered)

    def has_reader(self, node: str, queue: int) -> bool:
        """Whether a program of a node reads a queue of the firewall (NFQUEUE)."""
        return any(
            line.split()[:1] == [str(queue)] for line in self.text(node, "/proc/net/netfilter/nfnetlink_queue").splitlines()
        )

    def emulated(self, node: str, interface: str) -> Impair | None:
        """What the link does to what an interface sends, None for nothing."""
        inventory = self._lab.inventory
        found = (op for op in inventory.of_type(Impair) if (op.node, op.interface) == (node, interface))
        return next(found, None) or relayed_directions(inventory).get((node, interface))

    def ended_by_relay(self, node: str, interface: str, frame: bytes) -> EndedPacket | None:
        """What the relay says of a frame that was sent by an interface."""
        wanted = identity(frame)
        sent = (one for one in reversed(self._ended) if (one.node, one.interface) == (node, interface))
        return next((one for one in sent if identity(bytes.fromhex(one.frame))[::2] == wanted[::2]), None)

    @cached_property
    def _ended(self) -> Sequence[EndedPacket]:
        with suppress(PynetemuError):
            return () if self.ended else self._lab.control.ask(ReadEnded())
        return ()

    def filters(self, node: str, interface: str) -> list[tuple[str, dict[str, Any]]]:
        """The actions of traffic control on an interface that have worked; raises LabError."""
        tables = self.tables(node)
        has_any = tables is not None and any(
            tables.names.get(queue.interface) == interface and queue.kind not in _WITHOUT_FILTERS for queue in tables.queues
        )
        if has_any and (node, interface) not in self._filters:
            self._filters[node, interface] = tc_actions.read(self._lab[node], interface)
        return self._filters.get((node, interface), [])

    def had_address(self, node: str, address: str, time: int) -> bool | None:
        """Whether a node had an address at a time, in nanoseconds since 1970; None where no change of that was heard since."""
        for event in self._address_events.get((node, address), ()):
            if event.after is None and event.time * 1e9 > time:
                return True
            if event.before is None and event.since * 1e9 > time:
                return False
        return None

    @cached_property
    def _address_events(self) -> "dict[tuple[str, str], list[AddressEvent]]":
        from pynetemu.lab.events import AddressEvent

        found: dict[tuple[str, str], list[AddressEvent]] = {}
        for event in self.events:
            if isinstance(event, AddressEvent) and (own := event.before or event.after) is not None:
                found.setdefault((event.node, str(own.ip)), []).append(event)
        return found

    def not_tracked(self, node: str) -> int:
        """How many packets connection tracking has dropped meanwhile since another connection has their addresses and ports."""
        return _insert_failed(self.text(node, _TRACKING)) - self._not_tracked_before.get(node, 0)

    def wireguard(self, node: str, interface: str) -> Device | None:
        """A WireGuard interface of a node, with its peers; None when it cannot be asked."""
        with suppress(PynetemuError, OSError):
            if not self.ended:
                with self._lab[node].socket(socket.AF_NETLINK, socket.SOCK_RAW, wireguard.NETLINK_GENERIC) as asked:
                    return wireguard.device(asked, interface)
        return None

    def text(self, node: str, path: str) -> str:
        """A file of /proc/net in a node, as it is now; "" where it has none."""
        if self.ended:
            return ""
        with suppress(PynetemuError):
            return self._lab.control.ask(ReadFiles((node,), (path,)))[node][0]
        return ""

    def queue(self, node: str, interface: str) -> tuple[Queue, int] | None:
        """A queue of an interface that has dropped packets, or that holds some; and how many it dropped."""
        tables = self.tables(node)
        if tables is None:
            return None
        found: tuple[Queue, int] | None = None
        for queue in tables.queues:
            before = self._queues_before.get(node, {}).get((queue.interface, queue.kind))
            dropped = queue.drops - (before.drops if before else 0)
            if tables.names.get(queue.interface) != interface:
                continue
            if dropped and queue.kind == "blackhole":  # of a class: those above it count the same
                return queue, dropped
            if found is None and (dropped or queue.waiting or queue.kind == "blackhole"):
                found = queue, dropped
        return found

    @cached_property
    def owners(self) -> dict[str, set[str]]:
        """The nodes that have an IP address now."""
        found: dict[str, set[str]] = {}
        for node in self._nodes:
            tables = self.tables(node)
            for address in tables.addresses if tables else ():
                found.setdefault(address, set()).add(node)
        return found

    @cached_property
    def macs(self) -> dict[str, list[tuple[str, str]]]:
        """The places, (node, interface), that have a MAC address now."""
        found: dict[str, list[tuple[str, str]]] = {}
        for node in self._nodes:
            tables = self.tables(node)
            for link in tables.links.values() if tables else ():
                if link.index != 1 and link.kind != "bridge" and link.mac != _NO_MAC:
                    found.setdefault(link.mac, []).append((node, link.name))
        return found


def _insert_failed(text: str) -> int:
    """The sum over the processors, whose lines are in hexadecimal."""
    names, *lines = [line.split() for line in text.splitlines()] or [[]]
    return sum(int(line[names.index("insert_failed")], 16) for line in lines) if "insert_failed" in names else 0


def _sockets(text: str) -> Iterator[tuple[str, int]]:
    """The local addresses of sockets that wait for anybody; each 32 bits of an address are in the machine's byte order."""
    for line in text.splitlines()[1:]:
        _, local, _, state = line.split()[:4]
        if state in _LISTENING:
            address, _, port = local.partition(":")
            words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
            packed = struct.pack(f"={len(words)}I", *words)
            yield socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed), int(port, 16)
