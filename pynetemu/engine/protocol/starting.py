"""Starts an engine in our process group and session, so that a program in a node can have our terminal."""

import os
import signal
import sys

_PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "__main__.py")
_CHANNEL = 3  # the engine's descriptor
# Keys and the terminal's end are for the user's process and for programs in nodes, never for the engine.
_DEAF_TO = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGHUP)


def spawn(descriptor: int) -> int:
    """A process of its own program, whose channel is this descriptor of ours; gives its number."""
    actions = [
        (os.POSIX_SPAWN_DUP2, descriptor, _CHANNEL),  # first: it may be 0 or 1 itself, in a program that has closed those
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    argv = [sys.executable, "-I", "-S", _PROGRAM]
    # Who ignores SIGCHLD has no children to wait for (waitpid(2)), and exec hands that down.
    default = (signal.SIGCHLD,)
    return os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions, setsigmask=_DEAF_TO, setsigdef=default)


def fork(descriptor: int) -> int:
    """The same by fork(2): Python's own start, and what has been imported here, are there already."""
    if pid := os.fork():
        return pid
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, _DEAF_TO)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(descriptor, _CHANNEL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        from pynetemu.engine.sandbox import main

        main(_CHANNEL)
    finally:
        os._exit(1)


def has_one_thread() -> bool:
    """Whether this process may be forked: locks of other threads would stay locked for ever there."""
    return len(os.listdir("/proc/self/task")) == 1
