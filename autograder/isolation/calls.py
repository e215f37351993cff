"""Every system call, and what becomes of it: the table that the seccomp filter is made of.

A call is *allowed*; or *refused* with an error that honest code survives; or *without effect*, which succeeds and does
nothing; or its arguments decide. A call that is in no table gets ENOSYS, as on a kernel that is too old to have it: so
does everything that kernels add later.

What is left to others, on purpose: files (Landlock and the mount namespace decide about those). Landlock says nothing
about permissions, owners, times and attributes, though: where a submission has the grader's own user id and sees the
grader's files, calls that change those do nothing.

An allowed call must leave nothing in the kernel that grows without end and that no limit counts. What the kernel holds
for a submission is then bounded by its limits: threads (16 KB of stack and some 10 KB each), mappings (65 530 of them
by default, some 400 bytes each), page tables (the watch counts them), and open descriptors. A descriptor holds 208 KB
at most: what waits in a socket of a pair (net.core.wmem_default). A pipe holds 64 KB and takes two. 256 descriptors
are 53 MB. Event polls come on top: each holds an entry of 200 bytes for every file that it watches, under every number
that the file had then. 128 polls, 128 files and 64 numbers are 210 MB, if the kernel allows so many
(fs.epoll.max_user_watches).

Sources: the kernel's syscall tables, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h; the
manual pages of section 2; Documentation/userspace-api/seccomp_filter.rst.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Numbers = tuple[int | None, int | None]
"""A call's number on x86_64 and on aarch64; None where the architecture does not have it."""

ALLOW: Final = -1
"""The answer to a call that is allowed. Every other answer is an error number, and 0 is success without effect."""
NEWEST: Final = 471
"""Calls with a number from here on are newer than these tables."""

ALLOWED: Final[Mapping[str, Numbers]] = {
    # reading and writing
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67),
    "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70), "lseek": (8, 62), "close": (3, 57),
    "close_range": (436, 436), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "pipe": (22, None),
    "pipe2": (293, 59), "fsync": (74, 82), "fdatasync": (75, 83),
    # files, as far as Landlock and the mount namespace let it
    "open": (2, None), "openat": (257, 56), "openat2": (437, 437), "creat": (85, None), "truncate": (76, 45),
    "ftruncate": (77, 46), "fallocate": (285, 47), "access": (21, None), "faccessat": (269, 48),
    "faccessat2": (439, 439), "stat": (4, None), "lstat": (6, None), "fstat": (5, 80), "newfstatat": (262, 79),
    "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44), "getdents": (78, None), "getdents64": (217, 61),
    "getcwd": (79, 17), "chdir": (80, 49), "fchdir": (81, 50), "readlink": (89, None), "readlinkat": (267, 78),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "umask": (95, 166), "getxattr": (191, 8), "lgetxattr": (192, 9),
    "fgetxattr": (193, 10), "listxattr": (194, 11), "llistxattr": (195, 12), "flistxattr": (196, 13),
    "getxattrat": (464, 464), "listxattrat": (465, 465), "file_getattr": (468, 468),
    # memory of its own
    "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216), "brk": (12, 214), "msync": (26, 227),
    "munlock": (150, 229), "munlockall": (152, 231), "get_mempolicy": (239, 236), "mseal": (462, 462),
    # threads
    "exit": (60, 93), "exit_group": (231, 94), "futex": (202, 98), "futex_waitv": (449, 449), "futex_wake": (454, 454),
    "futex_wait": (455, 455), "futex_requeue": (456, 456), "set_robust_list": (273, 99),
    "get_robust_list": (274, 100), "set_tid_address": (218, 96), "rseq": (334, 293), "arch_prctl": (158, None),
    "gettid": (186, 178), "wait4": (61, 260), "waitid": (247, 95), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "sched_getparam": (143, 121), "sched_getscheduler": (145, 120),
    "sched_getattr": (315, 275), "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "sched_rr_get_interval": (148, 127), "getpriority": (140, 141), "ioprio_get": (252, 31), "getcpu": (309, 168),
    # signals to itself
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "pause": (34, None),
    "restart_syscall": (219, 128), "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103),
    # waiting and clocks
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72), "epoll_create": (213, None),
    "epoll_create1": (291, 20), "epoll_wait": (232, None), "epoll_pwait": (281, 22),
    "epoll_pwait2": (441, 441), "eventfd": (284, None), "eventfd2": (290, 19), "signalfd": (282, None),
    "signalfd4": (289, 74), "timerfd_create": (283, 85), "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87),
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153),
    # pairs of sockets, which event loops need
    "sendto": (44, 206), "recvfrom": (45, 207), "recvmsg": (47, 212), "recvmmsg": (299, 243), "shutdown": (48, 210),
    "getsockname": (51, 204), "getpeername": (52, 205), "getsockopt": (55, 209),
    # about itself and the machine
    "getpid": (39, 172), "getppid": (110, 173), "getpgid": (121, 155), "getpgrp": (111, None), "getsid": (124, 156),
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "getresuid": (118, 148), "getresgid": (120, 150), "getgroups": (115, 158), "capget": (125, 90),
    "getrlimit": (97, 163), "setrlimit": (160, 164), "getrusage": (98, 165), "getrandom": (318, 278),
    "uname": (63, 160), "sysinfo": (99, 179),
}  # fmt: skip

