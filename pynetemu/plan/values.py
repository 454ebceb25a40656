"""Reads the values that users give to parts. Each function raises Wrong for what the kernel, or people, could not use."""

import re
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface

from pynetemu.plan.operations import Address, InterfaceAddress
from pynetemu.plan.problems import Wrong

_NODE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")
_READ_AS_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")  # inet_aton(3) takes these for an address
_RESERVED_NODE_NAMES = {
    "host": "every node knows the root's own address by it",
    "localhost": "every node knows itself by it",
    "ip6-localhost": "every node knows itself by it",
    "ip6-loopback": "every node knows itself by it",
    "outside": "it is what the root's own interface is plugged into",
    "lo": "it is every node's loopback interface",
    "add": "it is a method of Topology",
    "build": "it is a method of Topology",
}
LONGEST_INTERFACE_NAME = 15  # bytes; IFNAMSIZ is 16 with the final zero, linux/if.h


def read_node_name(name: object) -> str:
    if not isinstance(name, str) or not _NODE_NAME.fullmatch(name):
        hint = "letters, digits, - and _ are allowed, 63 at most, the first not a -"
        raise Wrong(f"{name!r} cannot be a node's name", hint)
    if name.lower() in _RESERVED_NODE_NAMES:
        raise Wrong(f"{name!r} cannot be a node's name: {_RESERVED_NODE_NAMES[name.lower()]}")
    if _READ_AS_NUMBER.fullmatch(name):
        raise Wrong(f"{name!r} cannot be a node's name: programs read it as an IPv4 address", f"write n{name}, for instance")
    return name


def read_service_name(name: object) -> str:
    if not isinstance(name, str) or not _NODE_NAME.fullmatch(name):
        hint = "letters, digits, - and _ are allowed, 63 at most, the first not a -"
        raise Wrong(f"{name!r} cannot be a service's name", hint)
    return name


def read_interface_name(name: object, node: str) -> str:
    """A name that the kernel allows: dev_valid_name in net/core/dev.c, sysctl_dev_name_is_allowed in net/core/neighbour.c."""
    if not isinstance(name, str):
        raise Wrong(f"{name!r} cannot be an interface's name", f'a string comes first, as in {node}.interface("eth0", ...)')
    if any(sign in name for sign in ".:/") and _is_address(name):
        raise Wrong(f"interface name {name!r} is an address", f'the name comes first: {node}.interface("eth0", "{name}")')
    size = len(name.encode(errors="surrogatepass"))
    if size > LONGEST_INTERFACE_NAME:
        raise Wrong(f"interface name {name!r} has {size} bytes", f"{LONGEST_INTERFACE_NAME} at most")
    if name in ("lo", "all", "default", ".", "..", ""):
        what = "is the loopback interface, which every node has" if name == "lo" else "cannot be an interface's name"
        raise Wrong(f"{name!r} {what}", "choose another, such as 'eth0'")
    if not name.isascii() or not name.isprintable() or any(sign in "/:% " for sign in name):
        raise Wrong(f"{name!r} cannot be an interface's name", "no white space, '/', ':' or '%', and ASCII only")
    return name


def read_address(text: object) -> InterfaceAddress:
    """An address that an interface can have, with its prefix length."""
    address = _parse_interface_address(text)
    ip, network = address.ip, address.network
    if ip.is_multicast or ip.is_unspecified or ip.is_loopback or str(ip) == "255.255.255.255":
        kind = "a multicast" if ip.is_multicast else "a loopback" if ip.is_loopback else "no interface's"
        raise Wrong(f"{text!r} is {kind} address", f"take one of your own, such as {_example(address)}")
    if network.num_addresses > 2:
        if ip == network.network_address:
            raise Wrong(f"{text!r} is the address of the network itself", f"its first host is {network[1]}/{network.prefixlen}")
        if address.version == 4 and ip == network.broadcast_address:
            raise Wrong(f"{text!r} is the network's broadcast address", f"its last host is {network[-2]}/{network.prefixlen}")
    return address


def read_gateway(text: object) -> Address:
    """The address of a gateway, without prefix length."""
    if not isinstance(text, str):
        raise Wrong(f"default_via={text!r} is not an address", 'a string is needed, such as "10.0.0.1"')
    try:
        gateway = ip_address(text)
    except ValueError:
        plain, slash, _ = text.partition("/")
        hint = f"without prefix length: {plain!r}" if slash and _is_address(plain) else "an IPv4 or IPv6 address, such as '10.0.0.1'"
        raise Wrong(f"default_via={text!r} is not an address", hint) from None
    if isinstance(gateway, IPv6Address) and (gateway.is_link_local or gateway.scope_id):
        raise Wrong(f"default_via={text!r} is a link-local address", "take the gateway's address in a network of this node")
    return gateway


def read_port(port: object) -> int:
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise Wrong(f"port={port!r} is not a port", "a whole number from 1 to 65535")
    return port


def _parse_interface_address(text: object) -> InterfaceAddress:
    if isinstance(text, IPv4Interface | IPv6Interface):
        text = str(text)
    if not isinstance(text, str):
        raise Wrong(f"{text!r} is not an address", 'a string with its prefix length is needed, such as "10.0.0.1/24"')
    plain, slash, prefix = text.partition("/")
    if not slash and _is_address(plain):
        raise Wrong(f"address {text!r} has no prefix length", f"write it as in \"{plain}/{64 if ':' in plain else 24}\"")
    try:
        if not (prefix.isascii() and prefix.isdigit()) or "%" in plain:
            raise ValueError
        return IPv6Interface(text) if ":" in plain else IPv4Interface(text)
    except ValueError:
        raise Wrong(f"{text!r} is not an address", _why_no_address(plain, prefix)) from None


def _why_no_address(plain: str, prefix: str) -> str:
    if _is_address(plain):
        return f"the prefix length is a number from 0 to {128 if ':' in plain else 32}, here it is {prefix!r}"
    return "IPv4 or IPv6 with its prefix length, such as '10.0.0.1/24' or 'fd00::1/64'"


def _is_address(text: str) -> bool:
    try:
        ip_interface(text)
    except ValueError:
        return False
    return True


def _example(address: InterfaceAddress) -> str:
    return "10.0.0.1/24" if address.version == 4 else "fd00::1/64"
