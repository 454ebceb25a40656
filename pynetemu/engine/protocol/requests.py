"""All that an engine can be asked. Each request is a frozen value, and its class says what the answer is.

    @request
    class OpenSocket(Request[Descriptor]):
        node: str
        family: int
        kind: int
        protocol: int

    connection.ask(OpenSocket("blue", socket.AF_INET, socket.SOCK_STREAM, 0))      # in `lab`: a descriptor
    case OpenSocket(): ...                                                         # in `engine.server`: gives one

PROTOCOL is to be raised when a request or an answer that is here changes, and need not be for new ones: who asks an engine
of another version is told (`tests/engine/test_requests.py` keeps what there was).
"""

from typing import Any

from pynetemu.engine.protocol.change_requests import ChangeLab as ChangeLab
from pynetemu.engine.protocol.change_requests import TakeBack as TakeBack
from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.request import REQUESTS as REQUESTS
from pynetemu.engine.protocol.request import Request as Request
from pynetemu.engine.protocol.request import request
from pynetemu.frozen import frozen

PROTOCOL = 10

# What a process of ours is told first.


@request
class Start(Request[None]):
    """Become the engine of a new lab; `client` is the user's process, `path` where modules are found.

    There is no answer; a refusal comes with the first one. With `host` the lab's root is the machine itself. With
    `dies_with_parent` it was the client's first thread that started us, so that we may die when that ends (prctl(2)).
    Programs of a `privileged` lab of root may do to the machine what root may. `ids` is "one" or "range": how many ids a lab of
    an ordinary user has.
    """

    host: bool
    privileged: bool
    ids: str
    client: int
    dies_with_parent: bool
    path: tuple[str, ...]


@request
class Join(Request[None]):
    """Become a process of the lab that listens at this address, which starts programs there. There is no answer."""

    address: str
    client: int
    dies_with_parent: bool
    path: tuple[str, ...]


# The lab as a whole.


@request
class Build(Request[None]):
    """Build what the plan says (`plan.data`), and listen at a socket to those who attach.

    `ring_memory` are bytes for each node's ring (`TakeRing`), 0 for none. The rest is for `Describe`.
    """

    plan: dict[str, Any]
    pid: int
    file: str
    started: float
    ring_memory: int
    listener: Descriptor


@frozen
class Description:
    """A lab: the process that it belongs to, the file of its description, when it started, its nodes."""

    pid: int
    file: str
    started: float
    nodes: tuple[str, ...]


@request
class Describe(Request[Description]):
    """What lab this is."""


@request
class ReadPlan(Request[dict[str, Any]]):
    """What the lab is made of, as `plan.data` writes it."""


@frozen
class Described:
    """The description that the plan of this number was made of (`topology.data`, as JSON), None where nobody has told it."""

    revision: int
    description: bytes | None


@request
class ReadDescription(Request[Described]):
    """What the lab was described as, for every terminal to change."""


@request
class KeepDescription(Request[None]):
    """What the plan of this number was made of; it comes when the lab stands, since nobody needs it before."""

    revision: int
    description: bytes


@request
class Listen(Request[None]):
    """From now on let those attach who come to this socket, and to no other one."""

    listener: Descriptor


@request
class WatchPlan(Request[int]):
    """From now on the number of each new plan is one packet at this socket; the number of today's plan, 0 for the first."""

    watcher: Descriptor


@frozen
class Place:
    """An interface of a node, by the name that it has now."""

    node: str
    interface: str


@request
class SwitchInterfaces(Request[None]):
    """Set interfaces up or down; what the kernel forgets with one that goes down is set again when it comes up."""

    places: tuple[Place, ...]
    up: bool


@request
class SetPower(Request[None]):
    """Do with a node what one does with a machine: "pause", "resume", "stop" or "start"."""

    node: str
    wanted: str


@request
class ReadPower(Request[dict[str, str]]):
    """Each node's state: "running", "paused" or "stopped"."""


@frozen
class Feature:
    """A feature of the kernel: `option` of its configuration; `reason` is why it is missing, "" for one that is there."""

    name: str
    option: str
    purpose: str
    needed: bool
    reason: str = ""


@request
class Features(Request[tuple[Feature, ...]]):
    """What this kernel can do; tried out, and before there are nodes."""


@request
class TryFeatures(Request[tuple[Feature, ...]]):
    """The same of some features, by their names."""

    names: tuple[str, ...]


# Processes in nodes.


@frozen
class Started:
    """A process: its number where it was started, by which it is signaled, and its number in its node."""

    job: int
    pid: int


@request
class Spawn(Request[Started]):
    """Start a program in a node.

    `life` is where changes of its state arrive (`engine.processes`); `terminal`'s foreground its process group becomes. With
    `must_enter` the directory must be there, else the program starts in /. `user` is one of the node's, by name or number, ""
    for root; `env` is written by `engine.paths.packed`.
    """

    node: str
    argv: tuple[str, ...]
    env: str
    directory: str
    must_enter: bool
    own_group: bool
    streams: tuple[Descriptor, ...]
    life: Descriptor
    terminal: Descriptor | None = None
    user: str = ""


@request
class End(Request[None]):
    """Kill a process that was started by `Spawn`, with all that it has started."""

    job: int


@request
class Signal(Request[None]):
    """Signal a process that was started by `Spawn`, and its process group if it has one of its own."""

    job: int
    signal: int


