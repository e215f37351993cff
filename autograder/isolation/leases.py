"""Leases on user ids: started as root, submissions run under ids that own nothing, and no two workers share one.

Limits count for a user id as a whole, and whoever ends a submission ends every process of its id. So an id belongs
to one worker of one grader at a time, whichever command started it: workers of `autograder grade`, kernels of Otter
and Dask's machines take theirs from the same folder. A lease is a lock on a file there. It is held for as long as any
process has the descriptor open: the worker, and each supervisor until it has ended what it supervises, also when the
worker was killed.
"""

import fcntl
import os
import pwd
import random
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from autograder.isolation import procfs

FIRST_UID: Final = 61_000
"""The first of the user ids that submissions run under: two for each lease, one for its artefacts."""
LEASES: Final = 2_000

FOLDERS: Final = (Path("/run/autograder"), Path("/tmp/autograder-users"))
"""Where the locks lie: the first one that is, or can be made, a folder of root's own."""


class LeaseError(Exception):
    """Every user id is taken."""


class Lease:
    """Two user ids that nobody else on this machine runs a submission under, until `release`."""

    def __init__(self, number: int, descriptor: int | None) -> None:
        self.submission: Final = FIRST_UID + 2 * number
        self.artefacts: Final = FIRST_UID + 2 * number + 1
        self.descriptor = descriptor
        """The lock, for supervisors to hold too; None where there is no folder for locks."""

    def release(self) -> None:
        """Gives the ids back, once no supervisor holds them any more."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def lease() -> Lease:
    """A free pair of user ids. Needs root. LeaseError when all are taken.

    Where no folder can hold locks (a read-only system) the pair is drawn at random, and only looked at: a pair under
    which something runs is not taken.
    """
    folder = _folder()
    for number in _numbers():
        descriptor = _locked(folder / str(FIRST_UID + 2 * number)) if folder is not None else None
        if folder is not None and descriptor is None:
            continue
        taken = Lease(number, descriptor)
        if _is_free(taken):
            return taken
        taken.release()
    raise LeaseError(f"all {LEASES} user ids for submissions, from {FIRST_UID} on, are in use")


def _numbers() -> Iterator[int]:
    """All of them, from a random one on: containers cannot see each other's locks, and share what limits count."""
    first = random.SystemRandom().randrange(LEASES)
    yield from range(first, LEASES)
    yield from range(first)


def _folder() -> Path | None:
    for folder in FOLDERS:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            status = folder.lstat()
        except OSError:
            continue
        roots = stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o022
        if roots and os.access(folder, os.W_OK):
            return folder
    return None


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock on a file, None when someone else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _is_free(taken: Lease) -> bool:
    """Whether the ids are no one's account and nothing runs under them."""
    ids = {taken.submission, taken.artefacts}
    for uid in ids:
        try:
            pwd.getpwuid(uid)
        except KeyError:
            continue
        return False
    return not procfs.runs_under(ids)
