"""The command line: finds the verb, runs it, and turns errors into messages and exit statuses."""

import argparse
import codecs
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from io import TextIOWrapper
from types import ModuleType
from typing import Any, NoReturn

from pynetemu.cli import interrupts
from pynetemu.cli.messages import tell
from pynetemu.errors import PynetemuError
from pynetemu.terminal_output import in_ascii, no_room

CALLED_BY_NO_CODE_OF_THE_USERS = True  # for `pynetemu.topology.part.caller`
VERBS = {
    "run": "bring a lab up and open its shell (what `pynetemu FILE` does)",
    "plan": "show what a file describes: for people, as a shell script, as data",
    "draw": "draw it, or a running lab: in the terminal, or into a file",
    "start": "bring a lab up without a shell",
    "stop": "end a running lab",
    "ps": "list your running labs",
    "exec": "run a command in a node of a running lab",
    "apply": "change a running lab to what a file describes now",
    "capture": "capture packets of a running lab",
    "save": "write what runs in a lab as a description that makes it again",
    "events": "tell what happens in a running lab",
    "trace": "show a saved trace, or compare two",
    "diff": "list how a running lab differs from its description",
    "attach": "open the shell of a running lab",
    "doctor": "tell what this machine allows, and how to mend what is missing",
    "examples": "list, show or copy the topologies that come with pynetemu",
    "completion": "print what makes bash or zsh complete these words",
}

_OTHERS_WORDS = {
    "list": "ps",
    "ls": "ps",
    "status": "ps",
    "show": "plan",
    "graph": "draw",
    "check": "doctor",
    "connect": "attach",
    "up": "start",
    "down": "stop",
    "version": "--version",
}

_USAGE = """\
usage: pynetemu [--host] [--name NAME] [--capture FILE] [-p NAME=VALUE] [-c COMMAND] FILE[:CLASS] [SCRIPT]
       pynetemu VERB ...
"""

_HELP = f"""\
{_USAGE}
Networks described as Python classes, running as Linux network namespaces. No root, no VM, nothing left behind.

  pynetemu topologies/blue.py                          opens the lab's shell
  pynetemu topologies/blue.py -c 'blue ping -c1 root'  runs a line and ends
  pynetemu topologies/star.py -p n=5                   sets a parameter of the description
  pynetemu tree:depth=2,fanout=3                       needs no file: a network of a well-known shape

  -c COMMAND      run this line of the shell instead of opening it; may be repeated; stops at the first that fails
  SCRIPT          run the lines of this file; stops at the first that fails
  -p NAME=VALUE   set a parameter of the topology's build(); may be repeated
  --name NAME     the lab's name for ps, exec and attach (default: the class's name)
  --strict        what pynetemu only warns of is an error
  --capture FILE  write all packets from the lab's first moment on to a pcapng file, for Wireshark and tshark
  --host          the lab's root is this machine itself, not a sandbox (needs root)
  --version       show the version

verbs (pynetemu VERB --help tells more):
""" + "".join(f"  {verb:<12}{about}\n" for verb, about in VERBS.items())


def _module(verb: str) -> ModuleType:
    """What carries a verb out; cli.start is where the command itself begins."""
    return import_module(f"pynetemu.cli.{'detached' if verb == 'start' else verb}")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors name the program and what to type for help."""

    def error(self, message: str) -> NoReturn:
        print(f"pynetemu: {message}\n    hint: `{self.prog} --help` shows what is allowed", file=sys.stderr)
        sys.exit(2)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Python's own takes no notice of what cannot be written."""
        (file or sys.stderr).write(message or "")


def main(argv: Sequence[str] | None = None) -> int:
    interrupts.end_process()
    _open_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _answer(arguments)
        finally:
            sys.stdout.flush()  # here, where it can be told that it fails; argparse prints help and raises SystemExit
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has enough
        _give_up_output()
        return 141
    except OSError as error:
        if not no_room(error):
            raise
        _give_up_output()
        print(f"pynetemu: the output cannot be written: {error.strerror}", file=sys.stderr)
        return 1


def _answer(arguments: list[str]) -> int:
    if not arguments:
        print(_HELP, file=sys.stderr)
        return 2
    if arguments[0] in ("-h", "--help", "help"):
        print(_HELP)
        return 0
    if arguments[0] in ("--version", "-V"):
        from pynetemu import __version__

        print(f"pynetemu {__version__}")
        return 0
    return _run(arguments)


def _open_streams() -> None:
    """A stream that whoever started us has closed is /dev/null, or what we open next would be in its place."""
    for name, mode in ("stdin", "r"), ("stdout", "w"), ("stderr", "w"):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this stream's
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode))
    codecs.register_error("pynetemu", in_ascii)
    streams = (sys.stdin, "surrogateescape"), (sys.stdout, "pynetemu"), (sys.stderr, "pynetemu")  # lines may have any bytes
    for stream, errors in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=errors)


def _mistyped(word: str) -> str:
    """What to say of a first word that is neither a verb nor an option, nor is or looks like a file; "" for any other."""
    from pynetemu.wording import did_you_mean, nearest, suggested

    if word.startswith("--") and len(word) > 2:
        known = [*parser_of("run")._option_string_actions, "--version", "--help"]
        hint = did_you_mean(word, known) if word.partition("=")[0] not in known else ""
        return hint and f"there is no option {word!r}\n    hint: {hint}"
    if word in VERBS or word.startswith("-") or not word.isalpha() or os.path.exists(word):
        return ""
    if word in _OTHERS_WORDS:
        hint = suggested(_OTHERS_WORDS[word])
    else:
        from pynetemu.topology.shapes import SHAPES

        near = nearest(word, [*VERBS, *SHAPES])
        hint = "" if near in SHAPES else suggested(near)
    return hint and f"there is no verb or file {word!r}\n    hint: {hint}"


def parser_of(verb: str) -> argparse.ArgumentParser:
    """What reads the words after a verb."""
    module = _module(verb)
    no_look = partial(argparse.RawDescriptionHelpFormatter, width=80)  # at the terminal, for each argument that is added
    name = "pynetemu" if verb == "run" else f"pynetemu {verb}"
    parser = Parser(prog=name, description=module.__doc__, allow_abbrev=False, formatter_class=no_look)
    module.add_arguments(parser)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


def _parsed(verb: str, arguments: list[str]) -> argparse.Namespace:
    """Options may stand among the other words too (FILE --name x SCRIPT), but where those are a line of their own."""
    parser = parser_of(verb)
    found, left = parser.parse_known_args(arguments)
    if left and not any(action.nargs == argparse.REMAINDER for action in parser._actions):
        return parser.parse_intermixed_args(arguments)
    return parser.parse_args(arguments) if left else found


def _run(arguments: list[str]) -> int:
    if arguments[0] not in VERBS and (text := _mistyped(arguments[0])):
        print(f"pynetemu: {text}", file=sys.stderr)
        return 2
    verb = arguments.pop(0) if arguments[0] in VERBS else "run"
    try:
        status: int = _module(verb).run(_parsed(verb, arguments))
        return status
    except PynetemuError as error:
        return tell(error)


def _give_up_output() -> None:
    """What is left in the buffer goes nowhere, else Python would try again at its end, and tell."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
