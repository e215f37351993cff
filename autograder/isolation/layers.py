"""The layers of isolation: what they are, which of them this machine has, and what a submission may read.

| layer      | what it takes away                                                              |
|------------|---------------------------------------------------------------------------------|
| mount      | every file but the ones listed: a root of its own, read-only, with a small scratch |
| landlock   | the same by path, TCP, signals and abstract sockets to the outside               |
| seccomp    | sockets, other processes, new programs, mounts, memory that no process shows     |
| network    | every network interface (a network namespace of its own)                         |
| pid        | the sight of other processes; the whole tree dies with its first process         |
| ipc        | System V and POSIX message queues and shared memory                              |
| user       | root: an unprivileged uid when started as root, a user namespace otherwise       |
| rlimits    | unlimited memory, processes, files, CPU time                                     |
| cgroup     | memory in the kernel's own count, kernel memory and page cache too (cgroup.py)    |
| watch      | more memory, scratch or time than allowed, summed over all its processes         |

A clean environment, closed descriptors and dropped capabilities are not optional and not listed.
"""

import functools
import importlib.util
import os
import site
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.isolation import cgroup, landlock, seccomp, syscalls

LAYERS: Final = ("mount", "landlock", "seccomp", "network", "pid", "ipc", "user", "rlimits", "cgroup", "watch")

OPTIONAL: Final = frozenset({"cgroup"})
"""What most machines do not have, and every promise is held without."""

LOST_WITHOUT: Final[dict[str, str]] = {
    "mount": "files are kept apart by Landlock alone",
    "landlock": "files are kept apart by the mount namespace alone; signals by the process namespace alone",
    "seccomp": "sockets are stopped by the network namespace alone, kernel interfaces are open",
    "network": "sockets are stopped by seccomp alone",
    "pid": "leftover processes are found and killed individually",
    "ipc": "System V shared memory is stopped by seccomp alone",
    "user": "the submission has the grader's user id",
    "rlimits": "floods are stopped by the memory watch alone",
    "cgroup": "memory is bounded by the watch and the limit on address space",
    "watch": "memory is limited per process, not per submission",
}

FILES: Final = frozenset({"mount", "landlock"})
NETWORK: Final = frozenset({"network", "seccomp"})


