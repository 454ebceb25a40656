"""Where the command begins: Ctrl-C ends it from here on, before anything else is imported, as `cli.interrupts` says."""

import _signal  # type: ignore[import-not-found]
import gc


def main() -> int:
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from pynetemu.cli.main import main

    try:
        return main()
    finally:
        gc.freeze()  # the interpreter's last look for garbage takes longer than all else that it does at its end
