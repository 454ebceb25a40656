"""Operations that give nodes packet filters and network address translation."""

from pynetemu.plan.operations.operation import operation


@operation
class AddRuleset:
    """Rules of nftables, as nft(8) reads them; `nft -f`.

    The user's own lines begin at line `begin` of the text, which is the line of `source`; 0 when that is not known.
    """

    node: str
    name: str
    text: str
    begin: int
    source: str = ""
