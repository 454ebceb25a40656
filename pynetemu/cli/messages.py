"""Errors as people read them in a terminal."""

import sys

from pynetemu.errors import PynetemuError
from pynetemu.terminal_output import wrapped


def tell(error: PynetemuError) -> int:
    """Writes an error to the standard error; gives the exit status that goes with it."""
    print(wrapped(f"pynetemu: {error}", sys.stderr), file=sys.stderr)
    return error.exit_status
