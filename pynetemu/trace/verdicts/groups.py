"""What is sent to a group or to all: who has joined the group, and whether a program takes it."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from pynetemu.packets.dissect import Packet
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.case import TABLES
from pynetemu.trace.verdicts.not_taken import kept_from
from pynetemu.trace.verdicts.verdict import Reason

_OF_THE_NETWORK = ip_network("224.0.0.0/24")  # RFC 5771, 4: local network control


def is_for_programs(packet: Packet) -> bool:
    """Whether it is a datagram for a group, or for all of a network, that programs have to take."""
    if packet.protocol != "UDP" or not packet.destination:
        return False
    return ip_address(packet.destination) not in _OF_THE_NETWORK


def is_group_ping(packet: Packet) -> bool:
    """Whether it is a ping to a group, which its members may answer."""
    return packet.kind == "echo request" and ip_address(packet.destination).is_multicast


def joined(node: str, address: str, evidence: Evidence) -> list[str]:
    """The interfaces of a node that have joined a group (/proc/net/igmp, igmp6: proc(5))."""
    group = ip_address(address)
    if isinstance(group, IPv6Address):
        lines = [line.split() for line in evidence.text(node, "/proc/net/igmp6").splitlines()]
        return [words[1] for words in lines if words[2:3] == [group.packed.hex()]]
    wanted, found, name = f"{int.from_bytes(group.packed, 'little'):08X}", [], ""
    for line in evidence.text(node, "/proc/net/igmp").splitlines()[1:]:
        words = line.split()
        if not line[:1].isspace():  # of an interface; those of its groups follow
            name = words[1].rstrip(":")
        elif words[:1] == [wanted]:
            found.append(name)
    return found


def _is_by(node: str, came: str, names: list[str], evidence: Evidence) -> bool:
    """Whether what comes by an interface is for one of these: itself, what is on it, what it is a part of."""
    link, tables = evidence.link(node, came), evidence.tables(node)
    if link is None or tables is None or came in names:
        return bool(names)
    links = [tables.links[name] for name in names if name in tables.links]
    return any(link.index == one.lower or one.index == link.master for one in links)


def is_left_out(node: str, packet: Packet, evidence: Evidence) -> bool:
    """Whether all who have joined a group in a node want others than this source (/proc/net/mcfilter, RFC 3376)."""
    group = ip_address(packet.destination)
    files = ("igmp6", "mcfilter6") if group.version == 6 else ("igmp", "mcfilter")
    filters = [line.split()[-4:] for line in evidence.text(node, f"/proc/net/{files[1]}").splitlines()]
    wanted = [(int(origin, 16), int(takes), int(not_)) for of, origin, takes, not_ in filters if _is_number(of, int(group))]
    users = _users(group, evidence.text(node, f"/proc/net/{files[0]}"))
    if not wanted or not users:
        return False
    source = ip_address(packet.source)
    if any(origin == int(source) and takes for origin, takes, _ in wanted):
        return False
    asking = max(takes for _, takes, _ in wanted)
    refusing = max((not_ for origin, _, not_ in wanted if origin == int(source)), default=0)
    return users in (asking, refusing)  # of more who have joined some may take all


def _users(group: IPv4Address | IPv6Address, text: str) -> int:
    """How many sockets have joined a group, on the interface where most have."""
    named = f"{int.from_bytes(group.packed, 'little'):08X}" if group.version == 4 else group.packed.hex()
    lines = (line.split() for line in text.splitlines())
    return max((int(words[words.index(named) + 1]) for words in lines if named in words), default=0)


def _is_number(text: str, number: int) -> bool:
    try:
        return int(text, 16) == number
    except ValueError:  # the heading
        return False


def takes(node: str, packet: Packet, evidence: Evidence, came: str) -> bool:
    """Whether a program of a node gets a datagram for a group or for all that came by an interface."""
    if ip_address(packet.destination).is_multicast and (
        not _is_by(node, came, joined(node, packet.destination, evidence), evidence) or is_left_out(node, packet, evidence)
    ):
        return False
    return bool(evidence.listening(node, packet.protocol, packet.ports[1]))


def not_accepted(journey: Journey, packet: Packet, nodes: tuple[str, ...], wiring: Wiring, evidence: Evidence) -> Reason:
    """Why a datagram for a group was in vain, among the nodes that it came to and those that it did not come to."""
    address, port = packet.destination, packet.ports[1]
    if not ip_address(address).is_multicast:
        came_to = _listed([node for node in journey.path[1:] if node in nodes])
        text = f"no node accepted it: no program listens on UDP port {port} of {came_to}"
        return Reason("port", text, (), f"{journey.path[-1]} ss -lnup", TABLES)
    members = [node for node in nodes if node != journey.first.node and joined(node, address, evidence)]
    here = [node for node in members if node in journey.path]
    if here and packet.kind == "echo request":
        return _without_echo(here, address, evidence)
    without = [node for node in here if is_left_out(node, packet, evidence)]
    if without and without == here:
        text = f"no program accepted it: {_listed(here)} has joined {address} for other sources than {packet.source}"
        file = "mcfilter6" if ":" in address else "mcfilter"
        return Reason("multicast", text, (), f"{here[0]} cat /proc/net/{file}", TABLES)
    if elsewhere := _joined_elsewhere(journey, address, here, evidence):
        return elsewhere
    if here:
        text = f"no program accepted it: {_listed(here)} has joined {address}, and no program listens on UDP port {port} there"
        return Reason("port", text, (), f"{here[0]} ss -lnup", TABLES)
    blocked = next(filter(None, (kept_from(node, journey, wiring, evidence) for node in members)), None)
    if blocked is not None:
        return blocked
    if members:
        text = f"no node accepted it: {_listed(members)} has joined {address}, and it did not get there"
        return Reason("multicast", text, (), f"{members[0]} ip maddr", TABLES)
    return Reason("multicast", f"no node accepted it: none has joined {address}", (), f"{journey.path[-1]} ip maddr", TABLES)


def _without_echo(here: list[str], address: str, evidence: Evidence) -> Reason:
    """Why members of a group that have got a ping do not answer it."""
    knob = "net.ipv6.icmp.echo_ignore_multicast" if ":" in address else "net.ipv4.icmp_echo_ignore_broadcasts"
    ignoring = [node for node in here if evidence.setting(node, knob.replace(".", "/")) == "1"]
    if ignoring:
        text = f"{_listed(ignoring)} got it, and ignores pings to groups"
        return Reason("ignored", text, (), f"{ignoring[0]} sysctl -w {knob}=0", TABLES)
    return Reason("unanswered", f"{_listed(here)} got it, and did not answer the ping in time", (), "", TABLES)


def _joined_elsewhere(journey: Journey, address: str, here: list[str], evidence: Evidence) -> Reason | None:
    """That those who have joined a group have done so on other interfaces than it came by."""
    for node in here:
        came = [one.event.interface for one in journey.sightings if one.event.node == node and one.event.kind == "in"]
        names = joined(node, address, evidence)
        if not came or any(_is_by(node, interface, names, evidence) for interface in came):
            return None
    if not here:
        return None
    text = f"no node accepted it: {here[0]} has joined {address} on {_listed(names)}, and it came by {came[0]}"
    return Reason("multicast", text, (), f"{here[0]} ip maddr", TABLES)


def _listed(nodes: list[str]) -> str:
    return " and ".join(nodes)
