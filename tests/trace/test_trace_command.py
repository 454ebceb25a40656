"""`trace` in the shell: a command's own output and status, then the ladder of its packets."""

import re

from tests.support.pynetemu import BRIDGE, in_blue, pynetemu


def test_a_ping_is_drawn_packet_by_packet() -> None:
    done = in_blue("trace blue ping -c 1 root")
    assert done.returncode == 0, done.stderr
    printed, ladder = done.stdout.split("   ms    ")
    assert "1 received" in printed
    rows = [re.sub(r"^ *\d+\.\d{3} ", "", line) for line in ladder.splitlines()[:5]]
    assert rows[0] == "blue      root"
    assert rows[1].startswith("●━━━━━━━━━▶    1 ARP who-has 10.0.0.1 tell blue")
    assert re.match(r"◀━━━━━━━━━●    2 ARP 10.0.0.1 is-at [0-9a-f:]{17}", rows[2])
    assert re.match(r"●━━━━━━━━━▶    3 ICMP echo request seq 1 +blue → root", rows[3])
    assert re.match(r"◀━━━━━━━━━●    4 ICMP echo reply seq 1 +root → blue", rows[4])


def test_a_filter_keeps_what_it_says_and_wrong_ones_are_told_in_libpcaps_words() -> None:
    done = pynetemu(BRIDGE, "-c", "trace --ascii --filter 'icmp and dst host 10.0.0.3' blue ping -c1 green")
    assert "ARP" not in done.stdout and "reply" not in done.stdout
    assert re.search(r"o-+o-+> +1 ICMP echo request seq 1 +blue -> green", done.stdout)
    wrong = in_blue("trace --filter 'icmp and foo' blue true")
    assert wrong.returncode == 2
    assert "syntax error in filter expression" in wrong.stderr
