"""Shows traces that were saved: pynetemu trace show FILE, pynetemu trace diff BEFORE AFTER"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetemu.trace.trace import Trace
    from pynetemu.trace.views.style import Style


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    show = verbs.add_parser("show", help="the packets of a trace, or one of them", allow_abbrev=False)
    show.add_argument("file", metavar="FILE", type=Path, help="what `trace --save` or `Trace.save` wrote")
    show.add_argument("number", metavar="N", type=int, nargs="?", help="packet N, hop by hop")
    show.add_argument("--why", action="store_true", help="why the last packet died, and what the nodes were asked about it")
    show.add_argument("-v", "--verbose", action="store_true", help="every sighting on a line of its own")
    show.add_argument("--all", action="store_true", help="all packets however many, also what kernels send by themselves")
    show.add_argument("--ascii", action="store_true", help="without line-drawing characters")
    show.add_argument("--json", action="store_true", help="as data")
    diff = verbs.add_parser("diff", help="two traces, side by side: where the paths part", allow_abbrev=False)
    diff.add_argument("before", metavar="BEFORE", type=Path)
    diff.add_argument("after", metavar="AFTER", type=Path)
    diff.add_argument("--ascii", action="store_true", help="without line-drawing characters")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.terminal_output import can_print, has_colors, terminal_width
    from pynetemu.trace.views.style import ASCII, Signs, Style, characters

    signs = ASCII if arguments.ascii or not can_print(characters()) else Signs()
    style = Style(color=has_colors(), width=terminal_width(), signs=signs)
    if arguments.verb == "show":
        print(_shown(_opened(arguments.file), arguments, style))
        return 0
    before, after = _opened(arguments.before), _opened(arguments.after)
    print(before.comparison(after, style))
    return 1 if any(one.what != "the same" for one in before.diff(after)) else 0


def _opened(file: Path) -> "Trace":
    from pynetemu.errors import LabError
    from pynetemu.trace.trace import Trace

    try:
        return Trace.open(file)
    except OSError as error:
        raise LabError(f"cannot read {file}: {error.strerror}") from None


def _shown(trace: "Trace", arguments: argparse.Namespace, style: "Style") -> str:
    from pynetemu.errors import LabError
    from pynetemu.trace.views import report

    if arguments.number is not None:
        try:
            trace[arguments.number]
        except LookupError as error:
            raise LabError(str(error)) from None
    if arguments.json:
        return json.dumps(report.packet_as_data(trace, arguments.number) if arguments.number else trace.data(), indent=2)
    if arguments.number is not None:
        return trace.story(arguments.number, style)
    if arguments.why:
        return report.why(trace, style, with_evidence=True)
    return report.sightings(trace, style) if arguments.verbose else trace.ladder(style, everything=arguments.all)
