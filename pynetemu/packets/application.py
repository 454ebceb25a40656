"""The first line of what TCP and UDP carry, where that tells most: DNS and HTTP."""

import re
import struct

from pynetemu.safe_text import printable
from pynetemu.wording import counted

_HTTP = re.compile(rb"(?:(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT) \S+ HTTP/1\.[01]|HTTP/1\.[01] \d{3}[^\r\n]*)")
_TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 255: "ANY"}
_FAILED = {1: "format error", 2: "server failure", 3: "no such name", 4: "not implemented", 5: "refused"}
_LONGEST_LINE = 60


def http(payload: bytes) -> str:
    """The request or status line, "" for anything else: "GET / HTTP/1.1"."""
    found = _HTTP.match(payload)
    if not found:
        return ""
    line = printable(found.group().decode(errors="replace"))
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def dns(payload: bytes) -> str:
    """The question and, in an answer, what came of it: "DNS A blue?", "DNS A blue: 2 answers" (RFC 1035)."""
    if len(payload) < 17:
        return ""
    _, flags, questions, answers = struct.unpack_from(">HHHH", payload)
    name, at = _name(payload, 12)
    if questions != 1 or len(payload) < at + 2:
        return ""
    number = int.from_bytes(payload[at : at + 2])
    asked = f"DNS {_TYPES.get(number, f'type {number}')} {name}"
    if not flags & 0x8000:
        return asked + "?"
    if flags & 15:
        return f"{asked}: {_FAILED.get(flags & 15, f'error {flags & 15}')}"
    return f"{asked}: {counted(answers, 'answer')}"


def _name(payload: bytes, at: int) -> tuple[str, int]:
    """A name in the question, which is never compressed, and where it ends."""
    labels = []
    while at < len(payload) and 0 < payload[at] < 64:
        labels.append(payload[at + 1 : at + 1 + payload[at]].decode("ascii", "replace"))
        at += 1 + payload[at]
    return printable(".".join(labels)) or ".", at + 1
