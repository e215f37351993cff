"""Landlock: what a process may read and write, as a list of allowed paths (Linux 5.13; TCP from 6.7, signals and
abstract sockets from 6.12).

Source: Documentation/userspace-api/landlock.rst of the Linux kernel.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from autograder.isolation.syscalls import syscall

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446

EXECUTE: Final = 1 << 0
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
_TRUNCATE: Final = 1 << 14
TRUNCATES: Final = 3
"""The first version that decides about truncating a file, too (Linux 6.2)."""

# access rights known to each version of the interface
_FILE_RIGHTS: Final = {
    1: (1 << 13) - 1,
    2: (1 << 14) - 1,
    3: (1 << 15) - 1,
    4: (1 << 15) - 1,
    5: (1 << 16) - 1,
}
_ON_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | (1 << 15)
_TCP: Final = 0b11
_SCOPES: Final = 0b11  # abstract unix sockets, signals


def version() -> int:
    """The version of the interface the kernel offers; 0 when there is none."""
    try:
        return syscall(_CREATE_RULESET, 0, 0, 1, what="landlock_create_ruleset")
    except OSError:
        return 0


def restrict(read: Iterable[Path], write: Iterable[Path], list_only: Iterable[Path] = ()) -> None:
    """Confines this thread and its descendants to reading below `read` and reading and writing below `write`.

    Below `list_only`, folders may be listed, nothing more. TCP is refused too where the kernel can.
    Paths that do not exist are left out. OSError when the kernel has no Landlock. Needs `no_new_privs`.
    """
    abi = version()
    if abi == 0:
        raise OSError("the kernel has no Landlock")
    handled = _FILE_RIGHTS[min(abi, 5)]
    attributes = struct.pack("QQQ", handled, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = syscall(_CREATE_RULESET, buffer, size, 0, what="landlock_create_ruleset")
    try:
        for paths, rights in (
            (read, EXECUTE | READ_FILE | READ_DIR),
            (list_only, READ_DIR),
            (write, handled & ~EXECUTE),
        ):
            for path in paths:
                _allow(ruleset, path, rights & handled)
        syscall(_RESTRICT_SELF, ruleset, 0, what="landlock_restrict_self")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _ON_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
        syscall(_ADD_RULE, ruleset, 1, rule, 0, what=f"landlock_add_rule {path}")
    finally:
        os.close(fd)
