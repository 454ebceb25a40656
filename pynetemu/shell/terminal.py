"""The shell's terminal: lent to a node's program, and taken back with its settings (termios(3), tcsetpgrp(3))."""

import os
import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def own_terminal() -> int | None:
    """The descriptor of standard input if it is our terminal and we are in its foreground, else None."""
    try:
        return 0 if os.tcgetpgrp(0) == os.getpgrp() else None
    except OSError:
        return None


@contextmanager
def lent(terminal: int | None) -> Iterator[None]:
    """A block in which a program may have the terminal; afterwards it is ours again, with the settings from before."""
    if terminal is None:
        yield
        return
    settings = termios.tcgetattr(terminal)
    try:
        yield
    finally:
        # A background process that sets the foreground group is stopped by SIGTTOU, unless it blocks that.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
        with suppress(OSError, termios.error):  # the terminal has gone
            os.tcsetpgrp(terminal, os.getpgrp())
            termios.tcsetattr(terminal, termios.TCSADRAIN, settings)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
