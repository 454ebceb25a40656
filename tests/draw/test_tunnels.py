"""Tunnels in pictures: dashed lines that say what they are."""

import pytest

from pynetemu.draw.dot import as_dot
from pynetemu.draw.graph import read
from pynetemu.draw.mermaid import as_mermaid
from pynetemu.draw.svg import as_svg
from pynetemu.draw.text import as_picture
from pynetemu.plan.compile import compile_plan
from topologies.docker import Docker
from topologies.wireguard import Sites

pytestmark = pytest.mark.pure


def test_a_tunnel_is_dashed_and_named() -> None:
    graph = read(compile_plan(Sites))
    assert [link.labels for link in graph.links if link.is_tunnel] == [("WireGuard",)]
    assert as_svg(graph).count("stroke-dasharray") == 1
    assert '"gw1" -- "gw2" [style=dashed' in as_dot(graph)
    assert as_mermaid(graph).count("-.-") == 1
    assert "WireGuard" in as_picture(compile_plan(Sites), 100)


def test_a_bridge_in_a_host_is_one_of_its_interfaces() -> None:
    graph = read(compile_plan(Docker))
    (machine,) = (node for node in graph.nodes if node.name == "machine")
    assert [str(interface) for interface in machine.interfaces] == ["docker0 172.17.0.1/16"]
    assert len(graph.links) == 3
