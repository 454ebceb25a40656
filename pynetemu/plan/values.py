"""Reads the values that users give to parts; each function raises Wrong for what the kernel would not take."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)

from pynetemu.plan.nft_words import NFT_WORDS
from pynetemu.plan.operations import Address, InterfaceAddress, IPNetwork
from pynetemu.plan.problems import Wrong
from pynetemu.topology.part import quoted
from pynetemu.topology.services import Ready

LONGEST_INTERFACE_NAME = 15  # bytes; IFNAMSIZ is 16 with the final zero, linux/if.h
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}\$?")  # as useradd(8) allows, and Debian besides
_LARGEST_ID = (1 << 32) - 2  # the one above stands for none, as in chown(2)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
_NAME_HINT = "letters, digits, - and _ are allowed, 63 at most, and no - at the start"
_READ_AS_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")  # inet_aton(3) takes these for an address
_EVERYBODY = IPv4Address("255.255.255.255")
_RESERVED_NODE_NAMES = {
    "host": "every node uses this name for the root's own address",
    "localhost": "every node uses this name for itself",
    "ip6-localhost": "every node uses this name for itself",
    "ip6-loopback": "every node uses this name for itself",
    "outside": "the root's own interface is plugged into it",
    "lo": "it is every node's loopback interface",
    "add": "it is a method of Topology",
    "addresses": "it is an option of Topology",
    "allow": "it is an option of Topology",
    "arp": "it is an option of Topology",
    "pools": "it is an option of Topology",
    "build": "it is a method of Topology",
}


def not_one_of(name: str, value: object, choices: Iterable[object], hint: str = "") -> Wrong:
    """For a setting that takes one of a few words: "policy must be 'accept' or 'drop', not 'reject'"."""
    *others, last = map(repr, choices)
    return Wrong(f"{name} must be {', '.join(others)} or {last}, not {quoted(value)}", hint)


def read_node_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Wrong(f"{quoted(name)} cannot be a node's name", _NAME_HINT)
    if reason := _RESERVED_NODE_NAMES.get(name.lower()):
        raise Wrong(f"{quoted(name)} cannot be a node's name: {reason}", "choose another name")
    if _READ_AS_NUMBER.fullmatch(name):
        raise Wrong(f"{quoted(name)} cannot be a node's name: programs read it as an IPv4 address", f"for instance: n{name}")
    return name


def read_name_within(name: str) -> str:
    """The name of a node in a topology that is a part of another, where it was given as one: "site1.h1"."""
    for part in name.split("."):
        if not _NAME.fullmatch(part):
            raise Wrong(f"{quoted(name)} cannot be a node's name: {quoted(part)} is no name", _NAME_HINT)
    return name


def read_service_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Wrong(f"{quoted(name)} cannot be a service's name", _NAME_HINT)
    return name


def read_table_name(name: object) -> str:
    """The name of a firewall, which is that of its table in nft."""
    found = read_service_name(name)
    if not (found[0].isalpha() or found[0] == "_"):
        raise Wrong(f"{found!r} cannot be a firewall's name", f"nft wants a letter at the start: for instance rules{found}")
    if found in NFT_WORDS:
        raise Wrong(f"{found!r} cannot be a firewall's name: it is a word of nft", f"for instance: {found}_rules")
    return found


def read_interface_name(name: object, node: str) -> str:
    """A name that the kernel allows.

    See dev_valid_name in net/core/dev.c, and sysctl_dev_name_is_allowed in net/core/sysctl_net_core.c.
    """
    if not isinstance(name, str):
        raise Wrong(f"{quoted(name)} cannot be an interface's name", f'it is a string, as in {node}.interface("eth0")')
    if _is_address(name.partition("/")[0]):
        raise Wrong(f"the interface name {quoted(name)} is an address", f'the name comes first: interface("eth0", "{name}")')
    size = len(name.encode(errors="surrogatepass"))
    if size > LONGEST_INTERFACE_NAME:
        raise Wrong(f"the interface name {quoted(name)} has {size} bytes", f"{LONGEST_INTERFACE_NAME} at most")
    if name == "lo":
        raise Wrong("the interface name 'lo' is taken: it is every node's loopback", "choose another name")
    printable = name.isascii() and name.isprintable() and not any(sign in name for sign in " /:%")
    if not printable or name in ("", ".", "..", "all", "default"):
        hint = "printable ASCII without space, '/', ':' or '%', and not 'all' or 'default'"
        raise Wrong(f"{quoted(name)} cannot be an interface's name", hint)
    return name


def read_mac(text: object) -> str:
    """A hardware address as the kernel writes it."""
    if not isinstance(text, str) or not _MAC.fullmatch(text):
        raise Wrong(f"{quoted(text)} is not a MAC address", "six bytes in hexadecimal, such as '02:00:00:00:00:01'")
    mac = text.lower().replace("-", ":")
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise Wrong(f"{quoted(text)} cannot be an interface's MAC address", "the first byte is even: '02:00:00:00:00:01'")
    return mac


def read_address(text: object) -> InterfaceAddress:
    """An address that an interface can have, with its prefix length."""
    return _read_again(text) if type(text) is str else _read_address(text)


def _read_address(text: object) -> InterfaceAddress:
    address = _parse_interface_address(text)
    ip, network = address.ip, address.network
    example = "10.0.0.1/24" if address.version == 4 else "fd00::1/64"
    if ip.version == 6 and ip.ipv4_mapped:
        raise Wrong(f"{quoted(text)} stands for an IPv4 address", f"write {ip.ipv4_mapped} with its own prefix length")
    if ip.is_multicast or ip.is_unspecified or ip.is_loopback or ip == _EVERYBODY:
        kind = "multicast" if ip.is_multicast else "loopback" if ip.is_loopback else "special"
        raise Wrong(f"{quoted(text)} is a {kind} address", f"an interface has one like {example!r}")
    if network.prefixlen == 0:
        raise Wrong(f"{quoted(text)} is on a network of all addresses", f"a longer prefix, as in {example!r}")
    if network.num_addresses > 2 and ip == network.network_address:
        raise Wrong(f"{quoted(text)} is the network's own address", f"its first host is {network[1]}/{network.prefixlen}")
    if network.num_addresses > 2 and address.version == 4 and ip == network.broadcast_address:
        raise Wrong(f"{quoted(text)} is the broadcast address", f"the last host is {network[-2]}/{network.prefixlen}")
    return address


@lru_cache(maxsize=1 << 14)  # a lab that is changed is read whole
def _read_again(text: str) -> InterfaceAddress:
    """Addresses of one network share it, so that it is mostly known by its identity: its hash takes a microsecond."""
    address = _read_address(text)
    return on_network(address, _shared(address.network))


def on_network(address: InterfaceAddress, network: IPNetwork) -> InterfaceAddress:
    """The address with this very object as its network, which it has as one of its own."""
    vars(address)["network"] = network
    return address


@lru_cache(maxsize=1 << 12)
def _shared(network: IPNetwork) -> IPNetwork:
    return network


def read_plain_address(text: object) -> Address | None:
    """An address without prefix length, None for anything else; numbers, which `ipaddress` takes for addresses, are none."""
    if isinstance(text, IPv4Address | IPv6Address):
        return text
    try:
        return ip_address(text) if isinstance(text, str) else None
    except ValueError:
        return None


def read_several(value: object) -> tuple[object, ...]:
    """What an option has that takes one value or several; none is None."""
    if value is None:
        return ()
    if isinstance(value, str | bytes | int | IPv4Network | IPv6Network) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


def read_gateway(text: object, said: str) -> Address:
    """The address of a gateway, without prefix length; `said` is how the user said it."""
    wrong = f"{said} is not an address"
    if not isinstance(text, str):
        raise Wrong(wrong, "it is a string, such as '10.0.0.1'")
    plain, slash, _ = text.partition("/")
    if slash and _is_address(plain):
        raise Wrong(wrong, f"a gateway has no prefix length: {plain!r}")
    try:
        gateway = ip_address(text)
    except ValueError:
        raise Wrong(wrong, "IPv4 or IPv6, such as '10.0.0.1' or 'fd00::1'") from None
    if isinstance(gateway, IPv6Address) and (gateway.is_link_local or gateway.scope_id):
        raise Wrong(f"{said} is a link-local address", "take one in a network that both nodes are on")
    return gateway


def read_destination(text: object) -> IPNetwork:
    """A network, with its prefix length."""
    if isinstance(text, IPv4Network | IPv6Network):
        return text
    hint = "it has a prefix length, as in '10.9.0.0/16' or '0.0.0.0/0'"
    if isinstance(text, str) and "/" in text:
        try:
            network = ip_network(text, strict=False)
            if str(network) == str(ip_interface(text)):
                return network
            hint = f"the network is {network}"
        except ValueError:
            pass
    raise Wrong(f"the destination {quoted(text)} is not a network", hint)


def read_route_destination(text: object) -> IPNetwork:
    """A network to which routers lead."""
    network = read_destination(text)
    is_local = network.version == 6 and network.is_link_local
    unroutable = {"multicast": network.is_multicast, "loopback": network.is_loopback, "link-local": is_local}
    if kind := next((kind for kind, is_so in unroutable.items() if is_so), ""):
        raise Wrong(f"the destination {quoted(text)} has {kind} addresses only", "no gateway leads to such")
    return network


def read_boolean(value: object, name: str) -> bool:
    if value is not True and value is not False:
        meant = {"no": False, "off": False, "false": False, "yes": True, "on": True, "true": True}
        word = value.lower() if isinstance(value, str) else ""
        hint = f"write {name}={meant[word]}" if word in meant else f"{name}=True or {name}=False"
        raise Wrong(f"{name}={quoted(value)} is neither True nor False", hint)
    return value


def read_number(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Wrong(f"{name}={quoted(value)} cannot be", f"a whole number from {least} to {most}")
    return value


def read_port(port: object) -> int:
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise Wrong(f"port={quoted(port)} is not a port", "a whole number from 1 to 65535")
    return port


def read_command(command: object) -> str:
    if not isinstance(command, str):
        raise Wrong(
            f"{quoted(command)} is not a command",
            'a line for sh, as in Service(blue, "python3 -m http.server"), or a list of its words',
        )
    if not command.strip() or "\0" in command:
        raise Wrong(f"{quoted(command)} is not a command", "it names a program")
    return command


def read_ready(ready: object) -> str:
    """A condition as the plan writes it: "tcp:9000", "prints:ready", "finished"."""
    if not isinstance(ready, Ready):
        raise Wrong(
            f"ready={quoted(ready)} does not say when the service is ready",
            'one of tcp(9000), udp(9000), prints("text"), finished()',
        )
    if ready.kind in ("tcp", "udp"):
        return f"{ready.kind}:{read_port(ready.value)}"
    if ready.kind == "finished":
        return ready.kind
    if not isinstance(ready.value, str) or not ready.value:
        raise Wrong(f"prints({quoted(ready.value)}) is not text to wait for", 'for instance: prints("listening")')
    return f"prints:{ready.value}"


def read_seconds(seconds: object) -> float:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < float("inf"):
        raise Wrong(f"timeout={quoted(seconds)} is not a duration", "a number of seconds, more than 0")
    return float(seconds)


def read_environment(env: object) -> tuple[str, ...]:
    if not isinstance(env, dict):
        raise Wrong(f"env={quoted(env)} is not a table", "it has values by their names: env={'LANG': 'C'}")
    for name, value in env.items():
        if not isinstance(name, str) or not isinstance(value, str) or not name or "=" in name or "\0" in name + value:
            raise Wrong(f"env={{{quoted(name)}: {quoted(value)}}} cannot be in an environment", "names and values are strings")
    return tuple(f"{name}={value}" for name, value in env.items())


def read_user(user: object) -> str:
    """A user's name or number; "" for root."""
    hint = "a name of the node's /etc/passwd, or a number: user='postgres'"
    if isinstance(user, bool) or not isinstance(user, str | int):
        raise Wrong(f"user={quoted(user)} is no user", hint)
    text = str(user)
    if not (_USER.fullmatch(text) if not text.isdecimal() else int(text) <= _LARGEST_ID):
        raise Wrong(f"user={quoted(user)} is no user", hint)
    return "" if text in ("root", "0") else text


