"""pyroute2's message classes, for what is packed seldom: kinds of interfaces, VLANs of ports, WireGuard, rare questions.

Importing that package as a whole takes 146 ms, of which these classes need 30: hence the stub of the parent package below,
and a module of its own, which is imported when something first needs it. It runs in the engine's own process only, where
nothing else wants pyroute2. What lies on the way to every prompt is packed by hand (`tables`, `engine.apply`).
"""

import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

if not TYPE_CHECKING and "pyroute2" not in sys.modules and (_spec := PathFinder.find_spec("pyroute2")) is not None:
    _stub = ModuleType("pyroute2")
    _stub.__path__ = _spec.submodule_search_locations
    _stub.__spec__ = _spec
    sys.modules["pyroute2"] = _stub

from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg as ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg as ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg as rtmsg

from pynetemu.engine.messages.framing import Message, pack

Encoder = Any  # one of pyroute2's message classes, which are untyped
Attributes = Sequence[tuple[str, Any]]  # named as in the kernel's headers

_HEADER = 16  # struct nlmsghdr


def body(message: Encoder, attributes: Attributes = ()) -> bytes:
    """What follows a message's header."""
    message["attrs"] = list(attributes)
    message.encode()
    return bytes(message.data)[_HEADER:]


def decoded(kind: type[Encoder], message: Message) -> Encoder:
    """A message as a class of pyroute2's reads it."""
    found = kind(pack(message.type, 0, 0, message.body))
    found.decode()
    return found


def link(index: int, attributes: Attributes, family: int = 0) -> bytes:
    """The body of a message about an interface (struct ifinfomsg), none of whose flags change."""
    message = ifinfmsg()
    message["family"], message["index"] = family, index
    return body(message, attributes)


def link_info(kind: str, data: Attributes) -> tuple[str, Any]:
    """The attribute that says what kind of interface it is, and what is special about this one."""
    about: list[tuple[str, Any]] = [("IFLA_INFO_KIND", kind)]
    if data:
        about.append(("IFLA_INFO_DATA", {"attrs": list(data)}))
    return "IFLA_LINKINFO", {"attrs": about}
