"""Nodes and links added, removed and moved in a lab that runs; and changes for a while."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest

from pynetemu import (
    ChangeEvent,
    DescriptionError,
    Host,
    HttpServer,
    LabError,
    Link,
    Network,
    Router,
    Switch,
    Topology,
    UsageError,
)
from pynetemu.plan.compile import compile_plan
from pynetemu.topology.data import from_data, to_data
from pynetemu.topology.editing import replugged, with_parts, without


class Lab(Topology):
    s1, s2 = Switch(), Switch()
    r1 = Router()
    h1 = Host()
    wires = [Link(h1, s1), Link(r1, s1), Link(r1, s2)]


class Inner(Topology):
    s1 = Switch()
    h1 = Host()
    wire = Link(h1, s1)


class Outer(Topology):
    left, right = Inner(), Inner()
    wire = Link(left.s1, right.s1)


def test_what_is_added_works_and_can_be_taken_away_and_moved() -> None:
    with Network(Lab, name="byhand-1") as net:
        mac = next(i.mac for i in net.interfaces("h1") if i.name == "eth0")
        assert str(net.add("h2", Host(), Link("h2", "s1"), "web", HttpServer("h2", port=80))) == "added h2; changed s1"
        assert net["h1"].run("curl", "-s", "h2").stdout
        assert str(net.move("h1", "s1", "s2")) == "changed s1, s2, h1"
        (moved,) = (i for i in net.interfaces("h1") if i.name == "eth0")
        assert (moved.mac, str(moved.addresses[0])) == (mac, "10.0.2.1/24")
        assert net.ping_all().loss == 0
        assert net["h1"].run("curl", "-s", "h2").stdout, "through the router"
        assert str(net.remove("h2")) == "removed h2; changed s1"
        with net.events() as events:
            assert str(net.apply(net.description)) == "nothing has changed"
            assert str(net.undo()).startswith("added h2"), "what has changed nothing is not taken back"
            assert str(events.wait(ChangeEvent)) == "the lab was changed: added h2; changed s1"
        net.undo()
        assert net.ping_all().loss == 0
        net.add(Link("h1", "s2"))
        assert [link.is_up for link in net.links("h1", "s2")] == [True]
        net.remove("h1-s2", "h1-s1")
        assert [i.name for i in net.interfaces("h1")] == ["lo"]


def test_descriptions_made_of_others_leave_those_as_they_are() -> None:
    """Each is compared with what comes of copies; parts are shared where nobody else lists them."""
    first = from_data(to_data(Lab()))
    plans = [compile_plan(first)]
    chain = [first]
    changes: list[Callable[[Topology], Topology]] = [
        lambda topology: with_parts(topology, "h2", Host(), Link("h2", "s1")),
        lambda topology: with_parts(topology, "web", HttpServer("h2", port=80)),
        lambda topology: without(topology, "h1"),
        lambda topology: replugged(topology, "h2", "s1", "s2"),
        lambda topology: without(topology, "web", "h2-s2"),
        lambda topology: without(topology, "h2", "s2"),
    ]
    for change in changes:
        by_copy = compile_plan(change(deepcopy(chain[-1])))
        chain.append(change(chain[-1]))
        plans.append(compile_plan(chain[-1]))
        assert plans[-1] == by_copy
    assert [compile_plan(topology) for topology in chain] == plans


def test_what_cannot_be_is_told_and_changes_nothing() -> None:
    with Network(Outer(), name="byhand-2") as net:
        for words, told in [
            (("h2",), "'h2' is not a part"),
            (("left.h1", Host()), "there is a node 'left.h1' already"),
            ((Link("left.h1", "nosuch"),), "there is no node 'nosuch'"),
            (("a b", Host()), "'a b'"),
        ]:
            with pytest.raises((UsageError, LabError, DescriptionError), match=told):
                net.add(*words)
        for name, told in [
            ("nosuch", "there is no node 'nosuch'"),
            ("left.h1-right.h1", "no link is between left.h1 and right.h1"),
        ]:
            with pytest.raises(LabError, match=told):
                net.remove(name)
        net.remove("right.h1")
        assert net.nodes == ("left.s1", "left.h1", "right.s1")


def test_a_lab_is_another_for_the_time_of_a_block() -> None:
    class Without(Lab):
        r1 = Host()  # type: ignore[assignment]

    with Network(Lab(), name="byhand-3") as net:
        with net.changed(Without()) as change:
            assert change.changed == ("r1", "h1")
            assert net["r1"].run("sysctl", "-n", "net.ipv4.ip_forward").stdout == "0\n"
        assert net["r1"].run("sysctl", "-n", "net.ipv4.ip_forward").stdout == "1\n"
        with pytest.raises(ZeroDivisionError), net.changed(Without()):
            raise ZeroDivisionError
        assert net["r1"].run("sysctl", "-n", "net.ipv4.ip_forward").stdout == "1\n"


class Slow(Topology):
    s1 = Switch()
    h1, h2 = Host(), Host()
    a = Link(h1, s1, delay="1ms")
    b = Link(h2, s1)


def _does(net: Network) -> dict[str, tuple[str, ...]]:
    return {f"{d.node} {d.interface}": d.impairment.words for link in ("a", "b") for d in net.link(link).directions}


def test_what_links_were_set_to_do_outlasts_what_is_added() -> None:
    with Network(Slow(), name="byhand-4") as net:
        net.link("a").set(delay="3ms")
        net.link("b").set(delay="2ms")
        net.add("h3", Host(), Link("h3", "s1"))
        net.link("b").set(delay="4ms")
        net.add("h4", Host(), Link("h4", "s1"))
        net.remove("h3")
        three, four = ("delay 3ms",), ("delay 4ms",)
        assert _does(net) == {"h1 eth0": three, "s1 h1": three, "h2 eth0": four, "s1 h2": four}
        assert "1 received" in net["h4"].run("ping", "-c1", "-W5", "h1").stdout


class Given(Topology):
    """Its links end at interfaces that the description makes itself."""

    s1, s2 = Switch(), Switch()
    h1, h2 = Host(), Host()
    wire = Link(h1.interface("eth0"), s1.port(hairpin=True))
    other = Link(h2.interface("lan", "10.0.1.7/24"), s1)
    up = Link(s1, s2)


def test_parts_are_found_as_objects_too_and_may_be_added_again_after_a_mistake() -> None:
    h3, web = Host(), Host()
    with pytest.raises(LabError, match="nosuch"):
        with_parts(Lab(), "h3", h3, Link("h3", "nosuch"))
    with pytest.raises(LabError, match="h1"):
        with_parts(Lab(), "web", web, "h1", h3)
    more = with_parts(Lab(), "h3", h3, "web", web)
    first = with_parts(more, Link(h3, "s1"), HttpServer(web, port=80))
    second = with_parts(deepcopy(first), Link(h3.interface("lan", "10.7.0.1/24"), web))

    class Same(Lab):
        h3, web = Host(), Host()
        Link(h3, Lab.s1)
        HttpServer(web, port=80)
        Link(h3.interface("lan", "10.7.0.1/24"), web)

    assert _operations(second) == _operations(Same())
    assert len(_operations(first)) < len(_operations(second)), "what was added stays as it was"


def _operations(topology: Topology) -> set[object]:
    return set(compile_plan(topology).operations)


def test_every_terminal_changes_the_lab_and_all_agree() -> None:
    with Network(Given, name="byhand-5") as net, Network.attach(net.name) as one, Network.attach(net.name) as two:
        assert str(one.add("h3", Host(), Link("h3", "s1"))) == "added h3; changed s1"
        assert str(two.move("h3", "s1", "s2")) == "changed s1, s2, h3"
        assert str(net.remove("h1-s1")) == "changed s1, h1"
        assert one.plan == two.plan == net.plan
        assert [i.name for i in one.interfaces("h1")] == ["lo"]
        assert str(two.undo()) == "changed s1, h1"
        assert str(one.remove("h3")) == "removed h3; changed s2"
        one.link("other").set(delay="3ms")
        two.add("h4", Host(), Link("h4", "s2"))
        assert [d.impairment.words for d in net.link("other").directions] == [("delay 3ms",), ("delay 3ms",)]
        with two.changed(Lab()):
            assert "r1" in one
        assert one.add("h5", Host(), Link("h5", "s1")).added == ("h5",)
        assert net.ping_all().loss == 0


def test_a_lab_of_a_plan_alone_is_changed_by_descriptions_only() -> None:
    with Network(compile_plan(Lab), name="byhand-6") as net, Network.attach(net.name) as other:
        for lab in (net, other):
            with pytest.raises(LabError, match="pynetemu apply FILE LAB"):
                lab.add("h9", Host())
        net.apply(Lab())
        assert other.add("h9", Host(), Link("h9", "s1")).added == ("h9",)


def test_changes_of_several_at_once_are_all_done() -> None:
    """Of links, and of the description, each made from what the lab was a moment before."""
    tries = 6
    with Network(Given, name="byhand-7") as net, Network.attach(net.name) as one, Network.attach(net.name) as two:

        def impair() -> None:
            for number in range(1, tries + 1):
                one.link("other").set(delay=f"{number}ms")

        def add(lab: Network, name: str) -> None:
            for number in range(tries):
                lab.add(f"{name}{number}", Host())

        with ThreadPoolExecutor() as threads:
            begun = [threads.submit(impair), threads.submit(add, two, "a"), threads.submit(add, net, "b")]
        for change in begun:
            change.result()
        assert set(one.nodes) >= {f"{name}{number}" for name in "ab" for number in range(tries)}
        assert {direction.impairment.words for direction in net.link("other").directions} == {(f"delay {tries}ms",)}
