"""Opens the prompt: draws it at once, and imports what reads keys while the user reads it."""

import gc
from typing import TYPE_CHECKING

from pynetemu.shell.prompt.first_prompt import FirstPrompt, own_file

if TYPE_CHECKING:
    from pynetemu.shell.shell import Shell


def open_prompt(shell: "Shell") -> int:
    """Lets a person type lines until they leave; gives the exit status."""
    first = FirstPrompt(shell.network.name)
    try:
        if own_file() is None:  # what it prints comes first
            first.draw()
        gc.disable()  # importing makes no garbage, and looking for it takes a twentieth of the time
        from pynetemu.shell.prompt.prompt import interact

        gc.enable()
        return interact(shell, first)
    finally:
        first.close()
