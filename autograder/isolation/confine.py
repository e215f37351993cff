"""Confinement: what the forked process does to itself before the first line of the submission runs.

Two processes per submission. The *supervisor* stays outside: it owns the confined process and
kills it, with everything it started, when the grader closes the control pipe or dies. The *confined* process gives
up its files, network, user and system calls, in an order in which each step is still possible, then calls `body`.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autograder.isolation import landlock, procfs, seccomp, syscalls
from autograder.isolation.layers import map_ids

SCRATCH_FILES: Final = 4096
ADDRESS_SPACE: Final = 1024**3
"""Address space beyond the memory that may be used: programs, libraries, the heaps of `ARENAS`."""
ADDRESS_SPACE_PER_CORE: Final = 24 * 1024**2
"""JAX starts two threads a core, with 8 MB of address space for the stack of each."""
ARENAS: Final = 4
"""Heaps of the C library. By default there are eight a core, each of which reserves 64 MB and uses little."""
_FIRST_TO_END: Final = 1000
"""The oom_score_adj of the process that the kernel ends before all others when the machine has no memory left."""
_PENDING_SIGNALS: Final = 1024


@dataclass(frozen=True)
class Confinement:
    """What one process may do; plain data, so that it can be handed to the template as JSON."""

    layers: tuple[str, ...]
    read: tuple[str, ...]
    list_only: tuple[str, ...]
    scratch: str
    uid: int
    """The user id to take when started as root."""
    memory_bytes: int
    scratch_bytes: int
    processes: int
    """What the kernel is told: threads of the submission and, where the user id is not its own, of all others."""
    threads: int
    open_files: int
    cpu_seconds: int
    group: str = ""
    """The file to join the submission's cgroup by, where it has one."""

    @staticmethod
    def from_json(given: dict[str, Any]) -> "Confinement":
        """What `dataclasses.asdict` and JSON made of one, as one again."""
        lists: dict[str, Any] = {key: tuple(given[key]) for key in ("layers", "read", "list_only")}
        return Confinement(**{**given, **lists})


def supervise(
    confinement: Confinement,
    control: int,
    keep: tuple[int, ...],
    body: Callable[[tuple[str, ...]], None],
    held: tuple[int, ...] = (),
) -> None:
    """Runs `body` in a confined child and reports on `control` how it ended. Never returns.

    `control`: one end of a socket pair. Its closing at the other end is the order to end everything.
    `keep`: the descriptors that the confined process keeps. `held`: what stays open here until all has ended.
    """
    try:
        # not tied to the template's life: the control pipe closes when the grader dies, and then all is ended in order
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
        os.setsid()
        root = os.geteuid() == 0
        uid, gid = os.getuid(), os.getgid()
        flags = syscalls.CLONE_NEWPID if "pid" in confinement.layers else 0
        namespaced = not root and bool({"pid", "mount", "network", "ipc", "user"} & set(confinement.layers))
        if namespaced:
            flags |= syscalls.CLONE_NEWUSER
        if flags:
            syscalls.unshare(flags)
        if namespaced:
            map_ids(uid, gid)
        child = os.fork()
        if child == 0:
            _confined(confinement, keep, body)
        _keep_only({control, *held})
        status = _wait(child, control, confinement)
        os.write(control, b"%d\n" % status)
        os._exit(0)
    except BaseException as error:
        os.write(control, f"error {type(error).__name__}: {error}\n".encode("utf-8", "replace")[:1000])
        os._exit(1)


def _confined(confinement: Confinement, keep: tuple[int, ...], body: Callable[[tuple[str, ...]], None]) -> None:
    try:
        os.setsid()
        if confinement.group:
            Path(confinement.group).write_text("0")
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        _keep_only({0, 1, 2, *keep})
        with contextlib.suppress(OSError):  # in a container whose /proc cannot be written
            # started as root, it cannot be taken back without root's rights; and Landlock lets nobody write in /proc
            Path("/proc/self/oom_score_adj").write_text(f"{_FIRST_TO_END}\n")
        applied = _apply(confinement)
    except BaseException as error:
        os.write(2, f"isolation failed: {type(error).__name__}: {error}\n".encode("utf-8", "replace"))
        os._exit(97)
    try:
        body(applied)
    finally:
        os._exit(0)


def _apply(confinement: Confinement) -> tuple[str, ...]:
    layers = set(confinement.layers)
    root = os.geteuid() == 0
    flags = 0
    for layer, flag in (
        ("mount", syscalls.CLONE_NEWNS),
        ("network", syscalls.CLONE_NEWNET),
        ("ipc", syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS),
    ):
        if layer in layers:
            flags |= flag
    if flags:
        syscalls.unshare(flags)
    if "mount" in layers:
        _own_root(confinement, own_proc="pid" in layers)
    os.chdir(confinement.scratch)
    os.umask(0o077)
    if layers - {"watch"}:
        _give_up_privileges(confinement.uid if root and "user" in layers else None)
    # only now: changing the user id forgets it. For the case that the supervisor itself is killed
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if "rlimits" in layers:
        _limit(confinement)
    if layers & {"landlock", "seccomp"}:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    if "landlock" in layers:
        landlock.restrict(
            [*map(Path, confinement.read), Path("/proc/self")],
            [Path(confinement.scratch), Path("/dev/null")],
            [Path(path) for path in confinement.list_only],
        )
    if "seccomp" in layers:
        seccomp.install(block_metadata_calls="mount" not in layers and not (root and "user" in layers))
    return tuple(sorted(layers))


