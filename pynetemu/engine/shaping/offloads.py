"""Segmentation offload (ethtool(8)): what a link does to a packet it does to 40 at once, of one buffer, unless that is off."""

import array
import errno
import fcntl
import socket
import struct

from pynetemu.engine.nodes import Nodes

_SIOCETHTOOL = 0x8946
_GSSET_INFO, _GSTRINGS, _GFEATURES, _SFEATURES = 0x37, 0x1B, 0x3A, 0x3B  # linux/ethtool.h
_FEATURE_NAMES, _NAME = 4, 32  # ETH_SS_FEATURES, ETH_GSTRING_LEN


def split_segments_of(nodes: Nodes, name: str, interface: str, *, but_tcp: bool = False) -> None:
    """The same for an interface of the plan, whatever it is called now."""
    with nodes.open_socket(name, socket.AF_INET, socket.SOCK_DGRAM, 0) as within:
        try:
            split_segments(within, interface, but_tcp=but_tcp)
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            split_segments(within, nodes.name_of(name, interface), but_tcp=but_tcp)


def split_segments(within: socket.socket, interface: str, *, but_tcp: bool = False) -> None:
    """Makes the kernel cut buffers into packets before this interface sends them; `within` is a socket of its node.

    With `but_tcp` those of TCP are left to whom it sends them. Raises OSError.
    """
    names = _names(within, interface)
    blocks = -(-len(names) // 32)
    valid, requested = [0] * blocks, [0] * blocks
    for bit, name in enumerate(names):
        if name.startswith("tx-") and "segmentation" in name:
            valid[bit // 32] |= 1 << bit % 32
            if but_tcp and name.startswith("tx-tcp"):
                requested[bit // 32] |= 1 << bit % 32
    wanted = [number for both in zip(valid, requested, strict=True) for number in both]  # struct ethtool_set_features_block
    _ask(within, interface, struct.pack(f"=II{2 * blocks}I", _SFEATURES, blocks, *wanted))


def _names(within: socket.socket, interface: str) -> list[str]:
    """The names of an interface's features, in the order of their bits."""
    answer = _ask(within, interface, struct.pack("=IIQI", _GSSET_INFO, 0, 1 << _FEATURE_NAMES, 0))
    (count,) = struct.unpack_from("=I", answer, 16)
    answer = _ask(within, interface, struct.pack("=III", _GSTRINGS, _FEATURE_NAMES, count) + bytes(_NAME * count))
    texts = (answer[12 + _NAME * place : 12 + _NAME * (place + 1)] for place in range(count))
    return [text.partition(b"\0")[0].decode("ascii", "replace") for text in texts]


def _ask(within: socket.socket, interface: str, question: bytes) -> bytes:
    buffer = array.array("B", question)
    address, _ = buffer.buffer_info()
    fcntl.ioctl(within.fileno(), _SIOCETHTOOL, struct.pack("=16sQ8x", interface.encode(), address))  # struct ifreq
    return buffer.tobytes()
