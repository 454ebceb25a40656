"""How requests and answers are written in messages: numbered, with the protocol's version, and refusals in place of answers.

    {"protocol": 1, "number": 3, "do": "Signal", "fields": {"pid": 7, "signal": 15}}
    {"protocol": 1, "number": 3, "answer": null}
    {"protocol": 1, "number": 3, "error": "lab", "message": "…"}

"message" is what every version has called it, so that each can tell its user why another one refused.
"""

import sys
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from pynetemu.engine.paths import ProgramNotFound
from pynetemu.engine.protocol.channel import Message, TooLong
from pynetemu.engine.protocol.codec import NotUnderstood, from_data, to_data
from pynetemu.engine.protocol.requests import PROTOCOL, REQUESTS, Request, Spawn
from pynetemu.errors import CommandError, ConflictError, KernelError, LabError, PynetemuError, ServiceError
from pynetemu.frozen import frozen

A = TypeVar("A")


class Overtaken(LabError):
    """Somebody else has changed the lab since the plan that a change was made for; `lab.changing.until_first` tries again."""

    def __init__(self) -> None:
        super().__init__("somebody else has changed this lab meanwhile: look at what it is now, and try again")


@frozen
class Refusal:
    """Why there is no answer; `error` is its kind: "lab", "kernel", "conflict", "service", "command" and those below."""

    error: str
    message: str = ""
    node: str = ""
    program: str = ""  # that the node does not have ("not_found")
    step: str = ""  # of making a sandbox, and why it failed ("privilege")
    errno: int = 0


class Refused(Exception):
    """The answer is a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def pack_request(request: Request[Any], number: int = 0) -> tuple[Message, list[int]]:
    """A message, and the descriptors that go with it."""
    descriptors: list[int] = []
    fields = to_data(request, descriptors)
    return {"protocol": PROTOCOL, "number": number, "do": type(request).__name__, "fields": fields}, descriptors


def unpack_request(message: Message, descriptors: Sequence[int]) -> Request[Any]:
    """The request in a message; raises NotUnderstood, also for one of another version."""
    if message.get("protocol") != PROTOCOL:
        raise NotUnderstood(f"this lab was started by another version of pynetemu, {_version()}: {_SAME}")
    name = message.get("do")
    if not isinstance(name, str) or name not in REQUESTS:
        raise NotUnderstood(f"this lab was started by pynetemu {_version()}, which does not know the request {name!r}: {_SAME}")
    return cast(Request[Any], from_data(REQUESTS[name], message.get("fields"), descriptors))


def pack_answer(request: Request[Any], answer: Any, number: object = 0) -> tuple[Message, list[int]]:
    """A message with the answer to a request, and the descriptors that go with it."""
    descriptors: list[int] = []
    data = to_data(answer, descriptors, request.answer_kind())
    return {"protocol": PROTOCOL, "number": number, "answer": data}, descriptors


def pack_refusal(refusal: Refusal, number: object = None) -> Message:
    """A message with a refusal; without a number it is for whatever was asked."""
    return {"protocol": PROTOCOL, "number": number, **to_data(refusal, [])}


def unpack_answer(request: Request[A], message: Message, descriptors: Sequence[int]) -> A:
    """The answer in a message; raises Refused, also for one that is not understood."""
    if "error" in message:
        known = {name: message[name] for name in Refusal.__match_args__ if name in message}
        raise Refused(cast(Refusal, from_data(Refusal, known, ())))
    if message.get("protocol") != PROTOCOL:
        raise Refused(Refusal("lab", f"the lab was started by another version of pynetemu than this, {_version()}: {_SAME}"))
    try:
        return cast(A, from_data(request.answer_kind(), message.get("answer"), descriptors))
    except NotUnderstood as error:
        raise Refused(Refusal("lab", f"the lab's answer is not understood: {error}")) from None


def refusal_of(request: Request[Any] | None, error: Exception) -> Refusal:
    """What to answer where a request has raised something; None for one that was not understood."""
    node = getattr(request, "node", "")
    where = f"{node}: " if node else ""
    match error:
        case PynetemuError():
            return Refusal(_KINDS.get(type(error), "lab"), str(error))
        case NotUnderstood() | TooLong():
            return Refusal("lab", str(error))
        case ProgramNotFound():
            return Refusal("not_found", node=node, program=error.filename)
        case OSError():
            what = f"{error.filename}: " if error.filename else ""
            return Refusal("command", f"{where}{what}{error.strerror}")
    kind = "command" if isinstance(request, Spawn) else "lab"
    return Refusal(kind, f"{where}{error} ({type(error).__name__})")


_KINDS: dict[type[Any], str] = {
    KernelError: "kernel",
    ConflictError: "conflict",
    ServiceError: "service",
    CommandError: "command",
    Overtaken: "overtaken",
}
_SAME = "use the same version, or start the lab again"


def _version() -> str:
    version: str = vars(sys.modules["pynetemu"])["__version__"]  # imported with this module; by name it would be a circle
    return version
