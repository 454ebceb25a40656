"""Names in a node's line for which its programs would need addresses.

Nearly every program finds names in the node's /etc/hosts: `ping blue`, `curl http://blue:8080/`, `ssh user@blue`,
`traceroute r1.eth1`. Two do not, and there the shell puts the address that the node would use:

    blue ip route add 192.0.2.0/24 via root      ip(8) takes addresses only, where it means one
    blue curl http://[root]:8080/                in brackets stands an IPv6 address (RFC 3986, section 3.2.2)

What is quoted, or has a `\\` before it, stays as it is; so does every other word.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetemu.network.network import Network
    from pynetemu.plan.operations import Address

_TOKEN = re.compile(r"""(?:[^\s'"\\|&;<>()]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+|[|&;<>()]+""", re.DOTALL)
_BRACKETED = re.compile(r"(?<=[/@])\[([\w.-]+)\](?=[:/]|$)|^\[([\w.-]+)\](?=:\d)")
# Words of ip(8) after which an address stands; its objects may be cut short, as in `ip ro get blue`.
_BEFORE_AN_ADDRESS = frozenset(
    "add append change chg replace del delete get to via from src show list flush exact match root".split()  # noqa: SIM905
)
_OBJECTS = "route", "neighbor", "neighbor", "rule"


def substituted(text: str, node: str, network: "Network") -> str:
    """A node's line with addresses where they are needed."""
    if "[" not in text and not re.search(r"\bip\b", text):
        return text
    changes = list(_changes(text, node, network))
    for start, end, address in reversed(changes):
        text = text[:start] + address + text[end:]
    return text


def _changes(text: str, node: str, network: "Network") -> Iterator[tuple[int, int, str]]:
    from pynetemu.plan.names import address_of

    text_of_names = ""

    def address_of_name(name: str, version: int) -> "Address | None":
        nonlocal text_of_names
        if name not in network and name != "host" and "." not in name:
            return None
        text_of_names = text_of_names or network.names(node)
        return address_of(text_of_names, name, version)

    words: list[str] = []  # of the command that is being read
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word[0] in "|&;<>()":
            words = []
            continue
        words.append(word)
        if any(mark in word for mark in "'\"\\"):
            continue
        for found in _BRACKETED.finditer(word):
            if address := address_of_name(found[1] or found[2], 6):
                start = token.start() + found.start(found.lastindex or 1)
                yield start, start + len(found[found.lastindex or 1]), str(address)
        if _is_address_of_ip(words):
            name, slash, prefix = word.partition("/")
            if address := address_of_name(name, 6 if "-6" in words else 0):
                yield token.start(), token.end(), f"{address}{slash}{prefix}"


def _is_address_of_ip(words: list[str]) -> bool:
    """Whether the last word stands where ip(8) wants an address."""
    if words[0] != "ip" or len(words) < 3 or words[-2] not in _BEFORE_AN_ADDRESS:
        return False
    object = next((word for word in words[1:] if not word.startswith("-")), "")
    return any(full.startswith(object) for full in _OBJECTS)