REFUSED: Final[Mapping[str, Numbers]] = {
    # network; pairs of stream sockets stay, event loops need them
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242),
    # descriptors in messages: files that no process has open and no watch sees; room for more in a socket
    "sendmsg": (46, 211), "sendmmsg": (307, 269), "setsockopt": (54, 208),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    # signals; tgkill, which abort and threads use, is allowed towards the own process only
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    # starting programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    # who it is
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setfsuid": (122, 151), "setfsgid": (123, 152),
    "setgroups": (116, 159), "capset": (126, 91), "setsid": (112, 157), "setpgid": (109, 154),
    # kernel interfaces with a history
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "fanotify_init": (300, 262), "fanotify_mark": (301, 263),
    "personality": (135, 92), "modify_ldt": (154, None), "lookup_dcookie": (212, 18), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "acct": (163, 89), "syslog": (103, 116), "vhangup": (153, 58), "ioperm": (173, None),
    "iopl": (172, None), "uselib": (134, None), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162),
    # memory that belongs to no process, where a memory watch would not see it: shared memory, queues, and pages that
    # stay in a pipe after their process has let go of them
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "shmdt": (67, 197), "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191),
    "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184), "mq_getsetattr": (245, 185), "vmsplice": (278, 75), "splice": (275, 76), "tee": (276, 77),
    "remap_file_pages": (216, 234),
    # priorities and memory of other processes of the same user; and its own: to let others go first is to wait, and
    # waiting costs a submission nothing (clock.py)
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # device files
    "mknod": (133, None), "mknodat": (259, 33),
    # names of files that come and go in folders it cannot list
    "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    "inotify_rm_watch": (255, 28),
    # locks that outlive limits
    "mlock": (149, 228), "mlock2": (325, 284), "mlockall": (151, 230),
    # which pages of a file are in memory, and bringing them there or out: other submissions can see that
    "mincore": (27, 232), "fadvise64": (221, 223), "readahead": (187, 213), "sync_file_range": (277, 84),
    # copies within the kernel: pages in a pipe or socket that belong to no file any more, blocks that two files share
    "sendfile": (40, 71), "copy_file_range": (326, 285),
}  # fmt: skip

ABSENT: Final[Mapping[str, Numbers]] = {
    # the flags are behind a pointer, which a filter cannot read: libc falls back to clone
    "clone3": (435, 435),
    # asynchronous input and output: of the whole machine there are fs.aio-max-nr
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_setup": (206, 0), "io_destroy": (207, 1), "io_submit": (209, 2), "io_cancel": (210, 3),
    "io_getevents": (208, 4), "io_pgetevents": (333, 292),
    # timers, rule sets and filters that are made and never used, policies and keys: kernel memory
    "timer_create": (222, 107), "timer_gettime": (224, 108),
    "timer_getoverrun": (225, 109), "timer_settime": (223, 110), "timer_delete": (226, 111),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446),
    "seccomp": (317, 277), "mbind": (237, 235), "set_mempolicy": (238, 237), "set_mempolicy_home_node": (450, 450),
    "pkey_mprotect": (329, 288), "pkey_alloc": (330, 289), "pkey_free": (331, 290), "cachestat": (451, 451),
    "map_shadow_stack": (453, 453), "statmount": (457, 457), "listmount": (458, 458),
    "lsm_get_self_attr": (459, 459), "lsm_set_self_attr": (460, 460), "lsm_list_modules": (461, 461),
    "listns": (470, 470),
}  # fmt: skip
"""Refused as on a kernel without them, for which their callers are prepared: ENOSYS."""

ERRORS: Final[Mapping[str, int]] = {
    "sendfile": errno.ENOTSOCK,  # on which Python copies by reading and writing
    "copy_file_range": errno.EXDEV,
}
"""What a call of `REFUSED` fails with, where it is not EPERM."""

