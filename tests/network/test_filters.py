"""Firewall and Nat: nft lists what was described, and traffic obeys it."""

import json
from pathlib import Path

import pytest

from pynetemu import Firewall, Host, KernelError, Link, Nat, Network, Router, Topology
from tests.support.leftovers import of_machine
from topologies.firewall import Filtered
from topologies.nat import Home


def test_a_home_behind_nat() -> None:
    with Network(Home()) as net:
        page = net["h1"].run("curl", "-s", "-m", "30", "web").stdout
        assert str(page).startswith("Hello from web. You are 198.51.100.2")
        assert net["h1"].run("ping", "-c1", "-W5", "web").status == 0
        assert "Network is unreachable" in str(net["web"].run("ping", "-c1", "-W1", "10.0.1.1").stderr) or (
            net["web"].run("ping", "-c1", "-W1", "10.0.1.1").status == 1
        )
        forwarded = net["web"].run("curl", "-s", "-m", "30", "gateway:8080").stdout
        assert str(forwarded).startswith("Hello from h2. You are ")
        assert json.loads(net["isp"].run("ip", "-j", "route", "show", "10.0.1.0/24").stdout) == []
        rules = str(net["gateway"].run("nft", "list", "ruleset").stdout)
        assert 'oifname "wan" masquerade' in rules
        assert 'iifname "wan" tcp dport 8080 dnat ip to 10.0.1.2:80' in rules


@pytest.mark.slow
def test_a_firewall_lets_pass_what_it_says_and_nothing_else() -> None:
    with Network(Filtered()) as net:
        assert str(net["h1"].run("curl", "-s", "-m", "30", "web").stdout).startswith("Hello from web")
        assert net["h2"].run("curl", "-s", "-m", "1", "web").status == 28  # curl(1): timed out
        assert net["h1"].run("ping", "-c1", "-W1", "web").status == 1
        rules = json.loads(net["r1"].run("nft", "-j", "list", "ruleset").stdout)["nftables"]
        (chain,) = (entry["chain"] for entry in rules if "chain" in entry)
        assert (chain["hook"], chain["policy"], chain["prio"]) == ("forward", "drop", 0)
        (counter,) = (part["counter"] for r in rules if "rule" in r for part in r["rule"]["expr"] if "counter" in part)
        assert counter["packets"] >= 2


def test_what_nft_refuses_is_told_at_the_users_lines_all_at_once() -> None:
    class Lab(Topology):
        r1 = Router()
        h1 = Host()
        wire = Link(r1, h1)
        first = Firewall(
            r1,
            forward="""
                ct state established accept
                tcp dport http acept
            """,
        )
        second = Firewall(h1, input="tcp dport 99999 drop", output="ip daddr 10.0.0.0/33 drop")
        third = Firewall(h1, "table inet mine {\n chain x {\n jump y\n }\n}")

    before = of_machine()
    with pytest.raises(KernelError) as refused:
        Network(Lab()).open()
    lines = Path(__file__).read_text().splitlines()
    told = [line.partition(": ") for line in str(refused.value).splitlines() if not line.startswith("    ")]
    found = [(lines[int(place.rpartition(":")[2]) - 1].strip(), text.partition(": ")[0]) for place, _, text in told]
    assert found == [
        ("tcp dport http acept", "first of r1"),
        ('second = Firewall(h1, input="tcp dport 99999 drop", output="ip daddr 10.0.0.0/33 drop")', "second of h1"),
        ('second = Firewall(h1, input="tcp dport 99999 drop", output="ip daddr 10.0.0.0/33 drop")', "second of h1"),
        ('third = Firewall(h1, "table inet mine {\\n chain x {\\n jump y\\n }\\n}")', "third of h1"),
    ]
    assert "unexpected newline" in str(refused.value)
    assert of_machine() <= before


def test_ports_are_forwarded_to_ipv6_and_to_plain_addresses() -> None:
    class Lab(Topology):
        addresses = "ipv6"
        r1 = Router()
        h1 = Host()
        isp = Host()
        inner = Link(h1, r1)
        outer = Link(r1, isp)
        nat = Nat(r1, outer, forwards={"udp/53": (h1, 53), 80: ("fd00::9", 8080)})

    with Network(Lab()) as net:
        rules = str(net["r1"].run("nft", "list", "ruleset").stdout)
        assert "dport 53 dnat ip6 to [fd00:0:200:1::1]:53" in rules
        assert "dport 80 dnat ip6 to [fd00::9]:8080" in rules
        assert net["h1"].run("ping", "-c1", "-W5", "isp").status == 0
        assert net["isp"].run("ping", "-c1", "-W1", "h1").status in (1, 2)
