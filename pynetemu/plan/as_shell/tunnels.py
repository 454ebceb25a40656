"""Tunnels as commands."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import delete, ip, set_mtu
from pynetemu.plan.operations import AddTunnel

TITLES = {AddTunnel: "The tunnels, both ends of each"}


def lines(operation: AddTunnel, root: str | None) -> Iterator[str]:
    mac = f" address {operation.mac}" if operation.mac else ""
    settings = " ".join([*operation.settings, f"local {operation.local}", f"remote {operation.remote}"])
    head = f"{ip(operation.node, root)} link add name {quote(operation.interface)}{mac} mtu {operation.mtu}"
    yield f"{head} type {operation.kind} {settings}"


def undo(operation: AddTunnel, root: str | None) -> Iterator[str]:
    yield delete(operation.node, operation.interface, root)


def replace(_: AddTunnel, new: AddTunnel, root: str | None) -> Iterator[str]:
    yield set_mtu(new.node, new.interface, new.mtu, root)
