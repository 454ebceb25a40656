"""`capture`: packets as they pass, into files and tshark, in the foreground and behind the prompt; and `--capture`."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.labs import mine, running
from tests.support.pynetemu import BLUE, PROGRAM, check_refused, environment, in_blue, output, pynetemu
from tests.support.terminal import Terminal
from tests.support.tshark import fields
from tests.support.wait import wait_until

_PING = "--during 'blue ping -c1 root'"

_STARTS_WITH_A_PING = """
from pynetemu import Host, Link, Root, Service, Topology, finished

class Pinged(Topology):
    root = Root()
    blue = Host()
    wire = Link(root.interface("eth0", "10.0.0.1/24"), blue.interface("eth0", "10.0.0.2/24"))
    hello = Service(blue, "ping -c1 10.0.0.1", ready=finished())
"""


def test_packets_are_shown_as_they_pass_with_the_nodes_names() -> None:
    lines = output(f"capture icmp {_PING}").splitlines()[-4:]
    assert [re.sub(r"^ +\d+\.\d+  ", "", line) for line in lines] == [
        "blue.veth_blue out  blue → root  ICMP echo request seq 1  ttl 64  98 bytes",
        "root.veth_root in   blue → root  ICMP echo request seq 1  ttl 64  98 bytes",
        "root.veth_root out  root → blue  ICMP echo reply seq 1  ttl 64  98 bytes",
        "blue.veth_blue in   root → blue  ICMP echo reply seq 1  ttl 64  98 bytes",
    ]


@pytest.mark.slow
def test_a_file_a_count_and_standard_output(tmp_path: Path) -> None:
    done = in_blue(
        f"capture blue icmp -w {tmp_path}/x.pcapng {_PING}",
        f"capture root.veth_root -w {tmp_path}/y.pcapng {_PING} -- icmp",
        "blue ping -c20 -i0.05 root &",
        f"capture -c 3 icmp -w {tmp_path}/z.pcapng",
        "capture -c 2 blue icmp",
    )
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/x.pcapng: 2 packets\n" in done.stderr
    assert fields(tmp_path / "x.pcapng", "frame.interface_name") == [("blue:veth_blue",)] * 2
    assert fields(tmp_path / "y.pcapng", "frame.interface_name") == [("root:veth_root",)] * 2
    assert len(fields(tmp_path / "z.pcapng", "frame.number")) == 3
    assert len(re.findall(r"blue\.veth_blue", done.stdout)) == 2
    raw = subprocess.run(
        [*PROGRAM, BLUE, "-c", "capture -w - icmp --during 'blue ping -q -c1 root >/dev/null'"],
        capture_output=True,
        env=environment(),
        timeout=30,
        check=True,
    )
    (tmp_path / "out.pcapng").write_bytes(raw.stdout)
    assert len(fields(tmp_path / "out.pcapng", "frame.number")) == 4


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark shows the packets")
def test_tshark_shows_them_with_names_and_places() -> None:
    done = in_blue(f"capture --tshark blue icmp {_PING}")
    assert done.returncode == 0, done.stderr
    assert re.search(r"blue:veth_blue\s+blue → root\s+ICMP Echo \(ping\) request", done.stdout)


def test_wireshark_gets_the_packets_while_the_shell_goes_on(tmp_path: Path) -> None:
    """Here it is a program that keeps what it is given; closing it ends the capture."""
    program, got = tmp_path / "wireshark", tmp_path / "got.pcapng"
    program.write_text(f'#!/bin/sh\necho "$*" >{tmp_path}/arguments\ncat >{tmp_path}/partial; mv {tmp_path}/partial {got}\n')
    program.chmod(0o755)
    lines = ["capture --wireshark blue icmp", "captures", "blue ping -c1 root", "capture --stop"]
    done = pynetemu(BLUE, *(word for line in lines for word in ("-c", line)), env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    assert re.search(r"Wireshark +\d+ +runs +blue icmp", done.stdout)
    wait_until(got.exists, what="its end")
    assert len(fields(got, "frame.number")) == 2
    assert (tmp_path / "arguments").read_text() == "-k -N n -i -\n"


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("capture bleu", 1, "did you mean 'blue'?"),
        ("capture blue.eth7", 1, "blue has no interface 'eth7'; it has lo, veth_blue"),
        ("capture blue porrt 7", 2, "the filter 'porrt 7': can't parse filter expression: syntax error"),
        ("capture -w /nowhere/x.pcapng", 1, "/nowhere/x.pcapng: No such file or directory"),
        ("capture -w /dev/full", 1, "/dev/full: No space left on device"),
        ("capture --tshark -w x", 2, "one of --write, --tshark and --wireshark"),
        ("capture blue &", 2, "in the background it needs a file"),
        ("capture --stop", 1, "no capture runs in the background"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(line: str, status: int, words: str) -> None:
    check_refused(line, status, words)


@pytest.mark.slow
def test_behind_the_prompt_and_with_ctrl_c(tmp_path: Path) -> None:
    with Terminal(*PROGRAM, BLUE) as terminal:
        terminal.ask(f"capture -w {tmp_path}/x.pcapng icmp &")
        terminal.ask("blue ping -c2 -i0.01 root")
        assert re.search(r"x\.pcapng +\d+ +runs +icmp", terminal.ask("captures"))
        assert "x.pcapng: 8 packets" in terminal.ask("capture --stop")
        terminal.ask("blue ping -c1000 -i0.05 root >/dev/null &")
        terminal.enter("capture blue icmp")
        terminal.expect(r"blue\.veth_blue in +root → blue +ICMP echo reply")
        terminal.key("c")
        terminal.expect(r"\d+ packets")
        terminal.ask(f"capture -w {tmp_path}/left.pcapng icmp &")
        terminal.ask("blue ping -c1 root")
        terminal.enter("exit")
        assert terminal.wait() == 0
    assert len(fields(tmp_path / "x.pcapng", "frame.number")) == 8
    assert len(fields(tmp_path / "left.pcapng", "frame.number")) >= 4


def test_from_another_terminal_until_the_lab_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with running(mine("captured")) as shell:
        other = subprocess.Popen(
            [*PROGRAM, "capture", mine("captured"), "blue", "icmp", "-w", str(path)],
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        wait_until(lambda: path.exists() and path.stat().st_size > 300, what="the capture")
        assert pynetemu("exec", mine("captured"), "blue", "ping", "-c1", "root").returncode == 0
        assert shell.stdin is not None
        shell.stdin.close()
        shell.stdin = None
        _, errors = other.communicate(timeout=10)
    assert errors == f"{path}: 2 packets\n"
    assert len(fields(path, "frame.number")) == 2


def test_wireshark_in_another_terminal_has_the_packets_until_it_is_closed(tmp_path: Path) -> None:
    program = tmp_path / "wireshark"
    program.write_text(f"#!/bin/sh\nhead -c 1000 >{tmp_path}/partial; mv {tmp_path}/partial {tmp_path}/got\n")
    program.chmod(0o755)
    with running(mine("watched")):
        env = environment({"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        command = [*PROGRAM, "capture", mine("watched"), "blue", "icmp", "--wireshark"]
        other = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
        while other.poll() is None:
            pynetemu("exec", mine("watched"), "blue", "ping", "-c3", "-i0.01", "root")
        _, errors = other.communicate(timeout=10)
    assert (other.returncode, (tmp_path / "got").stat().st_size) == (0, 1000), errors


def test_an_interrupt_ends_a_script_s_capture_with_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    process = subprocess.Popen(
        [*PROGRAM, BLUE, "-c", "blue ping -i0.02 root >/dev/null &", "-c", f"capture icmp -w {path}"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        process_group=0,
    )
    wait_until(lambda: path.exists() and path.stat().st_size > 3000, what="packets in the file")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 0 and re.search(r"x\.pcapng: \d+ packets", errors), errors
    assert len(fields(path, "frame.number")) > 10


def test_a_lab_is_captured_from_its_first_moment(tmp_path: Path) -> None:
    (tmp_path / "pinged.py").write_text(_STARTS_WITH_A_PING)
    done = pynetemu(tmp_path / "pinged.py", "--capture", tmp_path / "x.pcapng", "-c", "root true")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\S+/x\.pcapng: \d+ packets\n", done.stderr)
    seen = fields(tmp_path / "x.pcapng", "frame.interface_name", "icmp.type", "ip.src_host", display_filter="icmp")
    assert seen == [
        ("blue:eth0", "8", "blue"),
        ("root:eth0", "8", "blue"),
        ("root:eth0", "0", "root"),
        ("blue:eth0", "0", "root"),
    ]


def test_a_file_that_cannot_be_ends_the_start_before_anything_is_built() -> None:
    for path, words in (("/nowhere/x", "No such file or directory"), ("/dev/full", "No space left on device")):
        done = pynetemu(BLUE, "--capture", path, "-c", "root true")
        assert (done.returncode, done.stderr) == (1, f"pynetemu: {path}: {words}\n")
