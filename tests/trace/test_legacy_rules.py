"""The rules of iptables-legacy as the kernel has them: what they ask of ports."""

import shutil

import pytest

from pynetemu import Network
from pynetemu.trace.sources import iptables
from pynetemu.trace.sources.iptables import Ports
from tests.support.pair import Pair

_ASKED = {
    "-p tcp --dport 80": (Ports(1, ((80, 80),)),),
    "-p udp --sport 1000:2000 ! --dport 53": (Ports(0, ((1000, 2000),)), Ports(1, ((53, 53),), True)),
    "-p tcp -m multiport --dports 22,80:90": (Ports(1, ((22, 22), (80, 90))),),
    "-p tcp -m multiport ! --ports 443": (Ports(2, ((443, 443),), True),),
    "-p icmp -m statistic --mode nth --every 3 --packet 0": (),
    "-p tcp --tcp-flags SYN SYN": (),
}


@pytest.mark.skipif(shutil.which("iptables-legacy") is None, reason="iptables-legacy is not installed")
def test_what_rules_ask_of_ports() -> None:
    with Network(Pair()) as net:
        blue = net["blue"]
        for asked in _ASKED:
            blue.run("iptables-legacy", "-w", "5", "-A", "INPUT", *asked.split(), "-j", "DROP", check=True)
        rules = [rule for rule in iptables.read(blue, ("filter", "")) if rule.number]
        assert {rule.number: rule.ports for rule in rules} == dict(enumerate(_ASKED.values(), 1))


@pytest.mark.pure
def test_which_ports_fit() -> None:
    assert Ports(1, ((80, 90),)).have((5000, 85))
    assert not Ports(1, ((80, 90),)).have((85, 5000))
    assert Ports(0, ((80, 80),)).have((80, 5000))
    assert Ports(2, ((80, 80), (443, 443))).have((443, 5000))
    assert not Ports(2, ((80, 80),), True).have((80, 5000))
    assert Ports(0, ((80, 80),), True).have((81, 80))
