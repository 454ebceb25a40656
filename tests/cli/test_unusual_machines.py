"""The command where something is not as usual: streams that are closed, a PATH without sbin, odd sockets of others."""

import os
import shlex
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.pynetemu import BLUE, CLONE, PROGRAM, environment, pynetemu


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_may_be_closed(closed: str, tmp_path: Path) -> None:
    line = shlex.join([*PROGRAM, str(BLUE), "-c", f"blue touch {tmp_path}/made"])
    done = subprocess.run(["sh", "-c", f"{line} {closed}"], capture_output=True, text=True, env=environment(), timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "made").exists()


def test_without_standard_input_there_are_no_lines() -> None:
    line = shlex.join([*PROGRAM, str(BLUE)])
    done = subprocess.run(["sh", "-c", f"{line} <&-"], capture_output=True, text=True, env=environment(), timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_packet_filters_are_set_though_sbin_is_not_on_the_path() -> None:
    done = pynetemu(CLONE / "topologies" / "nat.py", "-c", "gateway nft list tables", env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    assert "table " in done.stdout


def test_the_current_directory_may_have_been_removed(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = f"mkdir {gone}; cd {gone}; rmdir {gone}; {shlex.join([*PROGRAM, str(BLUE), '-c', 'blue pwd'])}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=environment(), timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, "/\n", "")


def test_labs_are_listed_though_another_program_listens_at_an_odd_name() -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(b"\0\xff\xfe\n" + str(os.getpid()).encode())
        other.listen()
        done = pynetemu("ps")
    told = [line for line in done.stderr.splitlines() if not line.startswith("pynetemu: no answer from")]  # others' labs
    assert (done.returncode, told) == (0, [])


@pytest.mark.root
def test_nodes_know_each_other_on_a_machine_without_etc_hosts(tmp_path: Path) -> None:
    script = 'mount --bind "$0" /etc; exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, str(tmp_path), *PROGRAM, str(BLUE), "-c", "blue getent hosts root"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=50, check=False)
    assert (done.returncode, done.stdout.split()[1:]) == (0, ["root", "root.veth_root"]), done.stderr
    assert not list(tmp_path.iterdir())


_CHURN = """
mount -t tmpfs tmpfs /run
python3 -c '
import os
for _ in range(100000):
    for number in range(30):
        open(f"/run/{number}", "w").close()
    for number in range(30):
        os.unlink(f"/run/{number}")' &
for _ in 1 2 3 4 5 6 7 8; do "$@"; done
kill $!
"""


@pytest.mark.root
@pytest.mark.slow
def test_labs_start_while_other_programs_make_and_remove_files_in_run() -> None:
    command = ["unshare", "--mount", "sh", "-c", _CHURN, "sh", *PROGRAM, str(BLUE), "-c", "blue echo alive"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=50, check=False)
    assert (done.stdout, done.stderr) == ("alive\n" * 8, "")


_CHROOT = """
cd "$0"
mkdir usr etc var run tmp proc sys dev root home
for folder in usr dev proc sys; do mount --rbind /$folder $folder; done
for link in bin sbin lib lib64; do [ ! -e /$link ] || ln -s usr/$link $link; done
cp /etc/passwd /etc/group /etc/nsswitch.conf etc/
for clone in "$@"; do mkdir -p ".$clone"; mount --bind "$clone" ".$clone"; shift; [ "$1" != -- ] || break; done
shift
touch only-in-chroot etc/only-in-chroot
exec chroot . "$@"
"""


@pytest.mark.root
def test_nodes_of_a_lab_in_a_chroot_live_in_its_files(tmp_path: Path) -> None:
    line = "blue sh -c 'cat /proc/1/comm; ls / /etc | grep only; getent hosts root; touch /tmp/of-node /etc/of-node; pwd'"
    command = [*("unshare", "--mount", "sh", "-ec", _CHROOT, str(tmp_path), str(CLONE), "--"), *PROGRAM, str(BLUE), "-c", line]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=50, check=False, cwd="/")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.split("\n")[:3] == ["init", "only-in-chroot", "only-in-chroot"]
    assert "root.veth_root" in done.stdout
    assert done.stdout.endswith("\n/\n")
    assert (tmp_path / "tmp" / "of-node").exists()
    assert not (tmp_path / "etc" / "of-node").exists()
    assert not Path("/tmp/of-node").exists()


_ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize(
    "locale", [_ASCII, {**_ASCII, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}], ids=["C", "no UTF-8 at all"]
)
def test_where_there_is_only_ascii_all_that_we_write_is_ascii(locale: dict[str, str], tmp_path: Path) -> None:
    """And what programs print comes as it is."""
    (tmp_path / "script").write_text(
        "# é\nroot printf '\\303\\251\\n'\ntrace root ping -c1 -W9 blue\nwhy\ngraph\n", encoding="utf-8"
    )
    trace = pynetemu(BLUE, tmp_path / "script", env=locale)
    assert trace.returncode == 0, trace.stderr
    others = [
        pynetemu(*words, env=locale) for words in (("examples",), ("draw", BLUE), ("plan", BLUE), ("--help",), ("doctor",))
    ]
    assert [done.returncode for done in others] == [0] * 5, [done.stderr for done in others]
    first, *ours = trace.stdout.splitlines()
    assert first == "é"
    shown = "\n".join([*ours, trace.stderr, *(done.stdout + done.stderr for done in others)])
    assert "ICMP echo request seq 1  root -> blue" in shown and " missed - " in shown
    assert shown.isascii() and "\\x" not in shown and "\\u" not in shown
