"""A running lab and its nodes, as the tools need them: opened, closed, commands and sockets in nodes, what the kernel has."""

import os
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Self

from pynetemu.engine.paths import packed, search_path, without_personal
from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.requests import Build, Listen, Networks, OpenSocket, ReadNames, ReadPlan, Spawn
from pynetemu.errors import CommandFailed, CommandNotFound, CommandTimeout, DescriptionWarning, LabError, UsageError
from pynetemu.lab import arguments
from pynetemu.lab.arguments import Path, Words
from pynetemu.lab.connection import Connection, EngineProcess, Sandbox, is_readable
from pynetemu.lab.following import FollowedPlan
from pynetemu.lab.kernel import kernel_has
from pynetemu.lab.live_lab import LiveLab
from pynetemu.lab.process import DEVNULL, PIPE, Process, Stream, Streams, communicate
from pynetemu.lab.running_labs import address, check_name, connect, listen, name_of
from pynetemu.plan.data import from_data, to_data
from pynetemu.plan.operations import Plan, parts_of
from pynetemu.results import Result
from pynetemu.topology import Topology
from pynetemu.topology.part import caller, quoted
from pynetemu.wording import near_or_all

if TYPE_CHECKING:
    from pynetemu.lab.stream import Events
    from pynetemu.plan.inventory import Inventory


class LabNode:
    """A node of a lab by its name; `pynetemu.RunningNode`, which users hold, adds scapy to it."""

    def __init__(self, lab: "Lab", name: str) -> None:
        self.lab = lab
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} of {self.lab.name}>"

    def run(
        self,
        *argv: Words,
        check: bool = False,
        timeout: float | None = None,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        text: bool = True,
        user: str | int | None = None,
    ) -> Result:
        """Runs a command to its end and gives its status and output.

            net["blue"].run("ping", "-c1", "root").stdout

        `timeout` is in seconds; `input` is what it reads (nothing by default); `env` is added to the environment; `cwd`
        is its directory (the caller's by default). Words may be paths and numbers too, or one list. It returns when the
        program has ended; what that has left in the background runs on. With `text=False` the output is bytes. `user` is
        one of the node's /etc/passwd, by name or number; it is root by default. Raises CommandNotFound, CommandError,
        CommandTimeout (the command is killed, with all that it has started, in the background too), and with `check`
        CommandFailed for a status other than 0; UsageError for arguments of wrong types.
        """
        words, data = arguments.words(argv), arguments.data("input", input)
        timeout = arguments.seconds_or_none("timeout", timeout)
        check, text = arguments.truth("check", check), arguments.truth("text", text)
        stdin = PIPE if data else DEVNULL
        process = self.start(*words, stdin=stdin, stdout=PIPE, stderr=PIPE, env=env, cwd=cwd, user=user)
        try:
            out, err = communicate(process, data, timeout)
        except CommandTimeout as error:
            process.end()
            raise CommandTimeout(f"{error}, and was killed") from None
        except BaseException:
            process.end()
            raise
        finally:
            process.close()
        assert process.poll() is not None
        decoded = [part.decode(errors="replace") if text else part for part in (out, err)]
        result = Result(self.name, words, process.wait(), decoded[0], decoded[1])
        for heard in self.lab.on_result:
            heard(result)
        if check and result.status:
            raise CommandFailed(_failure(result), result)
        return result

    def start(
        self,
        *argv: Words,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        terminal: int | None = None,
        own_group: bool = True,
        user: str | int | None = None,
    ) -> Process:
        """Starts a command and returns while it runs.

        The streams are as for subprocess.Popen: None inherits the caller's. `terminal` is a descriptor of a terminal
        whose foreground the command's process group becomes; without `own_group` it stays in the caller's process
        group, as a command of a shell script does. `user` is as for `run`. Raises CommandNotFound, CommandError and UsageError.
        """
        words, known = arguments.words(argv), arguments.user(user)
        environment = _environment(env, known)
        directory = None if cwd is None else arguments.path("cwd", cwd)
        for name, stream in ("stdin", stdin), ("stdout", stdout), ("stderr", stderr):
            arguments.stream(name, stream)
        streams = Streams(stdin, stdout, stderr)
        life, their_life = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = Spawn(
            self.name,
            words,
            environment,
            directory or _directory(),
            must_enter=directory is not None,
            own_group=own_group or terminal is not None,
            streams=tuple(map(Descriptor, streams.theirs)),
            life=Descriptor(their_life.fileno()),
            terminal=None if terminal is None else Descriptor(terminal),
            user=known,
        )
        try:
            started = self.lab.processes.ask(request)
        except BaseException as error:
            streams.close_all()
            life.close()
            if isinstance(error, CommandNotFound):
                raise _with_hint(error, words) from None
            raise
        finally:
            their_life.close()
        streams.close_theirs()
        return Process(self.name, words, started, self.lab.processes, life, streams.ours)

    def socket(
        self,
        family: int = socket.AF_INET,
        type: int = socket.SOCK_STREAM,
        proto: int = 0,
    ) -> socket.socket:
        """A socket that lives in this node, to be used from here like any other.

            with net["blue"].socket() as client:
                client.connect(("10.0.0.1", 8080))

        Names are not resolved in the node: connect to addresses. Raises OSError as socket.socket does, and UsageError.
        """
        family, type, proto = (
            arguments.whole(name, value, 0) for name, value in (("family", family), ("type", type), ("proto", proto))
        )
        return socket.socket(fileno=self.lab.control.ask(OpenSocket(self.name, int(family), int(type), int(proto))))


