"""Daemons as distributions ship them run in nodes, at their default paths, and answer others over the network.

Four that are quickly installed run with every commit, all with PYNETEMU_DAEMONS=1: `./dev daemons` installs them and does that.
"""

import os
import re
from typing import Any

import pytest

from pynetemu import Host, Link, Network, Topology
from pynetemu.frozen import frozen
from tests.support.wait import wait_until

pytestmark = pytest.mark.needs("own files")


@frozen
class Daemon:
    """How one is started in a node, 10.0.0.1, and what its neighbor, 10.0.0.2, asks until the answer matches.

    `other` is what the neighbor starts; one without an address asks for one.
    """

    start: str
    ask: str
    answer: str
    files: dict[str, str] = {}
    other: str = ""
    files_of_other: dict[str, str] = {}
    has_address: bool = True


_DHCP = {"/etc/dnsmasq.conf": "no-resolv\nbind-interfaces\ndhcp-range=10.0.0.50,10.0.0.60,1h\naddress=/x.test/192.0.2.7\n"}
_KEA = """{"Dhcp4": {"interfaces-config": {"interfaces": ["eth0"]}, "lease-database": {"type": "memfile"},
"subnet4": [{"subnet": "10.0.0.0/24", "pools": [{"pool": "10.0.0.50 - 10.0.0.60"}]}]}}"""
_OSPF = """interface eth0
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ip ospf area 0
interface lo
 ip ospf area 0
router ospf
 ospf router-id {id}
"""
_FRR = {"/etc/frr/daemons": "ospfd=yes\nvtysh_enable=yes\n", "/etc/frr/vtysh.conf": "service integrated-vtysh-config\n"}
_BIRD = """router id {id};
protocol device {{}}
protocol ospf v2 {{ ipv4 {{}}; area 0 {{ interface "eth0" {{ type ptp; hello 1; dead count 4; }}; }}; }}
"""
_ZONE = "$TTL 60\n@ SOA ns root 1 60 60 60 60\n@ NS ns\nns A 10.0.0.1\nwww A 192.0.2.7\n"
_NTP = "import socket; s = socket.socket(type=2); s.settimeout(1); s.sendto(b'\\x23' + bytes(47), ('10.0.0.1', 123))"
_RESOLVE = "echo nameserver 10.0.0.1 >/etc/resolv.conf; getent ahostsv4"
_SYSLOG = 'module(load="imudp")\ninput(type="imudp" port="514")\nmodule(load="imuxsock")\n*.* /var/log/all.log\n'
_VRRP = "vrrp_instance one {\n state MASTER\n interface eth0\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.100/24 }\n}\n"
_RADVD = "interface eth0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; prefix fd00:99::/64 { }; };\n"
_REDIS = "bind 0.0.0.0\nprotected-mode no\ndaemonize yes\ndir /var/lib/redis\nlogfile /var/log/redis/redis-server.log\n"
_UNBOUND = """server:
 interface: 0.0.0.0
 access-control: 10.0.0.0/8 allow
 local-data: "www.x.test. A 192.0.2.7"
"""

