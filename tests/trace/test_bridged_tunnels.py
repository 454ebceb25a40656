"""Traces of frames that bridges of two machines hand to each other over a tunnel, as in Docker's overlay networks."""

from functools import partial

import pytest

from pynetemu import Bridge, Host, Link, Network, Router, Topology, Vxlan
from tests.support.wait import wait_until

pytestmark = [pytest.mark.needs("vxlan"), pytest.mark.slow]


class Overlay(Topology):
    m1, m2 = Router(), Router()
    b1, b2 = Bridge(m1, "br0", "10.5.0.1/24", "fd05::1/64"), Bridge(m2, "br0", "10.5.0.2/24", "fd05::2/64")
    a, b = Host(), Host()
    wire = Link(m1.interface("eth0", "10.9.0.1/24"), m2.interface("eth0", "10.9.0.2/24"))
    left = Link(a.interface("eth0", "10.5.0.11/24", "fd05::11/64"), b1)
    right = Link(b.interface("eth0", "10.5.0.12/24", "fd05::12/64"), b2)
    over = Vxlan(b1, b2, id=5)


def _answers(net: Network, address: str) -> bool:
    return net["a"].run("ping", "-c1", "-W2", address).status == 0


def _is_traced_to_its_end(net: Network, address: str, engine: str, shown: list[str]) -> bool:
    with net.trace(engine=engine) as trace:
        answered = _answers(net, address)
    shown.append(trace.ladder())
    return answered and trace.reason is None and "routed" not in trace.story(trace.delivered("echo request")[0].number)


@pytest.mark.parametrize("engine", [pytest.param("kernel", marks=pytest.mark.root), "sockets"])
def test_what_a_bridge_takes_out_of_a_tunnel_and_passes_on_is_not_lost(engine: str) -> None:
    with Network(Overlay()) as net:
        for far in ("10.5.0.12", "fd05::12", "10.5.0.2"):
            wait_until(partial(_answers, net, far))
            shown: list[str] = []
            traces = (_is_traced_to_its_end(net, far, engine, shown) for _ in range(5))  # more than one where ping's time is up
            assert any(traces), shown[-1]
