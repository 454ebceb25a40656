"""Lines that are refused, each with all that is told: nothing of them needs a kernel."""

from collections.abc import Iterator

import pytest

from pynetemu import Network, Shell
from pynetemu.testing import FakeEngine
from topologies.bridge import Bridge

pytestmark = pytest.mark.pure

_ALIAS = "alias: say a name and a line: alias p = pingall -c 3"
_KILL = "kill: say which job: kill [-SIGNAL] %1"
_DIFF = "trace: --diff compares two traces of a line; it goes with neither --live, --until-drop nor --verbose"
_BACKGROUND = "capture: in the background it needs a file (-w x.pcapng), and no --count or --during"
_ADD = "usage: add host|router|switch|hub|link NAME [NODES ...]"

_LINES = [
    ("alias x", _ALIAS),
    ("alias x=", _ALIAS),
    ("alias x|y = nodes", _ALIAS),
    ("alias blue = nodes", "alias: blue is a node"),
    ("unalias x", "unalias: there is no alias 'x'"),
    ("set x", "set: 'x' is not -e or +e"),
    ("set", "set: '' is not -e or +e"),
    ("kill", _KILL),
    ("kill -9", _KILL),
    ("trace --diff --live blue true", _DIFF),
    ("trace --diff --until-drop blue true", _DIFF),
    ("trace --diff -v blue true", _DIFF),
    ("trace blue true &", "trace: it runs a line in the foreground; for what goes on in the background: trace --live"),
    ("pingall -t 0", "the timeout is more than 0 s"),
    ("pingall -4 -6", "say --ipv4 or --ipv6, or neither, not both"),
    ("iperf blue blue", "say two different nodes, not blue twice"),
    ("capture x.pcapng", "capture: 'x.pcapng' is a file: capture -w x.pcapng ... writes it"),
    ("capture --tshark --wireshark", "capture: one of --write, --tshark and --wireshark at a time"),
    ("capture &", _BACKGROUND),
    ("capture -w x.pcapng -c 2 &", _BACKGROUND),
    ("capture -w x.pcapng --during 'blue true' &", _BACKGROUND),
    ("add link h9", "add: a link has two ends: add link h1 s1"),
    ("add host", f"add: it needs NAME\n    {_ADD}"),
    ("add", f"add: it needs host|router|switch|hub|link and NAME\n    {_ADD}"),
    ("remove", "remove: say what: a node, or h1-s1 for the link between two"),
    ("reload --dry-run --fresh", "reload: --dry-run or --fresh, not both"),
    ("impair blue", "impair: name both ends of a link, as in: impair h1 s1 delay=20ms"),
    ("impair blue s1 delay", "impair: 'delay' is not a setting: write NAME=VALUE, as in loss=1%, or off alone"),
    ("impair blue s1 off loss=1%", "impair: 'off' is not a setting: write NAME=VALUE, as in loss=1%, or off alone"),
    ("impair blue s1 --one-way mechanism=relay", "impair: mechanism applies to both directions: leave --one-way out"),
    ("plan --as-shell --json", "plan: --as-shell or --json, not both"),
    ("save lab.xyz", "save: lab.xyz: its name ends in .py, .json, .sh, .txt, .svg, .png, .dot or .mmd"),
    ("| cat", "there is no command before `|`"),
    ("&& nodes", "there is no command before `&&`"),
    ("nodes &&", "there is no command after `&&`"),
    ("nodes &", "nodes: `&` is for commands in nodes; this one runs in the foreground only"),
    ("blue sniff icmp &", "sniff: `&` is for programs in nodes; this runs in the foreground only"),
    ("blue,green", "blue,green: say what to run in these 2 nodes: blue,green ip addr"),
    ("watch", "watch: it needs LINE\n    usage: watch [--interval TIME] [--times N] LINE"),
    ("switch s1 sideways", "switch: 'sideways' is not start or stop\n    usage: switch SWITCH start|stop"),
    ("link blue", "link: it needs B and up|down\n    usage: link A B up|down"),
    ("move blue", "move: it needs OLD and TO\n    usage: move NODE OLD TO"),
    ("undo 3", "undo: one word too many: '3'\n    usage: undo"),
    ("save", "save: it needs FILE\n    usage: save FILE [--force]"),
]


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with Network(Bridge(), sandbox=FakeEngine()) as net:
        yield Shell(net)


@pytest.mark.parametrize(("line", "told"), _LINES, ids=[line for line, _ in _LINES])
def test_what_is_wrong_is_told_with_what_is_allowed(
    shell: Shell, line: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert shell.run_line(line) == 2
    assert capfd.readouterr() == ("", f"pynetemu: {told}\n")
