"""A machine for labs of `--host`: a network namespace with all that a real one has, which nobody else uses."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.support.labs import UNTIL_TOLD
from tests.support.pynetemu import CLONE, Finished, environment

_MAKE = """
mount -t tmpfs none /run
mkdir /run/netns
mount -t sysfs none /sys
ip link set lo up
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
ip netns add neighbor
ip link add uplink type veth peer name far netns neighbor
ip addr add 172.30.0.1/24 dev uplink
ip addr add fd99::1/64 dev uplink nodad
ip link set uplink up
ip netns exec neighbor sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip -n neighbor addr add 172.30.0.2/24 dev far
ip -n neighbor link set far up
ip -n neighbor route add 10.0.0.0/24 via 172.30.0.1
ip route add default via 172.30.0.2
ip route add 192.0.2.0/24 via 172.30.0.2 table 100
ip rule add from 192.0.2.0/24 lookup 100
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.uplink.rp_filter=2
nft -f - <<TABLE
table inet own { chain input { type filter hook input priority 0; ip saddr 203.0.113.7 drop; }; }
TABLE
until ip link show uplink | grep -q 'state UP'; do :; done
echo made
exec cat
"""
_SYSCTLS = """
import os
for folder, _, files in os.walk("/proc/sys/net"):
    for name in files:
        try:
            print(f"{folder}/{name}", open(f"{folder}/{name}").read().split())
        except OSError:
            pass
"""


_VERSIONS = ("-4", "-6")


class Machine:
    """`with Machine() as machine: machine.run("ip", "addr")`."""

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        command = ["unshare", "--net", "--mount", "sh", "-ec", _MAKE]
        self._holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "made\n", self._holder.communicate()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.communicate(timeout=10)

    def command(self, *command: str, cwd: Path = CLONE) -> list[str]:
        return ["nsenter", f"--target={self._holder.pid}", "--net", "--mount", f"--wdns={cwd}", "--", *command]

    def run(self, *command: str, cwd: Path = CLONE) -> Finished:
        return subprocess.run(
            self.command(*command, cwd=cwd),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=environment(),
            timeout=30,
            check=False,
        )

    def start(self, *command: str, process_group: int | None = None) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*command),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            env=environment(),
            process_group=process_group,
        )

    def neighbor(self, *command: str) -> Finished:
        """Runs a command at the other end of the machine's uplink."""
        return self.run("ip", "netns", "exec", "neighbor", *command)

    @contextmanager
    def lab(self, *command: str) -> "Iterator[subprocess.Popen[str]]":
        """A lab that is up until the block ends."""
        process = self.start(*command, "-c", UNTIL_TOLD.replace("blue", "root"))
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n", process.communicate()[1]
            yield process
        finally:
            process.communicate(timeout=10)

    @contextmanager
    def listening(self, port: int) -> Iterator[None]:
        """Somebody else's server on the machine."""
        script = f"import socket, sys; s = socket.create_server(('', {port})); print('up', flush=True); sys.stdin.read()"
        process = self.start("python3", "-c", script)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield
        finally:
            process.communicate(timeout=10)

    def state(self) -> dict[str, list[str]]:
        """All that a lab could change of the machine's network; its sysctls without those of interfaces that come and go."""
        addresses = [(link["ifname"], address) for link in self._ask("addr") for address in link["addr_info"]]
        routes = [route for version in _VERSIONS for route in self._ask("route", "show", "table", "all", version=version)]
        sysctls = self.run("python3", "-c", _SYSCTLS).stdout.splitlines()
        return {
            "links": [link["ifname"] for link in self._ask("link")],
            "link settings": [_text(link) for link in self._ask("link")],
            "addresses": [f"{name} {address['local']}/{address['prefixlen']}" for name, address in addresses],
            "routes": [_text(route) for route in routes],
            "rules": [_text(rule) for version in _VERSIONS for rule in self._ask("rule", version=version)],
            "nft": self.run("nft", "list", "ruleset").stdout.splitlines(),
            "sysctls": [line for line in sysctls if "/veth" not in line],
        }

    def _ask(self, *question: str, version: str = "-d") -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = json.loads(self.run("ip", "-j", version, *question).stdout or "[]")
        return answer


def _text(entry: dict[str, Any]) -> str:
    return json.dumps(entry, sort_keys=True)
