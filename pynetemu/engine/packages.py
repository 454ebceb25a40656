"""Which Debian package has a program, for the message when a node has none of that name.

The names are Debian 12's and 13's and Ubuntu 24.04's (https://packages.debian.org, "Search the contents of packages").
"""

import os

from pynetemu.errors import CommandNotFound
from pynetemu.wording import did_you_mean

# What the documentation and most labs use: `pynetemu doctor` looks for these, by the package that brings them.
TOOLS = {
    "ip": "addresses, routes, links",
    "bridge": "a switch's ports and tables",
    "tc": "queues",
    "ss": "sockets",
    "nft": "packet filters",
    "ping": "reachability",
    "traceroute": "ways",
    "curl": "web pages",
    "tcpdump": "packets",
    "iperf3": "throughput",
    "ifconfig": "addresses, as in older texts",
    "route": "routes, as in older texts",
}

_PROGRAMS_OF = {
    "apache2-utils": "ab",
    "arping": "arping",
    "avahi-utils": "avahi-browse avahi-resolve",
    "bash": "bash",
    "bind9": "named",
    "bind9-dnsutils": "dig nslookup nsupdate delv",
    "bind9-host": "host",
    "bird2": "bird birdc",
    "bmon": "bmon",
    "bridge-utils": "brctl",
    "bsdextrautils": "hexdump column",
    "conntrack": "conntrack",
    "coreutils": "cat ls true false sleep timeout wc head tail sort tr env id",
    "curl": "curl",
    "dnsmasq-base": "dnsmasq",
    "dsniff": "arpspoof",
    "ethtool": "ethtool",
    "file": "file",
    "fping": "fping",
    "frr": "vtysh zebra",
    "git": "git",
    "haproxy": "haproxy",
    "hping3": "hping3",
    "htop": "htop",
    "iftop": "iftop",
    "inetutils-telnet": "telnet",
    "iperf": "iperf",
    "iperf3": "iperf3",
    "ipset": "ipset",
    "iproute2": "ip bridge tc ss nstat lnstat rtmon ctstat rtacct dcb devlink rdma tipc vdpa",
    "iptables": "iptables ip6tables iptables-save iptables-restore ebtables arptables",
    "iputils-ping": "ping ping4 ping6",
    "iputils-tracepath": "tracepath",
    "iw": "iw",
    "jq": "jq",
    "keepalived": "keepalived",
    "less": "less",
    "lldpd": "lldpd lldpcli",
    "lsof": "lsof",
    "lynx": "lynx",
    "man-db": "man",
    "memcached": "memcached",
    "mtr-tiny": "mtr",
    "nano": "nano",
    "ncat": "ncat",
    "net-tools": "ifconfig route arp netstat ipmaddr iptunnel mii-tool nameif rarp slattach",
    "netcat-openbsd": "nc netcat",
    "netperf": "netperf netserver",
    "nftables": "nft",
    "nginx": "nginx",
    "ngrep": "ngrep",
    "nload": "nload",
    "nmap": "nmap nping",
    "openssh-client": "ssh scp sftp ssh-keygen",
    "openssh-server": "sshd",
    "openssl": "openssl",
    "passt": "pasta passt",
    "procps": "ps top watch pgrep pkill free vmstat sysctl w uptime",
    "psmisc": "killall fuser pstree",
    "python3": "python3",
    "python3-scapy": "scapy",
    "radvd": "radvd",
    "redis-server": "redis-server",
    "redis-tools": "redis-cli",
    "rsync": "rsync",
    "socat": "socat",
    "strace": "strace",
    "strongswan": "ipsec",
    "tcpdump": "tcpdump",
    "tcpreplay": "tcpreplay",
    "tcptraceroute": "tcptraceroute",
    "termshark": "termshark",
    "tmux": "tmux",
    "traceroute": "traceroute traceroute6",
    "tshark": "tshark",
    "vim-tiny": "vi vim",
    "vlan": "vconfig",
    "w3m": "w3m",
    "wget": "wget",
    "whois": "whois",
    "wireguard-tools": "wg wg-quick",
    "wireshark": "wireshark",
    "wireshark-common": "dumpcap editcap mergecap capinfos",
    "wrk": "wrk",
    "xxd": "xxd",
}
_PACKAGE_OF = {program: package for package, programs in _PROGRAMS_OF.items() for program in programs.split()}


def debian_package(program: str) -> str:
    """The Debian package that has a program, "" for one that we do not know."""
    return _PACKAGE_OF.get(program, "")


def install(packages: list[str]) -> str:
    """The line that installs packages."""
    return f"{'' if os.getuid() == 0 else 'sudo '}apt-get install -y {' '.join(packages)}"


def missing_program(program: str, node: str) -> CommandNotFound:
    """The error for a program that a node does not have, with where to get it, or what was meant."""
    if package := debian_package(os.path.basename(program)):
        hint = f"the Debian package {package} has it: {install([package])}"
    elif "/" in program:
        hint = "there is no such file"
    else:
        hint = _meant(program)
    return CommandNotFound(program, f"{node}: no program {program!r}\n    hint: {hint}")


def _meant(program: str) -> str:
    meant = did_you_mean(program, [*_PACKAGE_OF, *_installed()])
    return meant or "the node has the programs of this machine: install it here"


def _installed() -> set[str]:
    found: set[str] = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if os.path.isdir(folder):
            found.update(os.listdir(folder))
    return found
