"""What the links of a running lab do to packets, and changing it while packets are under way."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.relay_requests import FollowJournal, PlayLink, ReadRelay, ReplayLink, SetAgain, Step, WriteJournal
from pynetemu.errors import LabError, UsageError
from pynetemu.frozen import replaced
from pynetemu.lab import arguments
from pynetemu.lab.arguments import as_usage
from pynetemu.lab.changing import LabChange, become, until_first
from pynetemu.lab.kernel import kernel_of
from pynetemu.lab.recordings import request_of
from pynetemu.plan.inventory import Place, ends
from pynetemu.plan.operations import AddVeth, Impair, Operations, Part, Plan, as_parts, parts_of
from pynetemu.plan.operations.phases import in_order
from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.impairments import read_directions, unknown_nodes
from pynetemu.plan.shaping.impairment import KERNELS_QUEUES, SETTINGS, Impairment, check_step, from_words, read_impairment
from pynetemu.plan.shaping.mechanisms import choose_for_link
from pynetemu.plan.shaping.replays import check_times, read_seconds
from pynetemu.topology.impairments import presets
from pynetemu.topology.links import IMPAIRING, Link
from pynetemu.topology.part import quoted
from pynetemu.wording import near_or_all

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.state import QueueState

_COUNTED_BY_KERNEL = "netem", "tbf"
_Doing = dict[frozenset[Place], tuple[bool, tuple[Impair, ...]]]  # by both ends of a link: whether it is relayed, what it does


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """What became of the packets of one direction of a link, since the lab started or the link was changed into another kind.

    `received` have come in and `sent` have left; `lost` are those that the link was asked to lose, `dropped` those for which
    its queue had no room, `waiting` those on their way. `late` left more than a millisecond after their time, and `overload`
    counts what should have got through, and did not, since the machine was too slow.
    """

    received: int = 0
    sent: int = 0
    lost: int = 0
    dropped: int = 0
    marked: int = 0
    duplicated: int = 0
    reordered: int = 0
    corrupted: int = 0
    waiting: int = 0
    late: int = 0
    overload: int = 0


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of a link: what `interface` of `node` sends to `peer_interface` of `peer_node`.

    `mechanism` does it: "netem" or "tbf" of the kernel, a "filter" on arrival, the "relay", or "" for a plain wire.
    `counters` is None where nothing counts.
    """

    node: str
    interface: str
    peer_node: str
    peer_interface: str
    impairment: Impairment
    mechanism: str
    counters: LinkCounters | None


