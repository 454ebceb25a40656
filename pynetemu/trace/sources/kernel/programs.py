"""The four programs that run in the kernel, one for each tracepoint, and the maps that they share.

Each looks whether the packet is in one of the lab's namespaces, and else ends at once; copies what is known of it, with the
first bytes of its headers; lets the filter decide; and sends the record through the ring. A packet that has passed the filter
is followed: its address is kept, so that it is seen further on though address translation has made it another.
"""

import os
import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress

from pynetemu.capture.pcap_filter import Instruction
from pynetemu.packets.encapsulation import GENEVE_PORT, VXLAN_FLAGS, VXLAN_PORTS
from pynetemu.trace.sources.events import Kind
from pynetemu.trace.sources.kernel import bpf
from pynetemu.trace.sources.kernel.assembler import R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK, Assembler
from pynetemu.trace.sources.kernel.btf import Layout
from pynetemu.trace.sources.kernel.classic import Packet, translate

# What is known of a packet, at the beginning of each record: time (ns, CLOCK_MONOTONIC), address of the sk_buff, of its data,
# of the code that dropped it; node, interface, length, reason, captured bytes, VLAN tag and ethertype, kind, mark.
HEAD = struct.Struct("=QQQQIIIIIHHII")
SNAP, BEHIND = 192, 128  # bytes of each packet: of its piece with the headers, and of what lies behind that
DATA = SNAP + BEHIND
STACK_DEPTH = 6
_TIME, _BUFFER, _HEAD, _PLACE, _NODE, _INTERFACE, _LENGTH, _REASON, _CAPTURED, _TAG, _TAG_TYPE, _KIND, _MARK = (
    0, 8, 16, 24, 32, 36, 40, 44, 48, 52, 54, 56, 60)  # fmt: skip

KINDS: tuple[Kind, ...] = ("out", "in", "drop", "end")
_TRACEPOINTS: dict[Kind, str] = {
    "out": "net_dev_start_xmit",  # (skb, dev)
    "in": "netif_receive_skb",  # (skb)
    "drop": "kfree_skb",  # (skb, location, reason, ...)
    "end": "consume_skb",  # (skb, location)
}
MEMORY = 1 << 24  # bytes of the ring: a tenth of a second of 400,000 packets/s
_FOLLOWED = 1 << 14  # packets
_NODES = 1 << 15

# Functions of the kernel for programs (enum bpf_func_id in linux/bpf.h).
_LOOK_UP, _UPDATE, _DELETE, _KTIME, _GET_STACK, _PROBE_READ = 1, 2, 3, 5, 67, 113
_RING_OUTPUT, _RING_RESERVE, _RING_SUBMIT, _DYNPTR_READ = 130, 131, 132, 201
_ATOMIC_ADD = 0xDB  # *(u64 *)(to + offset) += source
_SHIFT_LEFT = 0x67

# Places on the stack.
_INODE, _INDEX, _NUMBER, _SKB_KEY, _HEAD_KEY, _SIGNATURE, _PROTOCOL, _POINTER = (
    -4, -8, -12, -24, -32, -36, -40, -56)  # fmt: skip
_ETHERNET = 14
_IPV4 = socket.htons(0x0800)
_ARPHRD_ETHER, _ARPHRD_LOOPBACK = 1, 772
_UNSET = 0xFFFF  # a header's offset that nobody has set


class Programs:
    """Runs from its construction until `close`; raises OSError when the kernel refuses. `nodes` are the inode numbers of the
    lab's network namespaces; `memory` is the ring's, in bytes."""

    def __init__(self, layout: Layout, nodes: Mapping[int, int], filter: list[Instruction], memory: int = MEMORY) -> None:
        self._layout, self._filter = layout, filter
        self._descriptors: list[int] = []
        self._running: list[int] = []
        self.ring = bpf.RingBuffer(memory)
        try:
            self._nodes = self._map(bpf.HASH, 4, 4, _NODES)
            self._lost = self._map(bpf.ARRAY, 4, 8, len(KINDS))
            self._followed = self._map(bpf.LEAST_RECENTLY_USED, 8, 4, _FOLLOWED) if filter else -1
            for inode, number in nodes.items():
                bpf.update(self._nodes, struct.pack("=I", inode), struct.pack("=I", number))
            for kind in KINDS:
                code = _Program(self, kind).assemble()
                running = bpf.attach(code, layout.tracepoints[_TRACEPOINTS[kind]])
                self._running.append(running[0])
                self._descriptors += running
        except BaseException:
            self.close()
            raise

    @property
    def lost(self) -> int:
        """How many packets found no room in the ring, or interrupted the very program that would have told."""
        no_room = (bpf.look_up(self._lost, struct.pack("=I", kind), 8) for kind in range(len(KINDS)))
        return sum(int.from_bytes(value, "little") for value in no_room) + sum(map(bpf.misses, self._running))

    def close(self) -> None:
        for descriptor in reversed(self._descriptors):
            with suppress(OSError):
                os.close(descriptor)
        self.ring.close()

    def _map(self, kind: int, key: int, value: int, entries: int) -> int:
        descriptor = bpf.create_map(kind, key, value, entries)
        self._descriptors.append(descriptor)
        return descriptor


