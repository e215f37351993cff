"""Walking through folders that students made: without recursion, without following a link, with bounds.

`os.walk`, `Path.rglob` and `shutil` recurse before Python 3.12: a thousand folders inside each other end the program.
What this walk does not enter or cannot read it reports as one place that stands for all below it, so that whoever
counts what it reports misses nothing.
"""

import errno
import os
import subprocess
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
    """Deletes a folder that a student made, however deep it is, without following links; OSError if it is still there.

    `shutil.rmtree` recurses, and a path may be longer than the system takes: `rm` goes down folder by folder.
    """
    done = subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0 or os.path.lexists(folder):
        raise OSError(errno.ENOTEMPTY, "could not be deleted", str(folder))


def _beyond(bounds: Bounds, left: int) -> str:
    if left <= 0:
        return f"It is one of more than {bounds.entries} files and folders; the rest was not looked at."
    return f"Looking through its folders took longer than {bounds.seconds:g} s; the rest was not looked at."
