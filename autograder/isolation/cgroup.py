"""A memory cgroup for each submission: the kernel's own count of all that it holds, page cache and kernel memory too.

It can be had where version 2 of cgroups controls memory and the grader's own group was handed to it: in a container
that sees its group and may write to it, or with `systemd-run --user --scope -p Delegate=yes autograder …`. Elsewhere
there is none, and the memory watch and the limit on address space hold alone. Groups are only ever made below the
grader's own, so that whatever limits the grader itself also holds for submissions.

A group with processes cannot hand its memory on to groups below it. If all processes of the grader's group belong to it
(what it was started by in the same group, and what these started), they move to a group `autograder` below, once.

Source: Documentation/admin-guide/cgroup-v2.rst of the Linux kernel.
"""

import contextlib
import os
import secrets
import time
from pathlib import Path
from typing import Final

from autograder.isolation import procfs

_GRADER: Final = "autograder"
_REMOVALS: Final = 50


class Group:
    """The group of one submission. OSError when it cannot be made."""

    def __init__(self, base: Path, memory_bytes: int) -> None:
        """`base`: from `place`, after `prepare`. `memory_bytes`: with more, the kernel ends all in the group."""
        self._folder = base / f"submission-{secrets.token_hex(8)}"
        self._folder.mkdir()
        try:
            (self._folder / "memory.max").write_text(str(memory_bytes))
            (self._folder / "memory.oom.group").write_text("1")
            with contextlib.suppress(OSError):  # a kernel that does not count swap
                (self._folder / "memory.swap.max").write_text("0")
        except OSError:
            self.remove()
            raise

    @property
    def members(self) -> str:
        """The file that a process writes itself into to join."""
        return str(self._folder / "cgroup.procs")

    def exceeded(self) -> bool:
        """Whether the kernel has ended something in the group because it used too much."""
        try:
            events = dict(line.split() for line in (self._folder / "memory.events").read_text().splitlines())
        except (OSError, ValueError):
            return False
        return events.get("oom_kill", "0") != "0"

    def remove(self) -> None:
        """Removes the group, in which no process is left."""
        for _ in range(_REMOVALS):
            try:
                self._folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:  # the last process is on its way out
                time.sleep(0.01)
            else:
                return


def place(own: Path | None = None) -> Path | None:
    """The group below which groups for submissions can be made; None where that is not possible. Changes nothing.

    `own`: this process's group, as a folder; found out by default.
    """
    own = own or _own_group()
    if own is None:
        return None
    base = own.parent if own.name == _GRADER else own
    try:
        if "memory" not in (base / "cgroup.controllers").read_text().split():
            return None
        handed_on = "memory" in (base / "cgroup.subtree_control").read_text().split()
    except OSError:
        return None
    needed = [base, base / "cgroup.procs", base / "cgroup.subtree_control"]
    if not _is_delegated(base) or not all(os.access(path, os.W_OK) for path in needed):
        return None
    return base if handed_on or not (base / "cgroup.type").exists() or _all_ours(_members(base)) else None


def _is_delegated(base: Path) -> bool:
    """Whether what is below a group is its processes' to arrange: systemd says so, or there is nothing above it."""
    if base.is_mount():
        return True
    for name in ("trusted.delegate", "user.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(base, name) == b"1":
                return True
    return False


def prepare(base: Path) -> None:
    """Has `base`, from `place`, hand its memory on to the groups below it. OSError when it does not."""
    if (base / "cgroup.type").exists():  # the root of all groups has none, and may have processes
        for pid in _members(base):
            (base / _GRADER).mkdir(exist_ok=True)
            with contextlib.suppress(ProcessLookupError):
                (base / _GRADER / "cgroup.procs").write_text(str(pid))
    if "memory" not in (base / "cgroup.subtree_control").read_text().split():
        (base / "cgroup.subtree_control").write_text("+memory")


def _own_group() -> Path | None:
    """This process's group in the hierarchy of version 2, as a folder."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        path = next(line.removeprefix("0::") for line in lines if line.startswith("0::"))
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            fields, _, kind = line.partition(" - ")
            root, where = fields.split()[3:5]
            if kind.startswith("cgroup2 ") and (path == root or path.startswith(root.rstrip("/") + "/")):
                return Path(where) / os.path.relpath(path, root)
    except (OSError, StopIteration, ValueError):
        pass
    return None


def _members(group: Path) -> list[int]:
    return [int(pid) for pid in (group / "cgroup.procs").read_text().split()]


def _all_ours(members: list[int]) -> bool:
    """Whether all these processes come from one of them, as this process does."""
    inside = set(members)
    first = [_ancestors(pid, inside)[-1] for pid in (os.getpid(), *members)]
    return len(set(first)) == 1


def _ancestors(pid: int, inside: set[int]) -> list[int]:
    """A process and the chain of its ancestors, as long as these are `inside`."""
    chain = [pid]
    while (parent := procfs.parent_of(chain[-1])) in inside and parent not in chain:
        chain.append(parent)
    return chain
