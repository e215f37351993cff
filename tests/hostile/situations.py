"""Poorer machines, made out of this one by giving up rights: what a submission meets where fewer layers are to be had.

Each of these changes this process and all it starts, for good, so that everything (the grader's own look at what the
machine offers, too) takes place as it would there.
"""

import ctypes
import errno
import os
import struct
import tempfile
from collections.abc import Iterable
from pathlib import Path

from autograder.isolation import seccomp, syscalls

_NUMBERS = {"x86_64": (272, 308, 165), "aarch64": (97, 268, 40)}
"""unshare, setns, mount."""


def without_namespaces() -> None:
    """As in a container with default settings: no namespace can be made or entered, nothing mounted."""
    load, equal, test, give = 0x20, 0x15, 0x45, 0x06
    program = [(load, 0, 0, 0)]
    for number in _NUMBERS[syscalls.MACHINE]:
        program += [(equal, 0, 1, number), (give, 0, 0, 0x00050000 | errno.EPERM)]
    program += [
        (equal, 0, 1, seccomp._CLONE3),
        (give, 0, 0, 0x00050000 | errno.ENOSYS),
        (equal, 0, 2, seccomp._CLONE[syscalls.MACHINE]),
        (load, 0, 0, 16),
        (test, 1, 0, seccomp._NEW_NAMESPACES),
        (give, 0, 0, 0x7FFF0000),
        (give, 0, 0, 0x00050000 | errno.EPERM),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    if os.geteuid() != 0:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.syscall(seccomp._SECCOMP[syscalls.MACHINE], 1, 1, header, what="seccomp")


def as_user(uid: int) -> None:
    """As `uid`, who owns nothing here but a home. Needs root."""
    home = tempfile.mkdtemp(prefix="home-")
    os.chown(home, uid, uid)
    os.environ["HOME"] = home
    os.environ.pop("AUTOGRADER_CACHE", None)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)


def reachable(folders: Iterable[Path]) -> None:
    """Shows `folders` to every user, in a mount namespace of this process: a closed folder on the way becomes an open
    one that holds nothing but them. Needs root."""
    needed = sorted({path.resolve() for path in folders})
    closed = {
        parent: [path for path in needed if parent in path.parents]
        for path in needed
        for parent in reversed(path.parents)
        if not parent.stat().st_mode & 0o001
    }
    if not closed:
        return
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    for parent in sorted(closed):
        if any(other in parent.parents for other in closed):
            continue  # already within an open one
        held = {path: os.open(path, os.O_PATH | os.O_DIRECTORY) for path in closed[parent]}
        syscalls.mount("tmpfs", str(parent), "tmpfs", 0, "mode=755")
        for path, descriptor in held.items():
            path.mkdir(parents=True, exist_ok=True)
            syscalls.mount(f"/proc/self/fd/{descriptor}", str(path), None, syscalls.MS_BIND | syscalls.MS_REC)
            os.close(descriptor)
