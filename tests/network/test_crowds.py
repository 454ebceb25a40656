"""Pings between more nodes than the kernel has room for among their neighbors; what nodes heard is counted by nftables."""

import json
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from pynetemu import Host, Link, Network, Switch, Topology
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow

_SIDE = 15  # hosts of each switch: 870 pairs, each with a neighbor of its own


class Crowd(Topology):
    """Two switches, whose hosts ask for each other's addresses."""

    addresses, arp = "dual", "dynamic"
    s1, s2 = Switch(), Switch()
    trunk = Link(s1, s2)

    def build(self) -> None:
        for switch, side in (self.s1, "a"), (self.s2, "b"):
            for number in range(_SIDE):
                self.add(Link(self.add(f"{side}{number}", Host()), switch))


@pytest.fixture(scope="module")
def crowd() -> Iterator[Network]:
    with Network(Crowd()) as network:
        network.ping_all("a0", "a1")  # the plan is followed from now on
        for node in ("b7", "s1", "s2"):
            network[node].run("true")  # its init lives from now on
        yield network


@pytest.mark.parametrize("version", [4, 6])
def test_all_answer_and_few_are_asked_by_broadcast(crowd: Network, version: int) -> None:
    """One broadcast would be needed for each two hosts; those for the two switches come on top of one for each host.

    Who is late is asked again by the kernel, after a second.
    """
    _count_requests(crowd, "b7")
    pings = crowd.ping_all(version=version)
    hosts = 2 * _SIDE
    assert (pings.received, pings.lost) == (hosts * (hosts - 1), ())
    asked_all, asked_one = _requests(crowd, "b7", version)
    assert 0 < asked_all <= 2 * (hosts + 2) * (1 if version == 4 else 2)
    assert asked_one >= _SIDE - 2
    crowd["b7"].run("nft", "flush", "ruleset", check=True)


def test_broadcasts_that_do_not_arrive_are_no_secret(crowd: Network) -> None:
    """One that nobody finds by broadcast, and that finds nobody: a frame to it alone would arrive."""
    _, port = crowd.inventory.peers["a3", "eth0"]
    hook = f"type filter hook ingress device {port} priority 0; ether daddr ff:ff:ff:ff:ff:ff drop;"
    crowd["s1"].run("nft", f"table netdev deaf {{ chain c {{ {hook} }}; }}", check=True)
    crowd["s1"].run("bridge", "link", "set", "dev", port, "bcast_flood", "off", check=True)
    wait_until(lambda: _are_lost(crowd, lambda a, b: a != b and "a3" in (a, b)), what="the loss of these alone")
    crowd["s1"].run("nft", "flush", "ruleset", check=True)
    crowd["s1"].run("bridge", "link", "set", "dev", port, "bcast_flood", "on", check=True)


def test_a_trunk_without_broadcasts_is_no_secret(crowd: Network) -> None:
    (trunk,) = (link for link in crowd.links() if {link.node, link.peer_node} == {"s1", "s2"})
    for switch, port in trunk.ends:
        crowd[switch].run("bridge", "link", "set", "dev", port, "bcast_flood", "off", check=True)
    wait_until(lambda: _are_lost(crowd, lambda a, b: a[0] != b[0]), what="the loss of these alone")
    for switch, port in trunk.ends:
        crowd[switch].run("bridge", "link", "set", "dev", port, "bcast_flood", "on", check=True)


def test_a_lab_answers_after_an_interrupt_in_any_batch(crowd: Network) -> None:
    """The engine makes the next nodes known to each other while these ping."""
    for pairs in 1, 300, 600:

        def interrupt(asked: int, _: int, pairs: int = pairs) -> None:
            if asked >= pairs:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            crowd.ping_all(progress=interrupt)
        assert crowd["a0"].run("true").status == 0
    wait_until(lambda: not crowd.ping_all().lost, what="answers to all")


def test_what_the_user_has_made_forgotten_is_asked_for() -> None:
    """Permanent neighbors that one node no longer has are learned anew, and leave again."""

    class Told(Crowd):
        arp = "permanent"

    with Network(Told()) as network:
        network["a0"].run("ip", "-4", "neigh", "flush", "nud", "permanent", check=True)
        assert network.ping_all(version=4).loss == 0


def _are_lost(network: Network, are: Callable[[str, str], bool]) -> bool:
    """Whether just these pairs are lost, where nobody knows the others; on a busy machine others may be late."""
    network.forget_neighbors()
    pings = network.ping_all(version=4, timeout=0.3)
    lost = {(ping.source, ping.target) for ping in pings.lost}
    return lost == {pair for pair in product(pings.nodes, repeat=2) if are(*pair)}


def _count_requests(network: Network, node: str) -> None:
    arp = "arp operation request"
    solicited = "icmpv6 type nd-neighbor-solicit"
    rules = (
        f"table arp c {{ chain i {{ type filter hook input priority 0; {arp} meta pkttype broadcast counter; "
        f"{arp} meta pkttype host counter; }}; }}; "
        f"table ip6 c {{ chain i {{ type filter hook prerouting priority 0; {solicited} meta pkttype multicast counter; "
        f"{solicited} meta pkttype host counter; }}; }}"
    )
    network[node].run("nft", rules, check=True)


def _requests(network: Network, node: str, version: int) -> tuple[int, int]:
    """How many requests have come by broadcast or multicast, and how many to the node alone."""
    family = "arp" if version == 4 else "ip6"
    found = json.loads(network[node].run("nft", "-j", "list", "table", family, "c", check=True).stdout)
    counters = [
        statement["counter"]["packets"]
        for item in found["nftables"]
        for statement in item.get("rule", {}).get("expr", ())
        if "counter" in statement
    ]
    to_all, to_one = counters
    return to_all, to_one
