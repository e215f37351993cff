"""seccomp: the system calls that no honest notebook needs are refused.

A classic BPF filter: another architecture's calls kill the process; the calls below, and every call newer than this
list knows, fail with EPERM or ENOSYS. A submission is one process: threads may be started (JAX needs them), processes
not. What is left out on purpose: files (Landlock and the mount namespace decide about those). Landlock says nothing
about permissions, owners, times and attributes, though: where a submission has the grader's own user id and sees the
grader's files, calls that change those do nothing.

Source: Documentation/userspace-api/seccomp_filter.rst of the Linux kernel; numbers from its syscall tables.
"""

import ctypes
import errno
import os
import struct
from typing import Final

from autograder.isolation.syscalls import MACHINE, syscall

_AUDIT_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
_CLONE: Final = {"x86_64": 56, "aarch64": 220}
_CLONE3: Final = 435
_TGKILL: Final = {"x86_64": 234, "aarch64": 131}
_NEWEST: Final = 471
"""Calls with a number from here on are newer than this list: ENOSYS, as on an older kernel."""

# name: (x86_64, aarch64); None where the architecture does not have it
REFUSED: Final[dict[str, tuple[int | None, int | None]]] = {
    # network; pairs of stream sockets stay (see below), event loops need them
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242),
    # descriptors in messages: files that no process has open and no watch sees
    "sendmsg": (46, 211), "sendmmsg": (307, 269),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    # signals; tgkill, which abort and threads use, is allowed towards the own process only
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    # starting programs and processes; clone: see below
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    # kernel interfaces with a history
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "fanotify_init": (300, 262), "personality": (135, 92), "modify_ldt": (154, None),
    "lookup_dcookie": (212, 18), "quotactl": (179, 60), "quotactl_fd": (443, 443), "acct": (163, 89),
    "syslog": (103, 116), "vhangup": (153, 58), "ioperm": (173, None), "iopl": (172, None), "uselib": (134, None),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162),
    # memory that belongs to no process, where a memory watch would not see it
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192), "msgget": (68, 186),
    "msgsnd": (69, 189), "msgrcv": (70, 188), "mq_open": (240, 180), "mq_timedsend": (242, 182),
    # priorities and memory of other processes of the same user
    "setpriority": (141, 140), "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # device files
    "mknod": (133, None), "mknodat": (259, 33),
    # names of files that come and go in folders it cannot list
    "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    # locks that outlive limits
    "mlock": (149, 228), "mlock2": (325, 284), "mlockall": (151, 230),
}  # fmt: skip

WITHOUT_EFFECT: Final[dict[str, tuple[int | None, int | None]]] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}  # fmt: skip
"""On files of the submission's own these matter to nobody (`shutil.copy` makes them): they succeed, and do nothing."""

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERRNO: Final = 0x00050000
_NEW_NAMESPACES: Final = 0x7E020080  # every CLONE_NEW* flag, time namespaces included
_THREAD: Final = 0x00010400  # CLONE_THREAD and CLONE_FILES: a thread that shares the table of descriptors

# numbers of calls whose arguments decide, (x86_64, aarch64)
_SOCKETPAIR: Final = (53, 199)
_PRCTL: Final = (157, 167)
_PRLIMIT: Final = (302, 261)
_FCNTL: Final = (72, 25)
_SCHEDULING: Final = ((144, 119), (142, 118), (203, 122), (314, 274))
"""sched_setscheduler, sched_setparam, sched_setaffinity, sched_setattr"""
_PR_SET_PDEATHSIG: Final = 1
_F_SETOWN: Final = 8
_F_SETOWN_EX: Final = 15
_IOCTL: Final = (16, 29)
_FIOSETOWN: Final = 0x8901
_SIOCSPGRP: Final = 0x8902
_SOCK_STREAM: Final = 1

_LD: Final = 0x20
_JEQ: Final = 0x15
_JGE: Final = 0x35
_JSET: Final = 0x45
_RET: Final = 0x06
_AND: Final = 0x54
_ARGUMENT: Final = (16, 24)
"""Where a filter finds the lower half of the first and second argument."""


