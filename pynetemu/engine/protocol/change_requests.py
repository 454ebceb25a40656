"""What an engine can be asked to make of its lab, besides `engine.protocol.requests`."""

from typing import Any

from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.request import Request, request
from pynetemu.frozen import frozen


@frozen
class Changed:
    """What has become of a change: the number of the lab's plan, and what was made by hand and in the way."""

    revision: int
    told: tuple[str, ...]


@frozen
class Cut:
    """A place in a text, as it is after the cuts before, and what comes there."""

    begin: int
    end: int
    text: bytes


@request
class ChangeLab(Request[Changed]):
    """Become what another plan says: `change` leads to it from the plan numbered `base` (`plan.data.change_to_data`).

    All of it is done or nothing; when `cancel` becomes readable, nothing. `description` is what the plan was made of, None
    for what is not known, unless it `keeps_description`: then it is that of the plan before, with these `cuts`.
    """

    base: int
    change: dict[str, Any]
    cancel: Descriptor | None
    description: bytes | None
    keeps_description: bool
    cuts: tuple[Cut, ...]


@request
class TakeBack(Request[Changed]):
    """Become again what the lab was before its last change; `base` and `cancel` as of a change."""

    base: int
    cancel: Descriptor | None
