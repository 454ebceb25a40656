"""What has been compiled of a description, and what the others had before, put together."""

from collections.abc import Iterable

from pynetemu.plan.again.edge import Selection, Taken, Theirs
from pynetemu.plan.emit import Owner
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddMacvlan,
    AddNeighbors,
    Address,
    AddTunnel,
    AddVeth,
    AddWireGuard,
    Operations,
    Part,
    Plan,
)
from pynetemu.plan.standing import Others, Standing
from pynetemu.plan.table import ALL, Change, OperationTable, Row

_STANDING = {AddVeth, AddAddress, AddBridge, AddDevice, AddMacvlan, AddNeighbors, AddTunnel, AddWireGuard}
_Member = tuple[str, str, Address, str]  # node, interface, address, MAC address
_Known = tuple[int, str, str]  # IP version, node and interface


def standing_of(table: OperationTable, selection: Selection) -> Standing:
    """What a lab has already, without that of those who are left out, which is nobody else's."""
    theirs, taken = selection.theirs, selection.taken
    found: list[Part] = []
    for sort, row in zip(table.sorts, table.rows, strict=True):
        first = next(iter(row.values()), ())
        if not first or type(first[0]) not in _STANDING:
            continue
        if sort == "groups":
            found += [_without(group, taken.interfaces, theirs) for group in row[ALL] if isinstance(group, AddNeighbors)]
        elif sort == "rest":
            found += row[ALL]
        else:
            found += [part for owner in row if owner in selection.ours for part in row[owner]]
    others = Others(
        selection.weights,
        Theirs(selection.names, selection.omitted),
        Theirs(taken.interfaces, theirs),
        Theirs(taken.addresses, theirs),
        Theirs(taken.macs, theirs),
    )
    return Standing(Plan("", Operations(found)), others)


def _without(group: AddNeighbors, owners: dict[tuple[str, str], Owner], theirs: set[Owner]) -> AddNeighbors:
    return group.only(
        [n for n, place in enumerate(zip(group.nodes, group.interfaces, strict=True)) if owners.get(place) not in theirs]
    )


def merged(old: OperationTable, new: OperationTable, selection: Selection) -> tuple[OperationTable, list[list[Change]]] | None:
    """The table of the whole, and in each row whose operations differ; None where those that stand for others differ."""
    rows: list[Row] = []
    changes: list[list[Change]] = []
    order = _Order(selection)
    for sort, before, after in zip(old.sorts, old.rows, new.rows, strict=True):
        if sort == "nodes" or sort == "links":
            if any(before.get(owner) != after.get(owner) for owner in selection.standing):
                return None
            row, found = _merged_row(before, after, selection.ours)
            changes.append(found)
            rows.append(order.ordered(sort, row, [owner for owner, then, _ in found if not then]))
        elif sort == "groups":
            groups = _merged_groups(before[ALL], after[ALL], selection, _links_of(new), order)
            if groups is None:
                return None
            changes.append([(ALL, before[ALL], groups)] if before[ALL] != groups else [])
            rows.append({ALL: groups} if changes[-1] else before)
        else:
            changes.append([(ALL, before[ALL], _with_known(before[ALL], after[ALL]))] if before != after else [])
            rows.append({ALL: changes[-1][0][2]} if changes[-1] else before)
    return OperationTable(old.sorts, rows), changes


def _links_of(table: OperationTable) -> dict[tuple[str, str], Owner]:
    """Of which link an interface is an end."""
    taken = Taken()
    for row in table.rows_of(AddVeth):
        for owner, operations in row.items():
            taken.add(owner, operations)
    return taken.interfaces


def _merged_row(before: Row, after: Row, ours: set[Owner]) -> tuple[Row, list[Change]]:
    gone = [owner for owner in ours if owner in before and owner not in after]
    other = [owner for owner, operations in after.items() if before.get(owner) != operations]
    if not gone and not other:
        return before, []
    row = before.copy()
    changes: list[Change] = [(owner, row.pop(owner), ()) for owner in gone]
    for owner in other:
        now = _with_known(row.get(owner, ()), after[owner])
        changes.append((owner, row.get(owner, ()), now))
        row[owner] = now
    return row, changes


def _with_known(before: tuple[Part, ...], after: tuple[Part, ...]) -> tuple[Part, ...]:
    """The same operations; those that were there are the same objects."""
    known = {part: part for part in before}
    return tuple(known.get(part, part) for part in after) if known else after


