"""scapy in the nodes, from the shell.

    blue send IP(dst="root")/ICMP()             what scapy's function of that name takes
    blue sr1 IP(dst="root")/TCP(dport=80, flags="S"), timeout=1
    blue sniff -c 3 icmp
    blue scapy                                  scapy's own shell, inside the node

A program of such a name in the node is run by its path, or with arguments that are none of scapy's: blue scapy -H.
"""

import re
import struct
import sys
from typing import TYPE_CHECKING, Any

from pynetemu.errors import LabError, PynetemuError, UsageError
from pynetemu.safe_text import printable
from pynetemu.wording import counted

if TYPE_CHECKING:
    from pynetemu.network.node import RunningNode

# scapy's own start, less its banner and its notes about programs that it would like to have.
_START_SCAPY = """
import logging, readline, sys
from scapy.config import conf
from scapy.main import interact
conf.fancy_banner = False
print(f"scapy in {sys.argv[1]}; exit() or Ctrl-D comes back")
interact(argv=["scapy"], loglevel=logging.ERROR)
"""
_USAGE = {
    "send": 'send PACKET[, count=N][, inter=SECONDS][, iface="eth0"]',
    "sr": "sr PACKETS[, timeout=SECONDS]",
    "sr1": "sr1 PACKET[, timeout=SECONDS]",
    "sniff": "sniff [-c N] [FILTER]",
}
WORDS = (*_USAGE, "scapy")
_CALL = re.compile(r"(send|sr1|sr)(?:\s+|(?=\())(.*)", re.DOTALL)
_SNIFF = re.compile(r"sniff((?:\s.*)?)")
_COUNT = re.compile(r"(?:^|\s)-c\s*(\d+)(?=\s|$)")  # before the filter or behind it
_EXAMPLE = 'IP(dst="root")/ICMP()'


def scapy_shell(node: str) -> list[str]:
    """The program that is scapy's own shell, for a node."""
    return [sys.executable, "-c", _START_SCAPY, node]


def is_call(rest: str) -> bool:
    """Whether what follows a node's name is for scapy."""
    return rest in WORDS or bool(_CALL.fullmatch(rest)) or bool(_SNIFF.fullmatch(rest))


def without_output(rest: str) -> tuple[str, str]:
    """Cuts a text at its first `|` or `>` outside of quotes and brackets: within, it is Python's or a filter's."""
    depth, quote = 0, ""
    for place, letter in enumerate(rest):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "|>" and depth == 0:
            return rest[:place].rstrip(), rest[place:]
        else:
            depth += (letter in "([{") - (letter in ")]}")
    return rest, ""


def run(node: "RunningNode", rest: str) -> int:
    """Runs all but `scapy`, which is a program; gives the status: 1 when nothing answered. Raises UsageError and LabError."""
    if found := _SNIFF.fullmatch(rest):
        counts = _COUNT.findall(found[1])
        filter = _COUNT.sub("", found[1]).strip()
        if len(counts) > 1 or filter.startswith("-"):
            raise UsageError(f"{node.name} {_USAGE['sniff']}")
        return _sniff(node, int(counts[0]) if counts else 0, filter)
    call = _CALL.fullmatch(rest)
    if call is None or not call[2].strip():
        word = rest.split()[0]
        raise UsageError(f"{node.name} {word}: say which packet: {node.name} {word} {_EXAMPLE}\n    usage: {_USAGE[word]}")
    try:
        return _call(node, call[1], call[2])
    except OSError as error:
        raise LabError(f"{node.name}: {error.strerror or error}") from error
    except struct.error as error:
        raise LabError(f"{node.name}: scapy cannot put this packet into bytes: {error}") from error
    except KeyboardInterrupt:
        return 130


def _call(node: "RunningNode", word: str, text: str) -> int:
    packets, options = _evaluated(node, word, text)
    if word == "send":
        sent = node.send(*packets, **options)
        print(f"{counted(sent, 'packet')} sent")
        return 0
    if word == "sr1":
        answer = node.sr1(*packets, **options)
        print(printable(answer.summary()) if answer is not None else f"no answer within {options.get('timeout', 2)} s")
        return 0 if answer is not None else 1
    answered, unanswered = node.sr(*packets, **options)
    for packet, answer in answered:
        print(f"{packet.summary()}  ==>  {printable(answer.summary())}")
    for packet in unanswered:
        print(f"{packet.summary()}  no answer")
    return 0 if answered else 1


def _evaluated(node: "RunningNode", word: str, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments that a text means in Python, with all of scapy's names and the lab's."""
    from pynetemu.crafting.scapy_node import evaluating

    arguments = text if text.startswith("(") and _is_one_group(text) else f"({text})"
    with evaluating(node) as names:
        try:
            found = eval(f"_arguments{arguments}", names, {"_arguments": lambda *packets, **options: (packets, options)})
        except SyntaxError as error:
            raise UsageError(f"{node.name} {word}: {error.msg}: {text}\n    usage: {_USAGE[word]}") from None
        except PynetemuError:
            raise
        except Exception as error:
            raise LabError(f"{node.name} {word}: {type(error).__name__}: {error}") from error
    packets, options = found
    allowed = {"count", "inter", "iface"} if word == "send" else {"timeout", "iface", "retry", "inter", "verbose"}
    if len(packets) != 1 or not set(options) <= allowed:
        raise UsageError(f"{node.name} {word}: one packet, and options among {', '.join(sorted(allowed))}: {text}")
    return packets, options


def _is_one_group(text: str) -> bool:
    """Whether a text's first bracket is closed by its last: "(a)/(b)" is two."""
    depth = 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return place == len(text) - 1
    return False


def _sniff(node: "RunningNode", count: int, filter: str) -> int:
    seen = 0

    def show(packet: Any) -> None:
        nonlocal seen
        seen += 1
        print(f"{packet.sniffed_on}  {printable(packet.summary())}", flush=True)

    try:
        node.sniff(filter, count=count, prn=show)
    except KeyboardInterrupt:
        print(counted(seen, "packet"), file=sys.stderr)
    return 0
