"""Who handed in which file: a table with the columns file, id, name, email, login, section and more.

`autograder collect` writes it as submissions.csv next to the files it collects; a run keeps it as roster.csv,
and the tables for the learning platforms take names and numbers from it. A class list that is given with `--roster`
is joined with it. A platform's own list of the class will do (see `roster_file`); who somebody is, is decided in
one place (see `identity`).
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path, PurePosixPath

from autograder.names import kind_of
from autograder.records.identity import Claim, Matches, match
from autograder.records.roster_file import Roster, RosterError, load, rows
from autograder.records.run import write_atomically
from autograder.records.student import COLUMNS, PARTICIPANT, Student, digits, words
from autograder.text import csv_text, for_csv, for_terminal

__all__ = [
    "ACCOUNT",
    "COLLECTED",
    "COLUMNS",
    "FILE",
    "PARTICIPANT",
    "Claim",
    "Identified",
    "Matches",
    "Roster",
    "RosterError",
    "Student",
    "claim",
    "identify",
    "join",
    "joined",
    "load",
    "match",
    "missing",
    "missing_of",
    "read",
    "read_if_there",
    "read_missing",
    "refused",
    "rows",
    "table",
    "words",
    "write",
]

FILE = "roster.csv"
COLLECTED = "submissions.csv"
"""What `autograder collect` writes for each file it took, and for each student of whom it could take none."""
ACCOUNT = "collected.csv"
"""What became of each file of the download."""
PLAIN, CLONE = "plain", "clone"
"""Kinds of sources that state nothing about a student: all there is, is what a file or a clone is named."""


@dataclass(frozen=True)
class Identified:
    """Whose the files are."""

    students: dict[str, Student]
    """By file; a file of nobody that is known is not in it."""
    strangers: tuple[str, ...] = ()
    """Files that belong to nobody in the class list; nobody is a stranger without one."""
    missing: tuple[Student, ...] = ()
    """Who in the class list has no file, and has no part in a file that several could own."""
    notes: tuple[str, ...] = ()
    """Sentences for the instructor."""

    def warnings(self, files: int) -> list[str]:
        """What the instructor should know, a sentence each, safe for a terminal; `files`: how many there are."""
        said = [for_terminal(note, 400) for note in self.notes[:50]]
        if len(self.notes) > 50:
            said.append(f"… and {len(self.notes) - 50} more files that several students could own")
        if self.strangers:
            shown = ", ".join(for_terminal(name, 80) for name in self.strangers[:10])
            said.append(
                f"{len(self.strangers)} of {files} files belong to nobody in the roster: {shown}"
                f"{' …' if len(self.strangers) > 10 else ''}. A column `file` in it says whose a file is, or name a "
                "file after the student's login, id, email or name; then run this again with --resume"
            )
        return said


def identify(given: Path | None, paths: Iterable[Path], names: Sequence[str] = (), assignment: str = "") -> Identified:
    """Whose the submissions `names` are: what `collect` found in `paths`, joined with the class list `given`.

    assignment: its name, which may be a part of a file's name. Raises RosterError.
    """
    collected = {
        student.file: (student, kind)
        for path in paths
        if path.is_dir()
        for student, kind, _ in _collected(path / COLLECTED)
    }
    if given is None:
        return Identified({file: student for file, (student, _) in collected.items()})
    roster = load(given)
    return _identified(roster, collected, names, assignment)


def missing(roster_students: Sequence[Student], present: Iterable[Student]) -> list[Student]:
    """Who in the class list has handed in nothing; whose line several of those present could be is not missing."""
    return match([Claim(student) for student in present], roster_students).missing(roster_students)


def joined(stated: Student, known: Student) -> Student:
    """What a platform stated about a hand-in and what the class list knows about its student, as one.

    The list knows better who somebody is; the hand-in, when it was made.
    """
    of_hand_in = {"file", "submitted", "late", "attempt"}
    values = {
        column: (first or second if column in of_hand_in else second or first)
        for column in COLUMNS
        for first, second in [(str(getattr(stated, column)), str(getattr(known, column)))]
    }
    if stated.platform and known.platform and digits(stated.platform) != digits(known.platform):
        values["platform"] = stated.platform  # the list is of another assignment or platform
    return Student(**values)


def read(path: Path) -> dict[str, Student]:
    """A roster by file name."""
    return {student.file: student for student in load(path).students if student.file}


def read_if_there(path: Path) -> dict[str, Student]:
    """A roster, or none."""
    return read(path) if path.is_file() else {}


def read_missing(folder: Path) -> list[Student]:
    """Who had handed in nothing when the results in `folder` were made, as `write` kept them."""
    path = folder / FILE
    return [student for student in load(path).students if not student.file] if path.is_file() else []


def missing_of(folders: Iterable[Path]) -> list[Student]:
    """Who had handed in nothing in any of several results, such as shards."""
    several = [read_missing(folder) for folder in folders]
    everyone = dict.fromkeys(student for one in several for student in one)
    return [student for student in everyone if all(student in one for one in several)]


def refused(folder: Path) -> dict[str, str]:
    """What `collect` could not take for a student, by the name it would have: what is wrong with it."""
    return {student.file: problem for student, _, problem in _collected(folder / COLLECTED) if problem}


def join(rosters: Iterable[Mapping[str, Student]]) -> dict[str, Student]:
    """All of them together."""
    return {file: student for roster in rosters for file, student in roster.items()}


def write(students: Mapping[str, Student], folder: Path, missing: Sequence[Student] = ()) -> None:
    """Keeps the roster with the results, when there is one; who has no file gets a line without one."""
    if students or missing:
        lines = [astuple(student) for student in (*students.values(), *(replace(one, file="") for one in missing))]
        write_atomically(folder / FILE, table(COLUMNS, lines))


def table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """A CSV table in which no text is a formula."""
    return csv_text(header, ([for_csv(value) if isinstance(value, str) else value for value in line] for line in lines))


def _collected(path: Path) -> list[tuple[Student, str, str]]:
    """Lines of submissions.csv: the student, the kind of source and the problem of a file that was refused."""
    if not path.is_file():
        return []
    students = {student.file: student for student in load(path).students if student.file}
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as file:
        lines = {line.get("file") or "": line for line in csv.DictReader(file)}
    return [
        (student, lines.get(name, {}).get("kind") or "", lines.get(name, {}).get("problem") or "")
        for name, student in students.items()
    ]


def _identified(
    roster: Roster, collected: Mapping[str, tuple[Student, str]], names: Sequence[str], assignment: str
) -> Identified:
    students = roster.students
    named = {student.file: index for index, student in enumerate(students) if student.file}
    rest = [student for student in students if not student.file]
    unnamed = [name for name in dict.fromkeys([*names, *collected]) if name not in named]
    claims = [claim(name, *collected.get(name, (Student(), ""))) for name in unnamed]
    matches = match(claims, rest, assignment)
    found = {
        file: joined(collected[file][0], students[index]) if file in collected else students[index]
        for file, index in named.items()
    }
    strangers: list[str] = []
    for name, owner in zip(unnamed, matches.owners, strict=True):
        stated = collected[name][0] if name in collected else Student(file=name)
        if owner is not None:
            found[name] = replace(joined(stated, rest[owner]), file=name)
        else:
            strangers += [name] if name in names else []
            if name in collected:
                found[name] = stated
    return Identified(found, tuple(strangers), tuple(matches.missing(rest)), (*roster.notes, *matches.notes))


def claim(name: str, student: Student, kind: str, shown: str = "") -> Claim:
    """What a submission says about whose it is: what `collect` found out, else what it and its folders are named."""
    path = PurePosixPath(name)
    stem = path.name[: -len(path.suffix)] if path.suffix and kind_of(path.name) else path.name
    parts = (*path.parts[:-1], stem)
    if student == Student():  # nothing was collected
        return Claim(student, parts, shown or name)
    if kind in (PLAIN, CLONE):
        # What a file is named, not what a platform states: as strong as for a file that was never collected
        stated = replace(student, file="", name="", login="", submitted="", late="", attempt="")
        return Claim(stated, (student.login or student.name or stem,), shown or name, clone=kind == CLONE)
    return Claim(student, (), shown or name)
