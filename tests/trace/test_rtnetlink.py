"""A node's interfaces, addresses and routes: the same as `ip` says."""

import errno
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pynetemu import Network
from pynetemu.lab.rtnetlink import Route, addresses, interfaces, route
from tests.support.pair import Pair


@contextmanager
def _asked(net: Network, node: str) -> Iterator[socket.socket]:
    with net[node].socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asked:
        yield asked


def _ip(net: Network, *words: str) -> Any:
    return json.loads(net["blue"].run("ip", "-j", *words, check=True).stdout)


def test_interfaces_and_addresses_are_those_of_ip() -> None:
    with Network(Pair()) as net, _asked(net, "blue") as asked:
        net["blue"].run("ip", "addr", "add", "fd00::7/64", "dev", "eth0", check=True)
        links = _ip(net, "addr")
        assert [tuple(one) for one in interfaces(asked)] == [(x["ifindex"], x["ifname"], x["address"]) for x in links]
        theirs = {(x["ifindex"], address["local"]) for x in links for address in x["addr_info"]}
        assert set(addresses(asked)) == theirs


def test_routes_are_the_kernels() -> None:
    with Network(Pair()) as net, _asked(net, "blue") as asked:
        index = _ip(net, "link", "show", "eth0")[0]["ifindex"]
        assert route(asked, "10.0.0.1") == Route(index, "10.0.0.2", "")
        assert route(asked, "192.0.2.1") == Route(index, "10.0.0.2", "10.0.0.1")
        assert route(asked, "127.0.0.1") == Route(1, "127.0.0.1", "")
        with pytest.raises(OSError, match="unreachable") as caught:
            route(asked, "2001:db8::1")
        assert caught.value.errno == errno.ENETUNREACH
