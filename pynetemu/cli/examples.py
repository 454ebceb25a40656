"""Lists the topologies that come with pynetemu, shows one, or copies them: pynetemu examples --copy labs"""

import argparse
import ast
import sys
from pathlib import Path

from pynetemu.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the one to show, or to copy")
    parser.add_argument("--copy", metavar="FOLDER", type=Path, help="copy it, or all of them, into this folder")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.plan.files import collection

    found = collection()
    if not found:
        raise UsageError("this installation has no topologies\n    hint: they are in the folder topologies of the source")
    if arguments.name is not None:
        name = _known(arguments.name, found)
        found = {name: found[name]}
    if arguments.copy is not None:
        _copy(found, arguments.copy)
    elif arguments.name is not None:
        sys.stdout.write(next(iter(found.values())).read_text(encoding="utf-8"))
    else:
        _list(found)
    return 0


def _known(name: str, found: dict[str, Path]) -> str:
    from pynetemu.wording import near_or_all

    plain = name.removeprefix("topologies/").removesuffix(".py")
    if plain not in found:
        raise UsageError(f"there is no topology {name!r} among them\n    hint: {near_or_all(plain, list(found))}")
    return plain


def _list(found: dict[str, Path]) -> None:
    width = max(map(len, found))
    for name, file in found.items():
        about = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        print(f"{name:<{width}}  {about}")
    print(
        "\nOne in full: pynetemu examples blue. Copies to run and change: pynetemu examples --copy labs; pynetemu labs/blue.py"
    )


def _copy(found: dict[str, Path], folder: Path) -> None:
    targets = {folder / f"{name}.py": file for name, file in found.items()}
    if there := [target for target in targets if target.exists()]:
        from pynetemu.wording import shortened

        raise UsageError(f"nothing was copied: there is {shortened(list(map(str, there)))} already")
    try:
        for target, file in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{error.filename or folder} cannot be written: {error.strerror}") from None
    print(f"{len(targets)} into {folder}: pynetemu {next(iter(targets))}" if len(targets) > 1 else next(iter(targets)))
