"""Exceptions of the user's own code as problems: their traceback, without our frames and the standard library's."""

import inspect
import os
import re
import traceback
from collections.abc import Iterator
from textwrap import indent

from pynetemu.errors import Problem
from pynetemu.topology.part import shown
from pynetemu.topology.topology import Topology
from pynetemu.wording import did_you_mean

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))  # site-packages lies below it
_SUGGESTION = re.compile(r"\. Did you mean: '[^']*'\?$", re.MULTILINE)  # from Python 3.12 on; here the hint says it


def explain_failure(error: BaseException, what: str, file: str = "") -> Problem:
    """`what` happened because of an exception in the user's code; `file` is told when no line of it is known."""
    summary = traceback.TracebackException.from_exception(error)
    frames = [frame for frame in summary.stack if _is_users(frame.filename)]
    if isinstance(error, SyntaxError):
        where, line = f"{shown(error.filename or '')}:{error.lineno}" if error.lineno else file, (error.text or "").strip()
        return Problem(f"{type(error).__name__}: {error.msg}", where, line)
    for part in _with_causes(summary):
        part.stack[:] = [_plain(frame) for frame in part.stack if _is_users(frame.filename)]
    where = f"{shown(frames[-1].filename)}:{frames[-1].lineno}" if frames else file
    if len(frames) == 1 and summary.__cause__ is None and (summary.__context__ is None or summary.__suppress_context__):
        text = _SUGGESTION.sub("", "".join(summary.format_exception_only()).rstrip())
        return Problem(f"{what}: {text}", where, frames[0].line or "", _hint(error, frames))
    text = _SUGGESTION.sub("", "".join(summary.format()).rstrip())
    return Problem(f"{what}\n{indent(text, '    ')}", where, hint=_hint(error, frames))


def place_of_build(kind: type[Topology]) -> str:
    """Where a class's `build` begins, "" when that is not to be had."""
    code = getattr(inspect.unwrap(kind.build), "__code__", None) if callable(kind.build) else None
    return f"{shown(code.co_filename)}:{code.co_firstlineno}" if code and _is_users(code.co_filename) else ""


def _hint(error: BaseException, frames: list[traceback.FrameSummary]) -> str:
    """For what surprises people: in a class, a comprehension sees no other attributes but in its first `in`."""
    if isinstance(error, SystemExit):
        return "a description only says what the network is, and ending it ends everything: leave exit() out"
    line = (frames[-1].line or "") if frames else ""
    if isinstance(error, NameError) and " for " in line and any(sign in line for sign in "[({"):
        return "Python lets no comprehension see the class's other names: do it in build(self), with self.add(...)"
    return _meant(error) if isinstance(error, NameError) else ""


def _meant(error: NameError) -> str:
    """For a name that is nowhere: a word of ours that was not imported, or a known one that is like it."""
    from pynetemu import topology

    if error.name in topology.__all__:
        return f"write: from pynetemu import {error.name}"
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    known = {**last.tb_frame.f_globals, **last.tb_frame.f_locals} if last else {}
    return did_you_mean(error.name or "", [name for name in known if not name.startswith("__")])


def _is_users(file: str) -> bool:
    return not file.startswith((_OURS + os.sep, _LIBRARY + os.sep, "<frozen "))


def _plain(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    """Without the columns: each version of Python marks them in another way."""
    return traceback.FrameSummary(frame.filename, frame.lineno, frame.name, line=frame.line)


def _with_causes(summary: traceback.TracebackException | None) -> Iterator[traceback.TracebackException]:
    if summary is not None:
        yield summary
        yield from _with_causes(summary.__cause__)
        yield from _with_causes(summary.__context__)
