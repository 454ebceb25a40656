"""The system call bpf(2): maps, programs on tracepoints, and the ring through which they send. Raises OSError."""

import ctypes
import mmap
import os
import platform
import struct
from collections.abc import Iterator

HASH, ARRAY, LEAST_RECENTLY_USED, PER_CPU_ARRAY, _RING = 1, 2, 9, 6, 27  # BPF_MAP_TYPE_*

_CALLS = {"x86_64": 321, "aarch64": 280, "riscv64": 280}
_CREATE, _LOOK_UP, _UPDATE, _LOAD, _INFORMATION, _OPEN_TRACEPOINT = 0, 1, 2, 5, 15, 17  # commands of bpf(2)
_TRACING, _RAW_TRACEPOINT = 26, 23  # BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP
_ATTRIBUTES = 144  # bytes of a union bpf_attr that is long enough for all of them
_BUSY, _DISCARDED, _LENGTH = 1 << 31, 1 << 30, (1 << 30) - 1  # of a record's head in the ring
_HEAD = struct.Struct("=I")
_LOG = 1 << 16
_MISSES = 208  # recursion_misses in struct bpf_prog_info, linux/bpf.h

_libc = ctypes.CDLL(None, use_errno=True)


def create_map(kind: int, key: int, value: int, entries: int) -> int:
    """A new map's descriptor; `key` and `value` are their sizes in bytes."""
    return _bpf(_CREATE, struct.pack("=IIII", kind, key, value, entries))


def update(descriptor: int, key: bytes, value: bytes) -> None:
    key_buffer, value_buffer = _buffer(key), _buffer(value)
    _bpf(_UPDATE, struct.pack("=I4xQQQ", descriptor, ctypes.addressof(key_buffer), ctypes.addressof(value_buffer), 0))


def look_up(descriptor: int, key: bytes, size: int) -> bytes:
    """A value of so many bytes; raises FileNotFoundError."""
    key_buffer, value_buffer = _buffer(key), _buffer(bytes(size))
    _bpf(_LOOK_UP, struct.pack("=I4xQQQ", descriptor, ctypes.addressof(key_buffer), ctypes.addressof(value_buffer), 0))
    return value_buffer.raw


def attach(code: bytes, tracepoint: int) -> list[int]:
    """Runs a program at a tracepoint, given by its type's number (`btf`), as long as the descriptors are open."""
    program = _load(code, tracepoint)
    try:
        return [program, _bpf(_OPEN_TRACEPOINT, struct.pack("=QI4x", 0, program))]
    except BaseException:
        os.close(program)
        raise


def misses(program: int) -> int:
    """How often a program did not run since it was running already on that CPU."""
    information = _buffer(bytes(_MISSES + 8))
    _bpf(_INFORMATION, struct.pack("=IIQ", program, len(information), ctypes.addressof(information)))
    return int.from_bytes(information.raw[_MISSES:], "little")


def _load(code: bytes, tracepoint: int) -> int:
    """When the verifier refuses a program, the error has the end of what it says."""
    instructions, license = _buffer(code), _buffer(b"GPL\0")
    log = ctypes.create_string_buffer(_LOG)
    addresses = ctypes.addressof(instructions), ctypes.addressof(license)

    def load(level: int) -> int:
        log_of_it = (1, _LOG, ctypes.addressof(log)) if level else (0, 0, 0)
        head = struct.pack("=IIQQIIQII", _TRACING, len(code) // 8, *addresses, *log_of_it, 0, 0)
        name = struct.pack("=16sII", b"pynetemu", 0, _RAW_TRACEPOINT)
        return _bpf(_LOAD, head + name + struct.pack("=IIQIIQII", 0, 0, 0, 0, 0, 0, 0, tracepoint))

    try:
        return load(0)
    except OSError as refused:
        try:
            return load(1)
        except OSError:
            lines = log.value.decode(errors="replace").strip().splitlines()
            raise OSError(refused.errno, f"{refused.strerror}: {' / '.join(lines[-3:])}".rstrip(": ")) from refused


class RingBuffer:
    """The reader's side of a BPF_MAP_TYPE_RINGBUF (Documentation/bpf/ringbuf.rst); `size` is a power of two."""

    def __init__(self, size: int) -> None:
        self.descriptor = create_map(_RING, 0, 0, size)
        self._mask = size - 1
        page = mmap.PAGESIZE
        self._consumer = mmap.mmap(self.descriptor, page)
        # The ring is mapped twice in a row, so that each record is in one piece.
        self._producer = mmap.mmap(self.descriptor, page + 2 * size, prot=mmap.PROT_READ, offset=page)
        self._read = memoryview(self._consumer).cast("Q")
        self._written = memoryview(self._producer)[:8].cast("Q")
        self._data = memoryview(self._producer)[page:]
        self._heads = self._data.cast("I")

    def take(self) -> bytes:
        """All that has come, as it lies in the ring, for `records`: a copy, which takes a tenth of the time of reading."""
        start, end, heads, mask = self._read[0], self._written[0], self._heads, self._mask
        position, most = start, start + mask + 1  # the ring is mapped twice, so that this much is in one piece
        while position < min(end, most):
            head = heads[(position & mask) >> 2]
            if head & _BUSY:
                break
            position += ((head & _LENGTH) + 15) & ~7
        if position == start:
            return b""
        taken = bytes(self._data[start & mask : (start & mask) + position - start])
        self._read[0] = position
        return taken

    @property
    def written(self) -> int:
        """How many bytes were ever claimed by programs for what they send."""
        return int(self._written[0])

    @property
    def taken(self) -> int:
        """How many of them `take` has gone past."""
        return int(self._read[0])

    def close(self) -> None:
        for view in self._read, self._written, self._heads, self._data:
            view.release()
        self._consumer.close()
        self._producer.close()
        os.close(self.descriptor)


def records(taken: bytes | memoryview) -> Iterator[int]:
    """Where each record begins in what was taken from a ring."""
    position, end = 0, len(taken)
    while position < end:
        (head,) = _HEAD.unpack_from(taken, position)
        if not head & _DISCARDED:
            yield position + 8
        position += ((head & _LENGTH) + 15) & ~7


def _buffer(data: bytes) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(data, len(data))


def _bpf(command: int, attributes: bytes) -> int:
    if (number := _CALLS.get(platform.machine())) is None:
        raise OSError(38, f"bpf(2) is not known here for {platform.machine()}")
    padded = _buffer(attributes.ljust(_ATTRIBUTES, b"\0"))
    result = int(_libc.syscall(number, command, padded, _ATTRIBUTES))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
