"""Whole programs that use the Python interface, each a process of its own, as people write them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pynetemu import BLUE, environment

_HEAD = f"import sys\nsys.path.insert(0, {str(BLUE.parent)!r})\nfrom blue import Blue\nfrom pynetemu import Network\n"

_SCRIPT = """
with Network(Blue()) as net:
    print(net["blue"].run("curl", "-s", "root:8080").stdout, end="")
"""
# IPython runs cells in the main thread of a process whose event loop runs; a network lives over several cells.
_NOTEBOOK = """
import asyncio
async def notebook():
    cells = {}
    for cell in ["net = Network(Blue()).open()", "print(net['blue'].run('curl', '-s', 'root:8080').stdout, end='')",
                 "await asyncio.sleep(0)", "print(net['root'].run('hostname').stdout, end='')", "net.close()", "net.ended"]:
        if cell.startswith("await"):
            await asyncio.sleep(0)
        else:
            exec(cell, globals(), cells)
asyncio.run(notebook())
"""
_TASKS = """
import asyncio
async def ping(net, node, other):
    return (await asyncio.to_thread(net[node].run, "ping", "-c1", other)).status
async def main():
    with Network(Blue()) as net:
        print(sum(await asyncio.gather(*[ping(net, "blue", "root"), ping(net, "root", "blue")] * 4)))
asyncio.run(main())
"""
_SOCKET = """
with Network(Blue()) as net, net["blue"].socket() as client:
    client.connect(("10.0.0.1", 8080))
    print(client.getsockname()[0], client.getpeername()[0])
"""
_LEFT_OPEN = """
net = Network(Blue()).open()
net["blue"].run("true")
print("left open")
"""
_MAIN_PACKAGE = """
import os
before = dict(os.environ), os.getcwd(), sys.path[:]
with Network(Blue()) as net:
    net["blue"].run("true")
print((dict(os.environ), os.getcwd(), sys.path) == before)
"""


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        (_SCRIPT, "Hello from root. You are 10.0.0.2, and asked for /\n"),
        (_NOTEBOOK, "Hello from root. You are 10.0.0.2, and asked for /\nroot\n"),
        (_TASKS, "0\n"),
        (_SOCKET, "10.0.0.2 10.0.0.1\n"),
        (_LEFT_OPEN, "left open\n"),
        (_MAIN_PACKAGE, "True\n"),
    ],
    ids=["script", "notebook", "tasks", "socket", "left open", "leaves the process alone"],
)
def test_a_program(program: str, printed: str, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(_HEAD + program)
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", file],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        timeout=55,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (printed, "", 0)
