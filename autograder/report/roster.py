"""Who handed in which file: a table with the columns file, id, name, email, login, section.

`autograder collect` writes it as submissions.csv next to the files it collects; a run keeps it as roster.csv,
and the tables for the learning platforms take names and numbers from it. A platform's own list of the class will
do: its headings are known, and a file belongs to the student whose login, number, email or name it is called after.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path, PurePosixPath

from autograder.engine.output import write_atomically
from autograder.report.escape import for_csv

FILE = "roster.csv"
COLLECTED = "submissions.csv"
PARTICIPANT = "Participant "
"""How Moodle's grading worksheet begins an identifier."""


class RosterError(Exception):
    """A roster that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True)
class Student:
    """A student as the platforms know them; what is not known is empty."""

    file: str = ""
    id: str = ""
    name: str = ""
    email: str = ""
    login: str = ""
    section: str = ""
    platform: str = ""
    """How the platform itself numbers them, kept beside the student's own number: "Participant 1001" is what Moodle's
    importer looks for, Canvas's importer looks for its own user number."""
    submitted: str = ""
    """When the file was handed in, ISO 8601 with a zone; empty when the platform does not say."""
    late: str = ""
    """What the platform says about lateness: "yes", "no", or nothing."""
    attempt: str = ""
    """Which attempt it is, where the platform numbers them."""


COLUMNS = tuple(entry.name for entry in fields(Student))

# What Canvas's gradebook export, Moodle's and Gradescope's class lists and GitHub Classroom's roster call them
_HEADINGS = {
    "id": ("sid", "id number", "student id", "identifier"),
    "name": ("student", "full name"),
    "email": ("email address", "e-mail"),
    "login": ("sis login id", "username", "github_username"),
    "section": ("sections",),
}
_FIRST_NAMES, _LAST_NAMES = ("first name", "firstname"), ("last name", "lastname", "surname")


def find(given: Path | None, paths: Iterable[Path], names: Sequence[str] = ()) -> dict[str, Student]:
    """The roster that was given, else those that lie in the folders to grade, by file.

    names: the submissions; a line without a file is that of the submission called after its student.
    """
    if given is None:
        return join(read_if_there(path / COLLECTED) for path in paths if path.is_dir())
    students = rows(_text(given), given)
    named = {student.file: student for student in students if student.file}
    unnamed = [student for student in students if not student.file]
    return {**_called_after(unnamed, [name for name in names if name not in named]), **named}


def read(path: Path) -> dict[str, Student]:
    """A roster by file name."""
    return {student.file: student for student in rows(_text(path), path) if student.file}


def rows(text: str, path: Path) -> list[Student]:
    """All lines of a roster; columns may be missing or more, in any order, and called as a platform calls them."""
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)  # a spreadsheet writes semicolons where the comma is in numbers
    try:
        reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
        there = {heading.strip().casefold(): heading for heading in reader.fieldnames or ()}
        columns = {
            column: next((there[name] for name in (column, *_HEADINGS.get(column, ())) if name in there), "")
            for column in COLUMNS
        }
        first, last = (
            next((there[name] for name in choices if name in there), "") for choices in (_FIRST_NAMES, _LAST_NAMES)
        )
        if not any(columns.values()):
            raise RosterError(
                f"{path} has none of the columns {', '.join(COLUMNS)}; its first line is: {for_csv(head, 200)}"
            )
        students: list[Student] = []
        for line in reader:
            values = {column: _unguarded((line.get(heading) or "").strip()) for column, heading in columns.items()}
            if not values["name"]:
                values["name"] = f"{line.get(first) or ''} {line.get(last) or ''}".strip()
            known = any(value for column, value in values.items() if column != "name")
            if known or values["name"] not in ("", "Points Possible"):  # a line of Canvas's that is no student
                students.append(Student(**values))
        return students
    except csv.Error as error:
        raise RosterError(f"{path} is no table: {error}") from None


def class_list(path: Path) -> list[Student]:
    """All students of a class list, whether a file is theirs or not."""
    return rows(_text(path), path)


def missing(roster_students: Iterable[Student], present: Iterable[Student]) -> list[Student]:
    """Who of the class list is none of those present, by number, login or address, else by a name."""
    there = {key for student in present for key in _identities(student)}
    return [student for student in roster_students if not there.intersection(_identities(student))]


def _identities(student: Student) -> list[tuple[str, str]]:
    keys = (("id", student.id), ("platform", student.platform), ("login", student.login), ("email", student.email))
    return [(kind, key.casefold()) for kind, key in keys if key] or [("name", words(student.name))]


def words(name: str) -> str:
    """A name's words in any order: `Doe, Jane` and `jane_doe` are the same; `doejane` only when it is so written."""
    text = unicodedata.normalize("NFKC", name).casefold().replace("_", " ")
    return " ".join(sorted(re.findall(r"\w+", text)))


def read_if_there(path: Path) -> dict[str, Student]:
    """A roster, or none."""
    return read(path) if path.is_file() else {}


def join(rosters: Iterable[Mapping[str, Student]]) -> dict[str, Student]:
    """All of them together."""
    return {file: student for roster in rosters for file, student in roster.items()}


def write(students: Mapping[str, Student], folder: Path) -> None:
    """Keeps the roster with the results, when there is one."""
    if students:
        write_atomically(folder / FILE, table(COLUMNS, [astuple(student) for student in students.values()]))


def table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """A CSV table in which no text is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for line in lines:
        writer.writerow([for_csv(value) if isinstance(value, str) else value for value in line])
    return text.getvalue()


def _unguarded(text: str) -> str:
    """Without the apostrophe that `for_csv` put before what looks like a formula."""
    return text[1:] if text.startswith("'") and for_csv(text[1:]) == text else text


def _called_after(students: Sequence[Student], names: Iterable[str]) -> dict[str, Student]:
    """Submissions whose file, or a folder above it, is called as exactly one student is."""
    called: dict[str, set[Student]] = {}
    for student in students:
        local = student.email.partition("@")[0]
        for key in (student.id, student.login, student.email, local, student.name):
            if words(key):
                called.setdefault(words(key), set()).add(student)
    found: dict[str, Student] = {}
    for name in names:
        path = PurePosixPath(name)
        fitting = [called.get(words(part), set()) for part in (path.stem, *path.parts[:-1])]
        owners = set[Student]().union(*fitting)
        if len(owners) == 1:
            found[name] = replace(owners.pop(), file=name)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RosterError(f"{path} is not UTF-8 text: save it as CSV UTF-8") from None
