"""What a Tab offers, and which colors a line has, over a network that nobody has built."""

import os
from pathlib import Path

import pytest

from pynetemu import Host, Network, Shell, Switch, Topology
from pynetemu.shell.prompt.completion import completions
from pynetemu.shell.prompt.highlight import highlighted

pytestmark = pytest.mark.pure


class Some(Topology):
    s1 = Switch()
    h1 = Host()
    h2 = Host()


@pytest.fixture
def shell() -> Shell:
    return Shell(Network(Some()))


def _texts(before: str, shell: Shell) -> list[str]:
    return [found.text for found in completions(before, shell)]


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ("h", ["h1", "h2", "help", "history"]),
        ("pingp", ["pingpair", "pingpairfull"]),
        ("h1,h", ["h1,h1", "h1,h2"]),
        ("link h1 s", ["s1"]),
        ("link h1 s1 ", ["up", "down"]),
        ("link h1 s1 d", ["down"]),
        ("pingall --co", ["--count"]),
        ("pingall -c ", []),
        ("pingall -c 3 h", ["h1", "h2"]),
        ("pingall h1 h", ["h1", "h2"]),
        ("pingall --count=3 h", ["h1", "h2"]),
        ("pingall -c3 h", ["h1", "h2"]),
        ("pingall --json h", ["h1", "h2"]),
        ("time pingp", ["pingpair", "pingpairfull"]),
        ("time link h1 s1 u", ["up"]),
        ("watch -n 2 lin", ["link", "links"]),
        ("help whi", []),
        ("help pingp", ["pingpair", "pingpairfull"]),
        ("kill -I", []),
        ("h1 ping h", ["h1", "h2"]),
        ("h1 curl http://h2", ["h2"]),
        ("h1 ssh me@s", ["s1"]),
        ("nodes 'h", []),
        ("nosuch h", []),
        ("plan h", []),
        ("nodes; pingp", ["pingpair", "pingpairfull"]),
        ("nodes && link h1 s1 d", ["down"]),
        ("h1 ip ro", ["route"]),
        ("h1 ip -4 route g", ["get"]),
        ("h1 ip -j a", ["addr"]),
        ("h1 true | ip a s", ["show", "save", "s1"]),
        ("h1 bridge ", ["link", "fdb", "mdb", "vlan", "vni", "monitor"]),
        ("h1 tc q", ["qdisc"]),
        ("h1 nft add ta", ["table"]),
        ("h1 nft add table in", ["inet"]),
        ("h1 ss state li", ["listening"]),
        ("h1 ip route add default v", ["via"]),
    ],
)
def test_a_tab_offers_what_can_stand_there(before: str, offered: list[str], shell: Shell) -> None:
    assert _texts(before, shell) == offered


def test_programs_and_files_of_a_node(shell: Shell, tmp_path: Path) -> None:
    assert "ping" in _texts("h1 pin", shell)
    assert "ping" in _texts("h* pin", shell)
    assert "wc" in _texts("h1 ip addr | w", shell)
    (tmp_path / "captures").mkdir()
    (tmp_path / "cap.txt").touch()
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        assert _texts("h1 cat ca", shell) == ["cap.txt", "captures/"]
        assert _texts("source ca", shell) == ["cap.txt", "captures/"]
        assert _texts("cd ca", shell) == ["captures/"]
        assert _texts(f"h1 ls {tmp_path}/captu", shell) == [f"{tmp_path}/captures/"]
    finally:
        os.chdir(before)


def test_aliases_complete_as_their_lines_do(shell: Shell) -> None:
    shell.aliases["l"] = "link h1"
    assert _texts("l s", shell) == ["s1"]
    assert "l" in _texts("", shell)


def test_what_is_offered_replaces_what_was_typed(shell: Shell) -> None:
    (found,) = completions("h1 curl http://h2", shell)
    assert (found.text, found.length) == ("h2", 2)


@pytest.mark.parametrize(
    ("line", "styles"),
    [
        ("h1 ping h2", [("node", "h1"), ("program", "ping"), ("name", "h2")]),
        ("h3 ping h2", [("unknown", "h3"), ("name", "h2")]),
        ("h", []),
        ("xq", [("unknown", "xq")]),
        ("h* ls -l", [("node", "h*"), ("program", "ls"), ("option", "-l")]),
        ("x* ls", [("unknown", "x*")]),
        ("h1 nosuchprogram x", [("node", "h1"), ("unknown", "nosuchprogram")]),
        ("h1 ls | wc 'a b'", [("node", "h1"), ("program", "ls"), ("operator", "|"), ("program", "wc"), ("string", "'a b'")]),
        ("h1 curl http://h2:80/", [("node", "h1"), ("program", "curl"), ("name", "h2")]),
        ("pingall -c 3 h1", [("command", "pingall"), ("option", "-c"), ("name", "h1")]),
        ("pingall --nosuch", [("command", "pingall"), ("unknown", "--nosuch")]),
        ("time h1 ls", [("command", "time"), ("node", "h1"), ("program", "ls")]),
        ("# a comment", [("comment", "# a comment")]),
        ("!ls", [("operator", "!")]),
        ("h1 echo 'open", [("node", "h1"), ("program", "echo"), ("string", "'open")]),
    ],
)
def test_colors_say_what_words_are(line: str, styles: list[tuple[str, str]], shell: Shell) -> None:
    found = highlighted(line, shell)
    assert "".join(text for _, text in found) == line
    assert [(style, text) for style, text in found if style and text] == styles
