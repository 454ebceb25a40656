"""`pynetemu doctor`, and what is said where the machine allows no sandbox: every command the same, with its one fix."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.pynetemu import BLUE, CLONE, PROGRAM, Finished, environment, pynetemu


def _where_forbidden(limits: dict[str, int], *command: str | Path) -> Finished:
    """Runs a command where the kernel allows fewer namespaces: /proc/sys/user of a user namespace is that one's own."""
    settings = "; ".join(f"echo {limit} >/proc/sys/user/max_{kind}_namespaces" for kind, limit in limits.items())
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-ec", f'{settings}; exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment(),
        cwd=CLONE,
        timeout=30,
        check=False,
    )


def test_where_labs_work_it_says_so_and_exits_with_0() -> None:
    done = pynetemu("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    head, empty, *rows = done.stdout.splitlines()
    assert head.startswith("pynetemu ")
    assert f"Linux {os.uname().release}" in head
    assert ("user root" if os.getuid() == 0 else "user ordinary") in head
    assert empty == ""
    assert rows[0].split()[:2] == ["sandbox", "yes"]
    assert ("works too" if os.getuid() == 0 else "needs root") in rows[1]


def test_as_data_it_says_the_same() -> None:
    report = json.loads(pynetemu("doctor", "--json").stdout)
    assert report["works"] is True
    assert (report["reason"], report["fix"]) == ("", "")
    assert report["kernel"] == os.uname().release
    if os.getuid():
        assert report["traces"] == "it needs root"
    features = {feature["name"]: feature for feature in report["features"]}
    assert features["veth"]["reason"] == features["bridge"]["reason"] == ""
    assert features["veth"]["needed"]
    for feature in features.values():
        assert {"name", "purpose", "option", "needed", "reason"} <= set(feature)
    assert report["tools"]["ip"] == shutil.which("ip", path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def test_whether_programs_can_make_tun_interfaces() -> None:
    report = json.loads(pynetemu("doctor", "--json").stdout)
    opened = subprocess.run(["sh", "-c", ": <>/dev/net/tun"], capture_output=True, check=False).returncode == 0
    assert (report["tun"] == "") is opened
    assert opened or "/dev/net/tun" in report["tun_fix"]


def test_a_missing_kernel_feature_is_told_with_its_option_as_the_kernel_itself_says() -> None:
    features = {feature["name"]: feature for feature in json.loads(pynetemu("doctor", "--json").stdout)["features"]}
    lacking = {name for name, feature in features.items() if feature["reason"]}
    for name, kind in (("netem", "netem"), ("fq", "fq"), ("tbf", "tbf rate 1mbit burst 10k limit 10k")):
        if name in features:
            command = ["unshare", "--user", "--map-root-user", "--net", "tc", "qdisc", "add", "dev", "lo", "root"]
            asked = subprocess.run([*command, *kind.split()], capture_output=True, text=True, check=False)
            assert (name in lacking) == (asked.returncode != 0), asked.stderr
    text = pynetemu("doctor").stdout
    for name in lacking:
        assert features[name]["option"] in text


def test_missing_tools_are_told_with_the_line_that_installs_them(tmp_path: Path) -> None:
    """Where only Python is on the PATH; the folders of /usr/sbin are looked into all the same."""
    report = json.loads(pynetemu("doctor", "--json", env={"PATH": str(tmp_path)}).stdout)
    assert report["tools"]["curl"] == ""
    assert "apt-get install" in report["install"]
    assert " curl" in report["install"]
    assert report["install"].startswith("sudo ") == (os.getuid() != 0)
    text = pynetemu("doctor", env={"PATH": str(tmp_path)}).stdout
    assert f"fix: {report['install']}" in text
    assert "curl (" in text
    assert report["works"]


@pytest.mark.parametrize(("kind", "limit"), [("user", 0), ("net", 0), ("pid", 0), ("mnt", 0), ("uts", 0), ("ipc", 0)])
def test_a_machine_without_namespaces_is_told_with_the_setting(kind: str, limit: int) -> None:
    done = _where_forbidden({kind: limit}, *PROGRAM, BLUE, "-c", "blue true")
    if kind == "user":  # only those who may not make the other kinds need one
        assert done.returncode == 0, done.stderr
        return
    assert (done.returncode, done.stdout) == (3, "")
    assert f"this machine allows 0 {kind} namespaces" in done.stderr
    assert f"fix: sysctl -w user.max_{kind}_namespaces=15000" in done.stderr


def test_every_command_says_the_same_fix(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        f"import sys; sys.path.insert(0, {str(BLUE.parent)!r})\nfrom blue import Blue\n"
        "from pynetemu import Network, PrivilegeError\n"
        "try:\n    Network(Blue()).open()\n"
        "except PrivilegeError as error:\n    print(f'pynetemu: {error}', file=sys.stderr); sys.exit(error.exit_status)\n"
    )
    commands: list[list[str | Path]] = [
        [*PROGRAM, BLUE],
        [*PROGRAM, BLUE, "-c", "blue true"],
        [*PROGRAM, "run", BLUE],
        [PROGRAM[0], tmp_path / "script.py"],
    ]
    told = [_where_forbidden({"net": 0}, *command) for command in commands]
    assert {(done.returncode, done.stdout) for done in told} == {(3, "")}
    (text,) = {done.stderr for done in told}
    fix = text.splitlines()[1].strip()
    doctor = _where_forbidden({"net": 0}, *PROGRAM, "doctor")
    assert doctor.returncode == 3
    assert fix in doctor.stdout
    data = json.loads(_where_forbidden({"net": 0}, *PROGRAM, "doctor", "--json").stdout)
    assert data["works"] is False
    assert f"fix: {data['fix']}" == fix
    assert data["features"] == []


def test_a_wrong_description_is_told_even_where_no_lab_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text("from pynetemu import Topology\nclass Lab(Topology):\n    pass\n")
    done = _where_forbidden({"net": 0}, *PROGRAM, tmp_path / "lab.py")
    assert done.returncode == 2
    assert "Lab has no nodes" in done.stderr


@pytest.mark.ordinary_user
def test_an_ordinary_user_without_user_namespaces_is_told_to_use_sudo() -> None:
    """The limit is one of the outer user namespace, as of a machine around a container: the inner one does not see it."""
    inner: list[str | Path] = ["unshare", "--user", "--map-user=1000", "--map-group=1000", *PROGRAM, BLUE, "-c", "blue true"]
    done = _where_forbidden({"user": 1}, *inner)
    assert (done.returncode, done.stdout) == (3, "")
    assert "the machine around this container allows no more namespaces" in done.stderr
    assert "user.max_user_namespaces=15000" in done.stderr


@pytest.mark.ordinary_user
@pytest.mark.parametrize("arguments", [["-c", "blue true"], []])
def test_the_machine_itself_needs_root(arguments: list[str]) -> None:
    done = pynetemu("--host", BLUE, *arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert "--host changes this machine's own network, and needs root" in done.stderr
    assert "fix: sudo " in done.stderr


@pytest.mark.ordinary_user
def test_an_ordinary_user_is_told_to_install_a_program_with_sudo() -> None:
    assert "sudo apt-get install -y wireshark" in pynetemu(BLUE, "-c", "blue wireshark").stderr


def _in_user_namespace(options: list[str], *command: str | Path) -> Finished:
    return subprocess.run(
        ["unshare", "--user", *options, *command],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment(),
        timeout=50,
        check=False,
    )


def test_root_of_a_user_namespace_is_not_told_that_the_machine_is_its_own() -> None:
    told = _in_user_namespace(["--map-root-user"], *PROGRAM, "doctor").stdout
    assert "needs root of the machine: this one is in a user namespace" in told
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        assert "fix: chmod 666 /dev/net/tun, as root of the machine\n" in told
    done = _in_user_namespace(["--map-root-user"], *PROGRAM, "--host", BLUE, "-c", "blue true")
    assert (done.returncode, done.stdout) == (3, "")
    assert "--host changes this machine's own network, and needs root of the machine" in done.stderr
    own = _in_user_namespace(["--map-root-user", "--net"], *PROGRAM, "doctor").stdout
    assert "--host        works too\n" in own


def test_where_nobody_has_mapped_ids_nothing_else_is_told_of_them() -> None:
    done = _in_user_namespace([], *PROGRAM, "doctor")
    assert done.returncode == 3
    assert "in a user namespace whose ids nobody has mapped" in done.stdout
    assert "/etc/subuid" not in done.stdout


@pytest.mark.root
@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("mount -t tmpfs tmpfs /dev/net", "there is no /dev/net/tun"),
        ("mount -o remount,ro,bind /sys", ""),
    ],
)
def test_without_tun_and_with_sys_read_only_labs_work_and_what_is_missing_is_told(script: str, told: str) -> None:
    inner = f'mount --bind /sys /sys; {script}; "$@" doctor && "$@" topologies/blue.py -c "blue ping -c1 -W9 root"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", inner, "sh", *PROGRAM],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=CLONE,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert told in done.stdout
    assert " 1 received" in done.stdout