class RunningLink:
    """A link of a running lab, to see and to change what it does to packets: `net.link("wire")`, `net.link("h1", "s1")`.

        wire = net.link("wire")
        wire.set(loss="2%")
        wire.set(a_to_b={"rate": "1mbit"})
        wire.set(loss=None)
        wire.reset()

    Its direction `a_to_b` is from the first end to the second, as the description or the caller names them.
    """

    def __init__(self, lab: "Lab", a: Place, b: Place) -> None:
        self._lab = lab
        self.a, self.b = a, b

    def __repr__(self) -> str:
        return f"<RunningLink {':'.join(self.a)} {':'.join(self.b)} of {self._lab.name}>"

    @property
    def directions(self) -> tuple[Direction, Direction]:
        """What it does now in both directions, with counters."""
        found = directions(self._lab)
        return _plain_unless(self._lab, found, self.a, self.b), _plain_unless(self._lab, found, self.b, self.a)

    @until_first
    def set(
        self,
        *,
        a_to_b: Mapping[str, object] | None = None,
        b_to_a: Mapping[str, object] | None = None,
        preset: str | None = None,
        mechanism: str | None = None,
        **settings: object,
    ) -> LabChange:
        """Changes settings, those of `Link`; None takes one away, and what is not named stays as it is.

            wire.set(delay="50ms", loss=None, a_to_b={"rate": "2mbit"})

        What waits or is on its way comes as it would have come, while the mechanism is the same. Where a plain link becomes a
        relayed one, names, addresses, routes and connections live on, and packets sent within some milliseconds are lost.
        Raises UsageError for wrong settings, KernelError and LabError: then all is as it was. `net.undo()` takes it back.
        """
        own_settings = arguments.table("a_to_b", a_to_b), arguments.table("b_to_a", b_to_a)
        plan = self._lab.plan
        sides = zip(wanted_now(plan, (self.a, self.b)), ("up", "down"), own_settings, strict=True)
        try:
            wanted = [changed(before, {**preset_for(preset, side), **settings, **(own or {})}) for before, side, own in sides]
            for wrong in unknown_nodes(wanted, self._lab.nodes):
                raise wrong
            return self._become(plan, wanted, mechanism)
        except Wrong as wrong:
            raise as_usage(wrong) from None

    def schedule(self, *steps: tuple[object, Mapping[str, object]], every: object = None, linear: bool = False) -> None:
        """Changes settings over time, in both directions, from now on; each step is a time and all settings that hold then.

            wire.schedule((0, {"delay": "20ms"}), ("5s", {"delay": "20ms", "loss": "10%"}), ("6s", {"delay": "20ms"}))
            wire.schedule((0, {"loss": "100%"}), (1, {}), every="10s")         # down for a second, every ten
            wire.schedule((0, {"delay": "20ms"}), ("30s", {"delay": "300ms"}), linear=True)     # slower and slower

        Times are seconds, or text with a unit. It begins again after `every`. With `linear`, numbers change evenly from each
        step to the next, a hundred times a second (a ramp). It goes on by itself in the relay, to the end or until `stop`; the
        link is a relayed one from then on. Raises UsageError, KernelError and LabError.
        """
        linear = arguments.truth("linear", linear)
        try:
            if wrong := [step for step in steps if not isinstance(step, tuple | list) or len(step) != 2]:
                raise Wrong(f"{quoted(wrong[0])} is not a step", 'a time and settings: (1, {"loss": "10%"})')
            times = [read_seconds(time) for time, _ in steps]
            check_times(times)
            read = [read_impairment(dict(arguments.table("settings", own))) for _, own in steps]
            if any(settings.towards for settings in read):
                raise Wrong("towards does not change over time", "set it once: what the link does to all changes besides")
            for (time, _), settings in zip(steps, read, strict=True):
                check_step(settings, f"the step at {time}")
            found = [Step(time, settings.words) for time, settings in zip(times, read, strict=True)]
            period = read_seconds(every) if every is not None else 0.0
            if every is not None and period <= times[-1]:
                raise Wrong(f"every={every!r} is over before the last step", f"more than {times[-1]:g} s")
        except Wrong as wrong:
            raise as_usage(wrong) from None
        self._become_relayed()
        for node, interface in (self.a, self.b):
            self._lab.control.ask(PlayLink(node, interface, tuple(found), period, linear))

    def replay(self, file: str | os.PathLike[str] = "", *, a_to_b: str = "", b_to_a: str = "") -> None:
        """Replays a recorded link, again and again: one file for both directions, or each its own.

            wire.replay("Verizon-LTE-driving.down")
            wire.replay(a_to_b="att.up", b_to_a="att.down")
            wire.replay("starlink.csv")
            wire.replay(a_to_b="fates.txt")

        Files are traces of Mahimahi (a line for each opportunity to send 1,500 bytes, in milliseconds), tables (`.csv`) whose
        first column is `time` and whose others are settings: `time,delay,rate,loss`, or journals: then the n-th packet of each
        flow is lost, doubled, changed or overtakes as the journal has it, and as drawn where it has nothing. Delay and loss of
        a link go together with Mahimahi's traces, its delay and jitter with a journal. Raises UsageError with the line that is
        wrong, OSError, KernelError and LabError.
        """
        file, a_to_b, b_to_a = arguments.path("file", file), arguments.path("a_to_b", a_to_b), arguments.path("b_to_a", b_to_a)
        chosen = [(self.a, a_to_b or file), (self.b, b_to_a or file)]
        if not any(name for _, name in chosen):
            raise UsageError('replay needs a file: replay("trace.down"), or a_to_b= and b_to_a=')
        requests = [request_of(place, name) for place, name in chosen if name]
        self._become_relayed()
        for request in requests:
            self._lab.control.ask(request)

    def journal(self, a_to_b: str | os.PathLike[str] = "", b_to_a: str | os.PathLike[str] = "", *, most: int = 100_000) -> None:
        """Writes the fate of each packet into files, one for each direction, `most` lines at most; without files it ends.

            wire.journal("fates.txt")

        A line has the flow (in hexadecimal: protocol, addresses, ports, or the place among flows whose port the kernel chose),
        the packet's number in it, from 0, and "lost", or its draw for the jitter with "corrupted", "twice" and "ahead". Lines
        that begin with "#" tell when writing began: numbers begin again with them. With the same `seed` the lines of a flow are
        the same in every run, and `replay` lets packets meet the same fates on any link. The link is a relayed one from then
        on. Raises OSError.
        """
        a_to_b, b_to_a, most = (
            arguments.path("a_to_b", a_to_b),
            arguments.path("b_to_a", b_to_a),
            arguments.whole("most", most, 1),
        )
        self._become_relayed()
        for (node, interface), file in ((self.a, a_to_b), (self.b, b_to_a)):
            path = os.path.abspath(file) if file else ""
            if path:
                open(path, "w").close()  # tells at once what is wrong with it
            self._lab.control.ask(WriteJournal(node, interface, path, most))

    def stop(self) -> None:
        """Ends what `schedule` and `replay` began. Settings are then those of the last step, until they are `set` again."""
        for node, interface in (self.a, self.b) if _veth(self._lab.plan, self.a, self.b).relayed else ():
            self._lab.control.ask(PlayLink(node, interface, (), 0.0, False))
            self._lab.control.ask(ReplayLink(node, interface, ()))
            self._lab.control.ask(FollowJournal(node, interface, ""))

    @until_first
    def _become_relayed(self) -> None:
        plan = self._lab.plan
        veth, old = _veth(plan, self.a, self.b), _of_plan(plan, self.a, self.b)
        if veth.relayed:
            return
        try:
            _check_nothing_is_lost(old)
        except Wrong as wrong:
            raise as_usage(wrong) from None
        link = replaced(veth, relayed=True)
        parts: list[Part] = [link if part is veth else part for part in parts_of(plan) if part not in old]
        parts += [replaced(op, mechanism="relay") for op in old]
        become(self._lab, plan, replaced(plan, operations=Operations(in_order(parts))), same=True)

    @until_first
    def reset(self) -> LabChange:
        """Makes it a plain wire again, and ends what `schedule` and `replay` began. Raises as `set`.

        One that was relayed stays so, and lets all pass.
        """
        self.stop()
        return self._become(self._lab.plan, [Impairment(), Impairment()], None)

    def _become(self, plan: Plan, wanted: Sequence[Impairment], asked: str | None) -> LabChange:
        """Where the settings are those that it has already, a schedule may have changed them."""
        made = become(self._lab, plan, changed_plan(self._lab, (self.a, self.b), plan, wanted, asked), same=True)
        for end in (self.a, self.b) if _veth(self._lab.plan, self.a, self.b).relayed else ():
            self._lab.control.ask(SetAgain(*end))
        return made


