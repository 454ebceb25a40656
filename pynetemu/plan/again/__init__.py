"""A plan of a description that is nearly the one before: what is compiled is what differs, and what that may change for others.

Most nodes of large labs are hosts at the edge, and many of them are alike in all that others see of them: they are at the same
switch, in the same networks, by links that say the same (`edge`). Of those that say what they said before one is compiled and
stands for all, with its weight: where the number of interfaces, members or entries counts, it counts as many. If what comes out
for it is what it has already, so it is for the others, which keep their operations (`merge`). If not, or if something is wrong,
or depends on what was left out, all of the description is compiled.

What results is the plan that compiling the whole would give, operation for operation.
"""

from collections.abc import Callable
from itertools import chain

from pynetemu.errors import DescriptionError
from pynetemu.plan.again.edge import Edge
from pynetemu.plan.again.merge import merged, standing_of
from pynetemu.plan.again.said import Said
from pynetemu.plan.compile import compiled
from pynetemu.plan.no_gc import no_collection
from pynetemu.plan.operations import Operations, Plan, as_parts
from pynetemu.plan.operations.values import Kernel
from pynetemu.plan.standing import LeftOutError, Standing
from pynetemu.plan.table import OperationTable, splices_between
from pynetemu.topology.description import describe
from pynetemu.topology.memo import Memo
from pynetemu.topology.part import Part, one_folder
from pynetemu.topology.topology import Topology

FEW = 50  # nodes: compiling all takes no longer
_KEPT = 2  # plans: the one that a lab is, and one that was only asked for


class Memory(Memo):
    """What is known of a lab's description, and of the last plans that were made of it."""

    def __init__(self) -> None:
        super().__init__()
        self._known: list[_Known] = []

    def forget(self) -> None:
        super().forget()
        self._known = []

    def known(self, running: Plan | None) -> "_Known | None":
        """What a plan was made of, if it was made here."""
        return next((known for known in self._known if known.plan is running), None)

    def between(self, old: Plan, new: Plan) -> tuple[list[Part], list[Part]] | None:
        """The parts that are new or say something else, and those that have gone; None where that is not known."""
        before, after = self.known(old), self.known(new)
        if before is None or after is None or not after.said.is_compared_with(before.said):
            return None
        return after.said.differing(before.said), after.said.gone(before.said)

    def keep(self, known: "_Known") -> None:
        self._known = [*self._known[1 - _KEPT :], known]


class _Known:
    """A plan, the description that it was made of, and what is known of both."""

    def __init__(self, plan: Plan, table: OperationTable, said: Said, edge: Edge | None) -> None:
        self.plan, self.table, self.said = plan, table, said
        self._edge = edge

    @property
    def edge(self) -> Edge:
        """Found out when it is first asked for."""
        if self._edge is None:
            self._edge = Edge.of(self.said, self.table)
        return self._edge

    def take_edge(self) -> Edge:
        """The same, for what it has become: this plan will not be changed again, as a rule."""
        edge, self._edge = self.edge, None
        return edge


def compile_again(
    topology: Topology | type[Topology], host: bool, kernel: Callable[[], Kernel], running: Plan | None, memory: Memory | None
) -> Plan:
    """As `plan.compile.compile_plan`, faster where the memory knows what most of the parts say, or made the running plan."""
    with no_collection(), one_folder():
        if memory is not None:
            memory.begin()
        description = describe(topology() if isinstance(topology, type) else topology)
        if memory is None or len(description.nodes) < FEW:
            return compiled(description, host, kernel, Standing(running), memory)[0]
        before = memory.known(running)
        said = Said(description, None if before is None else before.said)
        found = before and _changed(before, said, host, kernel)
        if found is None:
            plan, table = compiled(description, host, kernel, Standing(running), memory, tabled=True)
            assert table
            found = _Known(plan, table, said, None)
        memory.keep(found)
        return found.plan


def _changed(before: _Known, said: Said, host: bool, kernel: Callable[[], Kernel]) -> _Known | None:
    """What becomes of a plan where what stays the same stands aside; None where all has to be compiled."""
    if host is not before.plan.host or not said.follows(before.said):
        return None
    selection = before.edge.selection(said, before.said)
    if selection is None:
        return None
    try:
        plan, table = compiled(selection.description, host, kernel, standing_of(before.table, selection), None, tabled=True)
    except (LeftOutError, DescriptionError):
        return None  # which is told of the whole
    together = table and merged(before.table, table, selection)
    if not together:
        return None
    whole, changes = together
    operations = Operations(as_parts(before.plan).spliced(splices_between(before.table, whole, changes)))
    plan = Plan(plan.name, operations, plan.host, plan.host_address, plan.warnings, plan.ids)
    edge = before.take_edge()
    edge.become(selection, [*chain(*changes)], whole)
    return _Known(plan, whole, said, edge)
