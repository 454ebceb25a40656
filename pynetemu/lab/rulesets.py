"""How the rules of nftables in a node differ from those that are described, both as nft(8) lists them."""

import shlex
from collections.abc import Iterator

Ruleset = dict[str, dict[str, list[str]]]  # by table ("inet guard"), then by what is in it ("chain input")


def ruleset_of(text: str) -> Ruleset:
    """Takes a listing apart: each rule is one text, also one that nft has broken into lines."""
    found: Ruleset = {}
    table: dict[str, list[str]] = {}
    part: list[str] = []
    depth = 0  # of braces
    broken = ""  # the lines of a rule so far
    for line in map(str.strip, text.splitlines()):
        opened = line.count("{") - line.count("}")
        if depth == 0 and line.endswith("{"):
            table = found.setdefault(line.removeprefix("table").removesuffix("{").strip(), {})
        elif depth == 1 and opened == 1 and line.endswith("{"):
            part = table.setdefault(line.removesuffix("{").strip(), [])
        elif depth >= 2 and line and not (depth == 2 and opened < 0):
            broken = f"{broken} {line}".strip()
            if depth + opened == 2:
                part.append(broken)
                broken = ""
        depth += opened
    return found


def commands(described: Ruleset, present: Ruleset) -> Iterator[tuple[str, bool]]:
    """Commands of nft(8) that make the one of the other, and whether each only shows what no single one makes."""
    for table, parts in described.items():
        if table not in present:
            yield f"nft delete table {table}", False
            continue
        for part, rules in parts.items():
            sort, _, name = part.partition(" ")
            now = present[table].get(part)
            if now is None:
                yield f"nft list table {table}", True
            elif sort == "chain" and now[: len(rules)] == rules:
                yield from ((f"nft add rule {table} {name} {shlex.quote(rule)}", False) for rule in now[len(rules) :])
            elif now != rules and not any("dynamic" in line or "timeout" in line for line in rules):
                yield f"nft list {sort} {table} {name}", True
        for part in present[table].keys() - parts.keys():
            sort, _, name = part.partition(" ")
            yield f"nft list {sort} {table} {name}", True
    yield from ((f"nft list table {table}", True) for table in present if table not in described)