def wanted_now(plan: Plan, ends: tuple[Place, Place]) -> tuple[Impairment, Impairment]:
    """What a plan asks of both directions of a link, each from the end where it begins."""
    found = {(op.node, op.interface): from_words(op.settings) for op in _of_plan(plan, *ends)}
    return found.get(ends[0], Impairment()), found.get(ends[1], Impairment())


def changed_plan(
    lab: "Lab", ends: tuple[Place, Place], plan: Plan, wanted: Sequence[Impairment], asked: str | None = None
) -> Plan:
    """A plan in which a link does this. Raises Wrong."""
    veth = _veth(plan, *ends)
    chosen = choose_for_link(wanted, kernel_of(lab.control), asked, veth.relayed)
    made = []
    for (near, far), direction, mechanism in zip((ends, ends[::-1]), wanted, chosen, strict=True):
        if mechanism:
            made.append(Impair(*near, *far, mechanism, direction.words, veth.source))
    link = replaced(veth, relayed=veth.relayed or "relay" in chosen)
    old = _of_plan(plan, *ends)
    if link.relayed and not veth.relayed:
        _check_nothing_is_lost([op for op in old if op in made])
    kept: list[Part] = [link if part is veth else part for part in parts_of(plan) if part not in old]
    return replaced(plan, operations=Operations(in_order([*kept, *made])))


