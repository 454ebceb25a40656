"""The Vagrantfile is one that Vagrant takes, options of the provider included; no box is fetched and no machine started."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.pynetemu import CLONE, Finished

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("vagrant") is None, reason="vagrant is not installed")]

_TEXT = (CLONE / "Vagrantfile").read_text()
# Without a provider Vagrant does not look at its options; the name and the version are all that validating asks for.
_VBOXMANAGE = '#!/bin/sh\n[ "$1" != --version ] || echo 7.0.20r163906\n'


def test_vagrant_finds_nothing_wrong(tmp_path: Path) -> None:
    done = validate(_TEXT, tmp_path)
    assert (done.returncode, done.stdout) == (0, "Vagrantfile validated successfully.\n"), done.stderr


@pytest.mark.parametrize("option", ["vm.cpus", "config.vm.hostname"])
def test_vagrant_would_find_a_misspelt_option(option: str, tmp_path: Path) -> None:
    assert validate(_TEXT.replace(option, f"{option}z"), tmp_path).returncode == 1


def test_the_provisioning_script_is_a_shell_script() -> None:
    script = re.search(r"<<~SHELL\n(.*?)^\s*SHELL$", _TEXT, re.DOTALL | re.MULTILINE)
    assert script and subprocess.run(["sh", "-n", "-c", script[1]], check=False).returncode == 0


def validate(text: str, folder: Path) -> Finished:
    (folder / "Vagrantfile").write_text(text)
    programs = folder / "bin"
    programs.mkdir()
    (programs / "VBoxManage").write_text(_VBOXMANAGE)
    (programs / "VBoxManage").chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "VAGRANT_HOME": str(folder / "home"),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "VAGRANT_DEFAULT_PROVIDER": "virtualbox",
    }
    return subprocess.run(["vagrant", "validate"], cwd=folder, env=env, capture_output=True, text=True, timeout=50, check=False)
