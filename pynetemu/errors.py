"""Every error that pynetemu raises.

    PynetemuError
    ├── DescriptionError    the description is wrong: all problems, each with the user's file and line
    ├── PrivilegeError      this machine does not let us make a sandbox; `fix` is the one command that mends it
    ├── ConflictError       --host: the machine already has what the lab would add
    ├── KernelError         the kernel refused an operation
    ├── ServiceError        a service of the description ended before it was ready, or was not ready in time
    ├── LabError            there is no such lab, it is another user's, or it has ended
    ├── DrawError           a picture cannot be drawn or written as asked
    ├── FilterError         a filter of packets is wrong
    ├── UsageError          an argument of a call, or a word of a line of the shell, is wrong
    └── CommandError        a command in a node
        ├── CommandNotFound     the node has no such program
        ├── CommandFailed       it ended with a status other than 0 (run(..., check=True))
        └── CommandTimeout      it did not end in time, and was killed

`exit_status` is what the `pynetemu` command exits with.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pynetemu.frozen import frozen

if TYPE_CHECKING:
    from pynetemu.results import Result


class PynetemuError(Exception):
    """The root of the tree; its text is made for people."""

    exit_status = 1


@frozen
class Problem:
    """One thing wrong with a description.

    `where` is the user's `file:line` ("" when there is none), `line` the source text found there, `text` what is wrong,
    with the value, and `hint` what is allowed or what to write instead ("" when the text says it already).
    """

    text: str
    where: str = ""
    line: str = ""
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.where}: {self.text}" if self.where else self.text
        return "\n".join(
            [head, *([f"    {self.line}"] if self.line else []), *([f"    hint: {self.hint}"] if self.hint else [])]
        )


class DescriptionWarning(UserWarning):
    """What a description says is allowed, and was hardly meant; `Network` tells it by Python's warnings(3).

    warnings.simplefilter("error", DescriptionWarning)  # as `pynetemu --strict`
    """


class DescriptionError(PynetemuError):
    """The description is wrong; `problems` has everything that is, in the order of the user's file."""

    exit_status = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def _render_traceback_(self) -> list[str]:
        """What notebooks show (IPython): the problems, which name the user's lines, and not ours."""
        return [f"{type(self).__name__}: {self}"]


class PrivilegeError(PynetemuError):
    """The machine does not allow a sandbox: `reason` says what refused, `fix` is the command that allows it."""

    exit_status = 3

    def __init__(self, reason: str, fix: str) -> None:
        self.reason, self.fix = reason, fix
        super().__init__(f"{reason}\n    fix: {fix}\n    `pynetemu doctor` tells more")


class ConflictError(PynetemuError):
    """The machine already has an address, route or interface that the lab would add; nothing was changed."""


class KernelError(PynetemuError):
    """The kernel refused an operation; the message says which, on which node, from which line, and the errno."""


class ServiceError(PynetemuError):
    """A service was not ready in time, or ended before; the message has the end of its output."""


class LabError(PynetemuError):
    """There is no such lab, it belongs to another user, or it has ended."""


class FilterError(PynetemuError):
    """A filter of packets is wrong; the message is libpcap's."""

    exit_status = 2


class UsageError(PynetemuError):
    """A line of the shell, or a call, has wrong words; the message says which, and what is allowed."""

    exit_status = 2


class DrawError(PynetemuError):
    """A picture cannot be drawn or written as asked; no file was changed."""

    exit_status = 2


class CommandError(PynetemuError):
    """A command in a node went wrong; by itself: it could not be started."""

    exit_status = 126  # as of sh, POSIX XCU 2.8.2


class CommandNotFound(CommandError):
    """The node has no such program; `program` is its name."""

    exit_status = 127

    def __init__(self, program: str, message: str) -> None:
        self.program = program
        super().__init__(message)


class CommandFailed(CommandError):
    """A command ended with a status other than 0; `result` has the status and all that it printed."""

    exit_status = 1

    def __init__(self, message: str, result: "Result") -> None:
        self.result = result
        super().__init__(message)


class CommandTimeout(CommandError):
    """A command did not end in time and was killed, with everything it had started in its process group."""