WITHOUT_EFFECT: Final[Mapping[str, Numbers]] = {
    # other submissions could see a lock on a file that they can open; a submission is one process and needs none
    "flock": (73, 32),
    # of the whole machine
    "sync": (162, 81), "syncfs": (306, 267),
}  # fmt: skip
"""They succeed, and do nothing."""

METADATA_CALLS: Final[Mapping[str, Numbers]] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}  # fmt: skip
"""Without effect where files with the submission's user id lie in its sight, else allowed. On files of the submission's
own they matter to nobody (`shutil.copy` makes them)."""


@dataclass(frozen=True)
class When:
    """One line of a rule: the answer if the lower half of an argument, masked, is among `values`.

    The kernel, too, looks at the lower half only of every argument that is used here.
    """

    argument: int
    values: tuple[int, ...]
    answer: int
    mask: int = 0xFFFFFFFF
    others: bool = False
    """The answer if it is *not* among them."""

    def holds(self, arguments: tuple[int, ...]) -> bool:
        """Whether this line answers a call with these arguments."""
        return (arguments[self.argument] & self.mask in self.values) is not self.others


@dataclass(frozen=True)
class Rule:
    """A call whose arguments decide: the first line that holds, or else `otherwise`."""

    numbers: Numbers
    lines: tuple[When, ...]
    otherwise: int
    says: str
    """For people: what is allowed."""

    def answer(self, arguments: tuple[int, ...]) -> int:
        """The answer to a call with these arguments."""
        return next((line.answer for line in self.lines if line.holds(arguments)), self.otherwise)


NEW_NAMESPACES: Final = 0x7E020080
"""Every CLONE_NEW* flag, time namespaces included."""
_THREAD: Final = 0x00010400  # CLONE_THREAD and CLONE_FILES: a thread that shares the table of descriptors
_SHARED: Final = 0x01
_ANONYMOUS: Final = 0x20
_HUGE: Final = 0x40000

_FCNTL: Final = (
    0, 1, 2, 3, 4,  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL
    5, 36,  # F_GETLK, F_OFD_GETLK
    9, 1027, 1028, 1030, 1032, 1034, 1035,  # F_GETOWN, F_DUPFD_QUERY, F_CREATED_QUERY, F_DUPFD_CLOEXEC,
    # F_GETPIPE_SZ, F_GET_SEALS, F_GET_RW_HINT
)  # fmt: skip
_LOCKS: Final = (6, 7, 37, 38)  # F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
_IOCTL: Final = (
    0x5401, 0x802C542A, 0x5413, 0x540F,  # TCGETS, TCGETS2, TIOCGWINSZ, TIOCGPGRP
    0x541B, 0x5421, 0x5450, 0x5451, 0x5460,  # FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, FIOQSIZE
)  # fmt: skip
_CLONES_OF_FILES: Final = (0x40049409, 0x4020940D, 0xC0189436)  # FICLONE, FICLONERANGE, FIDEDUPERANGE
_PRCTL: Final = (
    2, 3, 15, 16, 21, 23,  # PR_GET_PDEATHSIG, _GET_DUMPABLE, _SET_NAME, _GET_NAME, _GET_SECCOMP, _CAPBSET_READ
    29, 30, 38, 39, 41, 42,  # _SET_ and _GET_TIMERSLACK, _NO_NEW_PRIVS, _THP_DISABLE
    0x53564D41,  # PR_SET_VMA: names of mappings, 80 bytes each
)  # fmt: skip
_ADVICE: Final = (
    0, 1, 2, 4, 8,  # MADV_NORMAL, RANDOM, SEQUENTIAL, DONTNEED, FREE
    10, 11, 14, 15, 16, 17, 18, 19,  # DONTFORK, DOFORK, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP, WIPEONFORK, KEEPONFORK
    102, 103,  # GUARD_INSTALL, GUARD_REMOVE
)  # fmt: skip
_WILL_NEED: Final = 3
_HIGH_DESCRIPTORS: Final = 0xFFFFFFC0
_BARRIERS: Final = (0, 8, 16, 32, 64, 128, 256)  # MEMBARRIER_CMD_QUERY, (REGISTER_)PRIVATE_EXPEDITED(_SYNC_CORE, _RSEQ)