class Lab(LiveLab):
    """What captures, measurements and traces work on; `pynetemu.Network` is the same with all of these on it.

    Its parameters, and the errors that `open` raises, are those of `Network`.
    """

    def __init__(
        self,
        topology: Topology | type[Topology] | Plan,
        *,
        host: bool = False,
        privileged: bool = False,
        ids: str | None = None,
        name: str | None = None,
        sandbox: EngineProcess | None = None,
    ) -> None:
        self._topology = checked_topology(topology, "Network")
        self._sandbox = sandbox
        self._wanted_name = None if name is None else check_name(name)
        self._begun = self._is_open = False
        self._wait_until_built: Callable[[], None] = lambda: None
        self._attached: Connection | None = None
        self._ids = None if ids is None else _known_ids(ids)
        self._followed: FollowedPlan | None = FollowedPlan(self._with_ids(topology)) if isinstance(topology, Plan) else None
        self._inventory: Inventory | None = None
        self.privileged = arguments.truth("privileged", privileged)
        self.host = topology.host if isinstance(topology, Plan) else arguments.truth("host", host)
        self.name = name or ""
        self.streams: list[Events] = []  # that are open
        self.file = ""  # of the description, in a lab that another process has started
        self.on_result: list[Callable[[Result], None]] = []  # called with what became of each command that `run` has ended

    @classmethod
    def attach(cls, name: str) -> Self:
        """A running lab of this user, from another process; closing it leaves the lab running. Raises LabError."""
        control, described = connect(name)
        try:
            lab = cls(from_data(control.ask(ReadPlan())), name=name)
        except BaseException:
            control.close()
            raise
        lab._attached = control
        lab.file = described.file
        return lab

    @property
    def is_attached(self) -> bool:
        """Whether another process has started the lab, which runs on when this one leaves."""
        return self._attached is not None

    @property
    def plan(self) -> Plan:
        """What the lab is made of, as it is now: others may have changed it."""
        return self.followed.now(self.control) if self._is_open else self.followed.plan

    @property
    def followed(self) -> FollowedPlan:
        """The plan, for `lab.changing`."""
        if self._followed is None:
            from pynetemu.plan.compile import compile_plan

            assert not isinstance(self._topology, Plan)
            plan = compile_plan(self._topology, host=self.host, kernel=partial(kernel_has, self._sandbox))
            for text in plan.warnings:
                warnings.warn_explicit(text, DescriptionWarning, *caller())
            self._followed = FollowedPlan(self._with_ids(plan))
        return self._followed

    @property
    def inventory(self) -> "Inventory":
        """What the plan says, by node and interface."""
        plan = self.plan
        if self._inventory is None or self._inventory.plan is not plan:
            from pynetemu.plan.inventory import Inventory

            self._inventory = Inventory(plan)
        return self._inventory

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes' names, in the order of the description."""
        return self.inventory.nodes

    def _with_ids(self, plan: Plan) -> Plan:
        """The plan with the ids that were asked for besides the description; a range that the lab has stays."""
        ids = "range" if self._is_open and self.plan.ids == "range" else self._ids or plan.ids
        if ids == plan.ids:
            return plan
        return Plan(plan.name, plan.operations, plan.host, plan.host_address, plan.warnings, ids)

    def begin(self) -> Self:
        """Starts to bring the network up, and returns while the engine works; `open` waits for it."""
        if self._begun:
            return self
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        self._begun = True
        return self

    def _begin(self) -> None:
        """The engine starts while we plan, which takes as long."""
        if self._attached:
            self._sandbox = self._sandbox or Sandbox.join(address(self.name))
            return
        ids = self._ids or ("range" if self._topology.ids == "range" else "one")
        self._sandbox = sandbox = self._sandbox or Sandbox.start(self.host, self.privileged, ids)
        plan = self.plan
        self.name, listener = listen(name_of(plan.name) if self._wanted_name is None else self._wanted_name)
        with listener:
            self._wait_until_built = sandbox.connection.begin(self._build_request(plan, listener))

    def _build_request(self, plan: Plan, listener: socket.socket) -> Build:
        source = next((op.source for op in parts_of(plan) if op.source), "")
        file = os.path.abspath(source.rpartition(":")[0]) if source else ""
        listens = Descriptor(listener.fileno())
        return Build(to_data(plan), os.getpid(), file, time.time(), self._ring_memory(), listens)

    def _ring_memory(self) -> int:
        """How many bytes each node's ring takes from the lab's first moment on; 0 for no rings."""
        return 0

    def open(self) -> Self:
        """Brings the network up, and returns when it is ready. Opening one that is open is not an error."""
        if self._is_open:
            return self
        try:
            self.begin()
            self._while_it_is_built()
            self._wait_until_built()
            self._opened()
        except BaseException:
            self.close()
            raise
        self._is_open = True
        return self

    def _while_it_is_built(self) -> None:
        """What else can be done while the engine works."""

    def _opened(self) -> None:
        """What else belongs to opening, once the lab is ready; what it raises closes the lab."""

    def rename(self, wanted: str) -> None:
        """Makes the lab known by another name, or by that and a number where that is taken. Raises LabError, UsageError."""
        if check_name(wanted) != self.name:
            name, listener = listen(wanted)
            with listener:
                self.control.ask(Listen(Descriptor(listener.fileno())))
            self.name = name

    def close(self) -> None:
        """Ends the lab, and returns when its last process has gone. Closing twice is not an error."""
        for stream in list(self.streams):
            stream.close()
        if self._attached is not None:
            self._attached.close()
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None
        if self._followed is not None:
            self._followed.close()
        self._begun = self._is_open = False

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: object, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = ", not open" if not self._begun else ", ended" if self.ended else ""
        return f"<{type(self).__name__} {self.name}{state}>" if self.name else f"<{type(self).__name__} not open yet>"

    async def __aenter__(self) -> Self:
        """As `with`, while other tasks of an asyncio program go on."""
        import asyncio

        opening = asyncio.ensure_future(asyncio.to_thread(self.open))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait([opening])
            self.close()
            raise

    async def __aexit__(self, *error: object) -> None:
        import asyncio

        await asyncio.to_thread(self.close)

    def _known(self, name: str) -> str:
        """The name, if a node has it; raises LabError."""
        if name not in self.nodes:
            raise LabError(f"{self.plan.name} has no node {name!r}; {near_or_all(name, self.nodes)}")
        return name

    def __getitem__(self, name: str) -> LabNode:
        return LabNode(self, self._known(name))

    def __contains__(self, name: object) -> bool:
        return name in self.nodes

    def __iter__(self) -> Iterator[LabNode]:
        return (self[name] for name in self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def names(self, node: str) -> str:
        """The text of a node's /etc/hosts: the names of the addresses that the nodes have now; in a closed lab as planned."""
        if self.ended:
            from pynetemu.plan.names import hosts_file

            return hosts_file(self.inventory, self._known(node))
        return self.control.ask(ReadNames(self._known(node)))

    def namespaces(self) -> dict[str, int]:
        """The number of each node's network namespace, as `lsns -t net` shows it: it is the same on all of the machine."""
        numbers = self.control.ask(Networks())
        return {node: numbers[node] for node in self.nodes}

    def fileno(self) -> int:
        """A descriptor that becomes readable when the lab has ended."""
        return self._engine().fileno()

    @property
    def ended(self) -> bool:
        """Whether the lab has ended: it was closed, or its engine was killed."""
        return self._sandbox is None or is_readable(self._sandbox.fileno(), 0)

    @property
    def processes(self) -> Connection:
        """Where requests for processes go: the engine, or our own process in a lab that we have attached to."""
        return self._engine().connection

    @property
    def control(self) -> Connection:
        """Where requests to the engine go."""
        return self._attached or self._engine().connection

    def _engine(self) -> EngineProcess:
        if self._sandbox is None:
            raise LabError(f"the network {self.name or self.plan.name} is not open: use `with Network(...) as net:`")
        return self._sandbox


def checked_topology(topology: Topology | type[Topology] | Plan, used: str) -> Topology | type[Topology] | Plan:
    """What a lab can be made of; raises UsageError for anything else."""
    if isinstance(topology, Topology | Plan) or (isinstance(topology, type) and issubclass(topology, Topology)):
        return topology
    text = f"{quoted(topology)} is not a Topology"
    raise UsageError(f"{text}\n    hint: {used}(Blue()), with a class of yours that derives from Topology")


def _with_hint(error: CommandNotFound, words: Sequence[str]) -> CommandNotFound:
    """For a whole line given as one word."""
    if len(words) != 1 or " " not in words[0]:
        return error
    import shlex

    separate = ", ".join(f'"{word}"' for word in words[0].split())
    hint = f'each word is an argument: run({separate}); or run("sh", "-c", {shlex.quote(words[0])})'
    text = f"{str(error).partition(chr(10))[0]}\n    hint: {hint}"
    return CommandNotFound(error.program, text)


def _known_ids(wanted: str) -> str:
    if wanted not in ("one", "range"):
        raise UsageError(f'ids={wanted!r} is neither "one" nor "range"')
    return wanted


def _environment(added: Mapping[str, str] | None, user: str) -> str:
    """Ours; for another user without what is personal, which the engine adds."""
    ours = without_personal(os.environ) if user else os.environ
    env = {**ours, **arguments.variables(added)}
    return packed({**env, "PATH": search_path(env)})


def _directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it has been removed under us
        return "/"


def _failure(result: Result) -> str:
    import shlex

    lines = str(result.stderr).rstrip() if isinstance(result.stderr, str) else ""
    return f"{result.node}: `{shlex.join(result.argv)}` ended with status {result.status}" + (f"\n{lines}" if lines else "")
