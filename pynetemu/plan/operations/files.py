"""Operations about a node's own files."""

from typing import Literal

from pynetemu.plan.operations.operation import Effect, operation

FileKind = Literal["file", "private", "mount"]


@operation
class AddFile(Effect):
    """A file or folder that a node has at `path`, other than the machine.

    A "file" has the text `content`; a "private" folder is empty at first; a "mount" shows what the machine has at the path
    `content`.
    """

    IDENTITY = "node", "path"
    CHANGEABLE = ("content",)

    node: str
    path: str
    kind: FileKind
    content: str = ""
    source: str = ""

    def can_become(self, other: Effect) -> bool:
        """A file can be written anew."""
        return self.kind == "file" and Effect.can_become(self, other)
