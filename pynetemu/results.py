"""What became of a command."""

from pynetemu.frozen import frozen


@frozen
class Result:
    """What became of a command: `status` is 0 for success, negative for the signal that ended it.

    `stdout` and `stderr` are text, or bytes after `run(..., text=False)`.
    """

    node: str
    argv: tuple[str, ...]
    status: int
    stdout: str | bytes
    stderr: str | bytes
