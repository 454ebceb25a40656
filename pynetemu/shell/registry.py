"""Which commands there are: ours, those of the user's file, those of plugins; each loaded when it is first needed."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from pynetemu.errors import LabError, PynetemuError
from pynetemu.shell.command import USERS_FILE, Command, command
from pynetemu.shell.topics import TOPIC_OF, TOPICS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def find(name: str) -> Command | None:
    """The command of a name: ours, else one of the user's file, else a plugin's."""
    if name in TOPIC_OF:
        return _of_module(_load(TOPIC_OF[name]))[name]
    if name in (theirs := _of_users_file()):
        return theirs[name]
    return _load_plugin(_plugins()[name]) if name in _plugins() else None


def names(with_plugins: bool = True) -> Iterator[str]:
    """Every command's name, ours first."""
    yield from TOPIC_OF
    yield from (name for name in _of_users_file() if name not in TOPIC_OF)
    if with_plugins:
        yield from (name for name in _plugins() if name not in TOPIC_OF)


def all_commands() -> list[Command]:
    """Every command once, in the order of `names`."""
    found = {id(command): command for name in names() if (command := find(name))}
    return list(found.values())


def built_in() -> list[Command]:
    """Our own commands, each once."""
    return list({id(command): command for topic in TOPICS for command in _of_module(_load(topic)).values()}.values())


def abouts() -> dict[str, str]:
    """What each command that is loaded already is for; loading all takes longer than a Tab may."""
    loaded = [sys.modules.get(f"pynetemu.shell.commands.{topic}") for topic in TOPICS]
    return {name: command.about for module in loaded if module for name, command in _of_module(module).items()}


def load_all() -> None:
    """Imports all of our commands, so that completion tells what they are for."""
    for topic in TOPICS:
        _load(topic)


def place(command: Command) -> tuple[int, str]:
    """Where help lists a command: topics in their order here, then the user's file and plugins."""
    topics = list(TOPICS)
    return topics.index(command.topic) if command.topic in topics else len(topics), command.topic


def _load(topic: str) -> ModuleType:
    return import_module(f"pynetemu.shell.commands.{topic}")


def _of_module(module: ModuleType) -> dict[str, Command]:
    commands = [value for value in vars(module).values() if isinstance(value, Command)]
    return {name: command for command in commands for name in (command.name, *command.other_names)}


def use_file(file: str) -> None:
    """Says which file has the description of a lab that another process has started; it is read when it is needed."""
    _described_in[:] = [file] if file else []


_described_in: list[str] = []


def _of_users_file() -> dict[str, Command]:
    if _described_in and USERS_FILE not in sys.modules and (file := _file_to_read()):
        from pynetemu.plan.load import load

        with suppress(PynetemuError):  # commands are read of it, whatever becomes of its topologies
            load(file)
    module = sys.modules.get(USERS_FILE)
    return _of_module(module) if module else {}


def _file_to_read() -> str:
    """The user's file, once: completion asks in a thread of its own while the line is being drawn."""
    try:
        return _described_in.pop()
    except IndexError:
        return ""


@cache
def _plugins() -> "dict[str, EntryPoint]":
    """The installed entry points of `pynetemu.commands`, each under its command's name."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group="pynetemu.commands")}


@cache
def _load_plugin(point: "EntryPoint") -> Command:
    """Raises LabError with the plugin's name, whatever goes wrong in it."""
    try:
        found = point.load()
        return found if isinstance(found, Command) else command(topic="plugins", name=point.name)(found)
    except Exception as error:
        raise LabError(f"{point.name}: its plugin {point.value} failed: {type(error).__name__}: {error}") from error
