"""The engine of traces for root: BPF programs on four tracepoints of the kernel, in pure Python.

    source = KernelSource(network, network.nodes, compile_filter("icmp"))       raises Unavailable, which says why
    events = source.read()

The kernel's own address of a packet (its sk_buff) is the packet's identity: a veth hands the same one to the other namespace,
bridges and routers forward it. So a packet is followed through address translation without guessing, and the kernel
itself says why it dropped one.

    assembler → programs ← classic (filters)       what runs in the kernel
    btf (where the kernel's fields are), symbols (what its functions are called)
    bpf (the system call, and the ring that events come through) → source
"""