def _own_root(confinement: Confinement, *, own_proc: bool) -> None:
    """A root file system that holds the readable paths, read-only, a scratch folder in memory, and nothing else."""
    os.umask(0o022)  # whatever the grader's: the submission, another user, has to get through these folders
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    quiet = syscalls.MS_NOSUID | syscalls.MS_NODEV
    # the scratch folder exists outside too; it is the one place certain not to hold anything
    base = confinement.scratch
    syscalls.mount("tmpfs", base, "tmpfs", quiet, "size=1m,mode=755")
    paths = sorted({Path(path) for path in (*confinement.read, *confinement.list_only)})
    bound: list[Path] = []
    list_only = {Path(path) for path in confinement.list_only}
    for path in paths:
        if any(path.is_relative_to(other) for other in bound):
            continue
        target = Path(base + str(path))
        if path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_symlink() and not target.exists():
                target.symlink_to(path.readlink())
            continue
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif path.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        if path in list_only:
            continue
        if path.is_relative_to("/proc"):
            continue
        bound.append(path)
        device = str(path).startswith("/dev/")
        syscalls.mount(str(path), str(target), None, syscalls.MS_BIND | syscalls.MS_REC)
        if not device:
            flags = syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | _locked_flags(target)
            syscalls.mount(None, str(target), None, flags)
    proc = Path(base + "/proc")
    proc.mkdir(exist_ok=True)
    if own_proc:
        syscalls.mount("proc", str(proc), "proc", quiet | syscalls.MS_NOEXEC | syscalls.MS_RDONLY)
    else:
        # without a process namespace, other processes are protected by their user ids and by Landlock
        syscalls.mount("/proc", str(proc), None, syscalls.MS_BIND | syscalls.MS_REC)
    scratch = Path(base + confinement.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    syscalls.mount(
        "tmpfs",
        str(scratch),
        "tmpfs",
        quiet,
        f"size={confinement.scratch_bytes},nr_inodes={SCRATCH_FILES},mode=777",
    )
    old = Path(base + "/.outside")
    old.mkdir()
    os.chdir(base)
    syscalls.pivot_root(".", "./.outside")
    os.chdir("/")
    syscalls.detach("/.outside")
    os.rmdir("/.outside")
    syscalls.mount(None, "/", None, syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | quiet)


def _locked_flags(path: Path) -> int:
    """A user namespace may not clear the flags a mount came with; a remount has to repeat them."""
    found = os.statvfs(path).f_flag
    flags = 0
    for bit, flag in (
        (os.ST_NOSUID, syscalls.MS_NOSUID),
        (os.ST_NODEV, syscalls.MS_NODEV),
        (os.ST_NOEXEC, syscalls.MS_NOEXEC),
        (os.ST_NOATIME, 1024),
        (os.ST_NODIRATIME, 2048),
        (os.ST_RELATIME, 1 << 21),
    ):
        if found & bit:
            flags |= flag
    return flags | syscalls.MS_NOSUID


def _give_up_privileges(uid: int | None) -> None:
    if uid is not None:
        for capability in range(64):
            try:
                syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
            except OSError:
                break
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    syscalls.drop_capabilities()
    # changing the user id made /proc/self unreadable, which JAX needs; no one else runs under this user id
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)


def address_space(memory_bytes: int) -> int:
    """Bytes of address space for a submission that may use `memory_bytes`: what is used is mapped, and then some.

    Right submissions map 0.9, 1.2 and 1.9 GB on 2, 16 and 64 cores, and have 0.4 of it in memory (RECORDS.md).
    """
    return memory_bytes + ADDRESS_SPACE + ADDRESS_SPACE_PER_CORE * (os.cpu_count() or 1)


def _limit(confinement: Confinement) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, address_space(confinement.memory_bytes)),
        (resource.RLIMIT_NPROC, confinement.processes),
        (resource.RLIMIT_NOFILE, confinement.open_files),
        (resource.RLIMIT_FSIZE, confinement.scratch_bytes),
        (resource.RLIMIT_CPU, confinement.cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, _PENDING_SIGNALS),
    ):
        # the signal that comes at the lower of the two says which limit it was; SIGKILL follows for who ignores it
        resource.setrlimit(kind, (value, value + 5) if kind == resource.RLIMIT_CPU else (value, value))


def _keep_only(keep: set[int]) -> None:
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) not in keep:
            try:
                os.close(int(entry))
            except OSError:
                continue


def _wait(child: int, control: int, confinement: Confinement) -> int:
    """Waits for the child's end or the order to end it; returns the wait status when no process is left."""
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(control, select.POLLIN | select.POLLHUP | select.POLLRDHUP)
    poll.register(ended, select.POLLIN)
    while ended not in (ready := [descriptor for descriptor, _ in poll.poll()]):
        if control in ready:
            os.kill(child, signal.SIGKILL)
            poll.unregister(control)
    _, status = os.waitpid(child, 0)
    _end_all(confinement)
    return status


def _end_all(confinement: Confinement) -> None:
    """Ends what the child left behind. In a process namespace the kernel has already done so."""
    if "pid" in confinement.layers:
        return
    everything = os.geteuid() == 0 and "user" in confinement.layers
    while True:
        if everything:
            _kill_user(confinement.uid)
        for pid in procfs.descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill_user(uid: int) -> None:
    """Every process of a user id at once, so that not even a process that forks all the time gets away."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        except OSError:
            pass
        os._exit(0)
    os.waitpid(pid, 0)


def flush_standard_streams() -> None:
    """What Python and C still hold of standard output, before a process ends without running exit handlers."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            continue
    libc: Any = ctypes.CDLL(None)
    libc.fflush(None)
