"""Pools: the ranges from which networks are given out, each once."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from pynetemu.plan.operations import Address, IPNetwork

Place = tuple[int, int, int]  # 10.A.B.C, and fd00:0:A:B::C


class Pool:
    """The networks of one IP version.

    Pool(IPv4Network("10.0.0.0/8"), taken).take([(0, 3, 0)], 24, 0) == IPv4Network("10.0.3.0/24")
    """

    def __init__(self, whole: IPNetwork, taken: Iterable[IPNetwork]) -> None:
        self.whole = whole
        self._base = int(whole.network_address)
        self._bits = whole.max_prefixlen
        self._taken: list[tuple[int, int]] = []  # first and last address of each, in order
        self.covered_by: IPNetwork | None = None  # of those that are taken, one in which it lies
        for network in taken:
            self._note(int(network.network_address), network.prefixlen)
            if network.prefixlen <= whole.prefixlen and whole.network_address in network:
                self.covered_by = network

    def take(self, places: Iterable[Place], length: int, start: int) -> IPNetwork | None:
        """The first free network of that prefix length: at one of the places, else anywhere, from `start` on."""
        for first in self._candidates(places, length, start):
            last = first + (1 << (self._bits - length)) - 1
            if self._is_free(first, last):
                self._note(first, length)
                return ip_network((first, length))
        return None

    def keep(self, network: IPNetwork) -> bool:
        """Takes this very network, if it is free."""
        first = int(network.network_address)
        is_free = self._is_free(first, first + network.num_addresses - 1)
        if is_free:
            self._note(first, network.prefixlen)
        return is_free

    def length(self, usual: int, hosts: int) -> int:
        """The usual prefix length, or a longer one where the pool is small: with room for twice as many hosts."""
        if self.whole.prefixlen <= usual - 4 or usual >= self._bits - 1:
            return max(usual, self.whole.prefixlen)
        return max(self._bits - (2 * hosts + 2).bit_length(), self.whole.prefixlen)

    def _candidates(self, places: Iterable[Place], length: int, start: int) -> Iterator[int]:
        size = 1 << (self._bits - length)
        end = self._base + self.whole.num_addresses
        for place in places:
            first = self._base + self._offset(place)
            if first + size <= end and first % size == 0:
                yield first
        count = min(self.whole.num_addresses // size, 1 << 16)
        yield from (self._base + (start + i) % count * size for i in range(count))

    def _offset(self, place: Place) -> int:
        a, b, c = place
        return a << 16 | b << 8 | c if self._bits == 32 else as_hex(a) << 80 | as_hex(b) << 64 | as_hex(c)

    def _is_free(self, first: int, last: int) -> bool:
        after = bisect_left(self._taken, (first, 0))
        if after < len(self._taken) and self._taken[after][0] <= last:
            return False
        return after == 0 or self._taken[after - 1][1] < first

    def _note(self, first: int, length: int) -> None:
        insort(self._taken, (first, first + (1 << (self._bits - length)) - 1))


def as_hex(number: int) -> int:
    """The number whose hexadecimal digits look like this one's decimal ones: as_hex(12) == 0x12."""
    return int(str(number), 16)


def address_in(network: IPNetwork, number: int) -> Address | None:
    """A host's address by its number, with the same digits in IPv4 and IPv6; None where the network is too small."""
    offset = number if network.version == 4 else as_hex(number)
    return network[offset] if offset < network.num_addresses else None
