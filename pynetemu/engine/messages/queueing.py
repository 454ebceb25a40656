"""Messages that make queueing disciplines and filters (linux/pkt_sched.h, linux/pkt_cls.h), encoded by pyroute2.

Its own classes for them lack netem's slots, 64-bit times and rates and models of loss, tbf's 64-bit rates, and filters of
classic BPF; importing them takes as long as making a small lab. So what they say of attributes is said here in its words.

    discipline(3, ROOT, "netem", {"limit": 1000, "attrs": [("TCA_NETEM_LATENCY64", 20_000_000)]})
"""

import socket
from typing import Any

from pynetemu.engine.messages.encoders import body

# After the stub of its package, which `encoders` has made:
from pyroute2.netlink import nla, nlmsg  # isort: skip

RTM_NEWQDISC, RTM_DELQDISC, RTM_NEWTFILTER = 36, 37, 44
ROOT, CLSACT, INGRESS = 0xFFFFFFFF, 0xFFFFFFF1, 0xFFFFFFF2  # TC_H_*: where a discipline or a filter hangs
CLSACT_HANDLE = 0xFFFF0000
_ALL_PROTOCOLS = 3  # ETH_P_ALL
FIRST_FILTER = 1 << 16 | socket.htons(_ALL_PROTOCOLS)  # its preference and protocol

_Options = dict[str, Any]  # the fields of a kind, and "attrs", its attributes by name


def _structure(*fields: tuple[str, str]) -> type[Any]:
    """An attribute with a structure of the kernel's in it, in the machine's byte order."""
    made: type[Any] = type("structure", (nla,), {"fields": fields})
    return made


class _Netem(nla):  # type: ignore[misc]
    """struct tc_netem_qopt; its two times are too short for long delays, and stay 0."""

    fields = ("latency", "I"), ("limit", "I"), ("loss", "I"), ("gap", "I"), ("duplicate", "I"), ("jitter", "I")
    nla_map = (
        ("TCA_NETEM_UNSPEC", "none"),
        ("TCA_NETEM_CORR", "none"),
        ("TCA_NETEM_DELAY_DIST", "cdata"),
        ("TCA_NETEM_REORDER", "probability"),
        ("TCA_NETEM_CORRUPT", "probability"),
        ("TCA_NETEM_LOSS", "loss_model"),
        ("TCA_NETEM_RATE", "rate"),
        ("TCA_NETEM_ECN", "uint32"),
        ("TCA_NETEM_RATE64", "uint64"),
        ("TCA_NETEM_PAD", "none"),
        ("TCA_NETEM_LATENCY64", "int64"),
        ("TCA_NETEM_JITTER64", "int64"),
        ("TCA_NETEM_SLOT", "slot"),
    )
    probability = _structure(("probability", "I"), ("correlation", "I"))
    rate = _structure(("rate", "I"), ("packet_overhead", "i"), ("cell_size", "I"), ("cell_overhead", "i"))
    slot = _structure(
        ("min_delay", "q"),
        ("max_delay", "q"),
        ("max_packets", "i"),
        ("max_bytes", "i"),
        ("dist_delay", "q"),
        ("dist_jitter", "q"),
    )

    class loss_model(nla):  # type: ignore[misc]  # noqa: N801
        nla_map = ("NETEM_LOSS_UNSPEC", "none"), ("NETEM_LOSS_GI", "four_state"), ("NETEM_LOSS_GE", "gilbert_elliott")
        four_state = _structure(("p13", "I"), ("p31", "I"), ("p32", "I"), ("p14", "I"), ("p23", "I"))
        gilbert_elliott = _structure(("p", "I"), ("r", "I"), ("h", "I"), ("k1", "I"))


class _Tbf(nla):  # type: ignore[misc]
    nla_map = (
        ("TCA_TBF_UNSPEC", "none"),
        ("TCA_TBF_PARMS", "parameters"),
        ("TCA_TBF_RTAB", "cdata"),
        ("TCA_TBF_PTAB", "cdata"),
        ("TCA_TBF_RATE64", "uint64"),
        ("TCA_TBF_PRATE64", "uint64"),
        ("TCA_TBF_BURST", "uint32"),
    )
    parameters = _structure(  # struct tc_tbf_qopt: two of struct tc_ratespec, of which the second is none
        ("cell_log", "B"),
        ("link_layer", "B"),
        ("overhead", "H"),
        ("cell_align", "h"),
        ("mpu", "H"),
        ("rate", "I"),
        ("peak", "12s"),
        ("limit", "I"),
        ("buffer", "I"),
        ("mtu", "I"),
    )


class _Htb(nla):  # type: ignore[misc]
    nla_map = ("TCA_HTB_UNSPEC", "none"), ("TCA_HTB_PARMS", "none"), ("TCA_HTB_INIT", "init")
    init = _structure(("version", "I"), ("rate2quantum", "I"), ("defcls", "I"), ("debug", "I"), ("direct_pkts", "I"))


class _Bpf(nla):  # type: ignore[misc]
    nla_map = (
        ("TCA_BPF_UNSPEC", "none"),
        ("TCA_BPF_ACT", "none"),
        ("TCA_BPF_POLICE", "none"),
        ("TCA_BPF_CLASSID", "none"),
        ("TCA_BPF_OPS_LEN", "uint16"),
        ("TCA_BPF_OPS", "cdata"),
        ("TCA_BPF_FD", "none"),
        ("TCA_BPF_NAME", "none"),
        ("TCA_BPF_FLAGS", "uint32"),
    )


class _None(nla):  # type: ignore[misc]
    """Of kinds that are made without any options."""


class _TrafficControl(nlmsg):  # type: ignore[misc]
    """struct tcmsg."""

    fields = ("family", "B"), ("pad", "3x"), ("index", "i"), ("handle", "I"), ("parent", "I"), ("info", "I")
    nla_map = ("TCA_UNSPEC", "none"), ("TCA_KIND", "asciiz"), ("TCA_OPTIONS", "options")
    _OPTIONS = {"netem": _Netem, "tbf": _Tbf, "htb": _Htb, "bpf": _Bpf}

    @staticmethod
    def options(self: Any, *_: Any, **__: Any) -> type[Any]:
        return _TrafficControl._OPTIONS.get(self.get_attr("TCA_KIND"), _None)


def discipline(
    index: int, parent: int, kind: str = "", options: _Options | None = None, handle: int = 0, info: int = 0
) -> bytes:
    """A discipline of an interface, or a filter; without a kind whichever there is."""
    message = _TrafficControl()
    message["index"], message["handle"], message["parent"], message["info"] = index, handle, parent, info
    return body(message, [("TCA_KIND", kind), ("TCA_OPTIONS", options or {})] if kind else ())
