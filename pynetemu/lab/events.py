"""What happens in a running lab, each as a value: `net.events()`.

A message of the kernel has no time of its own: an event has happened between `since` and `time` (seconds since 1970, as
time.time()), which are usually less than some milliseconds apart. `str(event)` is a line for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from pynetemu.lab.state import InterfaceState, Neighbor, RouteState, RuleState
from pynetemu.plan.operations import InterfaceAddress
from pynetemu.safe_text import printable
from pynetemu.wording import shortened


@dataclass(frozen=True, slots=True, kw_only=True)
class LabEvent:
    """Something that has happened in a node between two moments; the classes that stand on it say what."""

    time: float
    since: float
    node: str

    @property
    def kind(self) -> str:
        """The class as a word: LinkEvent's is "link"."""
        return type(self).__name__.removesuffix("Event").lower()

    def as_data(self) -> dict[str, Any]:
        """As JSON knows it: {"event": "link", "time": ..., "node": "h1", "what": "down", "before": {...}, ...}."""
        return {"event": self.kind, **{field.name: _data(getattr(self, field.name)) for field in fields(self)}}


def _data(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _data(one) for key, one in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [_data(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEvent(LabEvent):
    """An interface, before and after; None where it was not, or is not any more. Their counters and addresses are left out.

    It is up when it was set up and is joined to something that is up too. "moved" tells of one that has left for another node,
    where `after` is; "changed" of another MTU, MAC address, bridge or other end, or that it was set up without being joined.
    """

    what: Literal["added", "removed", "moved", "up", "down", "renamed", "changed"]
    before: InterfaceState | None
    after: InterfaceState | None

    def __str__(self) -> str:
        before, after = self.before, self.after
        one = before or after
        assert one is not None
        name = printable(f"{self.node} {one.name}")
        if after is not None and before is not None:
            match self.what:
                case "moved":
                    return f"{name} moved to {after.node}" + (f" as {printable(after.name)}" * (after.name != before.name))
                case "renamed":
                    return f"{name} is called {printable(after.name)} now"
                case "changed":
                    return f"{name} changed: {'; '.join(_differences(before, after))}"
        return f"{name} {_LINK_WORDS[self.what]}"


_LINK_WORDS = {"added": "is new", "removed": "was deleted", "up": "is up", "down": "is down"}


def _differences(before: InterfaceState, after: InterfaceState) -> list[str]:
    """mtu 1500 → 1400."""
    told = {"is_up": "set up", "mtu": "MTU", "mac": "MAC address", "master": "bridge", "peer": "other end"}
    return [
        f"{word} {_shown(getattr(before, name))} → {_shown(getattr(after, name))}"
        for name, word in told.items()
        if getattr(before, name) != getattr(after, name)
    ]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(value) if isinstance(value, tuple) else str(value or "")
    return printable(text.strip()) or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressEvent(LabEvent):
    """An address of an interface that came (`before` is None) or went."""

    interface: str
    before: InterfaceAddress | None
    after: InterfaceAddress | None

    def __str__(self) -> str:
        what = f"has {self.after}" if self.after is not None else f"has {self.before} no more"
        return f"{printable(f'{self.node} {self.interface}')} {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEvent(LabEvent):
    """A route that came, went, or leads elsewhere now (both)."""

    before: RouteState | None
    after: RouteState | None

    def __str__(self) -> str:
        if self.before is not None and self.after is not None:
            return f"{self.node} route {self.before.text} → {self.after.text}"
        route, word = (self.after, "is new") if self.after is not None else (self.before, "is gone")
        assert route is not None
        return f"{self.node} route {route.text} {word}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEvent(LabEvent):
    """A rule that chooses routing tables, which came, went, or asks for something else now (both)."""

    before: RuleState | None
    after: RuleState | None

    def __str__(self) -> str:
        if self.before is not None and self.after is not None:
            return f"{self.node} rule {self.after.priority}: {self.before.text} → {self.after.text}"
        rule, word = (self.after, "is new") if self.after is not None else (self.before, "is gone")
        assert rule is not None
        return f"{self.node} rule {rule.priority}: {rule.text} {word}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborEvent(LabEvent):
    """A neighbor that does not answer any more (ARP, ND): what it was before is None where that was not seen."""

    before: Neighbor | None
    after: Neighbor

    def __str__(self) -> str:
        return f"{printable(f'{self.node} {self.after.interface}')} gets no answer from {self.after.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEvent(LabEvent):
    """A command that has ended, of any terminal, as `Process.wait` tells it: `status` is negative for a signal. `pid` is its
    number in the node."""

    pid: int
    argv: tuple[str, ...]
    status: int

    def __str__(self) -> str:
        return f"{self.node} {printable(self.argv[0])} (process {self.pid}) {_ended(self.status)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvent(LabEvent):
    """A service of the description that has ended."""

    name: str
    pid: int
    status: int

    def __str__(self) -> str:
        return f"{self.node} service {printable(self.name)} {_ended(self.status)}"


def _ended(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent(LabEvent):
    """A change of the lab that the engine has carried out, by `net.apply` and the like: the nodes that are new, that have gone,
    and at which something is different. `node` is ""; `text` has what was made by hand and had to give way.
    """

    text: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = ("added", self.added), ("removed", self.removed), ("changed", self.changed)
        said = "; ".join(f"{how} {shortened(list(nodes))}" for how, nodes in parts if nodes)
        return printable(f"{self.text}: {said}" if said else self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureEvent(LabEvent):
    """Packets of a node that came too fast for a capture of this process, which is told when it ends."""

    file: str
    lost: int

    def __str__(self) -> str:
        return f"{self.node} {self.lost} packets are not in {printable(self.file)}: they came too fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class LostEvent(LabEvent):
    """More happened at once than was read in time: state has been read again; what came and went in between is not told."""

    def __str__(self) -> str:
        return "more happened at once than could be read: what has come and gone in between is not told"
