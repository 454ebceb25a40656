"""The machine's processors, each of which passes packets on by itself, and may be late."""

import os
import socket
import threading
from contextlib import suppress

_SECONDS = 1.0  # for a datagram that this machine sends to itself


def catch_up() -> None:
    """Returns when each processor has done what it had to do with the packets that it held when this was called.

    What a virtual link hands over waits in a queue of its processor, one for all network namespaces. A datagram that is sent
    there waits behind it, and has come when what was before it has been done.
    """
    with suppress(RuntimeError):  # no further thread can be had
        thread = threading.Thread(target=_one_after_the_other, name="pynetemu-processors", daemon=True)
        thread.start()
        thread.join()


def _one_after_the_other() -> None:
    """In a thread of its own, since it is bound to one processor after the other."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.settimeout(_SECONDS)
        here.bind(("127.0.0.1", 0))
        here.connect(here.getsockname())
        for processor in sorted(os.sched_getaffinity(0)):
            with suppress(OSError):  # it went away, or its datagram did
                os.sched_setaffinity(0, {processor})
                here.send(b"")
                here.recv(1)
