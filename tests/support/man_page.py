"""The manual page, from what the command line knows: `python -m tests.support.man_page > docs/pynetemu.1`."""

import argparse
from collections.abc import Iterator

from pynetemu import __version__
from pynetemu.cli.main import VERBS, parser_of

_DESCRIPTION = """\
Brings up a network that is described as Python classes, as Linux network namespaces, and opens a shell in which any program
runs in any node. It needs neither root nor a virtual machine, and leaves nothing behind.
.PP
FILE is a Python file with a Topology class, FILE:CLASS names one of several; a well-known shape needs no file, as in
.BR "pynetemu tree:depth=2,fanout=3" .
Without
.B \\-c
or SCRIPT, and with a terminal, the shell is interactive; its command
.B help
tells the rest."""
_EXAMPLES = {
    "pynetemu examples --copy labs": "copies the topologies that come with pynetemu",
    "pynetemu labs/blue.py": "opens a lab's shell",
    "pynetemu labs/blue.py -c 'blue ping -c1 root'": "runs a line in it, and ends",
    "pynetemu labs/firewall.py -c 'trace h2 ping -c1 web'": "says why a packet does not arrive",
    'eval "$(pynetemu completion bash)"': "completes these words in bash",
}
_STATUSES = {
    "0": "all went well; with -c or a script, that of the last line",
    "1": "the kernel refused, there is no such lab, or the lab has ended",
    "2": "a wrong description or a wrong command line; nothing was touched",
    "3": "this machine does not allow a sandbox: pynetemu doctor says why",
    "126, 127": "a program that cannot be run; no such program or node",
    "128 + N": "ended by signal N",
}


def page() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f'.TH PYNETEMU 1 "" "pynetemu {__version__}" "User Commands"'
    yield from (".SH NAME", "pynetemu \\- networks as Python classes, running as Linux network namespaces")
    yield from (".SH SYNOPSIS", ".B pynetemu", "[OPTION]... FILE[:CLASS] [SCRIPT]", ".br", ".B pynetemu", "VERB ...")
    yield from (".SH DESCRIPTION", _DESCRIPTION, ".SH OPTIONS", *_options(parser_of("run")), ".SH VERBS")
    for verb, about in VERBS.items():
        yield from (".TP", f".B {verb}", _escaped(f"{about}."))
        if verb != "run":
            yield from (".RS", *_options(parser_of(verb)), ".RE")
    for title, rows in ("EXIT STATUS", _STATUSES), ("EXAMPLES", _EXAMPLES):
        yield f".SH {title}"
        for word, about in rows.items():
            yield from (".TP", f".B {_escaped(word)}", _escaped(about))
    yield from (".SH SEE ALSO", ".BR ip\\-netns (8),", ".BR namespaces (7),", ".BR veth (4)")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        words = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        value = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or action.dest.upper()}"
        choices = f" ({', '.join(map(str, action.choices))})" if action.choices else ""
        yield from (".TP", f".B {_escaped(words + value)}", _escaped(f"{action.help or ''}{choices}".strip()))


def _escaped(text: str) -> str:
    """As roff(7) has it: hyphens that are typed, and no line that begins with a control character."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) or not plain else plain


if __name__ == "__main__":
    print(page(), end="")
