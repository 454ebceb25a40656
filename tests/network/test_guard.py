"""What programs in nodes may not do to the machine: an ordinary user's by the kernel's rules, root's by ours."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pynetemu import Host, Link, Network, PrivilegeError, Topology
from tests.support.pynetemu import CLONE, pynetemu


class Pair(Topology):
    a, b = Host(), Host()
    wire = Link(a, b)


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with Network(Pair(), name="guarded") as net:
        for node in net.nodes:
            net[node].run("true")  # its init lives from now on
        yield net


_BPF = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
done = libc.syscall({"x86_64": 321, "aarch64": 280}[__import__("platform").machine()], 0, ctypes.create_string_buffer(72), 72)
print(errno.errorcode[ctypes.get_errno()] if done < 0 else "done")
"""
_FORBIDDEN = {
    "settings of the machine": "echo {value} >/proc/sys/kernel/panic_on_oops",
    "after remounting": "mount -o remount,rw /proc/sys/kernel; echo {value} >/proc/sys/kernel/panic_on_oops",
    "after unmounting": "umount -l /proc/sys/kernel; umount -l /proc; echo {value} >/proc/sys/kernel/panic_on_oops",
    "files of devices": "mknod /tmp/guarded-device b 7 0",
    "sysfs": "echo N >/sys/module/printk/parameters/ignore_loglevel",
    "sysfs, remounted": "mount -o remount,rw /sys && echo N >/sys/module/printk/parameters/ignore_loglevel",
    "the clock": "python3 -c 'import time; time.clock_settime(time.CLOCK_REALTIME, time.time())'",
}


@pytest.mark.parametrize("line", _FORBIDDEN.values(), ids=_FORBIDDEN)
def test_what_would_change_the_machine_is_refused(net: Network, line: str) -> None:
    before = Path("/proc/sys/kernel/panic_on_oops").read_text()  # what is tried changes nothing if it works
    line = line.replace("{value}", before.strip())
    for done in net["a"].run("sh", "-c", line), pynetemu("exec", net.name, "b", "--", "sh", "-c", line):
        status = done.status if hasattr(done, "status") else done.returncode
        assert status != 0, (line, done)
    assert Path("/proc/sys/kernel/panic_on_oops").read_text() == before
    assert not os.path.exists("/tmp/guarded-device")


@pytest.mark.root
def test_bpf_is_refused(net: Network) -> None:
    assert net["a"].run("python3", "-c", _BPF).stdout == "EPERM\n"
    assert pynetemu("exec", net.name, "a", "--", "python3", "-c", _BPF).stdout == "EPERM\n"


def test_the_networks_own_settings_can_be_changed(net: Network) -> None:
    net["a"].run("sysctl", "-w", "net.ipv4.ip_forward=1", check=True)
    net["b"].run("ip", "netns", "exec", "a", "sysctl", "-w", "net.ipv4.conf.all.rp_filter=2", check=True)
    shown = net["a"].run("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter").stdout
    assert shown == "1\n2\n"
    assert net["b"].run("sysctl", "-n", "net.ipv4.ip_forward").stdout == "0\n"
    assert "eth0" in str(net["a"].run("ls", "/sys/class/net", check=True).stdout)


@pytest.mark.root
def test_a_privileged_lab_may_do_what_root_may(tmp_path: Path) -> None:
    with Network(Pair(), privileged=True) as net:
        assert net["a"].run("python3", "-c", _BPF).stdout != "EPERM\n"
        value = Path("/proc/sys/kernel/panic_on_oops").read_text().strip()
        net["a"].run("sysctl", "-w", f"kernel.panic_on_oops={value}", check=True)
        net["a"].run("mknod", tmp_path / "device", "c", "1", "3", check=True)


@pytest.mark.root
def test_the_command_line_makes_privileged_labs_which_stay_so() -> None:
    made = "a mknod /run/device c 1 3"
    done = pynetemu(f"{CLONE}/tests/network/test_guard.py:Pair", "--privileged", "-c", made, "-c", "reload --fresh", "-c", made)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert pynetemu(f"{CLONE}/tests/network/test_guard.py:Pair", "-c", made).returncode == 1


@pytest.mark.ordinary_user
def test_a_privileged_lab_needs_root() -> None:
    with pytest.raises(PrivilegeError, match="only labs of root can be privileged"):
        Network(Pair(), privileged=True).open()
    done = pynetemu(f"{CLONE}/tests/network/test_guard.py:Pair", "--privileged", "-c", "a true")
    assert (done.returncode, "only labs of root" in done.stderr) == (3, True)
