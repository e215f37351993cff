"""Processes as the kernel shows them in /proc: the only module that reads it about other processes.

Whatever is read may be gone a moment later, and a process can give itself any name: fields are taken from behind the
last parenthesis of `stat`, and keys of `status` only at the beginning of a line.
"""

import os
import stat
from collections.abc import Collection, Iterator
from typing import Final

_HELD: Final = (b"RssAnon:", b"RssShmem:", b"VmSwap:", b"VmPTE:", b"HugetlbPages:")
"""Lines of /proc/PID/status: what is in memory, what was moved to disk, and what the kernel needs to find both."""


def processes() -> Iterator[int]:
    """The ids of all processes that can be seen."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            yield int(entry)


def parent_of(pid: int) -> int:
    """The parent's id; 0 where there is none to be seen."""
    fields = _fields(f"/proc/{pid}/stat")
    return int(fields[1]) if fields else 0


def descendants(pid: int) -> list[int]:
    """All processes below `pid`."""
    children: dict[int, list[int]] = {}
    for process in processes():
        if parent := parent_of(process):
            children.setdefault(parent, []).append(process)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def start_of(pid: int) -> str:
    """When a process started, in ticks: with the pid it names one process for good. Empty: there is none."""
    fields = _fields(f"/proc/{pid}/stat")
    return "" if not fields or fields[0] in (b"Z", b"X") else fields[19].decode("ascii")


def threads_of_user(uid: int) -> int:
    """How many threads a user has: what a limit on processes counts along."""
    found = 0
    for process in processes():
        if _owner(process) == uid:
            fields = _fields(f"/proc/{process}/stat")
            found += int(fields[17]) if fields else 0
    return found


def runs_under(uids: Collection[int]) -> bool:
    """Whether any process runs under one of these user ids."""
    return any(_owner(process) in uids for process in processes())


def threads(pid: int) -> list[int]:
    """The ids of a process's threads; none once it is gone."""
    try:
        return [int(entry) for entry in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def is_ready(pid: int, thread: int) -> bool:
    """Whether a thread runs or could run."""
    return _fields(f"/proc/{pid}/task/{thread}/stat")[:1] == [b"R"]


def seconds_of_children(pid: int) -> float:
    """Processor seconds of the children that a process has waited for."""
    fields = _fields(f"/proc/{pid}/stat")
    return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def held_bytes(pid: int) -> int:
    """Bytes that the machine holds for a process alone: pages shared with the zygote are not counted."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            fields = file.read().split()
        with open(f"/proc/{pid}/status", "rb") as file:
            status = file.read()
    except OSError:
        return 0
    if b"\nRssAnon:" not in status:  # a process that has ended, or a kernel that does not tell them apart
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
    return sum(_kilobytes(status, key) for key in _HELD) * 1024


def deleted_bytes(pid: int, folder: str) -> int:
    """Bytes of files that were deleted from below `folder` and that the process still has open or mapped."""
    found: dict[tuple[int, int], int] = {}
    try:
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            try:
                status = os.stat(f"/proc/{pid}/fd/{descriptor}")
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                found[status.st_dev, status.st_ino] = status.st_blocks * 512
        with open(f"/proc/{pid}/maps", "rb") as maps:
            for line in maps:
                if line.endswith(b" (deleted)\n") and folder.encode() in line:
                    addresses, _, _, device, inode = line.split(None, 5)[:5]
                    first, _, last = addresses.partition(b"-")
                    major, _, minor = device.partition(b":")
                    key = os.makedev(int(major, 16), int(minor, 16)), int(inode)
                    found[key] = max(found.get(key, 0), int(last, 16) - int(first, 16))
    except OSError:
        pass
    return sum(found.values())


def _fields(file: str) -> list[bytes]:
    """The fields of a `stat` from the state on, proc_pid_stat(5)'s third; none once the process is gone."""
    try:
        with open(file, "rb", 0) as stream:
            fields = stream.read().rpartition(b")")[2].split()
    except OSError:
        return []
    return fields if len(fields) > 19 else []


def _owner(pid: int) -> int | None:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def _kilobytes(status: bytes, key: bytes) -> int:
    key = b"\n" + key  # at the beginning of a line: the first line holds a name that the process gave itself
    at = status.find(key)
    return int(status[at + len(key) :].split(None, 1)[0]) if at >= 0 else 0
