"""Waiting for many slow calls of the kernel at once."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")
_MOST_THREADS = 64


def in_parallel(function: Callable[[_T], None], items: Sequence[_T]) -> None:
    """Calls a function for each item, in threads, and returns when all have returned; raises the first error.

    Ring buffers of packet sockets need this: making or closing one waits for all processors to have let go of the socket
    (synchronize_net, 15 ms), and those that wait at the same time wait together.
    """
    waiting, errors = list(items), list[BaseException]()

    def work() -> None:
        while waiting:
            try:
                item = waiting.pop()
            except IndexError:  # another thread was faster
                return
            try:
                function(item)
            except BaseException as error:  # noqa: BLE001  # it is raised again by the caller's thread
                errors.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(len(items), _MOST_THREADS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
