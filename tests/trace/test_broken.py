"""Thirty labs that are broken: `trace` names each fault, and what it proposes mends it."""

import re

import pytest

from tests.support.pynetemu import CLONE, pynetemu
from tests.support.turns import shared

pytestmark = pytest.mark.slow

_BROKEN = CLONE / "topologies" / "broken"
_FAULTS = {
    "no_default_route": "blue sent nothing: no route in blue to 10.0.2.2 (web)",
    "no_forwarding": "middle is no router: it is not 10.0.2.2 (web), and net.ipv4.ip_forward is 0",
    "wrong_prefix": "blue has 10.0.1.2/16, so it takes 10.0.2.2 for a neighbor",
    "address_twice": "10.0.1.10 is taken twice: red and web both answer for it",
    "firewall": "dropped by nftables in r1: table inet filter, chain forward, rule 6",
    "mtu": "too big for r1 eth1: 1428 bytes, its MTU is 1280, and it must not be fragmented",
    "rp_filter": "dropped by the reverse-path filter of r2: 10.0.1.2 (blue) is not reachable back by eth0",
    "not_listening": "a program listens on port 8000 of 127.0.0.1 only",
    "blocked_port": "port s1 of s2 is disabled (spanning tree), and passes nothing on",
    "no_way_back": "web got it, but cannot answer: no route in web back to 10.0.1.2 (blue)",
    "policy_rule": "the routing table of r2 says blackhole for 10.0.2.2 (web): blackhole default table 66",
    "wrong_mac": "it is addressed to 02:00:00:00:00:77; no interface of the lab has this MAC address",
    "early_filter": "dropped by nftables in web: table netdev guard, chain c, rule 2",
    "no_arp": "web eth0 neither asks nor answers: ARP is off there",
    "tunnel_id": "r2 has no VXLAN interface of id 10 (VNI) on port 4789: vx has id 11 and port 4789",
    "nobody_joined": "no node accepted it: none has joined 239.1.1.1",
    "hanging_server": "web has sent nothing on the connection: blue gave up after",
    "short_queue": "the queue of r1 eth1 (tbf) was full",
    "ipv6_blackhole": "the routing table of r2 says blackhole for fd00:2::2 (web): blackhole fd00:2::2/128",
    "answering_address": "10.0.2.2 (web) answered from UDP port 7, and blue had asked port 7 of 10.0.2.9: it refused",
    "dead_next_hop": "nobody answers for 10.0.1.99: no interface of the lab has this address",
    "fragments": "dropped by nftables in r2: table ip6 guard, chain early, rule 2",
    "ipsec_policy": "blocked by an IPsec policy (XFRM) of web",
    "ipv6_loop": "hop limit expired in r2: it came with 1, and each router takes 1",
    "marked_packets": "the routing table of r2 says blackhole for 10.0.2.2 (web): blackhole 10.0.2.2/32 tos 0x10",
    "other_sources": "no program accepted it: web has joined 239.1.1.1 for other sources than 10.0.1.2",
    "own_tunnel_filter": "dropped by nftables in r1: table inet guard, chain out, rule 2",
    "rewritten_source": "no route in r2 to 10.99.0.9",
    "untranslated_answer": "r1 knows no connection of its port",
    "wrong_port": "s1 has 02:00:00:00:00:04 behind port red in its forwarding database, and web is behind port web",
}
# What the trace proposes is a command that mends these; the others need a person's choice.
_MENDED = {"no_default_route", "no_forwarding", "firewall", "rp_filter", "blocked_port", "no_way_back"}
_MENDED |= {"policy_rule", "early_filter", "no_arp", "ipv6_blackhole", "wrong_port"}
_MENDED_TOO = {"fragments", "marked_packets", "own_tunnel_filter"}  # in the long lane, as those that others stand for
_IN_LONG_LANE = _MENDED_TOO | {"answering_address", "ipv6_loop", "rewritten_source"}


def _lane(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.long] if name in _IN_LONG_LANE else []


def test_each_broken_lab_is_tested() -> None:
    assert {file.stem for file in _BROKEN.glob("*.py")} - {"__init__"} == set(_FAULTS)


@pytest.mark.parametrize("name", [pytest.param(name, marks=_lane(name)) for name in shared(_FAULTS)])
def test_the_fault_is_named(name: str) -> None:
    file = _BROKEN / f"{name}.py"
    found = re.search(r"^    (trace .*)$", file.read_text(), re.MULTILINE)
    assert found
    done = pynetemu(file, "-c", found[1])
    assert _FAULTS[name] in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", [pytest.param(name, marks=_lane(name)) for name in shared(sorted(_MENDED | _MENDED_TOO))])
def test_what_it_proposes_mends_it(name: str) -> None:
    file = _BROKEN / f"{name}.py"
    found = re.search(r"^    trace (.*)$", file.read_text(), re.MULTILINE)
    assert found
    told = pynetemu(file, "-c", f"trace {found[1]}").stdout
    proposed = re.search(r"^   try: (.*?)(?: · why)?$", told, re.MULTILINE)
    assert proposed, told
    patient = re.sub(r"-(m|W)[\d.]+", r"-\g<1>10", found[1])  # as a healthy lab on a busy machine needs
    mended = pynetemu(file, "-c", proposed[1], "-c", f"trace {patient}")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "✔" in mended.stdout