def by_argument(pid: int) -> dict[str, Rule]:
    """The calls whose arguments decide, for a submission whose process id is `pid`."""
    own = (When(0, (0, pid), ALLOW),)
    return {
        "clone": Rule(
            (56, 220), (When(0, (_THREAD,), ALLOW, mask=_THREAD | NEW_NAMESPACES),), errno.EPERM, "threads only"
        ),
        "tgkill": Rule((234, 131), (When(0, (pid,), ALLOW),), errno.EPERM, "to its own process"),
        "prlimit64": Rule((302, 261), own, errno.EPERM, "of its own process"),
        "sched_setaffinity": Rule((203, 122), own, errno.EPERM, "of its own process"),
        # a datagram socket, paired or not, can be told to send to any address
        "socketpair": Rule(
            (53, 199),
            (When(0, (1,), errno.EPERM, others=True), When(1, (1,), ALLOW, mask=0xF)),
            errno.EPERM,
            "unix stream sockets",
        ),
        # not: dying with the supervisor, being seen in /proc, cores shared with others, further filters
        "prctl": Rule((157, 167), (When(0, _PRCTL, ALLOW),), errno.EINVAL, "names, and what is asked"),
        # not: signals when a descriptor is ready, leases, larger pipes. Each lock is kernel memory that nothing counts
        "fcntl": Rule(
            (72, 25),
            (When(1, _FCNTL, ALLOW), When(1, _LOCKS, 0)),
            errno.EPERM,
            "descriptors and flags; locks have no effect",
        ),
        # not: attributes of files, freezing and trimming file systems, input for a terminal, whatever drivers offer
        "ioctl": Rule(
            (16, 29),
            (When(1, _IOCTL, ALLOW), When(1, _CLONES_OF_FILES, errno.EOPNOTSUPP)),
            errno.ENOTTY,
            "FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, FIOQSIZE, TCGETS, TIOCGWINSZ, TIOCGPGRP",
        ),
        # memory shared with nobody stays held when it is in no page table any more, and then no process shows it
        "mmap": Rule(
            (9, 222),
            (
                When(3, (_SHARED | _ANONYMOUS,), errno.EPERM, mask=_SHARED | _ANONYMOUS),
                When(3, (_HUGE,), errno.ENOMEM, mask=_HUGE),
            ),
            ALLOW,
            "all but shared anonymous memory and huge pages",
        ),
        # not: PAGEOUT and COLD, after which memory is in nobody's resident set; MERGEABLE; POPULATE
        "madvise": Rule(
            (28, 233),
            (When(2, _ADVICE, ALLOW), When(2, (_WILL_NEED,), 0)),
            errno.EINVAL,
            "all but PAGEOUT, COLD, POPULATE, MERGEABLE; WILLNEED has no effect",
        ),
        # an entry for each file and number outlives the number: there are not many numbers
        "epoll_ctl": Rule(
            (233, 21),
            (
                When(0, (0,), errno.ENOSPC, mask=_HIGH_DESCRIPTORS, others=True),
                When(2, (0,), ALLOW, mask=_HIGH_DESCRIPTORS),
            ),
            errno.ENOSPC,
            "for descriptors below 64",
        ),
        # RWF_NOWAIT tells whether a page of a file is in memory
        "preadv2": Rule((327, 286), (When(5, (0,), ALLOW),), errno.EOPNOTSUPP, "without flags"),
        "pwritev2": Rule((328, 287), (When(5, (0,), ALLOW),), errno.EOPNOTSUPP, "without flags"),
        # not: barriers for the whole machine
        "membarrier": Rule((324, 283), (When(0, _BARRIERS, ALLOW),), errno.EINVAL, "of its own process"),
    }


def decisions(column: int, pid: int, *, block_metadata_calls: bool) -> dict[int, int | Rule]:
    """What becomes of every call that is known, by number: an answer, or the rule that finds it.

    `column`: 0 for x86_64, 1 for aarch64. `block_metadata_calls`: also neutralise chmod, chown and utime.
    """
    named: dict[str, tuple[Numbers, int | Rule]] = {
        **{name: (numbers, ALLOW) for name, numbers in ALLOWED.items()},
        **{name: (numbers, ERRORS.get(name, errno.EPERM)) for name, numbers in REFUSED.items()},
        **{name: (numbers, errno.ENOSYS) for name, numbers in ABSENT.items()},
        **{name: (numbers, 0) for name, numbers in WITHOUT_EFFECT.items()},
        **{name: (numbers, 0 if block_metadata_calls else ALLOW) for name, numbers in METADATA_CALLS.items()},
        **{name: (rule.numbers, rule) for name, rule in by_argument(pid).items()},
    }
    return {number: decision for numbers, decision in named.values() if (number := numbers[column]) is not None}