@request
class Resume(Request[None]):
    """Continue a stopped process, in the foreground of a terminal if there is one."""

    job: int
    terminal: Descriptor | None = None


# Namespaces and sockets.


@frozen
class LabNamespaces:
    """Descriptors of a lab's own namespaces."""

    user: Descriptor
    pid: Descriptor
    ipc: Descriptor
    net: Descriptor
    uts: Descriptor
    mnt: Descriptor


@request
class OpenLab(Request[LabNamespaces]):
    """The lab's own namespaces, for a process that joins."""


@frozen
class NodeNamespaces:
    """Descriptors of the namespaces of a node's programs."""

    net: Descriptor
    uts: Descriptor
    pid: Descriptor
    mnt: Descriptor


@request
class OpenNode(Request[NodeNamespaces]):
    """A node's namespaces, for a process that joins."""

    node: str


@request
class Networks(Request[dict[str, int]]):
    """The number of each node's network namespace, as `lsns` shows it."""


@request
class OpenSocket(Request[Descriptor]):
    """A socket that lives in a node; the numbers are those of socket(2)."""

    node: str
    family: int
    kind: int
    protocol: int


@request
class TakeRing(Request[Descriptor | None]):
    """A node's packet socket with all packets since the lab's first moment, once; None where there is none (any more)."""

    node: str


# Services.


@frozen
class ServiceStatus:
    """A service; `status` is None while it runs, then its exit status, negative for a signal."""

    node: str
    name: str
    pid: int
    status: int | None


@request
class ReadServices(Request[tuple[ServiceStatus, ...]]):
    """The lab's services."""


@request
class WatchServices(Request[None]):
    """From now on each end of a service is one packet at this socket: a ServiceStatus as JSON."""

    watcher: Descriptor


@request
class OpenLog(Request[Descriptor]):
    """What a service has printed, as a file that grows."""

    node: str
    service: str


# The kernel's state.


@request
class ReadFiles(Request[dict[str, tuple[str, ...]]]):
    """The texts of files below /proc, for each of the nodes; "" for one that a node does not have."""

    nodes: tuple[str, ...]
    paths: tuple[str, ...]


@frozen
class KernelTables:
    """What the kernel has told: for each node, and for each table in the order asked for, 4 bytes of length
    and the netlink messages. `numbers` are the nodes', as the messages about the far ends of links have them."""

    numbers: tuple[int, ...]
    messages: bytes


@request
class ReadTables(Request[KernelTables]):
    """Tables of nodes: "links", "addresses", "routes"… (`engine.live.dumps`)."""

    nodes: tuple[str, ...]
    tables: tuple[str, ...]


@request
class FindInterfaces(Request[tuple[tuple[str, ...], ...]]):
    """The node and the name of interfaces, by the numbers of their namespaces and their own; "" for what is unknown."""

    namespaces: tuple[int, ...]
    indexes: tuple[int, ...]


@request
class OpenListener(Request[Descriptor]):
    """A route socket at which the messages of all nodes arrive, of these groups (RTNLGRP_*), each with its node's number."""

    groups: tuple[int, ...]


@request
class WatchEvents(Request[None]):
    """From now on what happens to processes, services and the lab is one packet at this socket each: an Occurrence as JSON."""

    watcher: Descriptor


@frozen
class Occurrence:
    """`kind` is "process", "service", "change" or "lost" (more happened than the socket held); `time` as time.time().

    Of a change, `added`, `removed` and `changed` are the nodes.
    """

    kind: str
    time: float
    node: str = ""
    text: str = ""
    pid: int = 0
    argv: tuple[str, ...] = ()
    status: int = 0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@request
class ReadIndexes(Request[dict[str, dict[str, int]]]):
    """The indexes of the interfaces of nodes that the lab has made, by the names which the plan gives them."""

    nodes: tuple[str, ...]


@request
class ReadNames(Request[str]):
    """The text of a node's /etc/hosts, by the addresses that the nodes have now."""

    node: str


@frozen
class LabTotals:
    """Sums over the lab: packets that have arrived over links, those dropped at interfaces, nodes that are up."""

    packets: int
    dropped: int
    up: int


@request
class ReadTotals(Request[LabTotals]):
    """Sums over the lab."""


@frozen
class NeighborsLeft:
    """How many neighbors are permanent, and how many are being asked for."""

    permanent: int
    unanswered: int


@request
class ForgetNeighbors(Request[NeighborsLeft]):
    """Forget what nodes have learned of their neighbors; how many are left of which kind."""

    nodes: tuple[str, ...]
    unanswered_too: bool


@frozen
class NeighborEntries:
    """Entries of a table of neighbors: the n-th is `addresses[n]` on the interface `indexes[n]`, asked for at `macs[n]`."""

    indexes: tuple[int, ...]
    addresses: tuple[str, ...]
    macs: tuple[str, ...] = ()


@request
class ReplaceNeighbors(Request[None]):
    """Forget some neighbors, and ask others by frames to these MAC addresses alone whether the IP addresses are there."""

    forgotten: dict[str, NeighborEntries]
    asked: dict[str, NeighborEntries]


@request
class NeighborStates(Request[dict[str, tuple[int, ...]]]):
    """The states of neighbors, as NUD_* of linux/neighbour.h; 0 for one that is not there."""

    entries: dict[str, NeighborEntries]
