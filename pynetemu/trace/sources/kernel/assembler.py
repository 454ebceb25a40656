"""A small assembler for eBPF (RFC 9669): instructions by methods, jumps to labels by name.

    code = Assembler()
    code.load(8, R7, R1, 0)             r7 = *(u64 *)(r1 + 0)
    code.jump_if("==", R7, 0, "out")
    code.label("out").set(R0, 0).exit()
    code.assemble()

R1 to R5 are what functions are called with and lose, R0 is what they give back, R6 to R9 stay, R10 is the stack's end.
"""

import struct
from typing import Literal, Self

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = range(11)

Size = Literal[1, 2, 4, 8]
Test = Literal["==", "!=", ">", "<=", "<", "s<="]

_SIZES = {8: 0x18, 4: 0x00, 2: 0x08, 1: 0x10}
_TESTS = {"==": 0x15, "!=": 0x55, ">": 0x25, "<=": 0xB5, "<": 0xA5, "s<=": 0xD5}
_BY_REGISTER = 0x08  # BPF_X: the second operand is a register
_instruction = struct.Struct("<BBhI").pack


class Assembler:
    def __init__(self) -> None:
        self._code: list[tuple[int, int, int, int]] = []  # operation, registers, offset, constant
        self._labels: dict[str, int] = {}
        self._jumps: list[tuple[int, str]] = []

    def assemble(self) -> bytes:
        """The program; raises KeyError for a jump to a label that there is not."""
        code = list(self._code)
        for place, name in self._jumps:
            operation, registers, _, constant = code[place]
            code[place] = operation, registers, self._labels[name] - place - 1, constant
        return b"".join(_instruction(*instruction) for instruction in code)

    def emit(self, operation: int, to: int = 0, source: int = 0, offset: int = 0, constant: int = 0) -> Self:
        self._code.append((operation, to | source << 4, offset, constant & 0xFFFFFFFF))
        return self

    def move(self, to: int, source: int) -> Self:
        return self.emit(0xBF, to, source)

    def set(self, to: int, value: int) -> Self:
        return self.emit(0xB7, to, constant=value)

    def add(self, to: int, value: int) -> Self:
        return self.emit(0x07, to, constant=value)

    def add_register(self, to: int, source: int) -> Self:
        return self.emit(0x0F, to, source)

    def subtract_register(self, to: int, source: int) -> Self:
        return self.emit(0x1F, to, source)

    def load(self, size: Size, to: int, base: int, offset: int) -> Self:
        return self.emit(0x61 | _SIZES[size], to, base, offset)

    def store(self, size: Size, base: int, offset: int, source: int) -> Self:
        return self.emit(0x63 | _SIZES[size], base, source, offset)

    def store_value(self, size: Size, base: int, offset: int, value: int) -> Self:
        return self.emit(0x62 | _SIZES[size], base, 0, offset, value)

    def to_stack(self, to: int, offset: int) -> Self:
        """The address of a place on the stack, for a function that wants a pointer."""
        return self.move(to, STACK).add(to, offset)

    def map(self, to: int, descriptor: int) -> Self:
        """The address of a map (BPF_PSEUDO_MAP_FD), in two instructions' place."""
        return self.emit(0x18, to, 1, 0, descriptor).emit(0)

    def call(self, function: int) -> Self:
        return self.emit(0x85, constant=function)

    def call_kernel(self, function: int) -> Self:
        """A function of the kernel's own, by its type's number (BPF_PSEUDO_KFUNC_CALL)."""
        return self.emit(0x85, 0, 2, 0, function)

    def exit(self) -> Self:
        return self.emit(0x95)

    def label(self, name: str) -> Self:
        self._labels[name] = len(self._code)
        return self

    def jump(self, name: str) -> Self:
        self._jumps.append((len(self._code), name))
        return self.emit(0x05)

    def jump_if(self, test: Test, register: int, value: int, name: str) -> Self:
        return self.jump_by(_TESTS[test], register, name, constant=value)

    def jump_if_registers(self, test: Test, register: int, other: int, name: str) -> Self:
        return self.jump_by(_TESTS[test] | _BY_REGISTER, register, name, source=other)

    def jump_by(self, operation: int, register: int, name: str, source: int = 0, constant: int = 0) -> Self:
        """A conditional jump by its operation's own number."""
        self._jumps.append((len(self._code), name))
        return self.emit(operation, register, source, 0, constant)
