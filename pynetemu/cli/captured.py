"""What is said of a capture that lasts as long as its lab (`--capture FILE`)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pynetemu.errors import LabError

if TYPE_CHECKING:
    from pynetemu.capture.capture import Capture


@contextmanager
def told(capture: "Capture | None") -> Iterator[None]:
    """Around the lab: says at the end what the file has; an error of it is the user's to mend."""
    try:
        yield
    except OSError as error:
        if capture is None or error.filename != capture.file:
            raise
        raise LabError(capture.failure(error)) from error
    if capture is not None:
        print(capture.summary, file=sys.stderr)
