"""Labs that are not born: the error says what and where, and nothing is left."""

from ipaddress import ip_address, ip_network

import pytest

from pynetemu import Host, KernelError, Link, Network, Switch, Topology
from pynetemu.plan.operations import AddNode, AddRoute, AddVeth, ManyRoutes, Operations, Part, Plan, parts_of
from tests.support.leftovers import of_machine


def _star(n: int) -> Topology:
    class Star(Topology):
        s1 = Switch()

        def build(self, n: int = 3) -> None:
            for i in range(1, n + 1):
                self.add(Link(self.add(f"h{i}", Host()).interface("eth0", f"10.0.0.{i}/24"), self.s1))

    return Star(n=n)


_NOWHERE, _ALL, _SOME = ip_address("10.9.9.9"), ip_network("0.0.0.0/0"), ip_network("10.8.0.0/16")


@pytest.mark.parametrize(
    "bad",
    [
        AddRoute(node="h7", destination=_ALL, via=_NOWHERE, source="lab.py:3"),
        ManyRoutes("h7", (((ip_address("10.0.0.1"),), (_SOME,)), ((_NOWHERE,), (_ALL,))), source="lab.py:3"),
    ],
    ids=["one", "many"],
)
def test_a_refusal_of_the_kernel_half_way_leaves_nothing(bad: Part) -> None:
    """A route through an address that no neighbor has passes no check of a description, so the plan is changed by hand."""
    good = Network(_star(20)).plan
    before = of_machine()
    with pytest.raises(KernelError) as refused:
        Network(Plan(good.name, Operations((*parts_of(good), bad)))).open()
    assert str(refused.value).startswith("lab.py:3: the kernel refused `ip -n h7 route add default via 10.9.9.9`: ")
    assert "Nexthop has invalid gateway" in str(refused.value)
    assert of_machine() <= before


def test_a_name_that_the_kernel_refuses_is_told_with_its_command() -> None:
    plan = Plan(
        "Lab",
        (
            AddNode(node="a", kind="host", source="lab.py:1"),
            AddVeth("a", "x", "02:00:00:00:00:01", "a", "x", "02:00:00:00:00:02", source="lab.py:2"),
        ),
    )
    with pytest.raises(KernelError, match=r"lab.py:2: the kernel refused `ip -n a link add name x .*EEXIST"):
        Network(plan).open()


@pytest.mark.slow
def test_five_hundred_hosts_come_up_and_the_last_reaches_the_first() -> None:
    class Big(Topology):
        s1 = Switch()

        def build(self) -> None:
            for i in range(1, 501):
                host = self.add(f"h{i}", Host())
                self.add(Link(host.interface("eth0", f"10.0.{i // 256}.{i % 256}/16"), self.s1))

    with Network(Big()) as net:
        assert "1 received" in net["h500"].run("ping", "-c1", "-W5", "h1").stdout
