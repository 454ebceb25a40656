"""The words that ip(8), bridge(8), tc(8), nft(8) and ss(8) take, where they take them; options and values aside."""

from collections.abc import Iterator, Sequence

_CHANGE, _SHOW = "add change replace delete", "show"
# By program and object, what stands after it; under "" the objects, and what stands anywhere after a verb.
_WORDS: dict[str, dict[str, str]] = {
    "ip": {
        "": "addr link route neigh rule netns maddress mroute monitor tunnel tuntap xfrm vrf nexthop sysctl macsec mptcp",
        "addr": f"{_CHANGE} {_SHOW} flush save restore",
        "link": f"add delete set {_SHOW} property xstats afstats",
        "route": f"{_CHANGE} append {_SHOW} get flush save restore",
        "neigh": f"{_CHANGE} {_SHOW} get flush",
        "rule": f"add delete {_SHOW} flush save restore",
        "netns": "list exec identify pids",
        "maddress": f"add delete {_SHOW}",
        "mroute": _SHOW,
        "monitor": "all address link mroute neigh netconf nsid prefix route rule",
        "tunnel": f"{_CHANGE} {_SHOW}",
        "tuntap": f"add delete {_SHOW}",
        "xfrm": "state policy monitor",
        "vrf": f"{_SHOW} exec identify pids",
        "nexthop": f"add replace delete {_SHOW} get flush bucket",
        "mptcp": "endpoint limits monitor",
    },
    "bridge": {
        "": "link fdb mdb vlan vni monitor",
        "link": f"set {_SHOW}",
        "fdb": f"add append replace delete {_SHOW} get flush",
        "mdb": f"add replace delete {_SHOW} get flush",
        "vlan": f"add delete set {_SHOW} global tunnelshow",
        "vni": f"add delete {_SHOW}",
        "monitor": "all fdb link mdb vlan",
    },
    "tc": {
        "": "qdisc class filter chain action monitor",
        "qdisc": f"add change replace delete link {_SHOW}",
        "class": f"add change replace delete {_SHOW}",
        "filter": f"add change replace delete get {_SHOW}",
        "chain": f"add delete get {_SHOW}",
        "action": "add change replace get delete list flush",
    },
    "nft": {
        "": "add create delete destroy describe export flush insert list monitor rename replace reset",
        "list": "ruleset tables table chains chain sets set maps map counters counter flowtables hooks meters quotas limits",
        "flush": "ruleset table chain set map",
        "monitor": "trace ruleset tables chains rules sets elements",
        **dict.fromkeys(
            ("add", "create", "delete", "destroy"), "table chain rule set map element flowtable counter quota limit"
        ),
        "insert": "rule",
        "replace": "rule",
        "rename": "chain",
        "reset": "counters counter quotas quota rules rule",
    },
    "ss": {
        "": "state exclude dport sport src dst dev",
        "state": "all connected synchronized bucket big established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait closed "
        "close-wait last-ack listening closing",
    },
}
_WORDS["ss"]["exclude"] = _WORDS["ss"]["state"]
# After a verb of these objects: names of settings, each with its value.
_LATER = {
    ("ip", "addr"): "dev brd peer scope label nodad valid_lft preferred_lft up to",
    ("ip", "link"): "dev up down mtu address name type master nomaster netns arp multicast promisc txqueuelen alias vlan vxlan "
    "bridge bond dummy veth macvlan vrf gre wireguard peer id group",
    (
        "ip",
        "route",
    ): "default via dev src metric table proto scope onlink mtu nexthop weight blackhole unreachable prohibit to from iif",
    ("ip", "neigh"): "dev lladdr nud proxy permanent reachable stale noarp router",
    (
        "ip",
        "rule",
    ): "from to fwmark lookup table pref priority iif oif tos ipproto sport dport not blackhole prohibit unreachable",
    ("bridge", "link"): "dev cost priority state learning flood guard hairpin isolated mcast_flood neigh_suppress",
    ("bridge", "fdb"): "dev br brport dst vni port master self permanent static dynamic local",
    ("bridge", "mdb"): "dev port grp src permanent temp vid",
    ("bridge", "vlan"): "dev vid pvid untagged self master",
    (
        "tc",
        "qdisc",
    ): "dev root ingress clsact parent handle netem tbf htb fq_codel fq sfq prio pfifo bfifo red cake delay loss rate "
    "burst latency limit duplicate corrupt reorder default",
    ("tc", "class"): "dev root parent classid htb hfsc rate ceil burst cburst prio quantum",
    ("tc", "filter"): "dev root parent ingress egress protocol prio u32 matchall flower bpf match flowid action ip dport sport",
}
_FAMILIES = "ip ip6 inet arp bridge netdev".split()  # noqa: SIM905
_OPTIONS_WITH_VALUE = {"-f", "-family", "-n", "-netns", "-b", "-batch", "-rc", "-N", "-A", "-F", "-D"}


def words_of(program: str, words: Sequence[str]) -> Iterator[str]:
    """What may stand after these words of a program: words_of("ip", ["route"]) begins with "add"."""
    table = _WORDS.get(program)
    if table is None:
        return
    given = _without_options(words)
    if not given:
        yield from table[""].split()
        return
    name = _whole(program, given[0])
    if program == "ss":
        yield from table[given[-1] if given[-1] in table else ""].split()
    elif len(given) == 1:
        yield from table.get(name, "").split()
    elif (program, name) in _LATER:
        yield from (word for word in _LATER[program, name].split() if word not in given)
    elif program == "nft" and len(given) == 2:
        yield from _FAMILIES


def has_words(program: str) -> bool:
    return program in _WORDS


def _without_options(words: Sequence[str]) -> list[str]:
    given: list[str] = []
    takes_value = False
    for word in words:
        if takes_value:
            takes_value = False
        elif word.startswith("-"):
            takes_value = word in _OPTIONS_WITH_VALUE
        else:
            given.append(word)
    return given


def _whole(program: str, word: str) -> str:
    """An object that may be cut short, as in `ip a`; the first that begins so, as for ip(8) itself."""
    usual = {"address": "addr", "neighbor": "neigh", "neighbour": "neigh"}
    return next((name for name in _WORDS[program] if name and name.startswith(usual.get(word, word))), word)
