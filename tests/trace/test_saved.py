"""Traces that are kept and opened again, and two of them side by side."""

import json
import pickle
import subprocess
from pathlib import Path

import pytest

from pynetemu import LabError, Network, Shell, Trace
from pynetemu.trace.views.comparison import _difference, _Seen
from tests.support.pair import Pair
from tests.support.pynetemu import pynetemu
from tests.trace.scenarios import Crossing


@pytest.fixture(scope="module")
def traces() -> tuple[Trace, Trace]:
    """The same ping before and after r1 got a blackhole."""
    with Network(Crossing()) as network:
        with network.trace() as before:
            network["blue"].run("ping", "-c1", "10.0.2.2")
        network["r1"].run("ip", "route", "add", "blackhole", "10.0.2.2")
        with network.trace() as after:
            network["blue"].run("ping", "-c1", "-W0.2", "10.0.2.2")
    return before, after


@pytest.mark.parametrize("name", ["kept.json", "kept.pcapng"])
def test_what_is_opened_again_says_the_same(traces: tuple[Trace, Trace], name: str, tmp_path: Path) -> None:
    for trace in traces:
        trace.save(tmp_path / name)
        again = Trace.open(tmp_path / name)
        assert again.ladder() == trace.ladder()
        assert again.data() == trace.data()
        assert [again.asked(journey) for journey in again] == [trace.asked(journey) for journey in trace]
        assert (again.reason, again.blame, again.outcome) == (trace.reason, trace.blame, trace.outcome)
    assert again.blame == "r1"
    with pytest.raises(LabError, match="the lab has no node 'r9'"):
        again.dropped(node="r9")
    with pytest.raises(LabError, match="the lab has no node 'sw9'"):
        again.path("echo request", "blue sw9 (r1|sw2)")


def test_a_pickle_keeps_it(traces: tuple[Trace, Trace]) -> None:
    again = pickle.loads(pickle.dumps(traces[1]))
    assert again.ladder() == traces[1].ladder()
    again.dropped("echo request", node="r1", reason="route")


def test_others_pass_over_the_block(traces: tuple[Trace, Trace], tmp_path: Path) -> None:
    traces[0].save(tmp_path / "kept.pcapng")
    listing = subprocess.run(
        ["tshark", "-r", tmp_path / "kept.pcapng", "-Y", "icmp", "-T", "fields", "-e", "frame.interface_name"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "r1:eth0" in listing.stdout.split()


def test_the_command_line_shows_it(traces: tuple[Trace, Trace], tmp_path: Path) -> None:
    for name, trace in zip(("before.json", "after.pcapng"), traces, strict=True):
        trace.save(tmp_path / name)
    shown = pynetemu("trace", "show", str(tmp_path / "after.pcapng"))
    assert "blackhole" in shown.stdout and shown.returncode == 0
    assert "asked:" in pynetemu("trace", "show", str(tmp_path / "after.pcapng"), "--why").stdout
    assert json.loads(pynetemu("trace", "show", str(tmp_path / "before.json"), "--json").stdout)["version"] == 1
    compared = pynetemu("trace", "diff", str(tmp_path / "before.json"), str(tmp_path / "after.pcapng"))
    assert compared.returncode == 1
    assert "ICMP echo request seq 1  blue → root" in compared.stdout
    assert "✔ before: answered" in compared.stdout and "✗ after: the routing table of r1 says blackhole" in compared.stdout
    assert pynetemu("trace", "diff", *[str(tmp_path / "before.json")] * 2).returncode == 0


def test_what_is_no_trace_is_told(traces: tuple[Trace, Trace], tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    for content, told in (
        ("{}", 'does not begin with "pynetemu": "trace"'),
        ("hello", "neither its JSON nor pcapng"),
        ('{"pynetemu": "trace", "version": 99}', "has version 99"),
        ('{"pynetemu": "trace", "version": 1}', "is damaged: KeyError"),
    ):
        file.write_text(content)
        with pytest.raises(LabError, match=told):
            Trace.open(file)
    assert pynetemu("trace", "show", str(tmp_path / "none")).stderr.startswith("pynetemu: cannot read ")
    traces[0].save(file)
    assert "has no packet 999" in pynetemu("trace", "show", str(file), "999").stderr


def test_two_traces_side_by_side(traces: tuple[Trace, Trace]) -> None:
    before, after = traces
    request, reply = before.diff(after)
    assert (request.what, request.before[-1], request.after[-1]) == ("path", "root", "r1")
    assert request.reasons[0] == "" and "blackhole" in request.reasons[1]
    assert (reply.what, reply.after) == ("only before", ())
    assert {one.what for one in before.diff(before)} == {"the same"}
    assert "not seen" in before.comparison(after)
    assert "2 packets took the same path to the same end" in before.comparison(before)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("before", "after", "what", "parts"),
    [
        ("a r b", "a q b", "path", "a"),
        ("a r b", "a r c", "path", "r"),
        ("a r b", "a r", "path", ""),  # one follows the other to its end
        ("a r", "a r b", "path", ""),
        ("a r", "b r", "path", ""),
        ("a r", "a r", "the same", ""),
    ],
)
def test_paths_part_behind_the_last_node_that_both_were_in(before: str, after: str, what: str, parts: str) -> None:
    told = _difference(_Seen("x", tuple(before.split()), ""), _Seen("x", tuple(after.split()), ""))
    assert (told.what, told.parts, told.text) == (what, parts, "x")
    assert (told.before, told.after) == (tuple(before.split()), tuple(after.split()))


def test_a_traced_line_is_compared_with_the_next(capfd: pytest.CaptureFixture[str]) -> None:
    with Network(Pair()) as net:
        shell = Shell(net)
        assert shell.run_line("trace --diff") == 1
        assert capfd.readouterr().err == "pynetemu: nothing has been traced yet; try: trace NODE ping -c1 OTHER\n"
        assert shell.run_line("trace --filter icmp blue ping -c1 root") == 0
        capfd.readouterr()
        assert shell.run_line("trace --diff --filter icmp") == 0  # the same line once more
        assert "2 packets took the same path to the same end" in capfd.readouterr().out
        assert shell.run_line("trace --diff --filter icmp --engine sockets --json blue ping -c1 -t1 -p42 root") == 0
        told = json.loads(capfd.readouterr().out)
        assert [(one["what"], one["before"], one["after"]) for one in told] == [
            ("the same", ["blue", "root"], ["blue", "root"]),
            ("the same", ["root", "blue"], ["root", "blue"]),
        ]
        assert shell.run_line("trace") == 0
        assert "packet sockets" in capfd.readouterr().out
        assert shell.run_line("trace --diff --filter arp blue false") == 1
        assert capfd.readouterr().out.count("after   not seen") == 2
