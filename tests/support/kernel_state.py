"""What ip, bridge, nft and sysctl say of all nodes of a lab, but for what is another at each birth: to compare two labs."""

import json
from contextlib import suppress
from typing import Any

from pynetemu import Network
from tests.support.wait import wait_until

_COMMANDS = (
    "ip -j -d addr",
    "ip -4 -j route show table all",
    "ip -6 -j route show table all",
    "ip -j rule",
    "ip -j neigh show nud permanent",
    "bridge -j -d link",
    "nft -j list ruleset",
    # as JSON: a list of texts
    "sysctl -e net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.rp_filter net.ipv4.conf.default.rp_filter "
    "net.ipv4.fib_multipath_hash_policy net.ipv4.conf.eth0.rp_filter net.ipv4.conf.eth0.forwarding "
    "| sed 's/.*/\"&\",/; 1s/^/[/; $s/,$/]/' | tr -d '\\n'",
)
# What is another at each birth, or changes by itself.
_ASIDE = {
    *("ifindex", "link_index", "link_netnsid", "handle", "metainfo", "valid_life_time", "preferred_life_time"),
    *("gc_timer", "hello_timer", "tcn_timer", "topology_change_timer", "timer", "bridge_id", "root_id", "designated_root"),
    *(
        "expires",
        "ifindexes",
        "uptime",
        "fdb_n_learned",
        "promiscuity",
        "allmulti",
        "num_tx_queues",
        "num_rx_queues",
        "port_id",
    ),
    *("designated_bridge", "designated_port", "designated_cost", "hold_timer", "message_age_timer", "forward_delay_timer"),
    *("link", "root_path_cost", "topology_change_detected", "config_pending", "topology_change_ack", "state"),
    *("no", "port_no", "root_port", "topology_change", "id", "permaddr", "txqlen"),
}


def _state(net: Network) -> dict[str, Any]:
    """What the programs tell of each node, in an order of its own."""
    found = {}
    for node in net.nodes:
        script = "; ".join(f"{command}; echo; echo =" for command in _COMMANDS)
        texts = str(net[node].run("sh", "-c", script, check=True).stdout).split("\n=\n")
        found[node] = {
            command.partition("|")[0]: _plain(json.loads(text.strip() or "[]"))
            for command, text in zip(_COMMANDS, texts[: len(_COMMANDS)], strict=True)
        }
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if (
            value.get("local", "").startswith("fe80")
            or "metainfo" in value
            or (value.get("scope") == "link" and "local" in value)
        ):
            return None  # link-local addresses come a moment later
        tree = "stp_state" in value and value["stp_state"]  # while it changes a bridge forgets earlier
        timers = {"forward_delay", "hello_time", "max_age"} if not tree else set()  # of the root of a tree that there was
        own = {"address"} if value.get("ifname") == "br0" else set()  # once given it stays, see AddBridge
        aside = {*_ASIDE, *timers, *own, *(["ageing_time"] if tree else [])}
        value = {**value, "operstate": "UP"} if value.get("operstate") == "UNKNOWN" else value  # until it is asked for alone
        return {key: _plain(inner) for key, inner in value.items() if key not in aside}
    if isinstance(value, list):
        value = [inner for inner in value if inner != "M-DOWN"]  # which ip(8) says of a far end in another namespace, at random
        plain = [found for inner in value if (found := _plain(inner)) is not None]
        return sorted((found for found in plain if not _comes_later(found)), key=str)
    return value


def _comes_later(found: Any) -> bool:
    """What the kernel makes by itself: routes of IPv6 in a queue of its own, and devices of tunnels when their module comes."""
    if isinstance(found, dict) and found.get("ifname") in ("gre0", "gretap0", "erspan0", "ip6gre0", "ip6tnl0", "sit0", "tunl0"):
        return True
    if isinstance(found, dict) and "l3mdev" in found:  # comes with a node's first VRF, and never goes
        return True
    destination = str(found.get("dst", "")) if isinstance(found, dict) else ""
    return destination.startswith(("fe80", "ff00", "multicast")) or (":" in destination and found.get("table") == "local")


def settled(net: Network) -> dict[str, Any]:
    """The state, when no port is on its way to another one and no address is tentative."""

    def settled() -> dict[str, Any]:
        state = _state(net)
        text = str(state)
        return {} if any(word in text for word in ("'learning',", "'listening'", "tentative", "'LOWERLAYERDOWN'")) else state

    found: dict[str, Any] = wait_until(settled, 15, "the end of all changes")
    return found


def _differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two states are not the same, for people to read."""
    if one == other:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [text for key in keys for text in _differences(one.get(key), other.get(key), f"{place} {key}")]
    if isinstance(one, list) and isinstance(other, list):
        left, right = ([item for item in a if item not in b] for a, b in ((one, other), (other, one)))
        if len(left) == len(right) == 1:
            return _differences(left[0], right[0], place)
        return [f"{place}: {left} instead of {right}"]
    return [f"{place}: {one!r} instead of {other!r}"]


def lasting_differences(net: Network, wanted: Any) -> list[str]:
    """Those that do not go by themselves."""
    with suppress(AssertionError):
        wait_until(lambda: not _differences(_state(net), wanted), 5)
    return _differences(_state(net), wanted)
