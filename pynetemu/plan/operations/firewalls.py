"""Operations that give nodes packet filters and network address translation."""

import re

from pynetemu.plan.operations.operation import Effect, Thing, operation

_TABLE = r"(?m)^\s*(?:add\s+|create\s+)?table\s+((?:(?:ip|ip6|inet|arp|bridge|netdev)\s+)?[\w.-]+)"


@operation
class AddRuleset(Effect):
    """Rules of nftables, as nft(8) reads them; `nft -f`.

    The user's own lines begin at line `begin` of the text, which is the line of `source`; 0 when that is not known. The text
    is of these `chains` of the table `inet NAME`, or, where there are none, of whole tables.
    """

    IDENTITY = "node", "name", "chains"
    CHANGEABLE = ("text",)
    INFORMS = ("begin",)

    node: str
    name: str
    text: str
    begin: int
    chains: tuple[str, ...] = ()
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return () if self.chains else tuple((self.node, "table", table) for table in self.tables)

    @property
    def needs(self) -> tuple[Thing, ...]:
        """A whole table of the same name too, which is made anew when it changes."""
        return (self.node,), (self.node, "table", f"inet {self.name}")

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the text makes, as nft(8) names them: ("inet firewall",)."""
        return tuple(dict.fromkeys(" ".join(found.split()) for found in re.findall(_TABLE, self.text)))

    @property
    def parts(self) -> tuple[str, ...]:
        """What is the text's alone, as nft(8) names it: ("chain inet firewall forward",)."""
        if self.chains:
            return tuple(f"chain inet {self.name} {chain}" for chain in self.chains)
        return tuple(f"table {table}" for table in self.tables)
