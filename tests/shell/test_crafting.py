"""`blue send`, `sr1`, `sr`, `sniff` and `scapy` in the shell: nodes go by name, and what is wrong is told in a line."""

import re
from pathlib import Path

import pytest

from tests.support.pynetemu import BLUE, PROGRAM, check_refused, in_blue, output
from tests.support.terminal import Terminal


@pytest.mark.slow
def test_packets_are_sent_and_answered() -> None:
    told = output(
        'blue send IP(dst="root")/ICMP()',
        "blue send(IP(dst='root')/UDP(dport=9), count=3, inter=0.001)",
        'blue sr1 IP(dst="root")/ICMP()/"text with  spaces"',
        'blue sr1 (IP(dst="root")/TCP(dport=8080, flags="S")), timeout=5',
        "root sr IP(dst='blue')/TCP(dport=[81, 8080], flags='S')",
        "root sr1 ARP(pdst='blue')",
    )
    lines = told.splitlines()
    assert lines[:2] == ["1 packet sent", "3 packets sent"]
    assert lines[2].startswith("IP / ICMP 10.0.0.1 > 10.0.0.2 echo-reply 0 / Raw")
    assert re.fullmatch(r"IP / TCP 10\.0\.0\.1:\S+ > 10\.0\.0\.2:\S+ SA", lines[3])
    assert [line.rpartition(" ")[2] for line in lines[4:6]] == ["RA", "SA"]
    assert lines[6] == "Ether / ARP is at 02:42:0a:00:00:02 says 10.0.0.2"


@pytest.mark.slow
def test_what_passes_is_sniffed_until_there_are_enough() -> None:
    done = in_blue("root ping -i0.02 blue >/dev/null &", "blue sniff -c 2 icmp and src root")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"(blue:veth_blue  Ether / IP / ICMP 10\.0\.0\.1 > 10\.0\.0\.2 echo-request 0 / Raw\n){2}", done.stdout)


@pytest.mark.slow
def test_the_output_may_go_into_pipes_and_files(tmp_path: Path) -> None:
    told = output(
        'blue sr1 IP(dst="root")/TCP(dport=8080, flags=2|0) | cut -d" " -f1-3',
        f'blue send IP(dst="root")/ICMP()/"a > b | c" > {tmp_path}/file',
    )
    assert told == "IP / TCP\n"
    assert (tmp_path / "file").read_text() == "1 packet sent\n"
    for endless in "blue sniff icmp", "capture icmp":  # until their reader has had enough
        done = in_blue("root ping -i0.02 blue >/dev/null &", f"{endless} | head -n 1 | wc -l")
        assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("blue send", 2, 'say which packet: blue send IP(dst="root")/ICMP()'),
        ("blue send IP(", 2, "blue send: '(' was never closed"),
        ("blue send nonsense", 1, "NameError: name 'nonsense' is not defined"),
        ("blue send ICMP()", 1, "a packet begins with Ether, ARP, IP or IPv6, not with ICMP"),
        ('blue send IP(dst="rot")', 1, "there is no address of 'rot'; did you mean 'root'?"),
        ('root send IP(dst="192.0.2.1")', 1, "root: Network is unreachable"),
        ('blue send IP(dst="root"), cuont=3', 2, "options among count, iface, inter"),
        ("blue sniff porrt", 2, "syntax error"),
        ("blue sniff icmp &", 2, "sniff: `&` is for programs in nodes"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(line: str, status: int, words: str) -> None:
    check_refused(line, status, words)


@pytest.mark.slow
def test_several_nodes_send_one_after_the_other() -> None:
    assert output("* send IP(dst='blue')/ICMP()") == "1 packet sent\n" * 2


@pytest.mark.slow
def test_no_answer_is_a_status_of_its_own() -> None:
    done = in_blue('blue sr1 IP(dst="10.0.0.77")/ICMP(), timeout=0.1')
    assert (done.returncode, done.stdout) == (1, "no answer within 0.1 s\n")


@pytest.mark.slow
def test_scapys_own_shell_is_in_the_node() -> None:
    with Terminal(*PROGRAM, BLUE) as terminal:
        terminal.enter("blue scapy")
        terminal.expect(r"(?m)^>>>", seconds=40)
        terminal.type('sr1(IP(dst="root")/ICMP(), verbose=0).summary()\r')
        terminal.expect(r"10\.0\.0\.1 > 10\.0\.0\.2 echo-reply")
        terminal.type("str(conf.iface), conf.route.route('192.0.2.1')[2]\r")
        terminal.expect(r"'veth_blue', '10\.0\.0\.1'")
        terminal.type("exit()\r")
        assert terminal.ask("blue echo back") == "back"
