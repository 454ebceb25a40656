"""What the parts of a description have in common: they know where the user wrote them, and take wrong values too."""

import itertools
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from types import FrameType
from typing import Any, Self, TypeVar

from pynetemu.frozen import fresh, record

_order = itertools.count()
_changes = [0]  # how often a part that is watched was changed
_last: list[int] = []  # the last place that a part may have, and of how many that is told, within a block of `bounded`
_most: list[int] = []
_folders: list[str] = []  # of the blocks of `one_folder`
_PARTS_FOR_ONE = 5  # interfaces beside links and nodes, and parts that are left again
_P = TypeVar("_P")
_MOST_VALUES = 100_000  # that are read of an iterable: more than any setting takes, and an endless one ends here
_READ_ALREADY = str, bytes, tuple, frozenset, range, type, IPv4Network, IPv6Network
_LONGEST = 200  # characters of a value in a message


class WrongSettingError(Exception):
    """What a `build` of ours says of a parameter that cannot be: `text` is what is wrong, `hint` what is allowed."""

    def __init__(self, text: str, hint: str) -> None:
        self.text, self.hint = text, hint
        super().__init__(f"{text}: {hint}")


@record
class Declaration:
    """Where and how a part was made.

    `order` counts the parts as they are made, and `registered` ones are part of a topology. `refused` are arguments
    that do not fit the part's signature. `belongings` are the interfaces, links and services made for a node while it
    was `open`: until the class that it is an attribute of is complete. Those of derived classes are theirs alone.
    """

    file: str
    line: int
    order: int
    name: str = ""
    registered: bool = False
    refused: tuple[tuple[object, ...], dict[str, object]] | None = None
    belongings: list["Part"] = fresh(factory=list)
    open: bool = True
    within: str = ""
    seen: tuple[str | None, str] = None, ""  # from which directory it was last shown, and how
    watched: bool = False  # changes of the part count

    @property
    def full_name(self) -> str:
        return f"{self.within}{self.name}"

    @property
    def where(self) -> str:
        """The user's `file:line`, the file as seen from the current directory."""
        folder = current_folder()
        if self.seen[0] is not folder:
            self.seen = folder, f"{_seen_from(folder, self.file)}:{self.line}" if self.file else ""
        return self.seen[1]

    @property
    def text(self) -> str:
        """The user's source text, "" when it is not to be had."""
        import linecache

        return linecache.getline(self.file, self.line).strip()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Declaration":
        copy: Declaration = object.__new__(type(self))
        memo[id(self)] = copy
        for name in self.__match_args__:  # one by one: what was refused may be what cannot be copied
            setattr(copy, name, copied(getattr(self, name), memo))
        return copy

    def keep(self, part: "Part") -> None:
        """Notes an interface, link or service made for this node."""
        if self.open:
            self.belongings.append(part)


class PartType(type):
    """Notes arguments that a part does not take, instead of raising TypeError, to be told with all other problems."""

    def __call__(cls: type[_P], *args: Any, **kwargs: Any) -> _P:
        part: Any
        try:
            part = type.__call__(cls, *args, **kwargs)
        except TypeError:
            fitting = _fitting(cls, args, kwargs)
            if fitting and len(fitting[0]) == len(args) and len(fitting[1]) == len(kwargs):
                raise
            part = cls.__new__(cls) if fitting is None else type.__call__(cls, *fitting[0], **fitting[1])
            part.declaration.refused = args, kwargs
        return part  # type: ignore[no-any-return]


class Part(metaclass=PartType):
    """A node, interface, link or service of a description."""

    declaration: Declaration

    def __new__(cls, *_: object, **__: object) -> Self:
        part = super().__new__(cls)
        part.declaration = Declaration(*caller(), next_order())
        return part

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        read_settings_once(cls)

    def __setattr__(self, name: str, value: object) -> None:
        is_read = isinstance(value, Iterator) and hasattr(type(self), name)
        super().__setattr__(name, once(value) if is_read else value)
        if self.declaration.watched:
            _changes[0] += 1

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        _changes[0] += 1

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copy = object.__new__(type(self))
        memo[id(self)] = copy
        vars(copy).update(copied(vars(self), memo))
        return copy

    def _set(self, **options: object) -> None:
        """Keeps the options that were given; the others are as the class has them, so that a subclass can set its own."""
        vars(self).update({name: once(value) for name, value in options.items() if value is not None})

    def __repr__(self) -> str:
        name = f" {self.declaration.name!r}" if self.declaration.name else ""
        return f"<{type(self).__name__}{name} of {self.declaration.where}>"


