"""The files that a description gives to nodes: `private`, `files`, `mounts`."""

import os
from collections.abc import Iterator, Mapping

from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.network import ResolvedFile
from pynetemu.topology.nodes import Host
from pynetemu.topology.part import quoted

_OWN = "/etc", "/var", "/run"
_KERNELS = "/proc", "/sys", "/dev"


def read_files(part: Host, problems: Problems) -> list[ResolvedFile]:
    """Those that can be; notes what is wrong with the others."""
    if part.private is Host.private and part.mounts is Host.mounts and part.files is Host.files:
        return []  # as most nodes have it
    declaration = part.declaration
    found: list[ResolvedFile] = []
    for read, value in (_read_private, part.private), (_read_mounts, part.mounts):
        found += problems.check(declaration, read, value, os.path.dirname(os.path.abspath(declaration.file))) or []
    found += problems.check(declaration, _read_texts, part.files, [file.path for file in found]) or []
    paths = [file.path for file in found]
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        problems.add(declaration, f"{part.declaration.full_name} has {path} twice", "once in one of private, files and mounts")
    return sorted(found, key=lambda file: file.path)


def _read_private(value: object, _: str) -> list[ResolvedFile]:
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
        raise Wrong(f"private={quoted(value)} is not a list of folders", 'for instance: private=["/srv/x"]')
    return [ResolvedFile(_path(path, "private"), "private") for path in value]


def _read_mounts(value: object, folder: str) -> list[ResolvedFile]:
    found = []
    for path, source in _table(value, "mounts", "{'/srv/www': 'pages'}, paths of the machine by the node's"):
        if not isinstance(source, str | os.PathLike) or "\0" in (text := os.fspath(source)) or not text:
            raise Wrong(f"mounts: {quoted(source)} is not a path of the machine", "for instance: mounts={'/srv/www': 'pages'}")
        found.append(ResolvedFile(_path(path, "mounts"), "mount", os.path.join(folder, text)))
    return found


def _read_texts(value: object, folders: list[str]) -> list[ResolvedFile]:
    found = []
    for path, text in _table(value, "files", "{'/etc/motd': 'hello\\n'}, texts by their paths"):
        if not isinstance(text, str):
            raise Wrong(f"files: {quoted(text)} is not text", "for instance: files={'/etc/motd': 'hello\\n'}")
        at = _path(path, "files")
        if not any(at.startswith(f"{own}/") for own in (*_OWN, *folders)):
            raise Wrong(
                f"files: {at} would be the machine's own", "choose a path below /etc, /var, /run or a folder in private"
            )
        found.append(ResolvedFile(at, "file", text))
    return found


def _table(value: object, name: str, example: str) -> Iterator[tuple[object, object]]:
    if not isinstance(value, Mapping):
        raise Wrong(f"{name}={quoted(value)} is not a table", f"for instance: {name}={example}")
    yield from value.items()


def _path(path: object, name: str) -> str:
    if not isinstance(path, str | os.PathLike) or not isinstance(text := os.fspath(path), str) or "\0" in text:
        raise Wrong(f"{name}: {quoted(path)} is not a path", "a string that begins with /")
    if not text.startswith("/") or ".." in text.split("/"):
        raise Wrong(f"{name}: {quoted(text)} is not a path in a node", "it begins with /, and has no ..")
    plain = os.path.normpath(text).replace("//", "/")
    if plain == "/" or any(f"{plain}/".startswith(f"{top}/") for top in _KERNELS) or plain in _OWN:
        raise Wrong(f"{name}: {plain} cannot be changed", "choose something in a folder, such as /etc/motd or /srv/x")
    return plain
