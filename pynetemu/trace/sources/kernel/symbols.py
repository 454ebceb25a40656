"""What the kernel's functions are called: an address in one of them to its name (/proc/kallsyms)."""

from bisect import bisect_right
from functools import cache


@cache
def symbol(address: int) -> str:
    """The function that an address is in; "" where the kernel does not tell (kptr_restrict)."""
    addresses, names = _functions()
    at = bisect_right(addresses, address) - 1
    return names[at] if at >= 0 and addresses[at] else ""


@cache
def _functions() -> tuple[list[int], list[str]]:
    functions = []
    with open("/proc/kallsyms") as file:
        for line in file:
            address, kind, name = line.split(None, 3)[:3]
            if kind in "tTwW":
                functions.append((int(address, 16), name))
    functions.sort()
    return [address for address, _ in functions], [name for _, name in functions]
