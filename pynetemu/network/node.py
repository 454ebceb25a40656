"""A node of a running network: commands, processes and sockets inside it."""

import os
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pynetemu.engine.paths import search_path
from pynetemu.errors import CommandFailed
from pynetemu.lab.process import Process, Result, Stream, Streams, communicate

if TYPE_CHECKING:
    from scapy.packet import Packet
    from scapy.plist import PacketList, SndRcvList

    from pynetemu.network.network import Network


class Node:
    """A node by its name, from `net["blue"]`."""

    def __init__(self, network: "Network", name: str) -> None:
        self.network = network
        self.name = name

    def __repr__(self) -> str:
        return f"<Node {self.name} of {self.network.name}>"

    def run(
        self,
        *argv: str,
        check: bool = False,
        timeout: float | None = None,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        text: bool = True,
    ) -> Result:
        """Runs a command to its end and gives its status and output.

            net["blue"].run("ping", "-c1", "root").stdout

        `timeout` is in seconds; `input` is what it reads (nothing by default); `env` is added to the environment; `cwd`
        is its directory (the caller's by default). As subprocess.run it returns when nothing has its output open any more:
        use `start` for what goes on in the background. With `text=False` the output is bytes. Raises CommandNotFound,
        CommandError, CommandTimeout (the command is killed), and with `check` CommandFailed for a status other than 0.
        """
        data = input.encode() if isinstance(input, str) else input or b""
        stdin = subprocess.PIPE if data else subprocess.DEVNULL
        process = self.start(*argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=cwd)
        try:
            out, err = communicate(process, data, timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            process.close()
        assert process.poll() is not None
        decoded = [part.decode(errors="replace") if text else part for part in (out, err)]
        result = Result(self.name, argv, process.wait(), decoded[0], decoded[1])
        if check and result.status:
            raise CommandFailed(_failure(result), result)
        return result

    def start(
        self,
        *argv: str,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        terminal: int | None = None,
        own_group: bool = True,
    ) -> Process:
        """Starts a command and returns while it runs.

        The streams are as for subprocess.Popen: None inherits the caller's. `terminal` is a descriptor of a terminal
        whose foreground the command's process group becomes; without `own_group` it stays in the caller's process
        group, as a command of a shell script does. Raises CommandNotFound and CommandError.
        """
        if not argv:
            raise ValueError("a command needs at least the name of a program")
        streams = Streams(stdin, stdout, stderr)
        life, their_life = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {
            "do": "spawn",
            "node": self.name,
            "argv": [os.fspath(word) for word in argv],
            "env": _environment(env),
            "cwd": cwd or _directory(),
            "must_cwd": cwd is not None,
            "own_group": own_group or terminal is not None,
        }
        try:
            descriptors = [*streams.theirs, their_life.fileno(), *([] if terminal is None else [terminal])]
            answer, _ = self.network.processes.request(request, descriptors)
        except BaseException:
            streams.close_all()
            life.close()
            raise
        finally:
            their_life.close()
        streams.close_theirs()
        return Process(self.name, argv, answer["pid"], self.network.processes, life, streams.ours)

    def socket(
        self,
        family: int = socket.AF_INET,
        type: int = socket.SOCK_STREAM,
        proto: int = 0,
    ) -> socket.socket:
        """A socket that lives in this node, to be used from here like any other.

            with net["blue"].socket() as client:
                client.connect(("10.0.0.1", 8080))

        Names are not resolved in the node: connect to addresses.
        """
        request = {"do": "socket", "node": self.name, "family": int(family), "type": int(type), "protocol": int(proto)}
        _, descriptors = self.network.control.request(request)
        return socket.socket(fileno=descriptors[0])

    def send(self, packet: Any, *, count: int = 1, inter: float = 0.0, iface: str = "") -> int:
        """Sends packets made with scapy, as this node would; gives how many.

            net["blue"].send(IP(dst="10.0.0.1") / ICMP())

        Packets of the network layer take the node's routes, neighbours and firewall, and its source address where they have
        none; frames (`Ether(...)`, `ARP(...)`) go out by `iface`, by default the interface of the route. `inter` is the time
        between two of them, in seconds. Raises OSError as the node's kernel would for a program.
        """
        from pynetemu.crafting import scapy_node

        return scapy_node.send(self, packet, count, inter, iface)

    def sr(self, packet: Any, *, timeout: float = 2.0, iface: str = "", **options: Any) -> tuple["SndRcvList", "PacketList"]:
        """Sends packets, and takes the answers for so many seconds: ([(packet, answer), ...], [unanswered, ...])."""
        from pynetemu.crafting import scapy_node

        return scapy_node.sr(self, packet, timeout, iface, **options)

    def sr1(self, packet: Any, *, timeout: float = 2.0, iface: str = "", **options: Any) -> "Packet | None":
        """Sends a packet and gives its answer, None when there is none within so many seconds.

        answer = net["blue"].sr1(IP(dst="10.0.0.1") / TCP(dport=8080, flags="S"))
        """
        from pynetemu.crafting import scapy_node

        return scapy_node.sr1(self, packet, timeout, iface, **options)

    def sniff(
        self,
        filter: str = "",
        *,
        count: int = 0,
        timeout: float | None = None,
        prn: "Callable[[Packet], object] | None" = None,
    ) -> "PacketList":
        """Takes what the node's interfaces see as scapy's packets, until there are `count` or `timeout` seconds are over.

        `prn` is called with each as it comes. For files and for speed there is `Network.capture`.
        """
        from pynetemu.crafting import scapy_node

        return scapy_node.sniff(self, filter, count, timeout, prn)

    def scapy(self) -> AbstractContextManager[ModuleType]:
        """All of scapy, as if it ran in this node: its interfaces, routes and neighbours, and the lab's names as addresses.

            with net["blue"].scapy() as scapy:
                scapy.arping("10.0.0.0/24")

        That state is the whole process's, so one node at a time. `send`, `sr`, `sr1` and `sniff` need none of it.
        """
        from pynetemu.crafting import scapy_node

        return scapy_node.scapy_in(self)


def _environment(added: Mapping[str, str] | None) -> dict[str, str]:
    env = {**os.environ, **(added or {})}
    env["PATH"] = search_path(env)
    return env


def _directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it has been removed under us
        return "/"


def _failure(result: Result) -> str:
    import shlex

    lines = str(result.stderr).rstrip() if isinstance(result.stderr, str) else ""
    return f"{result.node}: `{shlex.join(result.argv)}` ended with status {result.status}" + (f"\n{lines}" if lines else "")
