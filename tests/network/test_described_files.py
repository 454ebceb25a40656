"""`files`, `private` and `mounts` of a description: what a node has of them, and what the machine never has."""

from pathlib import Path

import pytest

from pynetemu import Host, KernelError, Link, Network, Router, Topology
from pynetemu.plan.as_shell import as_shell
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.data import from_data, to_data


def _topology(folder: Path, motd: str = "hello\n") -> type[Topology]:
    class Lab(Topology):
        a = Host(
            files={"/etc/motd": motd, "/var/lib/new/x": "x", "/run/app/y": "y", f"{folder}/own/z": "z"},
            private=[f"{folder}/own", "/var/lib/own"],
            mounts={"/etc/pages": folder / "pages", f"{folder}/own/pages": folder / "pages", "/run/one": folder / "pages/page"},
        )
        b = Router()
        wire = Link(a, b)

    return Lab


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    (tmp_path / "pages").mkdir()
    (tmp_path / "own" / "machines").write_text("the machine's\n")
    (tmp_path / "pages" / "page").write_text("page")
    return tmp_path


def _cat(net: Network, node: str, *paths: str | Path) -> str:
    return str(net[node].run("cat", *paths, check=True).stdout)


@pytest.mark.needs("own files")
def test_a_node_has_what_the_description_says(folder: Path) -> None:
    with Network(_topology(folder)) as net:
        own = folder / "own"
        assert _cat(net, "a", "/etc/motd", "/var/lib/new/x", "/run/app/y", own / "z") == "hello\nxyz"
        assert _cat(net, "a", "/etc/pages/page", own / "pages/page", "/run/one") == "page" * 3
        assert net["a"].run("ls", own).stdout == "pages\nz\n"
        net["a"].run("sh", "-c", f"echo from a >{own}/w; echo from a >/var/lib/own/w; echo kept >/etc/pages/kept", check=True)
        assert net["b"].run("ls", own).stdout == "machines\n"
        assert net["b"].run("ls", "/var/lib/own").status != 0
        net.apply(compile_plan(_topology(folder, motd="changed\n")))
        assert _cat(net, "a", "/etc/motd", own / "w") == "changed\nfrom a\n"
    assert [path.name for path in own.iterdir()] == ["machines"]
    assert (folder / "pages/kept").read_text() == "kept\n"  # a mount is the machine's


def test_what_the_machine_lacks_is_told_at_birth(tmp_path: Path) -> None:
    class Lab(Topology):
        a = Host(private=[f"{tmp_path}/missing"])

    class Other(Topology):
        a = Host(mounts={"/var/x": "no-such-folder"})

    with pytest.raises(KernelError, match=r"test_described_files.py:\d+: a: this machine has no .*/missing"):
        Network(Lab()).open()
    with pytest.raises(KernelError, match=r"this machine has no .*/no-such-folder"):
        Network(Other()).open()


@pytest.mark.pure
def test_files_are_part_of_the_plan(tmp_path: Path) -> None:
    plan = compile_plan(_topology(tmp_path))
    assert from_data(to_data(plan)) == plan
    assert "# a /etc/motd: a file of 1 lines" in as_shell(plan)