def supported() -> bool:
    """Whether the kernel takes seccomp filters here."""
    if MACHINE not in _AUDIT_ARCH:
        return False
    action = ctypes.create_string_buffer(struct.pack("I", _ERRNO), 4)
    try:
        syscall(_SECCOMP[MACHINE], 2, 0, action, what="seccomp")  # SECCOMP_GET_ACTION_AVAIL
    except OSError:
        return False
    return True


def _by_argument(number: int, argument: int, *values: int, allowed: bool) -> list[tuple[int, int, int, int]]:
    """The steps for a call that is allowed, or else refused, if one of its arguments is among `values`."""
    listed, others = (_ALLOW, _ERRNO | errno.EPERM) if allowed else (_ERRNO | errno.EPERM, _ALLOW)
    tests = [(_JEQ, len(values) - place, 0, value) for place, value in enumerate(values)]
    steps = [(_LD, 0, 0, _ARGUMENT[argument]), *tests, (_RET, 0, 0, others), (_RET, 0, 0, listed)]
    return [(_JEQ, 0, len(steps), number), *steps]


def _program(*, shield: bool) -> list[tuple[int, int, int, int]]:
    column = 0 if MACHINE == "x86_64" else 1
    without_effect = [number for numbers in WITHOUT_EFFECT.values() if (number := numbers[column]) is not None]
    refused = sorted(number for numbers in REFUSED.values() if (number := numbers[column]) is not None)
    program = [
        (_LD, 0, 0, 4),
        (_JEQ, 1, 0, _AUDIT_ARCH[MACHINE]),
        (_RET, 0, 0, _KILL),
        (_LD, 0, 0, 0),
        (_JEQ, 0, 1, _CLONE3),  # its flags are behind a pointer, which a filter cannot read: libc falls back
        (_RET, 0, 0, _ERRNO | errno.ENOSYS),
        (_JGE, 0, 1, _NEWEST),  # x32 calls have a high bit set and end here too
        (_RET, 0, 0, _ERRNO | errno.ENOSYS),
        # clone: threads only, and no new namespace
        (_JEQ, 0, 6, _CLONE[MACHINE]),
        (_LD, 0, 0, _ARGUMENT[0]),
        (_JSET, 2, 0, _NEW_NAMESPACES),
        (_AND, 0, 0, _THREAD),
        (_JEQ, 1, 0, _THREAD),
        (_RET, 0, 0, _ERRNO | errno.EPERM),
        (_RET, 0, 0, _ALLOW),
        # signals to this process only
        *_by_argument(_TGKILL[MACHINE], 0, os.getpid(), allowed=True),
        # a datagram socket, paired or not, can be told to send to any address
        (_JEQ, 0, 5, _SOCKETPAIR[column]),
        (_LD, 0, 0, _ARGUMENT[1]),
        (_AND, 0, 0, 0xF),
        (_JEQ, 1, 0, _SOCK_STREAM),
        (_RET, 0, 0, _ERRNO | errno.EPERM),
        (_RET, 0, 0, _ALLOW),
        # dying with the supervisor is not for the submission to call off
        *_by_argument(_PRCTL[column], 0, _PR_SET_PDEATHSIG, allowed=False),
        # who is sent a signal when a descriptor is ready, any signal one likes
        *_by_argument(_FCNTL[column], 1, _F_SETOWN, _F_SETOWN_EX, allowed=False),
        *_by_argument(_IOCTL[column], 1, _FIOSETOWN, _SIOCSPGRP, allowed=False),
        # limits of this process only, not of others of the same user
        *_by_argument(_PRLIMIT[column], 0, 0, allowed=True),
    ]
    for numbers in _SCHEDULING:  # of the calling thread only
        program += _by_argument(numbers[column], 0, 0, allowed=True)
    for number in refused:
        program += [(_JEQ, 0, 1, number), (_RET, 0, 0, _ERRNO | errno.EPERM)]
    for number in without_effect if shield else ():
        program += [(_JEQ, 0, 1, number), (_RET, 0, 0, _ERRNO)]
    return [*program, (_RET, 0, 0, _ALLOW)]


def install(*, shield: bool = False) -> None:
    """Installs the filter in this process and its descendants, for good. Needs `no_new_privs`; OSError if refused.

    `shield`: whether files with this process's user id lie in its sight.
    """
    program = _program(shield=shield)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    syscall(_SECCOMP[MACHINE], 1, 1, header, what="seccomp")  # SECCOMP_SET_MODE_FILTER, TSYNC
