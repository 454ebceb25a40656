"""Bridges and their ports as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.operations import AddBridge, SetMaster
from pynetemu.plan.shell.words import ip

TITLES = {AddBridge: "The switches: bridges", SetMaster: "The switches' ports"}


def lines(operation: AddBridge | SetMaster, root: str | None) -> Iterator[str]:
    match operation:
        case AddBridge(node=node, interface=interface):
            yield f"{ip(node, root)} link add name {quote(interface)} type bridge mcast_snooping 0"
            yield f"{ip(node, root)} link set dev {quote(interface)} up"
        case SetMaster(node=node, interface=interface, master=master):
            yield f"{ip(node, root)} link set dev {quote(interface)} master {quote(master)}"
