"""Runs the shell's lines: a node's command in the foreground or as a job, or one of the shell's own commands.

    shell = Shell(network)
    status = shell.run_line("blue ping -c1 root")

It needs no terminal; `shell.prompt` puts one before it.
"""

import select
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pynetemu.errors import CommandNotFound, LabError, PynetemuError, UsageError
from pynetemu.lab.connection import readable
from pynetemu.lab.process import Process
from pynetemu.network.network import Network
from pynetemu.shell import crafting, terminal
from pynetemu.shell.jobs import Job, Jobs, exit_status
from pynetemu.shell.language import Line, argv_of, logical_lines, parse, without_sudo, without_user
from pynetemu.shell.lists import BETWEEN, Part, parts_of
from pynetemu.terminal_output import no_room, wrapped

if TYPE_CHECKING:
    from pynetemu.lab.changing import LabChange
    from pynetemu.plan.operations import Plan
    from pynetemu.shell.command import Command
    from pynetemu.topology import Topology

_HELP_WORDS = ("-h", "--help", "?")
_OPERATORS = (*BETWEEN, "|", "&", ">", "<")
_DEEPEST = 20  # lines within lines: source, time, watch, aliases


class Leave(Exception):
    """The user leaves the shell, with a status."""

    def __init__(self, status: int) -> None:
        self.status = status