def _parse_interface_address(text: object) -> InterfaceAddress:
    if isinstance(text, IPv4Interface | IPv6Interface):
        return text
    if not isinstance(text, str):
        raise Wrong(f"{quoted(text)} is not an address", "it is a string with its prefix length, such as '10.0.0.1/24'")
    plain, slash, prefix = text.partition("/")
    longest, usual = (128, 64) if ":" in plain else (32, 24)
    try:
        if prefix.isascii() and prefix.isdigit() and "%" not in text:
            return IPv6Interface(text) if ":" in plain else IPv4Interface(text)
    except ValueError:
        pass
    if not _is_address(plain):
        raise Wrong(f"{quoted(text)} is not an address", "IPv4 or IPv6, such as '10.0.0.1/24' or 'fd00::1/64'")
    if "%" in text:
        raise Wrong(f"{quoted(text)} names an interface", f"write {plain.partition('%')[0]}/{prefix or usual}")
    if not slash:
        raise Wrong(f"the address {quoted(text)} has no prefix length", f"for instance: '{plain}/{usual}'")
    raise Wrong(f"{quoted(text)} has no valid prefix length: {quoted(prefix)}", f"a number from 0 to {longest}")


def _is_address(text: str) -> bool:
    if "." not in text and ":" not in text:  # spares most names the slow way of finding out
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