def _check_nothing_is_lost(kept: Sequence[Impair]) -> None:
    """For a link that becomes a relayed one: an end that is made anew has none of the kernel's queues. Raises Wrong."""
    for wanted in (from_words(op.settings) for op in kept):
        if wanted.queue.kind in KERNELS_QUEUES:
            text = f"queue={wanted.queue.kind} is the kernel's, and would not survive that the link becomes a relayed one"
            raise Wrong(text, "codel() and red(...) do; or take the queue away first, and set it again afterwards")


def changed(before: Impairment, settings: Mapping[str, object]) -> Impairment:
    """Settings with some that are others now; None takes one away. Raises Wrong."""
    named = {name: getattr(before, name) for name in before.__match_args__}
    read = read_impairment({**_texts(before), **{name: value for name, value in settings.items() if value is not None}})
    gone = {name for name, value in settings.items() if value is None}
    if unknown := gone - named.keys():
        raise Wrong(f"a link has no setting {min(unknown)!r}", near_or_all(min(unknown), list(named)))
    return from_words(word for word in read.words if word.partition(" ")[0] not in gone)


def find(lab: "Lab", *which: str) -> RunningLink:
    """A link by its name in the description, or by both ends (NODE or NODE:INTERFACE). Raises LabError."""
    veths = [op for op in lab.inventory.of_type(AddVeth) if lab.inventory.outside not in (op.node, op.peer_node)]
    if len(which) == 1 and isinstance(which[0], str):
        named = [op for op in veths if op.name == which[0]]
        if not named:
            known = [op.name for op in veths if op.name]
            raise LabError(f"{lab.plan.name} has no link {which[0]!r}; {near_or_all(which[0], known, 'its links are called')}")
        near, far = ends(named[0])
        return RunningLink(lab, near, far)
    if len(which) != 2 or not all(isinstance(word, str) for word in which):
        raise LabError('a link is named by one word, or by both ends: link("wire"), link("h1", "s1")')
    ways = [way for op in veths for way in (ends(op), ends(op)[::-1])]
    pairs = [(near, far) for near, far in ways if is_named(which[0], near) and is_named(which[1], far)]
    if len(pairs) == 1:
        return RunningLink(lab, *pairs[0])
    if not pairs:
        raise LabError(_no_link(lab, *which))
    choices = ", ".join(f"{':'.join(near)} {':'.join(far)}" for near, far in pairs)
    raise LabError(f"there are several links between {which[0]} and {which[1]}; say which: {choices}")


