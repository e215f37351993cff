"""Who handed in which file: a table with the columns file, id, name, email, login, section.

`autograder collect` writes it as submissions.csv next to the files it collects; a run keeps it as roster.csv,
and the tables for the learning platforms take names and numbers from it.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from autograder.engine.output import write_atomically
from autograder.report.escape import for_csv

FILE = "roster.csv"
COLLECTED = "submissions.csv"


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


COLUMNS = tuple(entry.name for entry in fields(Student))


def find(given: Path | None, paths: Iterable[Path]) -> dict[str, Student]:
    """The roster that was given, else those that lie in the folders to grade."""
    if given is not None:
        return read(given)
    return join(read_if_there(path / COLLECTED) for path in paths if path.is_dir())


def read(path: Path) -> dict[str, Student]:
    """A roster by file name."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RosterError(f"{path} cannot be read: {error}") from None
    return {student.file: student for student in rows(text, path) if student.file}


def rows(text: str, path: Path) -> list[Student]:
    """All lines of a roster; columns may be missing or more, in any order."""
    try:
        reader = csv.DictReader(io.StringIO(text))
        if not set(reader.fieldnames or ()) & set(COLUMNS):
            raise RosterError(f"{path} has none of the columns {', '.join(COLUMNS)}")
        return [Student(**{column: _unguarded(line.get(column) or "") for column in COLUMNS}) for line in reader]
    except csv.Error as error:
        raise RosterError(f"{path} is no table: {error}") from None


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
