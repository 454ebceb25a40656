"""Nodes' own files as commands, which a script leaves out: `ip netns` gives no files to nodes."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.operations import AddFile

TITLES = {AddFile: "The nodes' own files are left out; they are these"}


def lines(operation: AddFile, _: str | None) -> Iterator[str]:
    match operation:
        case AddFile(node=node, path=path, kind="file", content=content):
            yield f"# {node} {quote(path)}: a file of {len(content.splitlines())} lines"
        case AddFile(node=node, path=path, kind="private"):
            yield f"# {node} {quote(path)}: a folder of its own"
        case AddFile(node=node, path=path, content=content):
            yield f"# {node} {quote(path)}: {quote(content)} of the machine"


def undo(operation: AddFile, root: str | None) -> Iterator[str]:
    yield from (f"{line}, no more" for line in lines(operation, root))


def replace(_: AddFile, new: AddFile, root: str | None) -> Iterator[str]:
    yield from lines(new, root)