def directions(lab: "Lab") -> list[Direction]:
    """All directions that do something, in the order of the description."""
    counted = {(d.node, d.interface): d for d in lab.control.ask(ReadRelay())}
    queues = {(q.node, q.interface): q for q in lab.queues() if q.kind in _COUNTED_BY_KERNEL}
    found = []
    for op in lab.inventory.of_type(Impair):
        place = op.node, op.interface
        counters = None
        if op.mechanism == "relay" and place in counted:
            counters = _of_relay(counted[place].counters)
        elif op.mechanism in _COUNTED_BY_KERNEL and place in queues:
            counters = _of_kernel(queues[place])
        found.append(Direction(*place, op.peer_node, op.peer_interface, from_words(op.settings), op.mechanism, counters))
    return found


def _of_relay(counted: Mapping[str, int]) -> LinkCounters:
    if not counted:
        return LinkCounters()
    names = set(LinkCounters.__match_args__) - {"waiting", "overload"}
    same = {name: counted[name] for name in names}
    return LinkCounters(**same, waiting=counted["held"], overload=counted["overload"] + counted["unsent"])


def _of_kernel(queue: "QueueState") -> LinkCounters:
    """A qdisc counts what it loses and what it has no room for together."""
    received = queue.sent_packets + queue.dropped + queue.waiting
    return LinkCounters(received=received, sent=queue.sent_packets, dropped=queue.dropped, waiting=queue.waiting)


def _plain_unless(lab: "Lab", found: Sequence[Direction], near: Place, far: Place) -> Direction:
    """A wire where nothing is asked; one that was relayed once counts what it lets pass, or what a schedule does."""
    for direction in found:
        if (direction.node, direction.interface) == near:
            return direction
    counted = (one.counters for one in lab.control.ask(ReadRelay()) if (one.node, one.interface) == near)
    return Direction(*near, *far, Impairment(), "", next(map(_of_relay, counted), None))


def _of_plan(plan: Plan, a: Place, b: Place) -> list[Impair]:
    return [op for op in parts_of(plan) if isinstance(op, Impair) and (op.node, op.interface) in (a, b)]


def _veth(plan: Plan, a: Place, b: Place) -> AddVeth:
    veths = (op for op in parts_of(plan) if isinstance(op, AddVeth))
    found = next((op for op in veths if set(ends(op)) == {a, b}), None)
    if found is None:
        raise LabError(f"there is no link between {':'.join(a)} and {':'.join(b)} any more")
    return found


def preset_for(name: str | None, side: str) -> Mapping[str, object]:
    if name is None:
        return {}
    known = presets()
    if not isinstance(name, str) or name not in known:
        raise Wrong(f"preset={quoted(name)} is not known", near_or_all(name, known, "there are"))
    return known[name].up if side == "up" else known[name].down


def _texts(before: Impairment) -> dict[str, object]:
    """The settings as `read_impairment` takes them."""
    pairs = (word.partition(" ")[::2] for word in before.words)
    return {name: int(text) if name == "seed" else text for name, text in pairs}


def is_named(word: str, place: Place) -> bool:
    return word in (place[0], ":".join(place))


def _no_link(lab: "Lab", a: str, b: str) -> str:
    nodes = {word.partition(":")[0] for word in (a, b)}
    for op in lab.inventory.links:
        if not isinstance(op, AddVeth) and {op.node, op.peer_node} == nodes:
            return f"{a} and {b} are joined by a tunnel, which does nothing to packets itself: name a link below it"
    return f"the description has no link between {a} and {b}"


def with_what_is_set(new: Plan, current: Plan) -> Plan:
    """A plan in which links that both have do to packets what they do now; so does one that is plugged in elsewhere."""
    if not as_parts(current).has(_is_more_than_a_wire) and not as_parts(new).has(_is_more_than_a_wire):
        return new
    now, wanted = _by_link(current), _by_link(new)
    now |= _moved(now, wanted)
    now = {link: (relayed, _without_others(impaired, new.nodes)) for link, (relayed, impaired) in now.items()}
    changed = {link for link in now if link in wanted and now[link] != wanted[link]}
    if not changed:
        return new
    parts: list[Part] = []
    for part in parts_of(new):
        if isinstance(part, AddVeth) and (link := frozenset(ends(part))) in changed:
            relayed, impaired = now[link]
            parts += [replaced(part, relayed=relayed), *impaired]
        elif not (isinstance(part, Impair) and _link_of(part) in changed):
            parts.append(part)
    return replaced(new, operations=Operations(in_order(parts)))


