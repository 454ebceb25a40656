"""Whether links or addresses of a lab have changed meanwhile: heard, since asking all nodes again takes long."""

import errno
import socket
from typing import TYPE_CHECKING

from pynetemu.engine.messages.framing import messages
from pynetemu.engine.protocol.requests import OpenListener
from pynetemu.errors import PynetemuError

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_GROUPS = (1, 5, 9)  # RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR
_DATAGRAM = 1 << 16


class LinkChanges:
    """Hears from when it is made until it is closed."""

    def __init__(self, lab: "Lab") -> None:
        self._socket: socket.socket | None = None
        try:
            self._socket = socket.socket(fileno=lab.control.ask(OpenListener(_GROUPS)))
            self._socket.setblocking(False)
        except (PynetemuError, OSError):  # this kernel tells nothing of other namespaces
            self.close()

    def any(self) -> bool:
        """Whether there was a change, or may have been one that was not heard."""
        if self._socket is None:
            return True
        try:
            while True:
                data = self._socket.recv(_DATAGRAM)
                if any(body[:1] != bytes([socket.AF_BRIDGE]) for _, _, _, body in messages(data)):
                    return True
        except OSError as error:
            return error.errno != errno.EAGAIN

    def close(self) -> None:
        """Closing twice is no error."""
        if self._socket is not None:
            self._socket.close()
