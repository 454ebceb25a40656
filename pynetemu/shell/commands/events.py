"""What happens in the lab, as it happens."""

import json as json_module
import sys
import time

from pynetemu.lab.events import LabEvent
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
        print("telling what happens; Ctrl-C ends", file=sys.stderr)
        try:
            for event in heard:
                print(json_module.dumps(event.as_data()) if json else _line(event), flush=True)
                left = None if left is None else left - 1
                if left == 0:
                    break
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0


def _line(event: LabEvent) -> str:
    """12:01:07.123  h1 eth0 is down"""
    return f"{time.strftime('%H:%M:%S', time.localtime(event.time))}.{int(event.time * 1000) % 1000:03}  {event}"
