"""A node as the engine holds it: the descriptors of its namespaces, and its interfaces' indexes.

The engine has one thread, which lives in the lab's own namespaces ("home") and visits those of a node by setns(2), 2 µs
each way. What is opened there (a socket, a process) stays there.
"""

import errno
import os
import socket
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cached_property
from typing import Any, Protocol

from pynetemu.engine import processes, rings, syscalls
from pynetemu.engine.machine.files import Files
from pynetemu.engine.machine.machine import KINDS, Machine, start_machine
from pynetemu.engine.messages.framing import text
from pynetemu.engine.messages.tables import IFLA_IFNAME, LINK_BODY, RTM_GETLINK, LinkMessage
from pynetemu.engine.netlink import Netlink, Refused
from pynetemu.engine.protocol.channel import MOST_DESCRIPTORS
from pynetemu.engine.protocol.requests import ServiceStatus
from pynetemu.errors import KernelError, LabError
from pynetemu.plan.operations import NodeKind

NETWORK = syscalls.CLONE_NEWNET
_MOST_ASKED = 16  # interfaces, one by one; for more all of a node are listed
Namespaces = tuple[tuple[int, int], ...]  # (descriptor, CLONE_ flag) of each


def _users_folders() -> Iterator[str]:
    """Where users look for what their programs have written: nodes share these with the machine."""
    with suppress(FileNotFoundError):  # the working folder has been removed under us
        yield os.getcwd()
    yield "/tmp"  # a link into /run, on some machines
    yield from (os.environ.get(name, "") for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR"))


def own_namespaces() -> Namespaces:
    """The namespaces of the calling thread, to come back to."""
    return tuple((syscalls.namespace(name), kind) for name, kind in (("net", NETWORK), *KINDS))


class Programs(Protocol):
    """What runs the programs of one kind of operation, such as AddService: the engine drives all kinds by this alone."""

    def start(self, operation: Any) -> Generator[float, None, None]:
        """The steps until one is ready. Raises KernelError and ServiceError."""

    def stop(self, operation: Any) -> None:
        """Ends one, and frees what it has; nobody is told."""

    def ended(self, statuses: Mapping[int, int]) -> Sequence[ServiceStatus]:
        """Processes of the engine have ended, by their numbers: gives back those of this kind of which people are told."""


Place = tuple[str, str]  # a node and one of its interfaces


_USUAL_MTU = 1500
_AT_ONCE = 1 << 16  # bytes of a file


class RelayedLink:
    """A link between whose inner ends the relay moves the frames; `words` are the settings of both directions."""

    def __init__(self, ends: tuple[Place, Place], indexes: tuple[int, int], mtu: int) -> None:
        self.ends = ends
        self.indexes = indexes  # of the inner ends, in the relay's namespace
        self.set_mtu(mtu)
        self.words: list[tuple[str, ...]] = [(), ()]
        self.by_kernel = [False, False]  # whether the kernel does something, besides, to what these ends send

    def set_mtu(self, mtu: int) -> None:
        """The largest packet of its outer ends, 0 for the usual one."""
        self.mtu = mtu or _USUAL_MTU


class Node:
    def __init__(self, name: str, kind: NodeKind, network: int, link: Netlink) -> None:
        self.name, self.kind = name, kind
        self.network = network  # descriptor of the network namespace
        self.link = link
        self.indexes = {"lo": 1}  # of its interfaces, by name
        self.next_index = 2
        self.state = "running"  # or "paused", or "stopped"
        self.machine: Machine | None = None  # made when it first runs a process
        self.settings_before: dict[str, str] = {}  # those that a plan has set, as they were
        self.ring: socket.socket | None = None  # all packets since its first moment, until somebody asks for them

    def take_index(self, interface: str) -> int:
        """Chooses the index of a new interface, so that nothing has to be looked up afterwards."""
        self.indexes[interface] = index = self.next_index
        self.next_index += 1
        return index


class Nodes(dict[str, Node]):
    """The lab's nodes by name, and the way into them."""

    def __init__(self, host: bool) -> None:
        super().__init__()
        self.host = host
        self.home = own_namespaces()
        self.files = Files(_users_folders())
        self.programs: dict[type, Programs] = {}  # by the class of the operations
        self.tell_relay: Callable[[], None] = lambda: None  # of relayed links that have changed
        self._first_free_index = 0
        self.relayed: dict[Place, RelayedLink] = {}  # by the first of its ends
        self.interrupted: dict[Place, float] = {}  # links that become relayed ones, by their first end, since when (monotonic)
        self.on_others: dict[Place, Place] = {}  # macvlans, each with the interface that it is on, perhaps of another node
        self.ring_memory = 0  # bytes for the ring of each node, when the lab is captured from its first moment

    def add(self, name: str, kind: NodeKind) -> Node:
        """Makes the namespace of a node; the root's is the one we are in."""
        if kind == "root":
            node = Node(name, kind, self.home[0][0], Netlink())
            node.next_index = 0 if self.host else self._free_index()
        else:
            node = self._new(name, kind)
        self[name] = node
        if kind != "outside":
            self.files.name_namespace(name, node.network)
            if self.ring_memory and not (kind == "root" and self.host):
                self._capture(node)
        return node

    @cached_property
    def relay(self) -> Node:
        """The namespace between the ends of relayed links, which no user sees."""
        return self._new("relay", "outside")

    def _capture(self, node: Node) -> None:
        """Begins to keep what the node's interfaces will see: none is up yet."""
        node.ring = self.open_socket(node.name, socket.AF_PACKET, socket.SOCK_RAW, 0)
        rings.prepare(node.ring, b"", (), self.ring_memory, rings.WAIT)

    def _new(self, name: str, kind: NodeKind) -> Node:
        with syscalls.inside(home=self.home[:1]):
            syscalls.unshare(NETWORK)
            if kind in ("switch", "hub", "outside"):
                for group in "all", "default":
                    _write(["net", "ipv6", "conf", group, "disable_ipv6"], "1")
            node = Node(name, kind, syscalls.namespace("net"), Netlink())
            node.next_index = self._free_index()
        return node

    def _free_index(self) -> int:
        """The first index that a new namespace (it has lo) leaves free: 2, or more where tunnel modules put a device into each.

        See net.core.fb_tunnels_only_for_init_net in Documentation/admin-guide/sysctl/net.rst.
        """
        if not self._first_free_index:
            self._first_free_index = max(index for index, _ in socket.if_nameindex()) + 1
        return self._first_free_index

    def set(self, name: str, setting: str, value: str) -> None:
        """Sets what sysctl(8) would: nodes.set("r1", "net.ipv4.ip_forward", "1"), defaults for interfaces there are too."""
        node = self[name]
        family, is_default, rest = setting.partition(".conf.default.")
        places = ["default", *(interface for interface in node.indexes if is_default and interface != "lo")]
        with syscalls.inside((node.network, NETWORK), home=self.home[:1]):
            if setting not in node.settings_before:
                node.settings_before[setting] = _decoded(_read("/proc/sys/" + setting.replace(".", "/"))).strip()
            for place in places:
                _write([*family.split("."), "conf", place, rest] if is_default else setting.split("."), value)

    def unset(self, name: str, setting: str) -> None:
        """Sets again what was there before a plan set it."""
        if before := self[name].settings_before.pop(setting, ""):
            self.set(name, setting, before)
            del self[name].settings_before[setting]

    def remove(self, name: str) -> None:
        """Ends a node: its programs are killed, and what is in its namespace goes with the last who holds that."""
        if (node := self.pop(name, None)) is None:
            return
        if node.kind == "root":  # the lab's own, which stays: what was at it has been taken back
            node.link.close()
            return
        if node.kind != "outside":
            self.files.forget(name)
            processes.kill_in_network(node.network)
        node.link.close()
        if node.ring is not None:
            node.ring.close()
        if node.machine is not None:
            node.machine.close()
        os.close(node.network)

    def links(self, name: str) -> list[LinkMessage]:
        """A node's interfaces as they are now."""
        return list(map(LinkMessage, self[name].link.dump_bytes(RTM_GETLINK, LINK_BODY.pack(0, 0, 0, 0, 0))))

    def ask(self, name: str, interface: str | int) -> list[LinkMessage]:
        """An interface as it is now, by its name or its index; nothing when there is none."""
        index = interface if isinstance(interface, int) else 0
        named = text(IFLA_IFNAME, interface) if isinstance(interface, str) else b""
        try:
            answers = self[name].link.ask(RTM_GETLINK, LINK_BODY.pack(0, 0, index, 0, 0) + named)
        except Refused as refused:
            if refused.errno == errno.ENODEV:
                return []
            raise
        return [LinkMessage(answer.body) for answer in answers]

    def find(self, name: str, interface: str) -> int:
        """The index of an interface by the name that it has now, 0 when there is none."""
        found: list[int] = [link.index for link in self.ask(name, interface)]
        return found[0] if found else 0

    def free_indexes(self, name: str, count: int) -> int:
        """The first of so many that are free in a row: users may have made interfaces too, whose indexes the kernel chose."""
        if count > _MOST_ASKED:
            highest: int = max(link.index for link in self.links(name))
            return max(self[name].next_index, highest + 1)
        first = self[name].next_index
        while taken := [index for index in range(first, first + count) if self.ask(name, index)]:
            first = taken[-1] + 1
        return first

    def name_of(self, name: str, interface: str) -> str:
        """What an interface of the plan is called now; its own name where it has gone."""
        index = self.index(self[name], interface)
        return next((link.name for link in self.links(name) if link.index == index), interface)

    def index(self, node: Node, interface: str) -> int:
        """An interface's index; on the machine itself it was the kernel's choice, so it is looked up once."""
        if interface not in node.indexes:
            if node.kind != "root" or not self.host:
                raise KernelError(f"{node.name} has no interface {interface}")
            node.indexes[interface] = socket.if_nametoindex(interface)
        return node.indexes[interface]

    def entered(self, name: str, hosts: Callable[[str], str]) -> AbstractContextManager[None]:
        """A block inside a node, with its own view of names and files; `hosts` gives the text of a node's /etc/hosts."""
        return syscalls.inside(*self.machine(name, hosts), home=self.home)

    def machine(self, name: str, hosts: Callable[[str], str]) -> Namespaces:
        """The namespaces of a node's programs, made if there are none or their init was killed."""
        node = self[name]
        if node.state != "running":
            verb = {"paused": "resume", "stopped": "start"}[node.state]
            raise LabError(f"{name} is {node.state}; `{verb} {name}` starts it again")
        if node.machine is not None and node.machine.has_ended():
            node.machine.close()
            node.machine = None
        if node.machine is None:
            text = hosts(name)
            self.files.prepare()
            node.machine = start_machine(lambda: self._dress(node, text), self.files.shut_settings, self.home)
        return (node.network, NETWORK), *node.machine.namespaces

    def _dress(self, node: Node, hosts: str) -> None:
        """Called in a node's new namespaces."""
        on_machine = self.host and node.kind == "root"
        syscalls.setns(node.network, NETWORK)
        if on_machine:
            self.files.dress_machine(node.name, hosts)
        else:
            self.files.dress(node.name, hosts)
            socket.sethostname(node.name)

    @contextmanager
    def watcher(self, name: str) -> Iterator[Netlink]:
        """A socket in a node at which changes of its links arrive."""
        with syscalls.inside((self[name].network, NETWORK), home=self.home[:1]):
            link = Netlink()
        try:
            link.watch_links()
            yield link
        finally:
            link.close()

    def open_socket(self, name: str, family: int, kind: int, protocol: int) -> socket.socket:
        """A socket that lives in a node."""
        with self.inside(name):
            return socket.socket(family, kind, protocol)

    def open_sockets(self, names: Sequence[str], family: int, kind: int, protocol: int) -> list[int]:
        """The descriptors of sockets, one in each of some nodes; all or none."""
        if len(names) > MOST_DESCRIPTORS or not all(name in self for name in names):
            raise LabError(f"sockets in {len(names)} nodes, of at most {MOST_DESCRIPTORS} that there are")
        with ExitStack() as undo:
            sockets = [undo.enter_context(self.open_socket(name, family, kind, protocol)) for name in names]
            undo.pop_all()
        return [one.detach() for one in sockets]

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """A block in a node's network."""
        with syscalls.inside((self[name].network, NETWORK), home=self.home[:1]):
            yield

    def read_files(self, name: str, paths: Sequence[str]) -> list[str]:
        """What the kernel says of a node in /proc/net and /proc/sys; an empty text for a file that it does not have.

        Both are those of the namespace in which they are opened (proc(5)).
        """
        return [_decoded(data) for data in self.read_bytes(name, paths)]

    def read_bytes(self, name: str, paths: Sequence[str]) -> list[bytes]:
        """The same as it is; nothing for a file that the node does not have."""
        with self.inside(name):
            return [_read(path) for path in paths]


def _read(path: str) -> bytes:
    if not path.startswith(("/proc/net/", "/proc/sys/")) or ".." in path.split("/"):
        raise LabError(f"{path!r} is not in /proc/net or /proc/sys")  # others may wait for ever when they are opened or read
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return b"".join(iter(lambda: os.read(file, _AT_ONCE), b""))
        finally:
            os.close(file)
    except (OSError, ValueError):
        return b""


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""


def _write(setting: Sequence[str], value: str) -> None:
    """Writes a setting of the network namespace we are in, the parts of its name in sysctl(8)."""
    path = "/".join(("/proc/sys", *setting))
    if os.path.exists(path) or not path.startswith("/proc/sys/net/ipv6/"):  # a kernel without IPv6 has none of its settings
        with open(path, "w") as file:
            file.write(value)
