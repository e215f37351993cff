"""seccomp: the kernel answers a submission's system calls by the tables of `calls`.

A classic BPF filter. Another architecture's calls kill the process. Numbers are looked up in a binary tree, so that no
call costs more than some twenty steps; calls that are allowed whatever their arguments cost none: the kernel finds out
which they are when the filter is installed (Linux 5.11).

Source: Documentation/userspace-api/seccomp_filter.rst of the Linux kernel.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Mapping
from typing import Final

from autograder.isolation import calls
from autograder.isolation.syscalls import MACHINE, syscall

AUDIT_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN: Final = {"x86_64": 0, "aarch64": 1}
_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
_CLONE: Final = {"x86_64": 56, "aarch64": 220}
_CLONE3: Final = 435
_NEW_NAMESPACES: Final = calls.NEW_NAMESPACES

ALLOW: Final = 0x7FFF0000
KILL: Final = 0x80000000
ERRNO: Final = 0x00050000

# instructions of classic BPF
LOAD: Final = 0x20
AND: Final = 0x54
JUMP: Final = 0x05
EQUAL: Final = 0x15
AT_LEAST: Final = 0x35
RETURN: Final = 0x06

# what a filter sees of a call (struct seccomp_data)
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4

Step = tuple[int, int, int, int]
"""Instruction, how many steps to skip if true and if false, operand."""


def supported() -> bool:
    """Whether the kernel takes seccomp filters here."""
    if MACHINE not in AUDIT_ARCH:
        return False
    action = ctypes.create_string_buffer(struct.pack("I", ERRNO), 4)
    try:
        syscall(_SECCOMP[MACHINE], 2, 0, action, what="seccomp")  # SECCOMP_GET_ACTION_AVAIL
    except OSError:
        return False
    return True


class _Assembler:
    """Steps with jumps to names, which may be further away than a conditional jump reaches. Jumps go forward only."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, int, int, int | str]] = []
        self._labels: dict[str, int] = {}

    def label(self, name: str) -> None:
        """Names the next step."""
        self._labels[name] = len(self._steps)

    def load(self, offset: int) -> None:
        """Takes 32 bits of what the filter sees of the call."""
        self._steps.append((LOAD, 0, 0, offset))

    def mask(self, bits: int) -> None:
        """Keeps these bits of what was taken."""
        self._steps.append((AND, 0, 0, bits))

    def jump(self, label: str) -> None:
        """Goes on at `label`."""
        self._steps.append((JUMP, 0, 0, label))

    def jump_if(self, test: int, value: int, label: str) -> None:
        """Goes on at `label` if what was taken equals, or is at least, `value`."""
        self._steps.append((test, 0, 1, value))
        self.jump(label)

    def give(self, action: int) -> None:
        """Ends with this action."""
        self._steps.append((RETURN, 0, 0, action))

    def steps(self) -> list[Step]:
        """The program."""
        return [
            (code, true, false, operand if isinstance(operand, int) else self._labels[operand] - place - 1)
            for place, (code, true, false, operand) in enumerate(self._steps)
        ]


def argument(index: int) -> int:
    """Where a filter finds the lower half of an argument (little-endian machines)."""
    return 16 + 8 * index


def program(machine: str, pid: int, *, block_metadata_calls: bool) -> list[Step]:
    """The filter for a submission whose process id is `pid`; `block_metadata_calls` as for `install`."""
    decisions = calls.decisions(COLUMN[machine], pid, block_metadata_calls=block_metadata_calls)
    build = _Assembler()
    build.load(_ARCHITECTURE)
    build.jump_if(EQUAL, AUDIT_ARCH[machine], "known")
    build.give(KILL)
    build.label("known")
    build.load(_NUMBER)
    answers = {errno.ENOSYS}
    _find(build, _ranges(decisions))
    for number, decision in decisions.items():
        if isinstance(decision, calls.Rule):
            build.label(f"rule {number}")
            answers |= _judge(build, number, decision)
        else:
            answers.add(decision)
    for answer in answers:
        build.label(f"answer {answer}")
        build.give(ALLOW if answer == calls.ALLOW else ERRNO | answer)
    return build.steps()


def _ranges(decisions: Mapping[int, int | calls.Rule]) -> list[tuple[int, str]]:
    """Where to go for which numbers: each range's first number and label; the last has all beyond, x32 included."""
    found: list[tuple[int, str]] = []
    for number in range(calls.NEWEST + 1):
        decision = decisions.get(number, errno.ENOSYS) if number < calls.NEWEST else errno.ENOSYS
        label = f"rule {number}" if isinstance(decision, calls.Rule) else f"answer {decision}"
        if not found or found[-1][1] != label:
            found.append((number, label))
    return found


def _find(build: _Assembler, ranges: list[tuple[int, str]]) -> None:
    """Steps that go to the label of the range in which the number lies: a binary tree of comparisons."""
    if len(ranges) == 1:
        build.jump(ranges[0][1])
        return
    middle = len(ranges) // 2
    upper = f"from {ranges[middle][0]}"
    build.jump_if(AT_LEAST, ranges[middle][0], upper)
    _find(build, ranges[:middle])
    build.label(upper)
    _find(build, ranges[middle:])


def _judge(build: _Assembler, number: int, rule: calls.Rule) -> set[int]:
    """Steps that go to the answer of a rule; all the answers there are."""
    for place, line in enumerate(rule.lines):
        answer, after = f"answer {line.answer}", f"rule {number}, line {place + 1}"
        build.load(argument(line.argument))
        build.mask(line.mask)
        for value in line.values:
            build.jump_if(EQUAL, value, after if line.others else answer)
        if line.others:
            build.jump(answer)
        build.label(after)
    build.jump(f"answer {rule.otherwise}")
    return {rule.otherwise, *(line.answer for line in rule.lines)}


def install(*, block_metadata_calls: bool = False) -> None:
    """Installs the filter in this process and its descendants, for good. Needs `no_new_privs`; OSError if refused.

    `block_metadata_calls`: also neutralise chmod, chown and utime.
    """
    steps = program(MACHINE, os.getpid(), block_metadata_calls=block_metadata_calls)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    syscall(_SECCOMP[MACHINE], 1, 1, header, what="seccomp")  # SECCOMP_SET_MODE_FILTER, TSYNC