class IsolationError(Exception):
    """Isolation that is needed and cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Policy:
    """Which layers are used, and what can be read."""

    layers: frozenset[str]
    read: tuple[Path, ...]
    list_only: tuple[Path, ...]

    @property
    def isolated(self) -> bool:
        """Whether files and network are isolated: the least that grading asks for."""
        return bool(self.layers & FILES) and bool(self.layers & NETWORK)


def policy(*, without: Iterable[str] = (), secrets: Iterable[Path] = (), allow_none: bool = False) -> Policy:
    """Every layer this machine has, except `without`.

    IsolationError when files or network cannot be isolated (unless `allow_none`), or when one of the `secrets`
    (references, tests, submissions, output) lies in a folder that a submission can read, or when the packages that it
    needs can be read by their owner only.
    """
    dropped = frozenset(without)
    unknown = dropped - set(LAYERS)
    if unknown:
        raise IsolationError(f"there is no layer {', '.join(sorted(unknown))}; layers are: {', '.join(LAYERS)}")
    layers = frozenset(LAYERS) - dropped if allow_none is False else frozenset({"watch"})
    if not allow_none:
        layers = frozenset(layer for layer in layers if layer in available())
    read, list_only = readable()
    result = Policy(layers, read, list_only)
    if not result.isolated and not allow_none:
        missing = "files" if not layers & FILES else "network"
        raise IsolationError(
            f"this machine cannot isolate a submission's {missing}: Linux with Landlock (5.13 or newer) or user "
            "namespaces, and seccomp, is needed; `autograder doctor` says what is there. Grade in Docker "
            "(`otter grade`) or on another machine; `--no-isolation` runs submissions unprotected and marks "
            "every result"
        )
    owner = "mount" not in layers and not (os.geteuid() == 0 and "user" in layers)
    if result.isolated and owner and landlock.version() < landlock.TRUNCATES and not allow_none:
        raise IsolationError(
            "this machine cannot keep a submission from emptying your files: Linux 6.2 or newer, or user namespaces, "
            "or grading as root is needed; `autograder doctor` says what is there"
        )
    if os.geteuid() == 0 and "user" in layers:
        _must_be_readable_by_others()
    for secret in secrets:
        for folder in read:
            if secret.resolve().is_relative_to(folder) and not allow_none:
                raise IsolationError(
                    f"{secret} lies in {folder}, which submissions can read; move it, or install this package "
                    "in a virtual environment outside of it"
                )
    return result


@functools.cache
def available() -> frozenset[str]:
    """The layers that work here, each one tried in a process of its own."""
    if not syscalls.supported():
        return frozenset({"watch"} & set(LAYERS))
    found = {"rlimits", "watch"}
    if landlock.version() > 0:
        found.add("landlock")
    if seccomp.supported():
        found.add("seccomp")
    if cgroup.place() is not None:
        found.add("cgroup")
    user = 0 if os.geteuid() == 0 else syscalls.CLONE_NEWUSER
    for layer, flag in (
        ("network", syscalls.CLONE_NEWNET),
        ("pid", syscalls.CLONE_NEWPID),
        ("ipc", syscalls.CLONE_NEWIPC),
        ("mount", syscalls.CLONE_NEWNS),
    ):
        if _works(functools.partial(syscalls.unshare, user | flag)):
            found.add(layer)
    if "mount" in found and not _works(functools.partial(_try_mount, user)):
        found.discard("mount")
    # Without a root of its own, a user id that owns nothing could not reach an interpreter in someone's home.
    if (os.geteuid() == 0 and ("mount" in found or _reachable_by_others())) or (
        user and _works(functools.partial(syscalls.unshare, user))
    ):
        found.add("user")
    return frozenset(found)


def _works(attempt: Callable[[], None]) -> bool:
    with warnings.catch_warnings():
        # JAX warns of forks in processes with threads; this one makes a few system calls and ends
        warnings.simplefilter("ignore", RuntimeWarning)
        pid = os.fork()
    if pid == 0:
        try:
            attempt()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _try_mount(user: int) -> None:
    uid, gid = os.getuid(), os.getgid()
    syscalls.unshare(user | syscalls.CLONE_NEWNS)
    if user:
        map_ids(uid, gid)
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("tmpfs", "/tmp", "tmpfs", 0, "size=64k")


def map_ids(uid: int, gid: int) -> None:
    """In a fresh user namespace: this process keeps its user and group id, and there are no others."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _reachable_by_others() -> bool:
    return all(
        parent.stat().st_mode & 0o001
        for path in (Path(sys.prefix), Path(sys.base_prefix), Path(os.__file__))
        for parent in path.resolve().parents
    )


def _must_be_readable_by_others() -> None:
    """Raises IsolationError where what is installed is root's alone (a umask of 077): a submission under a user id of
    its own would find no module that was not imported before, and lose its points."""
    found = [importlib.util.find_spec(module) for module in ("numpy", "jax", "adkit")]
    for origin in (os.__file__, *(module.origin for module in found if module is not None)):
        file = Path(str(origin)).resolve()
        for path, needed in ((file, 0o004), (file.parent, 0o005)):
            if path.stat().st_mode & needed != needed:
                raise IsolationError(
                    f"{path} can be read by root only, and submissions run under another user id: they would not "
                    f"find their modules. Try `chmod -R go+rX {file.parent.parent}`, or install anew with `umask 022`"
                )


# not /dev/zero: mapped, it is memory that no process shows
_SYSTEM: Final = (
    "/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo",
    "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/full", "/dev/random", "/dev/urandom",
    "/sys/devices/system/cpu", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
)  # fmt: skip

_HIDDEN_PACKAGES: Final = ("reference", "autograder", "assignments")


def readable() -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """What a submission may read (interpreter, packages, system libraries, adkit), and what it may only list.

    A list of what is allowed, never of what is forbidden. Where this package is installed beside the others in
    site-packages, the others are listed one by one, so that the references are not among them.
    """
    import adkit

    read = [Path(entry) for entry in _SYSTEM]
    list_only: list[Path] = []
    read += [Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib")]
    read.append(Path(sys.base_prefix) / "lib")
    packages = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    packages |= {Path(folder) for folder in site.getsitepackages()}
    packages |= {Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))}
    for folder in packages:
        if any((folder / hidden).exists() for hidden in _HIDDEN_PACKAGES):
            list_only.append(folder)
            read += [entry for entry in folder.iterdir() if not entry.name.startswith(_HIDDEN_PACKAGES)]
        else:
            read.append(folder)
    read.append(Path(adkit.__file__).parent)
    return _existing(read), _existing(list_only)


def _existing(paths: Iterable[Path]) -> tuple[Path, ...]:
    found: dict[Path, None] = {}
    for path in paths:
        if path.exists():
            found[path] = None
            found[path.resolve()] = None
    return tuple(found)
