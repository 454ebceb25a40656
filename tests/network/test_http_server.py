"""The web server of nodes, as a program by itself: it serves on the socket that it is given, and nothing of any folder."""

import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.pynetemu import CLONE

_PROGRAM = CLONE / "pynetemu" / "programs" / "http_server.py"


@pytest.fixture
def port() -> Iterator[int]:
    """Where the server of a node called h7 listens, on descriptor 3, as the engine starts it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = ["sh", "-c", 'exec "$@" 3<&0 </dev/null', "sh", sys.executable, "-I", "-S", str(_PROGRAM), "h7"]
        process = subprocess.Popen(command, stdin=listener.fileno(), stderr=subprocess.PIPE, text=True)
        try:
            yield listener.getsockname()[1]
        finally:
            process.kill()
            _, said = process.communicate()
    assert "Traceback" not in said


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/etc/passwd"), ("HEAD", "/x")])
def test_a_page_names_the_node_the_client_and_what_was_asked(port: int, method: str, path: str) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    text = f"Hello from h7. You are 127.0.0.1, and asked for {path}\n"
    for _ in range(2):  # by the same connection, as HTTP/1.1 has it
        client.request(method, path)
        answer = client.getresponse()
        assert (answer.status, answer.version) == (200, 11)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Content-Length"] == str(len(text))
        assert answer.read().decode() == (text if method == "GET" else "")
    client.close()


def test_two_clients_at_once_and_others_methods(port: int) -> None:
    idle = socket.create_connection(("127.0.0.1", port))
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("POST", "/")
    assert client.getresponse().status == 501
    client.close()
    idle.close()