def _is_more_than_a_wire(part: Part) -> bool:
    return isinstance(part, Impair) or (isinstance(part, AddVeth) and part.relayed)


def _moved(now: _Doing, wanted: _Doing) -> _Doing:
    """What links do that have one end where it was, and the other at a place that is new."""
    found: _Doing = {}
    gone = now.keys() - wanted.keys()
    for link in wanted.keys() - now.keys():
        before = [old for old in gone if len(old & link) == 1]
        if len(before) == 1:
            (old,), (new,) = before[0] - link, link - before[0]
            relayed, impaired = now[before[0]]
            found[link] = relayed, tuple(_plugged(op, old, new) for op in impaired)
    return found


def _plugged(op: Impair, old: Place, new: Place) -> Impair:
    if (op.node, op.interface) == old:
        return replaced(op, node=new[0], interface=new[1])
    return replaced(op, peer_node=new[0], peer_interface=new[1])


def _without_others(impaired: tuple[Impair, ...], nodes: Collection[str]) -> tuple[Impair, ...]:
    """Without what is done to packets towards nodes that are no more."""
    found = []
    for op in impaired:
        wanted = from_words(op.settings)
        kept = tuple((node, what) for node, what in wanted.towards if node in nodes)
        op = op if kept == wanted.towards else replaced(op, settings=replaced(wanted, towards=kept).words)
        found += [op] if op.settings else []
    return tuple(found)


def impair_like(part: Link, lab: "Lab", a: Place, b: Place) -> None:
    """Writes down in a description's link what it does to packets now, where that is not what it says."""
    found = {(op.node, op.interface): op for op in _of_plan(lab.plan, a, b)}
    now = [(op.mechanism, op.settings) if (op := found.get(place)) else None for place in (a, b)]
    if _does(part, lab) == now:
        return
    for name in IMPAIRING:
        setattr(part, name, None)
    both = [_texts(from_words(direction[1])) if direction else {} for direction in now]
    common = {name: value for name, value in both[0].items() if both[1].get(name) == value and name in SETTINGS}
    for name, value in common.items():
        setattr(part, name, value)
    for side, own in zip(("a_to_b", "b_to_a"), both, strict=True):
        if own != common:
            setattr(part, side, {name: value for name, value in own.items() if name not in common})
    mechanisms = [direction[0] for direction in now if direction]
    if _does(part, lab) != now and mechanisms:
        part.mechanism = mechanisms[0]


def _does(part: Link, lab: "Lab") -> list[tuple[str, tuple[str, ...]] | None]:
    """What a description's link would do in both directions."""
    if all(getattr(part, name) is None for name in IMPAIRING):
        return [None, None]
    found = read_directions(part, lab.nodes, lambda: kernel_of(lab.control), Problems())
    return [(direction.mechanism, direction.settings) if direction else None for direction in found]


def _by_link(plan: Plan) -> _Doing:
    """For each link whether it is relayed, and what it does to packets, by its ends."""
    veths = [part for part in parts_of(plan) if isinstance(part, AddVeth)]
    impaired: dict[frozenset[Place], list[Impair]] = {}
    for part in parts_of(plan):
        if isinstance(part, Impair):
            impaired.setdefault(_link_of(part), []).append(part)
    return {link: (veth.relayed, tuple(impaired.get(link, ()))) for veth in veths if (link := frozenset(ends(veth)))}


def _link_of(part: Impair) -> frozenset[Place]:
    return frozenset(((part.node, part.interface), (part.peer_node, part.peer_interface)))
