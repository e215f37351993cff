"""From the paths on the command line to the submissions of a batch, each with a name and an output stem of
its own."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.names import NO_SUBMISSIONS, is_skipped_folder, kind_of
from autograder.records import roster
from autograder.text import file_stem, name_digest
from autograder.walk import Place, walk

_LISTS = {roster.COLLECTED, roster.ACCOUNT}


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
class Refused:
    """What somebody handed in and nobody can grade: it gets a row that says why."""

    entry: Entry
    problem: str
    """A sentence for the person who handed it in."""


@dataclass(frozen=True)
class Batch:
    """All submissions, sorted by name, and the files that were passed over."""

    entries: tuple[Entry, ...]
    ignored: tuple[str, ...]
    refused: tuple[Refused, ...] = ()

    @property
    def names(self) -> list[str]:
        """Of everything that gets a row."""
        return [*self.stems]

    @property
    def stems(self) -> dict[str, str]:
        """The same, with the names of their files in the output folder."""
        entries = (*self.entries, *(refused.entry for refused in self.refused))
        return {entry.name: entry.stem for entry in entries}

    def shard(self, index: int, count: int) -> "Batch":
        """Every `count`-th submission, from the `index`-th on (1-based). Names and stems stay those of the
        whole."""
        return Batch(self.entries[index - 1 :: count], self.ignored, self.refused[index - 1 :: count])

    def only(self, suffix: str, *, given: Sequence[Path]) -> "Batch":
        """Those whose names end with `suffix`, and files that were `given` themselves; the others are passed over."""
        kept = [entry for entry in self.entries if kind_of(entry.path.name) == suffix or entry.path in given]
        names = {entry.name for entry in kept}
        others = (entry.name for entry in self.entries if entry.name not in names)
        return Batch(tuple(kept), tuple(sorted([*self.ignored, *others])), self.refused)


def gather(paths: Sequence[str | Path], assignment: str, exclude: Path | None = None) -> Batch:
    """All `.ipynb`, `.py` and `.zip` below `paths`, each once; `exclude` (the output folder) is not looked into.

    What `autograder collect` could not take for a student, and a folder that is too deep or too large to look
    through, is refused: it gets a row as well. Links that lead to folders are not followed.
    """
    ignored: list[str] = []
    found: list[tuple[str, str, Path]] = []
    problems: dict[str, str] = {}
    seen: set[str] = set()
    for given in map(Path, paths):
        if not os.path.lexists(given):
            raise BatchError(f"there is no file or folder '{given}'")
        absolute = Path(os.path.abspath(given))
        if given.is_dir() and (not given.is_symlink() or not kind_of(given.name)):
            files = _walk(given, assignment, exclude, ignored, problems)
            files += [given / name for name in _uncollected(given, problems)]
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
    entries.sort(key=lambda entry: entry.name)
    return Batch(
        tuple(entry for entry in entries if os.path.abspath(entry.path) not in problems),
        tuple(sorted(ignored)),
        tuple(
            Refused(entry, problems[place]) for entry in entries if (place := os.path.abspath(entry.path)) in problems
        ),
    )


def _uncollected(folder: Path, problems: dict[str, str]) -> list[str]:
    """What `autograder collect` noted there as refused: names of files that are not there, each with its problem."""
    refused = {name: text for name, text in roster.refused(folder).items() if not os.path.lexists(folder / name)}
    problems.update({os.path.abspath(folder / name): text for name, text in refused.items()})
    return sorted(refused)


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


def _walk(
    folder: Path, assignment: str, exclude: Path | None, ignored: list[str], problems: dict[str, str]
) -> list[Path]:
    excluded = os.path.abspath(exclude) if exclude is not None else None
    files: list[Path] = []

    def enter(parts: tuple[str, ...], names: tuple[str, ...]) -> bool:
        name = parts[-1]
        return not (
            kind_of(name)  # a folder with a notebook's name: a row that says so
            or is_skipped_folder(name)
            or ("adkit" in names and name == "tests")  # a student's whole repository: its tests are not submissions
            or os.path.abspath(folder.joinpath(*parts)) == excluded
        )

    places = _by_folder(folder, enter)
    in_folders: dict[tuple[str, ...], set[str]] = {}
    for place in places:
        in_folders.setdefault(place.parts[:-1], set()).add(place.parts[-1] if place.parts else "")
    for place in places:
        name = place.parts[-1] if place.parts else ""
        beside = in_folders[place.parts[:-1]]
        if place.problem:
            files.append(place.path)
            problems[os.path.abspath(place.path)] = f"This folder could not be looked through. {place.problem}"
        elif name.startswith(".") or (place.folder and not kind_of(name)) or (not place.parts[1:] and name in _LISTS):
            continue
        elif not kind_of(name) or name in NO_SUBMISSIONS:
            if not (place.link and place.path.is_dir()):
                ignored.append(_text(Path(*place.parts)))
        elif "adkit" in beside and f"{assignment}.ipynb" in beside and name != f"{assignment}.ipynb":
            ignored.append(_text(Path(*place.parts)))
        else:
            files.append(place.path)
    return files


def _by_folder(folder: Path, enter: Callable[[tuple[str, ...], tuple[str, ...]], bool]) -> list[Place]:
    """Every place below `folder`: each of its folders within the bounds of a walk of its own, so that no student's
    folder uses up another's."""
    places: list[Place] = []
    tops = list(walk(folder, enter=lambda parts, names: False))
    beside = tuple(top.parts[-1] for top in tops if top.parts)
    for top in tops:
        if not top.folder or not top.parts or top.problem or not enter(top.parts, beside):
            places.append(top)
        else:
            inside = walk(top.path, enter=lambda parts, names, first=top.parts: enter((*first, *parts), names))
            places += [replace(place, parts=(*top.parts, *place.parts)) for place in inside]
    return places


def _text(path: Path) -> str:
    """A path as text: bytes that are no UTF-8 are replaced."""
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")
