"""What is lost in a hub or behind it is explained as in a switch, by the kernel's tracepoints and by packet sockets."""

import re
from collections.abc import Iterator

import pytest

from pynetemu import Host, Hub, Link, Network, Topology
from pynetemu.trace.sources import choose
from pynetemu.trace.sources.kernel.source import Unavailable
from pynetemu.trace.trace import Trace
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow

_FIREWALL = (
    "nft add table bridge fw; nft add chain bridge fw forward '{ type filter hook forward priority 0; }'; "
    "nft add rule bridge fw forward ip protocol icmp drop"
)
_FAULTS = {  # what is done in the hub, and what the trace says
    "ip link set red down": "port red of hub is down",
    "bridge link set dev red state 0": "port red of hub is disabled (spanning tree), and passes nothing on",
    "bridge link set dev red isolated on; bridge link set dev blue isolated on": (
        "ports blue and red of hub are isolated from each other"
    ),
    _FIREWALL: "dropped by nftables in hub: table bridge fw, chain forward, rule 2",
}


class Hubbed(Topology):
    hub = Hub()
    blue, red, green = Host(), Host(), Host()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), hub),
        Link(red.interface("eth0", "10.0.1.3/24"), hub),
        Link(green.interface("eth0", "10.0.1.4/24"), hub),
    )


@pytest.fixture(params=[pytest.param("kernel", marks=pytest.mark.root), "packet sockets"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "packet sockets":

        def refuse(*_: object, **__: object) -> None:
            raise Unavailable("not wanted here")

        monkeypatch.setattr(choose, "KernelSource", refuse)
    return str(request.param)


@pytest.fixture
def hubbed() -> Iterator[Network]:
    with Network(Hubbed()) as network:
        yield network


@pytest.mark.parametrize("fault", _FAULTS, ids=["port down", "port disabled", "ports isolated", "firewall"])
@pytest.mark.parametrize("is_known", [False, True], ids=["asked for", "known"])
def test_the_fault_is_named_and_what_is_proposed_mends_it(hubbed: Network, engine: str, fault: str, is_known: bool) -> None:
    assert hubbed["blue"].run("ping", "-c1", "-W5", "10.0.1.3").status == 0
    if is_known:  # the frame goes to all ports, and green gets it
        (mac,) = [interface.mac for interface in hubbed.interfaces("red") if interface.name == "eth0"]
        hubbed["blue"].run("ip", "neigh", "replace", "10.0.1.3", "lladdr", mac, "dev", "eth0", "nud", "permanent", check=True)
    else:
        hubbed["blue"].run("ip", "neigh", "del", "10.0.1.3", "dev", "eth0", check=True)
    hubbed["hub"].run("sh", "-c", fault, check=True)
    shown = _trace_of_a_ping(hubbed, engine).ladder()
    assert re.findall(r"^ ✗ (.*)$", shown, re.MULTILINE) == [_FAULTS[fault]], shown
    (hint,) = re.findall(r"^   try: (.*) · why$", shown, re.MULTILINE)
    node, *words = hint.split()
    hubbed[node].run(*words, check=True)
    # A port that has come up forwards when the kernel calls it operational, up to a second later.
    wait_until(lambda: hubbed["blue"].run("ping", "-c1", "-W1", "10.0.1.3").status == 0)


def test_a_host_behind_a_hub_that_is_down_is_told(hubbed: Network, engine: str) -> None:
    hubbed["red"].run("ip", "link", "set", "eth0", "down", check=True)
    shown = _trace_of_a_ping(hubbed, engine).ladder()
    assert "\n ✗ red eth0 is down: hub red has no carrier\n" in shown


def _trace_of_a_ping(network: Network, engine: str) -> Trace:
    with network.trace() as trace:
        assert network["blue"].run("ping", "-c1", "-W0.5", "10.0.1.3").status
    assert trace.engine == engine
    return trace