class _Program(Assembler):
    """Throughout: R6 the tracepoint's arguments, R7 the sk_buff, R8 its device, R9 the record."""

    def __init__(self, programs: Programs, kind: Kind) -> None:
        super().__init__()
        self._programs, self._kind = programs, kind
        self._at = programs._layout.offsets
        self._has_data = kind != "end"
        self._size = HEAD.size + (DATA if self._has_data else 0) + (8 * STACK_DEPTH if kind == "drop" else 0)
        self._filter = programs._filter
        self._scratch = bool(self._filter) and self._has_data
        self._only_of_the_lab()
        if self._filter and not self._has_data:
            self._only_followed()
        self._make_record()
        self._fill_head()
        if self._has_data:
            self._copy_packet()
            if programs._layout.from_packet:
                self._copy_behind()
        if self._scratch:
            self._decide()
        if kind == "drop":
            self.move(R1, R6).move(R2, R9).add(R2, HEAD.size + DATA).set(R3, 8 * STACK_DEPTH).set(R4, 0).call(_GET_STACK)
        self._send()
        self.label("reject").label("out").set(R0, 0).exit()
        self._count_lost()

    def _only_of_the_lab(self) -> None:
        """A packet that a program has just sent has no device yet, but a socket; so have the messages of local sockets."""
        at = self._at
        self.move(R6, R1).load(8, R7, R6, 0)
        if self._kind == "out":
            self.load(8, R8, R6, 8)
        else:
            self.load(8, R8, R7, at["sk_buff.dev"])
        self.jump_if("==", R8, 0, "no device")
        self.load(8, R1, R8, at["net_device.nd_net"]).load(4, R3, R8, at["net_device.ifindex"]).jump("namespace")
        self.label("no device").set(R3, 0).load(8, R1, R7, at["sk_buff.sk"]).jump_if("==", R1, 0, "out")
        self.load(2, R2, R1, at["sock.__sk_common.skc_family"])
        for family in socket.AF_INET, socket.AF_INET6:
            self.jump_if("==", R2, family, "packet")
        self.jump_if("!=", R2, socket.AF_PACKET, "out")
        self.label("packet").load(8, R1, R1, at["sock.__sk_common.skc_net"])
        self.label("namespace").jump_if("==", R1, 0, "out").load(4, R2, R1, at["net.ns.inum"])
        self.store(4, STACK, _INODE, R2).store(4, STACK, _INDEX, R3)
        self._find(self._programs._nodes, _INODE).jump_if("==", R0, 0, "out")
        self.load(4, R2, R0, 0).store(4, STACK, _NUMBER, R2)

    def _only_followed(self) -> None:
        """The end of a packet interests if it was seen."""
        self.store(8, STACK, _SKB_KEY, R7)
        self._find(self._programs._followed, _SKB_KEY).jump_if("==", R0, 0, "out")
        self._forget()

    def _make_record(self) -> None:
        """In the ring itself; with a filter aside, so that a rejected packet takes no room in the ring.

        A program does not nest on itself, so that one place for each CPU is enough.
        """
        if self._scratch:
            scratch = self._programs._map(bpf.PER_CPU_ARRAY, 4, self._size, 1)
            self.store_value(4, STACK, _INODE, 0)
            self._find(scratch, _INODE).jump_if("==", R0, 0, "out")
        else:
            self.map(R1, self._programs.ring.descriptor).set(R2, self._size).set(R3, 0).call(_RING_RESERVE)
            self.jump_if("==", R0, 0, "lost")
        self.move(R9, R0)

    def _fill_head(self) -> None:
        at, drop = self._at, self._kind == "drop"
        self.call(_KTIME).store(8, R9, _TIME, R0)
        self.store(8, R9, _BUFFER, R7)
        self.load(8, R1, R7, at["sk_buff.head"]).store(8, R9, _HEAD, R1)
        self._store_argument(8, 8, _PLACE, drop)
        self._store_argument(16, 4, _REASON, drop)
        self.load(4, R1, STACK, _NUMBER).store(4, R9, _NODE, R1)
        self.load(4, R1, STACK, _INDEX).store(4, R9, _INTERFACE, R1)
        self.load(4, R1, R7, at["sk_buff.len"]).store(4, R9, _LENGTH, R1)
        self.store_value(4, R9, _CAPTURED, 0)
        self.load(2, R1, R7, at["sk_buff.vlan_tci"]).store(2, R9, _TAG, R1)
        self.load(2, R1, R7, at["sk_buff.vlan_proto"]).store(2, R9, _TAG_TYPE, R1)
        self.store_value(4, R9, _KIND, KINDS.index(self._kind))
        self.load(4, R1, R7, at["sk_buff.mark"]).store(4, R9, _MARK, R1)

    def _store_argument(self, argument: int, size: int, to: int, there: bool) -> None:
        if there:
            self.load(8, R1, R6, argument)
        else:
            self.set(R1, 0)
        self.store(8 if size == 8 else 4, R9, to, R1)

    def _copy_packet(self) -> None:
        """From the link layer's header on; one that has none, or none yet, gets one without addresses: readers see Ethernet.

        Only the first piece of it: that has the headers, of TCP often not the data.
        """
        at, data = self._at, HEAD.size
        self.jump_if("==", R8, 0, "framed").load(2, R1, R8, at["net_device.type"])
        self.jump_if("==", R1, _ARPHRD_ETHER, "framed").jump_if("!=", R1, _ARPHRD_LOOPBACK, "without")
        self.label("framed").load(2, R2, R7, at["sk_buff.mac_header"]).jump_if("==", R2, _UNSET, "without")
        self.load(2, R1, R7, at["sk_buff.network_header"]).jump_if_registers("!=", R1, R2, "ethernet")
        self.label("without")  # or one that was looped back to its sender, where both headers begin at once
        self.set(R1, 0).store(8, R9, data, R1).store(4, R9, data + 8, R1)
        self.load(2, R1, R7, at["sk_buff.protocol"]).store(2, R9, data + 12, R1)
        self.load(2, R2, R7, at["sk_buff.network_header"])
        self._copy_from(_ETHERNET)
        self.label("ethernet")
        self._copy_from(0)
        self.label("copied")

    def _copy_from(self, made_up: int) -> None:
        """From the offset in R2 on, behind so many bytes that we have made up.

        The kernel's length counts from sk_buff.data on, which may be behind that offset already.
        """
        name = f"fits {made_up}"
        at = self._at
        self.load(8, R1, R7, at["sk_buff.data"]).load(8, R3, R7, at["sk_buff.head"]).subtract_register(R1, R3)
        self.subtract_register(R1, R2).load(4, R3, R9, _LENGTH).add_register(R3, R1).add(R3, made_up).store(4, R9, _LENGTH, R3)
        self.load(4, R3, R7, at["sk_buff.tail"]).subtract_register(R3, R2).jump_if("s<=", R3, 0, "copied")
        self.jump_if("<=", R3, SNAP - made_up, name).set(R3, SNAP - made_up)
        self.label(name).move(R1, R3).add(R1, made_up).store(4, R9, _CAPTURED, R1)
        self.load(8, R1, R7, at["sk_buff.head"]).add_register(R1, R2)
        self.move(R2, R3).move(R3, R1).move(R1, R9).add(R1, HEAD.size + made_up).call(_PROBE_READ)
        if made_up:
            self.jump("copied")

    def _copy_behind(self) -> None:
        """The beginning of what lies behind the first piece of a packet; its offset counts from sk_buff.data on."""
        at = self._at
        self.load(4, R1, R9, _CAPTURED).jump_if("==", R1, 0, "all").jump_if(">", R1, SNAP - 1, "all")
        self.load(4, R1, R7, at["sk_buff.data_len"]).jump_if("==", R1, 0, "all").store(8, STACK, _SKB_KEY, R1)
        self.move(R1, R7).set(R2, 0).to_stack(R3, _POINTER).call_kernel(self._programs._layout.from_packet)
        self.load(8, R2, STACK, _SKB_KEY).jump_if("<=", R2, BEHIND, "behind").set(R2, BEHIND).label("behind")
        self.store(8, STACK, _SKB_KEY, R2)
        self.load(4, R4, R7, at["sk_buff.len"]).load(4, R5, R7, at["sk_buff.data_len"]).subtract_register(R4, R5)
        self.load(4, R8, R9, _CAPTURED).jump_if(">", R8, SNAP, "all")
        self.move(R1, R9).add_register(R1, R8).add(R1, HEAD.size).to_stack(R3, _POINTER).set(R5, 0).call(_DYNPTR_READ)
        self.jump_if("!=", R0, 0, "all").load(8, R2, STACK, _SKB_KEY).add_register(R8, R2).store(4, R9, _CAPTURED, R8)
        self.label("all")

    def _decide(self) -> None:
        """Accepts what the filter does, and what is followed: then it goes on being that, or has died."""
        self._sign()
        self.store(8, STACK, _SKB_KEY, R7).load(8, R1, R9, _HEAD).store(8, STACK, _HEAD_KEY, R1)
        for key in _SKB_KEY, _HEAD_KEY:
            self._accept_followed(key, f"not followed by {key}")
        translate(self, self._filter, Packet(HEAD.size, DATA, _CAPTURED, _LENGTH))
        self.label("accept")
        if self._kind == "drop":
            self._forget()
            return
        for key in _SKB_KEY, _HEAD_KEY:
            self.map(R1, self._programs._followed).to_stack(R2, key).to_stack(R3, _SIGNATURE).set(R4, 0).call(_UPDATE)

    def _sign(self) -> None:
        """What translation does not change: IPv4's identification and protocol, of other packets their type.

        Not every end of a packet is told (a TCP socket's), and then its address is soon another packet's.
        """
        ether_type, data = HEAD.size + 12, HEAD.size + _ETHERNET
        self.load(2, R1, R9, ether_type).jump_if("==", R1, _IPV4, "IPv4").store(4, STACK, _SIGNATURE, R1)
        self.store_value(4, STACK, _PROTOCOL, 0).jump("signed")
        self.label("IPv4").load(2, R1, R9, data + 4).emit(_SHIFT_LEFT, R1, constant=16)
        self.load(1, R2, R9, data + 9).store(4, STACK, _PROTOCOL, R2).add_register(R1, R2).store(4, STACK, _SIGNATURE, R1)
        self.label("signed")

    def _accept_followed(self, key: int, otherwise: str) -> None:
        """A tunnel gives a packet another identity, and is the only one that may."""
        self._find(self._programs._followed, key).jump_if("==", R0, 0, otherwise)
        self.load(4, R1, R0, 0).load(4, R2, STACK, _SIGNATURE).jump_if_registers("==", R1, R2, "accept")
        self.load(4, R1, STACK, _PROTOCOL)
        for protocol in socket.IPPROTO_IPIP, socket.IPPROTO_IPV6, socket.IPPROTO_GRE:
            self.jump_if("==", R1, protocol, "accept")
        self.jump_if("!=", R1, socket.IPPROTO_UDP, otherwise)
        udp = HEAD.size + _ETHERNET + 20
        self.load(2, R1, R9, udp + 2)
        for port in (*VXLAN_PORTS, GENEVE_PORT):
            self.jump_if("==", R1, socket.htons(port), "accept")
        self.load(4, R1, R9, udp + 8).jump_if("==", R1, int.from_bytes(VXLAN_FLAGS, sys.byteorder), "accept")
        self.label(otherwise)

    def _forget(self) -> None:
        """The packet has ended, and its address may be another's; that of its data when no clone has it any more."""
        followed, at = self._programs._followed, self._at
        self.map(R1, followed).to_stack(R2, _SKB_KEY).call(_DELETE)
        self.load(8, R3, R7, at["sk_buff.head"]).store(8, STACK, _HEAD_KEY, R3)
        self.load(4, R1, R7, at["sk_buff.end"]).add_register(R3, R1).add(R3, at["skb_shared_info.dataref"])
        self.to_stack(R1, _INODE).set(R2, 2).call(_PROBE_READ)
        self.load(2, R1, STACK, _INODE).jump_if("!=", R1, 1, "cloned")
        self.map(R1, followed).to_stack(R2, _HEAD_KEY).call(_DELETE)
        self.label("cloned")

    def _send(self) -> None:
        if self._scratch:
            self.map(R1, self._programs.ring.descriptor).move(R2, R9).set(R3, self._size).set(R4, 0).call(_RING_OUTPUT)
            self.jump_if("!=", R0, 0, "lost")
        else:
            self.move(R1, R9).set(R2, 0).call(_RING_SUBMIT)

    def _count_lost(self) -> None:
        self.label("lost").store_value(4, STACK, _INODE, KINDS.index(self._kind))
        self._find(self._programs._lost, _INODE).jump_if("==", R0, 0, "out")
        self.set(R1, 1).emit(_ATOMIC_ADD, R0, R1).jump("out")

    def _find(self, descriptor: int, key: int) -> "_Program":
        """Looks up a key on the stack; R0 is then the value's address, or 0."""
        self.map(R1, descriptor).to_stack(R2, key).call(_LOOK_UP)
        return self