class _Order:
    """Where nodes and links are in a description."""

    def __init__(self, selection: Selection) -> None:
        self._description = selection.said.description
        self._links: dict[Owner, int] = {}
        self._nodes: dict[Owner, int] = {}

    def _last(self, sort: str, count: int) -> list[Owner]:
        if sort == "nodes":
            return [node.declaration.full_name for node in self._description.nodes[-count:]]
        return [id(link.declaration) for link in self._description.links[-count:]]

    @property
    def links(self) -> dict[Owner, int]:
        if not self._links:
            self._links = {id(link.declaration): place for place, link in enumerate(self._description.links)}
        return self._links

    @property
    def nodes(self) -> dict[Owner, int]:
        if not self._nodes:
            self._nodes = {node.declaration.full_name: place for place, node in enumerate(self._description.nodes)}
        return self._nodes

    def ordered(self, sort: str, row: Row, new: list[Owner]) -> Row:
        """A row, to the end of which new owners have been added, in the order of the description. What belongs to the root's
        own outside comes with it: first of all links, and after the root."""
        if not new or new == self._last(sort, len(new)):
            return row
        places = self.nodes if sort == "nodes" else self.links
        keys = list(row)
        if all(key in places for key in keys):
            return {key: row[key] for key in sorted(keys, key=places.__getitem__)}
        place = -1.0
        found: dict[Owner, float] = {}
        for key in keys:
            place = float(places[key]) if key in places else (place + 0.5 if sort == "nodes" else -1.0)
            found[key] = place
        return {key: row[key] for key in sorted(keys, key=found.__getitem__)}


def _merged_groups(
    before: Iterable[Part],
    after: Iterable[Part],
    selection: Selection,
    links: dict[tuple[str, str], Owner],
    order: _Order,
) -> tuple[Part, ...] | None:
    """Those who know each other: with those left out, who are in the group of who stands for them."""
    old = [group for group in before if isinstance(group, AddNeighbors)]
    new = [group for group in after if isinstance(group, AddNeighbors)]
    if not old and not new:
        return ()
    owners, theirs = selection.taken.interfaces, selection.theirs
    group_of: dict[_Known, int] = {}
    omitted: list[list[_Member]] = []
    for number, group in enumerate(old):
        omitted.append([])
        for member in _members(group):
            group_of[member[2].version, member[0], member[1]] = number
            if owners.get(member[:2]) in theirs:
                omitted[number].append(member)
    standing = {key for key in group_of if owners.get(key[1:]) in selection.standing}
    found: list[Part] = []
    for group in new:
        members = [*_members(group)]
        keys = {(member[2].version, member[0], member[1]) for member in members}
        stand = {key for key in keys if owners.get(key[1:]) in selection.standing}
        if not stand <= standing:
            return None
        standing -= stand
        numbers = {group_of[key] for key in keys if key in group_of}
        more = [member for number in numbers for member in omitted[number]]
        if more and (len(numbers) > 1 or bool(old[min(numbers)].centers) is not bool(group.centers)):
            return None
        for number in numbers:
            omitted[number] = []
        made = _joined(group, members, more, selection, links, order) if more else group
        if made is None:
            return None
        found.append(next((known for number in numbers if (known := old[number]) == made), made))
    if standing or any(omitted):
        return None
    return tuple(found)


def _joined(
    group: AddNeighbors,
    members: list[_Member],
    more: list[_Member],
    selection: Selection,
    links: dict[tuple[str, str], Owner],
    order: _Order,
) -> AddNeighbors | None:
    """In the order of their links."""
    centers = {members[place] for place in group.centers}
    together: list[tuple[int, _Member]] = []
    for member in (*members, *more):
        owner = links.get(member[:2]) or selection.taken.interfaces.get(member[:2], "")
        place = order.links.get(owner, -1)
        if place < 0:
            return None
        together.append((place, member))
    together.sort(key=lambda found: found[0])
    sorted_members = [member for _, member in together]
    nodes, interfaces, addresses, macs = zip(*sorted_members, strict=True)
    found = tuple(place for place, member in enumerate(sorted_members) if member in centers)
    return AddNeighbors(nodes, interfaces, addresses, macs, found, group.source)


def _members(group: AddNeighbors) -> Iterable[_Member]:
    return zip(group.nodes, group.interfaces, group.addresses, group.macs, strict=True)
