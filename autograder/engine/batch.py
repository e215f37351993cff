"""From the paths on the command line to the submissions of a batch, each with a name and an output stem of
its own."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.report.escape import file_stem, name_digest
from autograder.submission import EXTENSIONS

_SKIPPED_FOLDERS = {"__MACOSX", "__pycache__", "adkit", "node_modules"}
_NO_SUBMISSIONS = {"__init__.py", "conftest.py"}


class BatchError(Exception):
    """Paths that cannot be graded; the message says which and why."""


@dataclass(frozen=True)
class Entry:
    """One submission to grade."""

    name: str
    """Unique in the batch: the path below the folder that was given, or the file's name."""
    stem: str
    """The name of its files in the output folder."""
    path: Path


@dataclass(frozen=True)
class Batch:
    """All submissions, sorted by name, and the files that were passed over."""

    entries: tuple[Entry, ...]
    ignored: tuple[str, ...]

    def shard(self, index: int, count: int) -> "Batch":
        """Every `count`-th submission, from the `index`-th on (1-based). Names and stems stay those of the
        whole."""
        return Batch(self.entries[index - 1 :: count], self.ignored)

    def only(self, suffix: str, *, given: Sequence[Path]) -> "Batch":
        """Those whose names end with `suffix`, and files that were `given` themselves; the others are passed over."""
        kept = [entry for entry in self.entries if entry.path.suffix.lower() == suffix or entry.path in given]
        names = {entry.name for entry in kept}
        others = (entry.name for entry in self.entries if entry.name not in names)
        return Batch(tuple(kept), tuple(sorted([*self.ignored, *others])))


def gather(paths: Sequence[str | Path], assignment: str, exclude: Path | None = None) -> Batch:
    """Finds the submissions in files and folders (with their subfolders); `exclude` is the output folder."""
    found: list[tuple[str, str, Path]] = []  # name, name with the folder before it, path
    ignored: list[str] = []
    seen: set[str] = set()
    for given in map(Path, paths):
        if not os.path.lexists(given):
            raise BatchError(f"there is no file or folder '{given}'")
        absolute = Path(os.path.abspath(given))
        if given.is_dir() and (not given.is_symlink() or given.suffix.lower() not in EXTENSIONS):
            files = _walk(given, assignment, exclude, ignored)
            names = [(_text(file.relative_to(given)), absolute.name, file) for file in files]
        else:
            names = [(_text(Path(given.name)), absolute.parent.name, given)]
        for name, folder, file in names:
            place = os.path.abspath(file)
            if place not in seen:
                seen.add(place)
                found.append((name, f"{_text(Path(folder))}/{name}", file))
    found.sort(key=lambda entry: (entry[0], entry[1], os.fsencode(entry[2])))
    taken = Counter(name for name, _, _ in found)
    names = [longer if taken[name] > 1 else name for name, longer, _ in found]
    counts: Counter[str] = Counter()
    for index, name in enumerate(names):
        counts[name] += 1
        if counts[name] > 1:
            names[index] = f"{name}~{counts[name]}"
    stems = stems_of(names)
    entries = [Entry(name, stems[name], path) for name, (_, _, path) in zip(names, found, strict=True)]
    return Batch(tuple(sorted(entries, key=lambda entry: entry.name)), tuple(sorted(ignored)))


def stems_of(names: Sequence[str], *, space: str = " ") -> dict[str, str]:
    """A stem for each name; names that would share one (`a.py` and `a.zip`, or `A` and `a`) get a digest added.

    No two are the same, in any case of letters, whatever the names are: a name can be made to look like another one's
    stem with its digest. `space`: what stands for a space.
    """
    stems = {name: file_stem(name).replace(" ", space) for name in names}
    plain = set(stems)
    while shared := plain & _sharing(stems):
        plain -= shared
        stems |= {name: f"{stems[name]}-{name_digest(name)}" for name in shared}
    for number, name in enumerate(sorted(_sharing(stems)), start=1):  # digests that are the same, too
        stems[name] = f"{stems[name]}~{number}"
    return stems


def _sharing(stems: dict[str, str]) -> set[str]:
    taken = Counter(stem.casefold() for stem in stems.values())
    return {name for name, stem in stems.items() if taken[stem.casefold()] > 1}


def _walk(folder: Path, assignment: str, exclude: Path | None, ignored: list[str]) -> list[Path]:
    excluded = os.path.abspath(exclude) if exclude is not None else None
    files: list[Path] = []

    def unreadable(error: OSError) -> None:
        files.append(Path(os.fsdecode(error.filename)))  # becomes a row that says so

    for place, folders, names in os.walk(folder, onerror=unreadable):
        handed_out = "adkit" in folders  # a student's whole repository: its tests are no submissions
        for name in list(folders):
            path = os.path.join(place, name)
            if Path(name).suffix.lower() in EXTENSIONS:
                files.append(Path(path))  # a folder (or a link) with a notebook's name: a row that says so
                folders.remove(name)
            elif (
                name.startswith(".")
                or name in _SKIPPED_FOLDERS
                or (handed_out and name == "tests")
                or os.path.islink(path)
                or os.path.abspath(path) == excluded
            ):
                folders.remove(name)
        folders.sort()
        the_one = f"{assignment}.ipynb" in names
        for name in names:
            path = Path(place, name)
            is_submission = (
                path.suffix.lower() in EXTENSIONS and not name.startswith(".") and name not in _NO_SUBMISSIONS
            )
            if is_submission and not (handed_out and the_one and name != f"{assignment}.ipynb"):
                files.append(path)
            elif not name.startswith("."):
                ignored.append(_text(path.relative_to(folder)))
    return files


def _text(path: Path) -> str:
    """A path as text: bytes that are no UTF-8 are replaced."""
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")
