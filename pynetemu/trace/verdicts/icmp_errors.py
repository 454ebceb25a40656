"""What a node says of a packet that it could not take or pass on, in the ICMP error that quotes it (RFC 792, RFC 4443)."""

from pynetemu.trace.verdicts.case import PACKETS, Case
from pynetemu.trace.verdicts.verdict import Reason

# By what stands in parentheses or first in the error's text: the kind of the reason, and what the node says.
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("(net prohibited)", "refused", "its network is prohibited"),
    ("(host prohibited)", "refused", "its host is prohibited"),
    ("(prohibited)", "refused", "it is prohibited"),
    ("(source policy)", "refused", "its source is not allowed"),
    ("(route rejected)", "refused", "its route is a rejecting one"),
    ("(net)", "route", "no route to {destination}"),
    ("(no route)", "route", "no route to {destination}"),
    ("(host)", "arp", "{destination} cannot be reached"),
    ("(address)", "arp", "{destination} cannot be reached"),
    ("(protocol)", "protocol", "it has nothing for this IP protocol"),
    ("(port)", "port", "nothing listens on {port}"),
    ("fragmentation needed", "mtu", "it is too big, and must not be fragmented"),
    ("packet too big", "mtu", "it is too big"),
    ("time exceeded", "ttl", "its TTL expired"),
    ("bad header", "malformed", "its header is wrong"),
)


def told_by_error(case: Case) -> Reason | None:
    """The error that the case's node has sent about the packet, as a reason."""
    found = case.conversations.error_about(case.packet, 0)
    if found is None or found[0].first.node != case.node:
        return None
    journey, error = found
    for words, kind, told in _WORDS:
        if words in error.kind or words in error.text:
            port = f"{case.packet.protocol} port {case.packet.ports[1]}"
            text = f"{case.node} refused it: {told.format(destination=case.who(case.packet.destination), port=port)}"
            return Reason(kind, text, (f"packet {journey.number}: {error.text}",), "", PACKETS)
    return None
