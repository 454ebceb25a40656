"""Classic BPF, which libpcap compiles filters to, as eBPF: the same filter for both engines of traces.

The classic machine has an accumulator A, an index X and 16 words of memory (The BSD Packet Filter, McCanne and Jacobson,
1993); here they are R0, R8 and the stack. The packet is what has been copied of it; a load beyond that rejects it,
as the classic machine does at a packet's end.
"""

from dataclasses import dataclass

from pynetemu.capture.pcap_filter import Instruction
from pynetemu.trace.sources.kernel.assembler import R0, R1, R2, R3, R4, R8, R9, STACK, Assembler, Size

_A, _X = R0, R8
_MEMORY = -128  # the stack's offset of the classic machine's memory
_SIZES: dict[int, Size] = {0x00: 4, 0x08: 2, 0x10: 1}
_BY_X = 0x08
_NEGATE, _ALWAYS = 0x80, 0x00
_SET_32, _ADD_32, _NEGATE_32, _TO_BIG_ENDIAN = 0xB4, 0x04, 0x84, 0xDC
_32_BITS = 0x06 - 0x05  # from the class of 64-bit jumps to that of 32-bit ones


@dataclass(frozen=True, slots=True)
class Packet:
    """Where the packet is, in the record that R9 points to: its bytes, how many there are at most, and the fields that say
    how many have been copied and how many it has on the wire."""

    start: int
    most: int
    captured: int
    length: int


def translate(code: Assembler, program: list[Instruction], packet: Packet) -> None:
    """Adds a program that jumps to the labels "accept" or "reject"."""
    translator = _Translator(code, packet)
    code.set(_A, 0).set(_X, 0)
    for number, instruction in enumerate(program):
        code.label(f"classic {number}")
        translator.add(number, instruction)


class _Translator:
    def __init__(self, code: Assembler, packet: Packet) -> None:
        self._code, self._packet = code, packet

    def add(self, number: int, instruction: Instruction) -> None:
        operation, if_true, if_false, constant = instruction
        match operation & 7:  # the instruction's class, BPF_CLASS()
            case 0 | 1:  # BPF_LD, BPF_LDX
                self._load(operation, _X if operation & 1 else _A, constant)
            case 2 | 3:  # BPF_ST, BPF_STX
                self._code.store(4, STACK, _MEMORY + 4 * constant, _X if operation & 1 else _A)
            case 4:  # BPF_ALU
                self._calculate(operation, constant)
            case 5:  # BPF_JMP
                self._jump(operation, number + 1, if_true, if_false, constant)
            case 6:  # BPF_RET
                self._give_back(operation, constant)
            case _:  # BPF_MISC: BPF_TXA or BPF_TAX
                self._code.move(*((_A, _X) if operation & 0xF8 else (_X, _A)))

    def _load(self, operation: int, to: int, constant: int) -> None:
        match operation & 0xE0:  # where from, BPF_MODE()
            case 0x00:  # BPF_IMM
                self._code.emit(_SET_32, to, constant=constant)
            case 0x20:  # BPF_ABS
                self._absolute(to, _SIZES[operation & 0x18], constant)
            case 0x40:  # BPF_IND
                self._indirect(_SIZES[operation & 0x18], constant)
            case 0x60:  # BPF_MEM
                self._code.load(4, to, STACK, _MEMORY + 4 * constant)
            case 0x80:  # BPF_LEN
                self._code.load(4, to, R9, self._packet.length)
            case _:  # BPF_MSH: four times the low half of a byte, as of an IPv4 header
                self._absolute(_X, 1, constant)
                self._code.emit(0x57, _X, constant=15).emit(0x67, _X, constant=2)

    def _absolute(self, to: int, size: Size, offset: int) -> None:
        code, packet = self._code, self._packet
        if offset + size > packet.most:
            code.jump("reject")
            return
        code.load(4, R1, R9, packet.captured).jump_if("<", R1, offset + size, "reject")
        code.load(size, to, R9, packet.start + offset)
        self._swap(to, size)

    def _indirect(self, size: Size, offset: int) -> None:
        """At X and an offset; the verifier must see that it stays within the record."""
        code, packet = self._code, self._packet
        code.move(R1, _X).emit(_ADD_32, R1, constant=offset).jump_if(">", R1, packet.most - size, "reject")
        code.load(4, R2, R9, packet.captured).move(R3, R1).add(R3, size).jump_if_registers("<", R2, R3, "reject")
        code.move(R4, R9).add_register(R4, R1).load(size, _A, R4, packet.start)
        self._swap(_A, size)

    def _swap(self, register: int, size: Size) -> None:
        if size > 1:
            self._code.emit(_TO_BIG_ENDIAN, register, constant=size * 8)

    def _calculate(self, operation: int, constant: int) -> None:
        """Both machines number their 32-bit arithmetic alike."""
        if operation & 0xF0 == _NEGATE:
            self._code.emit(_NEGATE_32, _A)
        elif operation & _BY_X:
            self._code.emit(operation, _A, _X)
        else:
            self._code.emit(operation, _A, constant=constant)

    def _jump(self, operation: int, following: int, if_true: int, if_false: int, constant: int) -> None:
        if operation & 0xF0 == _ALWAYS:
            self._code.jump(f"classic {following + constant}")
            return
        test = operation + _32_BITS
        if operation & _BY_X:
            self._code.jump_by(test, _A, f"classic {following + if_true}", source=_X)
        else:
            self._code.jump_by(test, _A, f"classic {following + if_true}", constant=constant)
        if if_false:
            self._code.jump(f"classic {following + if_false}")

    def _give_back(self, operation: int, constant: int) -> None:
        if operation & 0x18 == 0x10:  # the accumulator decides
            self._code.jump_if("==", _A, 0, "reject").jump("accept")
        else:
            self._code.jump("accept" if constant else "reject")
