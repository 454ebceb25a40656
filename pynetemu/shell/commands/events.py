"""What happens in the lab, as it happens, and what has become of it."""

import json as json_module
import sys
import time
from dataclasses import asdict, dataclass

from pynetemu.lab.drift import Difference
from pynetemu.lab.events import LabEvent
from pynetemu.shell.answers import Answer
from pynetemu.shell.argument_types import Count, NodeNames, Seconds
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell


@command
def events(
    shell: Shell, *nodes: NodeNames, json: bool = False, count: Count | None = None, quiet_for: Seconds | None = None
) -> int:
    """tells what happens in the nodes, until Ctrl-C

    events                     of the whole lab: links, addresses, routes, rules, neighbors, processes, services, changes
    events h1,r1 --count 3

    --json           each as an object of JSON, a line
    -c, --count      ends after so many
    -q, --quiet-for  ends when nothing has happened for so long
    """
    chosen = shell.chosen(nodes) if nodes else ()
    left = count
    with shell.network.events(*chosen, timeout=quiet_for) as heard:
        print("showing what happens; Ctrl-C ends", file=sys.stderr)
        try:
            for event in heard:
                print(json_module.dumps(event.as_data()) if json else _line(event), flush=True)
                left = None if left is None else left - 1
                if left == 0:
                    break
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0


@dataclass(frozen=True, slots=True)
class Differences(Answer):
    """As lines of the shell; the status is 1 when there are any, as diff(1)'s."""

    found: list[Difference]
    status: int = 0

    def text(self, _: bool) -> str:
        return "\n".join(map(str, self.found)) or "all is as described"

    def data(self) -> object:
        return [asdict(difference) for difference in self.found]


@command
def diff(shell: Shell, *nodes: NodeNames) -> Differences:
    """lists how the nodes differ from the description

    As commands that make the one from the other: typed into a new lab, they make it what this one is. What no single command
    makes is a comment. The status is 1 when there is a difference.
    """
    found = shell.network.differences(*(shell.chosen(nodes) if nodes else ()))
    return Differences(found, int(bool(found)))


def _line(event: LabEvent) -> str:
    """12:01:07.123  h1 eth0 is down"""
    return f"{time.strftime('%H:%M:%S', time.localtime(event.time))}.{int(event.time * 1000) % 1000:03}  {event}"