_QUICK = {
    "dnsmasq": Daemon("dnsmasq", f"{_RESOLVE} x.test", "192.0.2.7", _DHCP),
    "dhclient": Daemon(
        "dnsmasq",
        "dhclient eth0; ip -o addr show eth0; cat /etc/resolv.conf",
        r"10\.0\.0\.(5\d|60)[^$]*nameserver 10\.0\.0\.1",
        _DHCP,
        has_address=False,
    ),
    "udhcpc": Daemon("dnsmasq", "udhcpc -i eth0 -n -q; ip -o addr show eth0", r"10\.0\.0\.(5\d|60)", _DHCP, has_address=False),
    "radvd": Daemon(
        "sysctl -qw net.ipv6.conf.all.forwarding=1; radvd", "ip -6 -o addr show eth0", "fd00:99:", {"/etc/radvd.conf": _RADVD}
    ),
}
_OTHERS = {
    "frr": Daemon(
        "/usr/lib/frr/frrinit.sh start",
        "vtysh -c 'show ip ospf neighbor'",
        "Full",
        {**_FRR, "/etc/frr/frr.conf": _OSPF.format(id="1.1.1.1")},
        "/usr/lib/frr/frrinit.sh start",
        {**_FRR, "/etc/frr/frr.conf": _OSPF.format(id="2.2.2.2")},
    ),
    "bird": Daemon(
        "mkdir -p /run/bird; bird",
        "birdc show ospf neighbors",
        "Full",
        {"/etc/bird/bird.conf": _BIRD.format(id="1.1.1.1")},
        "mkdir -p /run/bird; bird",
        {"/etc/bird/bird.conf": _BIRD.format(id="2.2.2.2")},
    ),
    "kea": Daemon(
        "mkdir -p /run/kea /var/lib/kea; kea-dhcp4 -c /etc/kea/kea-dhcp4.conf >/dev/null 2>&1 &",
        "udhcpc -i eth0 -n -q; ip -o addr show eth0",
        r"10\.0\.0\.(5\d|60)",
        {"/etc/kea/kea-dhcp4.conf": _KEA},
        has_address=False,
    ),
    "unbound": Daemon("unbound", f"{_RESOLVE} www.x.test", "192.0.2.7", {"/etc/unbound/unbound.conf": _UNBOUND}),
    "bind9": Daemon(
        "mkdir -p /run/named; named",
        f"{_RESOLVE} www.x.test",
        "192.0.2.7",
        {
            "/etc/bind/named.conf.local": 'zone "x.test" { type master; file "/etc/bind/db.x"; };\n',
            "/etc/bind/db.x": _ZONE,
        },
    ),
    "nginx": Daemon("nginx", "curl -s http://10.0.0.1/; cat /var/log/nginx/access.log 2>&1", "<html>"),
    "redis": Daemon(
        "redis-server /etc/redis/redis.conf",
        "redis-cli -h 10.0.0.1 ping",
        "PONG",
        {"/etc/redis/redis.conf": _REDIS},
    ),
    "etcd": Daemon(
        "etcd --data-dir /var/lib/etcd/default --listen-client-urls http://0.0.0.0:2379 "
        "--advertise-client-urls http://10.0.0.1:2379 >/var/log/etcd.log 2>&1 &",
        "curl -s http://10.0.0.1:2379/version",
        "etcdserver",
    ),
    "sshd": Daemon(
        "rm -f /etc/ssh/ssh_host_*; ssh-keygen -qA; mkdir -p /run/sshd; /usr/sbin/sshd",
        "ssh-keyscan -T2 10.0.0.1 2>&1",
        "SSH-2.0-OpenSSH",  # without root it can greet, and change to no other user

    ),
    "rsyslog": Daemon(
        "rsyslogd; logger said in the node itself",
        "logger -n 10.0.0.1 -P 514 -d asked; echo sent",
        "sent",
        {"/etc/rsyslog.conf": _SYSLOG},
    ),
    "keepalived": Daemon("keepalived", "ping -c1 -W1 10.0.0.100", "1 received", {"/etc/keepalived/keepalived.conf": _VRRP}),
    "chrony": Daemon(
        "mkdir -p /run/chrony; chronyd -x",
        f'python3 -c "{_NTP}; print(len(s.recv(100)))"',
        "48",
        {"/etc/chrony/chrony.conf": "local stratum 8\nallow\n"},
    ),
}  # fmt: skip
_CHOSEN = {**_QUICK, **_OTHERS} if os.environ.get("PYNETEMU_DAEMONS") else _QUICK


@pytest.mark.slow
@pytest.mark.parametrize("name", _CHOSEN)
def test_a_daemon_answers_at_its_default_paths(name: str) -> None:
    daemon = _CHOSEN[name]

    class Lab(Topology):
        server = Host(files=daemon.files)
        asking = Host(files=daemon.files_of_other)
        wire: Any = Link(
            server.interface("eth0", "10.0.0.1/24"),
            asking.interface("eth0", *(["10.0.0.2/24"] if daemon.has_address else []), auto_addresses=False),
        )

    with Network(Lab(), name=f"daemon-{name}") as net:
        for node, line in ("server", daemon.start), ("asking", daemon.other):
            started = net[node].run("sh", "-c", line, timeout=20)
            assert started.status == 0, started
        answers: list[str] = []

        def answered() -> bool:
            answers.append(str(net["asking"].run("sh", "-c", daemon.ask, timeout=20).stdout))
            return bool(re.search(daemon.answer, answers[-1]))

        try:
            wait_until(answered, 20)
        except AssertionError:
            pytest.fail(f"{name} answered {answers[-1]!r}; it runs: {_sh(net, 'ps ax')}")
        if name == "rsyslog":
            wait_until(lambda: "asked" in (log := _sh(net, "cat /var/log/all.log")) and "said in the node itself" in log, 10)


def _sh(net: Network, line: str) -> str:
    return str(net["server"].run("sh", "-c", line).stdout)
