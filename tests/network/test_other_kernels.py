"""What people do in nodes by the kernel's own tools, where the kernel has the features for it."""

import json
import re

import pytest

from pynetemu import Host, Link, Network, Switch, Topology


class Vlans(Topology):
    """Two hosts on one switch, which their VLANs are to keep apart."""

    s1 = Switch()
    h1, h2 = Host(), Host()
    first = Link(h1.interface("eth0", "10.0.0.1/24"), s1)
    second = Link(h2.interface("eth0", "10.0.0.2/24"), s1)


@pytest.mark.needs("netem", "802.1Q", "VLAN filtering")
def test_delays_and_vlans_by_hand() -> None:
    with Network(Vlans()) as net:
        s1, h1, h2 = net["s1"], net["h1"], net["h2"]
        h1.run("tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "20ms", check=True)
        answer = str(h1.run("ping", "-c1", "-W2", "10.0.0.2").stdout)
        assert float(re.findall(r"time=([\d.]+)", answer)[0]) >= 20

        s1.run("ip", "link", "set", "br0", "type", "bridge", "vlan_filtering", "1", check=True)
        s1.run("bridge", "vlan", "add", "dev", "h2", "vid", "10", check=True)
        ports = {port["ifname"]: port["vlans"] for port in json.loads(s1.run("bridge", "-j", "vlan", "show").stdout)}
        assert {"vlan": 10} in ports["h2"]
        h2.run("ip", "link", "add", "link", "eth0", "name", "eth0.10", "type", "vlan", "id", "10", check=True)
        h2.run("ip", "link", "set", "eth0.10", "up", check=True)
        h2.run("ip", "address", "add", "10.0.10.2/24", "dev", "eth0.10", check=True)
        assert h1.run("ping", "-c1", "-W5", "10.0.0.2").status == 0
        h1.run("ip", "address", "add", "10.0.10.1/24", "dev", "eth0", check=True)
        assert h1.run("ping", "-c1", "-W1", "10.0.10.2").status == 1  # untagged, and so in VLAN 1
