"""Tells those who watch what happens to processes, services and the lab itself."""

import json
import socket

from pynetemu.engine.protocol.codec import to_data
from pynetemu.engine.protocol.requests import Occurrence


class Watchers:
    """Sockets of clients. One that does not read is told that it has missed something, as soon as there is room again."""

    def __init__(self) -> None:
        self._sockets: dict[socket.socket, bool] = {}  # each with whether it has missed something

    def add(self, watcher: socket.socket) -> None:
        """From now on each occurrence is one packet there."""
        watcher.setblocking(False)
        self._sockets[watcher] = False

    def tell(self, occurrence: Occurrence) -> None:
        """Never waits."""
        for watcher, has_missed in list(self._sockets.items()):
            try:
                if has_missed:
                    watcher.send(_packet(Occurrence("lost", occurrence.time)))
                    self._sockets[watcher] = False
                watcher.send(_packet(occurrence))
            except BlockingIOError:
                self._sockets[watcher] = True
            except OSError:  # nobody reads there any more
                watcher.close()
                del self._sockets[watcher]


def _packet(occurrence: Occurrence) -> bytes:
    return json.dumps(to_data(occurrence, [])).encode(errors="surrogateescape")
