"""Ctrl-C: while a lab starts it ends this process at once, and with it the lab; in the shell it is for the program that runs.

Python's own way, a KeyboardInterrupt, gets lost when it comes in the midst of a callback ("Exception ignored in"), which
imports make many of; then the lab would start all the same.
"""

import signal


def end_process() -> None:
    """Lets the kernel's own action stand, the end; unless whoever started us wants interrupts ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_again() -> None:
    """From now on an interrupt is a KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