def watch(parts: Iterable[Part]) -> None:
    """From now on it counts when these parts get other values."""
    for part in parts:
        part.declaration.watched = True


def changes() -> int:
    """How often a part that is watched has got another value."""
    return _changes[0]


def once(value: object) -> object:
    """A value that may be an iterable, as one that can be read again and that nobody changes. Others are as they were given."""
    if isinstance(value, Mapping):
        return {key: once(item) for key, item in value.items()}
    if isinstance(value, list | set):
        return value.copy()
    if isinstance(value, _READ_ALREADY) or not isinstance(value, Iterable):
        return value
    return tuple(itertools.islice(value, _MOST_VALUES))


def read_settings_once(cls: type) -> None:
    """Iterators that a class has for settings of its bases become tuples; what the user calls otherwise is the user's."""
    for name, value in list(vars(cls).items()):
        if isinstance(value, Iterator) and any(name in vars(base) for base in cls.__mro__[1:]):
            setattr(cls, name, once(value))


def copied(value: Any, memo: dict[int, Any]) -> Any:
    """A deep copy, in which what cannot be copied, such as a lock, is the same object."""
    from copy import deepcopy

    known = len(memo)
    try:
        return deepcopy(value, memo)
    except Exception:  # noqa: BLE001
        # a class of the user's may refuse to be copied in any way; what is half copied by then is not taken for whole
        for key in list(memo)[known:]:
            del memo[key]
        if type(value) is dict:
            return {key: copied(item, memo) for key, item in value.items()}
        return type(value)(copied(item, memo) for item in value) if type(value) in (list, tuple) else value


def quoted(value: object) -> str:
    """A value as a message shows it: its repr, not too long, whatever the value's class makes of that."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001
        return f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


ENTRY = "CALLED_BY_NO_CODE_OF_THE_USERS"  # a name that modules have in which programs of ours begin


def next_order() -> int:
    """The place of a part among all that are made. Raises ValueError where a block of `bounded` makes too many."""
    number = next(_order)
    if _last and number > _last[-1]:
        raise ValueError(f"more parts are made than a topology can have: {_most[-1]:,}")
    return number


@contextmanager
def bounded(most: int) -> Iterator[None]:
    """A block in which no more parts than a topology has are made: told before memory goes. Blocks within it change nothing."""
    if not _last:
        _most.append(most)
        _last.append(next(_order) + _PARTS_FOR_ONE * most)
        try:
            yield
        finally:
            _most.clear()
            _last.clear()
    else:
        yield


def caller() -> tuple[str, int]:
    """The user's file and line: the nearest frame that is not ours, nor the `__init__` of a user's own kind of part."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (_is_ours(frame) or _is_init(frame)):
        if ENTRY in frame.f_globals:
            return "", 0
        frame = frame.f_back
    return ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def shown(file: str) -> str:
    """A path as people know it: relative to the current directory when it lies below it."""
    return _seen_from(current_folder(), file)


@contextmanager
def one_folder() -> Iterator[None]:
    """A block in which the current directory is asked for once: the kernel tells it in 3 us, and each place is seen from it."""
    _folders.append(current_folder())
    try:
        yield
    finally:
        _folders.pop()


def current_folder() -> str:
    """The current directory, "" when it has been removed."""
    if _folders:
        return _folders[-1]
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


@lru_cache(maxsize=64)  # few files have all the parts, and each part is shown several times
def _seen_from(folder: str, file: str) -> str:
    return file.removeprefix(os.path.join(folder, "")) if folder and os.path.isabs(file) else file


def _is_ours(frame: FrameType) -> bool:
    name, file = str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename
    return name.startswith("pynetemu.") or file.startswith("<frozen ")  # Python's own, such as abc


def _is_init(frame: FrameType) -> bool:
    code = frame.f_code
    return code.co_name == "__init__" and isinstance(frame.f_locals.get(code.co_varnames[0]), Part)


def _fitting(
    cls: type, args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[tuple[object, ...], dict[str, object]] | None:
    """Those arguments which the class takes, None when it needs others besides."""
    import inspect

    signature = inspect.signature(cls.__init__)  # type: ignore[misc]
    parameters = list(signature.parameters.values())[1:]
    if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        args = args[: sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)]
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        names = {p.name for p in parameters[len(args) :] if p.kind is not p.POSITIONAL_ONLY}
        kwargs = {name: value for name, value in kwargs.items() if name in names}
    try:
        signature.bind(None, *args, **kwargs)
    except TypeError:
        return None
    return args, kwargs
