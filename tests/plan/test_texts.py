"""Plans for people and as shell commands; and which word was meant."""

import shlex
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from pynetemu import Host, HttpServer, Link, Root, Switch, Topology
from pynetemu.plan.as_shell import as_shell, command
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddHttpServer,
    AddNode,
    AddRoute,
    AddVeth,
    Operation,
    SetMaster,
    SetUp,
)
from pynetemu.plan.text import as_text
from pynetemu.wording import counted, near_or_all, nearest, shortened


class Lab(Topology):
    root = Root(address="192.168.0.194/24")
    s1 = Switch()
    h1 = Host(default_via="10.0.0.1")
    up = Link(root.interface("r", "10.0.0.1/24", "fd00::1/64"), s1)
    down = Link(h1.interface("e", "10.0.0.2/24"), s1)
    web = HttpServer(h1, port=80)


def test_the_plan_for_people() -> None:
    assert as_text(compile_plan(Lab)) == (
        "Lab: 3 nodes, 2 links\n\n"
        "root (the lab's machine)\n"
        "  eth0  192.168.0.194/24        known as host\n"
        "  r     10.0.0.1/24 fd00::1/64  to s1 root\n\n"
        "s1 (switch)\n"
        "  root    to root r\n"
        "  h1      to h1 e\n\n"
        "h1 (host)\n"
        "  e        10.0.0.2/24    to s1 h1\n"
        "  default  via 10.0.0.1   root\n"
        "  web      http://h1:80/\n"
    )


def test_the_plan_for_people_on_the_machine_itself() -> None:
    text = as_text(compile_plan(Lab, host=True))
    assert "root (this machine)\n" in text
    assert "192.168.0.194" not in text


def test_the_script_says_how_to_undo_it_and_is_good_sh() -> None:
    script = as_shell(compile_plan(Lab))
    assert script.startswith("#!/bin/sh\n# Lab as ip commands, to run as root.")
    assert "# Undo: for node in outside s1 h1; do ip netns delete $node; done\nset -eu\n" in script
    for line in script.splitlines():
        assert line.startswith(("#", "ip ", "set ")) or not line


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (AddNode("b", "host"), "ip netns add b"),
        (AddBridge("s", "br0"), "ip -n s link add name br0 type bridge mcast_snooping 0"),
        (SetMaster("s", "h1", "br0"), "ip -n s link set dev h1 master br0"),
        (SetUp("b", "e"), "ip -n b link set dev e up"),
        (SetUp("r", "e"), "ip link set dev e up"),
        (SetUp("b", "a;b$c"), "ip -n b link set dev 'a;b$c' up"),
        (AddAddress("b", "e", ip_interface("10.0.0.1/24")), "ip -n b addr add 10.0.0.1/24 brd + dev e"),
        (AddAddress("b", "e", ip_interface("fd00::1/64")), "ip -n b addr add fd00::1/64 dev e nodad"),
        (AddRoute("b", ip_network("0.0.0.0/0"), ip_address("10.0.0.1")), "ip -n b route add default via 10.0.0.1"),
        (AddRoute("b", ip_network("::/0"), ip_address("fd00::1")), "ip -n b route add default via fd00::1"),
        (AddRoute("b", ip_network("10.2.0.0/16"), ip_address("10.0.0.1")), "ip -n b route add 10.2.0.0/16 via 10.0.0.1"),
        (AddHttpServer("b", "w", 80), 'ip netns exec b python3 -m http.server 80 --directory "$(mktemp -d)"'),
        (AddVeth("b", "x", "M", "b", "y", "N"), "ip -n b link add name x address M type veth peer name y address N"),
        (AddVeth("r", "x", "M", "b", "y", "N"), "ip link add name x address M type veth peer name y address N netns b"),
        (AddVeth("b", "x", "M", "r", "y", "N"), "ip link add name y address N type veth peer name x address M netns b"),
        (AddVeth("b", "x", "M", "c", "y", "N"), "ip -n b link add name x address M type veth peer name y address N netns c"),
        (AddVeth("r", "x", "M", "r", "y", "N"), "ip link add name x address M type veth peer name y address N"),
    ],
)
def test_every_operation_is_a_command(operation: Operation, text: str) -> None:
    assert command(operation, "r") == text
    assert shlex.split(text)


@pytest.mark.parametrize(
    ("word", "found"), [("bleu", "blue"), ("BLUE", "blue"), ("rot", "Root"), ("xyz", None), ("", None), ("bluee", "blue")]
)
def test_the_nearest_word(word: str, found: str | None) -> None:
    assert nearest(word, ["blue", "Root", "green"]) == found


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("bleu", ["blue", "root"], "did you mean 'blue'?"),
        ("xyz", ["blue", "root"], "it has blue, root"),
        ("xyz", [f"h{number}" for number in range(20)], "it has h0, h1, h2, h3, h4, h5, h6 and 13 more"),
        ("xyz", [], "it has none"),
    ],
)
def test_a_hint_names_what_is_near_or_what_there_is(word: str, known: list[str], hint: str) -> None:
    assert near_or_all(word, known) == hint


def test_numbers_and_lists_in_messages() -> None:
    assert [counted(number, "packet") for number in (0, 1, 2)] == ["0 packets", "1 packet", "2 packets"]
    assert shortened(["a", "b", "c"], 3) == "a, b, c"
    assert shortened(["a", "b", "c", "d"], 3) == "a, b and 2 more"
