"""Services: started in order, ready when they accept, their output kept, their end told."""

import os
import select
import signal
from pathlib import Path

import pytest

from pynetemu import Host, HttpServer, Link, Network, Service, ServiceError, Topology, finished, prints, tcp, udp
from pynetemu.engine.protocol.requests import OpenLog
from tests.support.leftovers import of_machine
from tests.support.wait import wait_until

_WEB = "python3 -u -m http.server 9000"


class Lab(Topology):
    blue = Host()
    red = Host()
    wire = Link(blue.interface("eth0", "10.0.0.1/24"), red.interface("eth0", "10.0.0.2/24"))
    setup = Service(blue, "echo prepared >$HOME/prepared", ready=finished(), env={"HOME": "/run"})
    web = Service(blue, f"cat /run/prepared; pwd; exec {_WEB}", ready=tcp(9000))
    names = Service(red, 'python3 -c "import socket; s = socket.socket(type=2); s.bind((str(), 53)); s.recv(9)"', ready=udp(53))
    slow = Service(red, "echo starting; read never </dev/zero; echo ended; exit 3", ready=prints("starting"))
    page = HttpServer(red, port=80)


def test_services_are_up_when_the_lab_is_and_their_output_is_kept() -> None:
    with Network(Lab()) as net:
        assert "Directory listing" in net["red"].run("curl", "-s", "blue:9000").stdout
        here = str(Path(__file__).parent)
        assert net.log("web").splitlines()[:2] == ["prepared", here]
        wait_until(lambda: "GET / HTTP" in net.log("blue.web"))
        assert [(state.node, state.name) for state in net.services] == [
            ("blue", "setup"),
            ("blue", "web"),
            ("red", "names"),
            ("red", "slow"),
        ]
        assert "0.0.0.0:53" in net["red"].run("ss", "-Huln").stdout
        assert net.log("page") == ""
        net["blue"].run("curl", "-s", "red", check=True)
        wait_until(lambda: '"GET / HTTP/1.1" 200' in net.log("page"))


def test_the_end_of_a_service_is_told() -> None:
    with Network(Lab()) as net:
        news = net.service_news()
        assert news.read() == []
        (web,) = (state for state in net.services if state.name == "web")
        net["blue"].run("kill", "-TERM", str(web.pid), check=True)
        select.select([news], [], [], 5)
        (ended,) = news.read()
        assert (ended.name, ended.node, ended.status) == ("web", "blue", -signal.SIGTERM)
        assert str(ended) == "web of blue was ended by signal 15"
        assert [state.status for state in net.services if state.name == "web"] == [-signal.SIGTERM]
        news.close()


@pytest.mark.parametrize(
    ("command", "ready", "message"),
    [
        ("echo no; exit 3", tcp(1), "the service bad of blue ended with status 3 before it was ready; it printed:\n    no"),
        (
            "true && nosuchprogram",
            finished(),
            "ended with status 127 before it was ready; it printed:\n    sh: 1: nosuchprogram: ",
        ),
        ("A=1 nosuchprogram -x", None, "the service bad of blue cannot start: blue: no program 'nosuchprogram'\n    hint: "),
        ("kathara -h", finished(), "no program 'kathara'"),
        ("sleep 0.01 & exit 0", tcp(1), "hint: it went to the background, or ended: a service stays in the foreground"),
        ("exec sleep 100", prints("x"), "hint: many programs buffer what they print to a file"),
        ("exec sleep 100", tcp(1), "the service bad of blue is not ready (tcp:1) after 0.2 s; it printed nothing"),
        ("exit 1", finished(), "ended with status 1 before it was ready; it printed nothing"),
    ],
)
def test_a_service_that_does_not_become_ready_ends_the_lab(command: str, ready: object, message: str) -> None:
    class Bad(Topology):
        def build(self) -> None:
            blue = self.add("blue", Host())
            patience = 0.2 if command.startswith("exec sleep") else 20  # of what has ended that is told at once
            self.add("bad", Service(blue, command, ready=ready, timeout=patience))  # type: ignore[arg-type]

    before = of_machine()
    with pytest.raises(ServiceError) as failed:
        Network(Bad()).open()
    assert message in str(failed.value)
    assert f"{os.path.basename(__file__)}:" in str(failed.value)
    assert of_machine() <= before


_PYTHON = """python3 -c 'import socket, time; s = socket.create_server((str(), {port})); print("listens"); time.sleep(100)'"""


def test_ready_is_what_the_service_itself_is() -> None:
    """Another's socket at the port is not its own; and what Python prints is seen at once."""

    class Two(Topology):
        blue = Host()
        one = Service(blue, _PYTHON.format(port=81), ready=prints("listens"))
        two = Service(blue, f"until grep -q ':0051 ' /proc/net/tcp; do :; done; {_PYTHON.format(port=81)}", ready=tcp(81))

    with pytest.raises(ServiceError) as failed:
        Network(Two()).open()
    assert "the service two of blue ended with status 1 before it was ready" in str(failed.value)
    assert "hint: another program of blue has tcp port 81 already" in str(failed.value)


@pytest.mark.slow
def test_of_much_output_the_older_part_is_given_back() -> None:
    class Loud(Topology):
        blue = Host()
        loud = Service(
            blue, "yes 0123456789abcdef0123456789abcde | head -c 40000000; echo end; exec sleep 100", ready=prints("end")
        )

    with Network(Loud()) as net:
        with net.open_log("loud") as file:
            wait_until(lambda: os.fstat(file.fileno()).st_blocks * 512 < 17 << 20, what="less memory in use")
        kept = net.log("loud")
        assert 7 << 20 < len(kept) < 17 << 20
        assert kept.startswith("0123456789abcdef0123456789abcde\n") and kept.endswith("end\n")


_ASK = """
import socket
connection = socket.create_connection(("red", 80))
for _ in range(400):
    connection.sendall(b"GET /" + b"x" * 60000 + b" HTTP/1.1\\r\\nHost: red\\r\\n\\r\\n")
    while not connection.recv(1 << 20).endswith(b"x\\n"):
        pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("service", ["page", "chatter"])
def test_what_is_printed_without_end_takes_little_memory(service: str) -> None:
    class Talkers(Topology):
        blue, red = Host(), Host()
        wire = Link(blue, red)
        page = HttpServer(red, port=80)
        chatter = Service(red, "yes | head -c 40000000; echo the end; exec sleep 1000")

    with Network(Talkers(), name="talkers") as net:
        if service == "page":
            net["blue"].run("python3", "-c", _ASK, check=True)
        else:
            wait_until(lambda: net.log("chatter").endswith("the end\n"))
        with os.fdopen(net.control.ask(OpenLog("red", service)), "rb") as log:
            assert os.fstat(log.fileno()).st_size > 20_000_000
            wait_until(lambda: os.fstat(log.fileno()).st_blocks * 512 < 17 << 20)


class InWords(Topology):
    a = Host()
    said = Service(a, ["printf", "<%s>", "two words", "$HOME", "it's", ""], ready=finished())


def test_a_command_may_be_a_list_of_words_which_no_shell_takes_apart() -> None:
    with Network(InWords()) as net:
        assert net.log("said") == "<two words><$HOME><it's><>"
