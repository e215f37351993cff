"""Walking through folders that students made, and removing them: no recursion, no link followed, and bounds.

`os.walk`, `Path.rglob` and `shutil` recurse before Python 3.12: a thousand folders inside each other end the program.
What this walk does not enter or cannot read it reports as one place that stands for all below it, so that whoever
counts what it reports misses nothing.
"""

import errno
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_DEPTH = 60
"""Folders inside each other."""
MAX_ENTRIES = 50_000
"""Files and folders below one folder."""
MAX_SECONDS = 60.0
"""For looking through one folder: a file system that answers slowly must not stop the rest."""


@dataclass(frozen=True)
class Bounds:
    """How far a walk goes."""

    depth: int = MAX_DEPTH
    entries: int = MAX_ENTRIES
    seconds: float = MAX_SECONDS


@dataclass(frozen=True)
class Place:
    """A file, or a folder that was not entered and stands for everything in it."""

    parts: tuple[str, ...]
    """Below the folder where the walk began; empty for that folder itself."""
    path: Path
    folder: bool = False
    link: bool = False
    problem: str = ""
    """Why the folder was not entered, a sentence for the person; empty when the caller did not want to."""


Enter = Callable[[tuple[str, ...], tuple[str, ...]], bool]
"""Whether to enter a folder, from its parts and the names next to it."""


def walk(start: Path, bounds: Bounds | None = None, enter: Enter | None = None) -> Iterator[Place]:
    """Every file below `start`, in the order of names, and every folder that is empty or was not entered.

    A folder beyond a bound, and one that cannot be read, is a place with a problem. Links are places, never followed.
    """
    bounds = bounds or Bounds(MAX_DEPTH, MAX_ENTRIES, MAX_SECONDS)
    until = time.monotonic() + bounds.seconds
    left = bounds.entries
    stack: list[tuple[tuple[str, ...], Path]] = [((), start)]
    while stack:
        parts, folder = stack.pop()
        if len(parts) > bounds.depth:
            yield Place(parts, folder, True, problem=f"Its folders are nested more than {bounds.depth} deep.")
            continue
        if left <= 0 or time.monotonic() > until:
            yield Place(parts, folder, True, problem=_beyond(bounds, left))
            continue
        entries: list[os.DirEntry[str]] = []
        problem = ""
        try:
            with os.scandir(folder) as listing:
                for entry in listing:
                    if left <= 0 or time.monotonic() > until:
                        problem = _beyond(bounds, left)
                        break
                    left -= 1
                    entries.append(entry)
        except OSError as error:
            problem = f"It cannot be read ({error.strerror})."
        if problem:
            # Which names the system lists first is chance, so none of them counts
            yield Place(parts, folder, True, problem=problem)
            continue
        if not entries and parts:
            yield Place(parts, folder, True)
        entries.sort(key=lambda entry: entry.name)
        names = tuple(entry.name for entry in entries)
        below: list[tuple[tuple[str, ...], Path]] = []
        for entry in entries:
            here = (*parts, entry.name)
            try:
                is_folder, is_link = entry.is_dir(follow_symlinks=False), entry.is_symlink()
            except OSError:
                is_folder = is_link = False
            if not is_folder:
                yield Place(here, Path(entry.path), link=is_link)
            elif enter is None or enter(here, names):
                below.append((here, Path(entry.path)))
            else:
                yield Place(here, Path(entry.path), True)
        stack += reversed(below)


def remove(folder: Path) -> None:
    """The same as `remove_folder`; OSError if the folder is still there."""
    remove_folder(str(folder))
    if os.path.lexists(folder):
        raise OSError(errno.ENOTEMPTY, "could not be deleted", str(folder))


def _beyond(bounds: Bounds, left: int) -> str:
    if left <= 0:
        return f"It is one of more than {bounds.entries} files and folders; the rest was not looked at."
    return f"Looking through its folders took longer than {bounds.seconds:g} s; the rest was not looked at."


def remove_folder(folder: str) -> None:
    """Removes a folder whatever is in it, and nothing outside of it.

    Nothing is ever reached by a path of the submission's: every step goes through a descriptor and follows no link,
    and folders within folders are moved to the top first, so that no depth and no name gets in the way. Needs that
    no process is left which could put something new in.
    """
    try:
        parent = os.open(os.path.dirname(folder) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        name = os.path.basename(folder)
        if _empty(parent, name, None):
            os.rmdir(name, dir_fd=parent)
    except OSError:
        return
    finally:
        os.close(parent)


def _empty(parent: int, name: str, top: int | None) -> bool:
    """Removes what is in folder `name` of `parent`; its folders by way of `top` (the folder itself when None)."""
    found = _open_folder(parent, name)
    if found is None:
        return False
    here = top if top is not None else found
    try:
        while entries := os.listdir(found):
            moved = False
            for entry in entries:
                if not stat.S_ISDIR(os.stat(entry, dir_fd=found, follow_symlinks=False).st_mode):
                    os.unlink(entry, dir_fd=found)
                elif top is None:
                    if not _empty(found, entry, here):
                        return False
                    os.rmdir(entry, dir_fd=found)
                    moved = True
                else:
                    inner = _open_folder(found, entry)  # moving a folder takes the right to write in it
                    if inner is None:
                        return False
                    os.close(inner)
                    os.rename(entry, secrets.token_hex(16), src_dir_fd=found, dst_dir_fd=here)
            if not moved:
                break
        return True
    finally:
        os.close(found)


def _open_folder(parent: int, name: str) -> int | None:
    """A descriptor of a folder, made readable and writable first; None for anything else, links included."""
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(name, os.O_PATH | flags, dir_fd=parent)
    except OSError:
        return None
    try:
        os.chmod(f"/proc/self/fd/{handle}", 0o700)
        return os.open(name, os.O_RDONLY | flags, dir_fd=parent)
    finally:
        os.close(handle)
