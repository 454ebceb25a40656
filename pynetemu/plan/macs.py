"""MAC addresses that are the same in every run."""

from binascii import crc32
from collections.abc import Iterable

from pynetemu.plan.operations import InterfaceAddress


class Macs:
    """Gives out locally administered addresses (the second bit of the first byte, IEEE 802), each once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {int(mac.replace(":", ""), 16) for mac in taken}

    def take(self, owner: str, addresses: Iterable[InterfaceAddress]) -> str:
        """02:42 and the first IPv4 address, as Docker does; without one, 02:00 and a hash of `owner`."""
        ipv4 = next((address for address in addresses if address.version == 4), None)
        number = 0x0200_0000_0000 | crc32(owner.encode()) if ipv4 is None else 0x0242_0000_0000 | int(ipv4.ip)
        while number in self._taken:
            number = 0x0200_0000_0000 | (number + 1) & 0xFFFF_FFFF
        return self._give(number)

    def take_number(self, number: int, owner: str) -> str:
        """02:00 and a number; where that is taken, a hash of `owner`."""
        wanted = 0x0200_0000_0000 | number
        if 0 <= number <= 0xFFFF_FFFF and wanted not in self._taken:
            return self._give(wanted)
        return self.take(owner, ())

    def _give(self, number: int) -> str:
        self._taken.add(number)
        return number.to_bytes(6, "big").hex(":")