class Shell:
    """`job_control` is for a person at a terminal: each command gets a process group of its own, Ctrl-Z stops it.

    Without it commands share our process group, as those of a script do. `stdin` is what commands read: ours by default.
    `description` reads the user's file anew, for `reload`; it is given what runs, to be kept where it can be.
    """

    def __init__(
        self,
        network: Network,
        job_control: bool = False,
        stdin: int | None = None,
        description: "Callable[[Plan | None], tuple[Topology, Plan]] | None" = None,
    ) -> None:
        self.network = network
        self.jobs = Jobs()
        self.status = 0
        self.aliases: dict[str, str] = {}
        self.python_names: dict[str, Any] = {}  # what `py` and `px` have set
        self.stops_at_failures = True  # of scripts, `set -e`
        self.keys = ""  # how the prompt is edited, "vi" or "emacs"; "" for the user's usual way
        self.description = description
        self._job_control = job_control
        self._stdin = stdin
        self._depth = self._scripts = 0  # lines within lines, scripts within scripts
        self._has_told_of_sudo = False
        self.typed: Callable[[], Sequence[str]] = tuple  # the lines that were typed, oldest first; the prompt knows them

    def run_line(self, text: str) -> int:
        """Runs one line and gives its exit status; raises Leave for `exit`. Errors are told on standard error.

        So are faults of our own: they cost the line, never the lab. When our output is gone for good, OSError is raised.
        """
        self._depth += 1
        try:
            self.status = self._run(text)
        except PynetemuError as error:
            self.status = _complain(str(error), error.exit_status)
        except Leave:
            raise
        except Exception as error:
            sys.stdout.flush()  # raises again when it was the output that failed
            if (isinstance(error, BrokenPipeError) and _nobody_reads()) or no_room(error):
                raise
            from pynetemu.shell.faults import told

            self.status = _complain(told(error, text), 1)
        finally:
            self._depth -= 1
            sys.stdout.flush()  # before a program of a node writes to the same place
        return self.status

    def run_lines(self, lines: Iterable[str]) -> int:
        """Runs lines in order, up to the first that fails unless `set +e`; gives its status, or the last line's."""
        return self._run_all(line for _, line in logical_lines(lines))

    def run_texts(self, texts: Iterable[str]) -> int:
        """The same for texts, each of one line or of several."""
        return self._run_all(line for text in texts for _, line in logical_lines(text.split("\n")))

    def _run_all(self, lines: Iterable[str]) -> int:
        self._scripts += 1
        try:
            for line in lines:
                if self.run_line(line) and self.stops_at_failures:
                    break
        except Leave as leave:
            return leave.status
        finally:
            self._scripts -= 1
        return self.status

    def run_script(self, lines: Iterable[str], name: str) -> int:
        """As `run_lines`, and tells which line of a file was the one that failed."""
        self.status = 0
        self._scripts += 1
        try:
            for number, line in logical_lines(lines):
                if self.run_line(line) and self.stops_at_failures:
                    print(f"pynetemu: {name}:{number}: status {self.status}: {line.strip()}", file=sys.stderr)
                    break
        finally:
            self._scripts -= 1
        return self.status

    def _run(self, text: str) -> int:
        line = parse(_encodable(text))
        if line is None:
            return self.status
        if operator := next((one for one in _OPERATORS if text.lstrip().startswith(one)), ""):
            raise UsageError(f"there is no command before `{operator}`")
        if self._depth > _DEEPEST:
            raise LabError("too many nested lines: does an alias or a script run itself?")
        if line.word in self.network and not line.rest.startswith(BETWEEN):
            return self._in_node(line.word, line, text.strip())
        if (parts := list(parts_of(text, self)))[0].text != text:
            return self._run_list(parts)
        from pynetemu.shell import registry

        if line.word == "sudo" and without_sudo(text.strip()) != text.strip():
            return self.run_line(self._without_sudo(text.strip()))

        if line.word in self.aliases:
            return self.run_line(f"{self.aliases[line.word]} {line.rest}")
        if command := registry.find(line.word):
            return self._own(command, line)
        return self._in_nodes(line)

    def _run_list(self, parts: Sequence[Part]) -> int:
        """`a; b`, `a && b`, `a || b`, with as many as there are, from left to right; a script ends with one that fails."""
        if nothing := next((part.operator for part in parts if part.operator and not part.text.strip()), ""):
            raise UsageError(f"there is no command after `{nothing}`")
        status = 0
        for part in parts:
            if part.operator == ";" and status and self._scripts and self.stops_at_failures:
                break
            if part.operator in ("", ";") or (status != 0) == (part.operator == "||"):
                status = self.run_line(part.text)
        return status

    def _without_sudo(self, text: str) -> str:
        """A line without `sudo`, about which a word is said once."""
        found = without_sudo(text)
        if found != text and not self._has_told_of_sudo:
            self._has_told_of_sudo = True
            print("pynetemu: sudo is left out: commands in a node run as root already", file=sys.stderr)
        return found

    def _own(self, command: "Command", line: Line) -> int:
        arguments, tail = line.for_command(command)
        if arguments.strip() in _HELP_WORDS:
            from pynetemu.shell.help import help_text

            return _with_output_to(tail, lambda: _show(help_text(command)))
        try:
            return _with_output_to(tail, lambda: command.run(self, arguments))
        except UsageError as error:
            from pynetemu.shell.unknown import program_of_that_name

            if line.word != command.name and (hint := program_of_that_name(line.word, line.rest, self)):
                raise UsageError(f"{error}\n    hint: {hint}") from None
            raise

    def _in_node(self, node: str, line: Line, text: str) -> int:
        with _told_with(text):
            rest, background = line.for_node()
        rest = self._without_sudo(rest)
        if crafting.is_call(rest):
            return self._craft((node,), rest, background)
        return self._command(node, self._argv(node, rest) if rest else ["bash"], background, text)

    def _craft(self, nodes: Sequence[str], rest: str, background: bool) -> int:
        """scapy in nodes, one after the other."""
        if background:
            raise UsageError(f"{rest.split()[0]}: `&` is for programs in nodes; this runs in the foreground only")
        if rest == "scapy":
            return max(self._command(node, crafting.scapy_shell(node), False, f"{node} {rest}") for node in nodes)
        call, tail = crafting.without_output(rest)
        return _with_output_to(tail, lambda: max(crafting.run(self.network[node], call) for node in nodes))

    def _argv(self, node: str, rest: str) -> list[str]:
        from pynetemu.shell.substitution import substituted

        words = substituted(rest, node, self.network)
        with _told_with(rest):
            return argv_of(words)

    def _in_nodes(self, line: Line) -> int:
        from pynetemu.shell.argument_types import is_node_set, nodes_of
        from pynetemu.shell.unknown import unknown

        if not is_node_set(line.word):
            raise CommandNotFound(line.word, unknown(line.word, self))
        with _told_with(f"{line.word} {line.rest}"):
            nodes = nodes_of(line.word, self.network.nodes)
            rest, background = line.for_node()
        rest = self._without_sudo(rest)
        if not rest:
            raise UsageError(f"{line.word}: say what to run in these {len(nodes)} nodes: {line.word} ip addr")
        if crafting.is_call(rest):
            return self._craft(nodes, rest, background)
        if background:
            return max(self._command(node, self._argv(node, rest), True, f"{node} {line.rest}") for node in nodes)
        from pynetemu.shell.parallel import run_on

        return run_on(self.network, {node: self._argv(node, rest) for node in nodes}, sys.stderr)

    def _command(self, node: str, argv: list[str], background: bool, text: str) -> int:
        tty = terminal.own_terminal() if self._job_control and not background else None
        with terminal.lent(tty or terminal.own_terminal()):
            argv, user = without_user(argv)
            own_group = self._job_control or background
            process = self.network[node].start(*argv, stdin=self._stdin, terminal=tty, own_group=own_group, user=user)
            if background:
                return self._put_aside(process, text)
            return self._foreground(process, text)

    def _put_aside(self, process: Process, text: str) -> int:
        job = self.jobs.add(process, text)
        print(f"[{job.number}] {process.pid}", file=sys.stderr)
        return 0

    def resume(self, job: Job, foreground: bool) -> int:
        """Continues a job, in the foreground if wanted; gives its status."""
        tty = terminal.own_terminal() if foreground else None
        with terminal.lent(tty):
            job.process.resume(tty)
            job.state = "Running"
            return self._foreground(job.process, job.text, job) if foreground else 0

    def _foreground(self, process: Process, text: str, job: Job | None = None) -> int:
        """Waits until the process ends or is stopped; in the latter case it becomes a job."""
        interrupted = False
        while True:
            try:
                change = process.wait_change()
            except KeyboardInterrupt:  # it came to the process as well, which may want to end in its own way
                interrupted = True
                continue
            if change is None or change.kind == "continued":
                continue
            if change.kind == "exited":
                if job is not None:
                    self.jobs.remove(job)
                if self._job_control and change.value in (-signal.SIGINT, -signal.SIGQUIT):
                    print(file=sys.stderr)  # the terminal has echoed the key, and the prompt belongs below it
                return 130 if interrupted else exit_status(change.value)
            if self._job_control:  # else we are stopped and continued together
                job = job or self.jobs.add(process, text)
                job.take(change)
                print(f"\n{job}", file=sys.stderr)
                return 128 + change.value

    def has_ended(self, within: float) -> bool:
        """Waits some seconds, and says whether the lab has ended meanwhile."""
        return bool(readable([self.network.fileno()], within))

    def reload(self, dry_run: bool = False) -> "LabChange":
        """Makes the network what the user's file says now; with `dry_run` it only tells how. Raises as `Network.apply`."""
        topology, plan = self._described(self.network.plan)
        if dry_run:
            return self.network.difference(plan)
        return self.network.apply(plan, topology)

    def reload_fresh(self) -> None:
        """Makes the network again; the old one ends when the new one is there. Raises what a birth raises."""
        old = self.network
        if old.is_attached:
            hint = "`reload` changes it to what the file says now"
            raise LabError(f"reload --fresh works only where the lab was started, since it ends with that\n    hint: {hint}")
        topology, plan = self._described(None)
        if old.host:  # both would be on the machine
            old.close()
        new = Network(plan, name=old.name, host=old.host, privileged=old.privileged)
        new.describe(topology)
        new.open()
        old.close()
        new.rename(old.name)
        self.jobs = Jobs()
        self.network = new

    def _described(self, running: "Plan | None") -> "tuple[Topology, Plan]":
        if self.description is None:
            hint = "`pynetemu apply FILE LAB` takes any file"
            raise LabError(f"this lab has been started from no file, so that there is none to reload\n    hint: {hint}")
        return self.description(running)

    def chosen(self, sets: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        """The nodes of some sets, in the order of the description; all of them without a set."""
        wanted = {node for nodes in sets for node in nodes}
        return tuple(node for node in self.network.nodes if node in wanted or not sets)


@contextmanager
def _told_with(text: str) -> Iterator[None]:
    """A block that reads the words of a line: what is wrong with them (ValueError) is a UsageError that shows the line."""
    try:
        yield
    except ValueError as error:
        raise UsageError(f"{error}: {text.strip().partition(chr(10))[0]}") from None


def _encodable(text: str) -> str:
    """A line that programs can be given: any bytes are (PEP 383), halves of UTF-16's pairs are not."""
    if not isinstance(text, str):
        raise UsageError(f"{text!r} is not a line of the shell: those are text")
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"character {error.start + 1} of the line is none: {text[error.start]!r}, half of a pair") from None
    return text


def _show(text: str) -> int:
    print(text)
    return 0


def _nobody_reads() -> bool:
    """Whether whoever read our output has gone (poll(2)); what could not be written may have left the buffer already."""
    waiting = select.poll()
    try:
        waiting.register(sys.stdout.fileno(), select.POLLOUT)
    except (OSError, ValueError):
        return False
    return any(events & select.POLLERR for _, events in waiting.poll(0))


def _complain(text: str, status: int) -> int:
    sys.stdout.flush()
    print(wrapped(f"pynetemu: {text}", sys.stderr), file=sys.stderr)
    return status


def _with_output_to(tail: str, run: Callable[[], int]) -> int:
    """Runs something of our own whose output goes where the end of a line says: `| ...`, `> ...`; gives the status."""
    if not tail:
        return run()
    from pynetemu.shell.output import piped_into

    status = 0  # also when whoever reads has had enough
    with piped_into(tail) as end:
        status = run()
    return end.status or status
