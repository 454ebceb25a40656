"""MAC addresses that are the same in every run."""

from binascii import crc32
from collections.abc import Callable, Iterable

from pynetemu.plan.operations import InterfaceAddress


class Macs:
    """Gives out locally administered addresses (the second bit of the first byte, IEEE 802), each once."""

    def __init__(self, taken: Iterable[str] = (), is_others: Callable[[str], bool] = lambda _: False) -> None:
        self._taken = {int(mac.replace(":", ""), 16) for mac in taken}
        self._is_others = is_others  # whether one is somebody else's

    def take(self, owner: str, addresses: Iterable[InterfaceAddress]) -> str:
        """02:42 and the first IPv4 address, as Docker does; without one, 02:00 and a hash of `owner`."""
        ipv4 = next((address for address in addresses if address.version == 4), None)
        number = 0x0200_0000_0000 | crc32(owner.encode()) if ipv4 is None else 0x0242_0000_0000 | int(ipv4.ip)
        while self._is_taken(number):
            number = 0x0200_0000_0000 | (number + 1) & 0xFFFF_FFFF
        return self._give(number)

    def take_number(self, number: int, owner: str) -> str:
        """02:00 and a number; where that is taken, a hash of `owner`."""
        wanted = 0x0200_0000_0000 | number
        if 0 <= number <= 0xFFFF_FFFF and not self._is_taken(wanted):
            return self._give(wanted)
        return self.take(owner, ())

    def _is_taken(self, number: int) -> bool:
        return number in self._taken or self._is_others(_text(number))

    def _give(self, number: int) -> str:
        self._taken.add(number)
        return _text(number)


def _text(number: int) -> str:
    return number.to_bytes(6, "big").hex(":")
