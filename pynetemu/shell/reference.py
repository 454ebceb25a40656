"""The reference of the shell's commands, out of their signatures and docstrings.

python -m pynetemu.shell.reference > docs/reference/shell.md
"""

from collections.abc import Iterator
from itertools import groupby

from pynetemu.shell import registry
from pynetemu.shell.command import Command

_HEAD = """\
# The shell's commands

Generated from the commands themselves by `python -m pynetemu.shell.reference`; in the shell `help` lists them, and `help CMD`
tells about one. [How the shell is used](../howto/shell.md) is told elsewhere.

Arguments in brackets may be left out, `...` means several. Where NODES or several nodes are asked for, `h1,h2`, `h*`, `s?` and
`all` will do. Options may stand before, after and between arguments; where the rest of the line is a command of its own they
stand before it. Commands with `--json` print data for programs; on a terminal they shorten what is long, unless `--all` is
given. The output of all but those that take the rest of the line can be sent on: `nodes | grep h1`, `routes > routes.txt`.
"""


def as_markdown() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_topics()])


def _topics() -> Iterator[str]:
    commands = sorted(registry.built_in(), key=registry.place)
    for topic, theirs in groupby(commands, key=lambda command: command.topic):
        yield f"## {topic.capitalize()}\n"
        for command in theirs:
            yield _section(command)


def _section(command: Command) -> str:
    lines = [f"### {command.name}\n", "```", command.usage, "```\n", f"{command.about[0].upper()}{command.about[1:]}."]
    if command.other_names:
        lines[-1] += f" Also: {', '.join(f'`{name}`' for name in command.other_names)}."
    if told := command.explanation:
        lines += ["", "```", told, "```"]
    options = [f"| `{option.heading}` | {option.about} |" for option in command.options if option.name not in ("json", "all")]
    if options:
        lines += ["", "| option | |", "| --- | --- |", *options]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(as_markdown(), end="")
