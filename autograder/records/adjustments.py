"""adjustments.csv and extensions.csv: what a person decides about grades and deadlines.

They lie in the output folder, belong to the instructor, and are read whenever grades are written: no command changes a
line of theirs, except `forget` for the student who is forgotten.

adjustments.csv: `file` or `student` (file, stem, number, login, address or name), `question` (empty: the whole score),
`points` (a difference: +2 or -1.5), `reason` (the student reads it).

extensions.csv: `file` or `student`, `until` (their own deadline), `submitted` (when they handed in, where the platform
did not say), `reason`. Times are ISO 8601; without a zone, that of the assignment's deadline.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.late import moment
from autograder.records import handwritten
from autograder.records.handwritten import Line
from autograder.records.people import People, PeopleError, Person, SeveralPeopleError
from autograder.records.run import write_atomically
from autograder.suggest import did_you_mean
from autograder.text import for_terminal

ADJUSTMENTS = "adjustments.csv"
EXTENSIONS = "extensions.csv"
_ADJUSTMENT_COLUMNS = ("file", "student", "question", "points", "reason")
_EXTENSION_COLUMNS = ("file", "student", "until", "submitted", "reason")
_POINTS = re.compile(r"[+-]?\d{1,6}(?:\.\d{1,6})?")
_COLUMNS = {ADJUSTMENTS: _ADJUSTMENT_COLUMNS, EXTENSIONS: _EXTENSION_COLUMNS}


@dataclass(frozen=True)
class Adjustment:
    """Points that a person adds or takes away."""

    who: Person
    question: str
    """Empty for the whole score."""
    points: float
    reason: str


@dataclass(frozen=True)
class Extension:
    """A deadline of one's own, or the time of a hand-in that the platform does not tell."""

    who: Person
    until: datetime | None
    submitted: datetime | None
    reason: str


def read_adjustments(path: Path, people: People, questions: Sequence[str], *, partial: bool) -> list[Adjustment]:
    """Those of a file, which may not be there.

    partial: not everyone is here yet, so an unknown student is not an error.
    """
    found: list[Adjustment] = []
    for line in _lines(path, ADJUSTMENTS):
        question = line.values["question"]
        if question and question not in questions:
            hint = did_you_mean(question, questions) or (
                f"; the questions are: {', '.join(questions)} (empty: the whole score)"
            )
            raise line.error(f"there is no question '{for_terminal(question, 60)}'{hint}")
        text = line.values["points"].replace("\u2212", "-").replace("＋", "+").replace(" ", "")
        text = text.replace(",", ".") if "." not in text else text
        if _POINTS.fullmatch(text) is None:
            raise line.error(
                f"points must be a difference like +2 or -1.5, got '{for_terminal(line.values['points'], 60)}'"
            )
        who = _who(line, people, partial)
        if who is not None:
            found.append(Adjustment(who, question, float(text), line.values["reason"]))
    return found


def read_extensions(path: Path, people: People, *, partial: bool) -> list[Extension]:
    """Those of a file; `partial` as above. One who has two is an error."""
    found: dict[tuple[str, ...], Extension] = {}
    for line in _lines(path, EXTENSIONS):
        times: dict[str, datetime | None] = {}
        for column in ("until", "submitted"):
            value = line.values[column]
            times[column] = moment(value) if value else None
            if value and times[column] is None:
                raise line.error(
                    f"{column} must be a date and a time like 2026-05-03T12:00+02:00, got '{for_terminal(value, 60)}'"
                )
        who = _who(line, people, partial)
        if who is None:
            continue
        if who.key in found:
            raise line.error(f"a second line for {for_terminal(who.label, 80)}: put both times into one")
        found[who.key] = Extension(who, times["until"], times["submitted"], line.values["reason"])
    return list(found.values())


def keep(given: Path, out: Path, name: str) -> str:
    """Keeps a table of the command line as the output folder's own; what to say, when it replaced another one.

    The earlier one stays there under the name `….before.csv`.
    """
    place = out / name
    handwritten.read(given, _COLUMNS[name])
    text = given.read_bytes()
    if place.exists():
        if place.samefile(given) or place.read_bytes() == text:
            return ""
        earlier = place.with_suffix(".before.csv")
        place.replace(earlier)
        place.write_bytes(text)
        return f"{name} is now that of {given}; the earlier one is in {earlier}"
    out.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text)
    return ""


def join(folders: Sequence[Path], out: Path) -> None:
    """The lines that shards have, in the joined folder: in the tables that lie there already, if any."""
    from autograder.records.roster import table

    for name, columns in _COLUMNS.items():
        rows: Counter[tuple[str | float, ...]] = Counter()
        for folder in (out, *folders):  # a line that one table has twice is meant twice
            lines = _lines(folder / name, name)
            rows |= Counter(tuple(_cell(column, line) for column in columns) for line in lines)
        if rows:
            write_atomically(out / name, table(columns, list(rows.elements())))


def without(out: Path, people: People, gone: Person) -> int:
    """Removes one person's lines; how many there were."""
    from autograder.records.roster import table

    removed = 0
    for name, columns in _COLUMNS.items():
        lines = _lines(out / name, name)
        left = [line for line in lines if _is_about(line, people) != gone.key]
        if len(left) < len(lines):
            removed += len(lines) - len(left)
            write_atomically(out / name, table(columns, [[_cell(column, line) for column in columns] for line in left]))
    return removed


def _cell(column: str, line: Line) -> str | float:
    value = line.values[column]
    return float(value) if column == "points" and _POINTS.fullmatch(value) else value


def _is_about(line: Line, people: People) -> tuple[str, ...] | None:
    try:
        who = _who(line, people, partial=True)
    except handwritten.HandwrittenError:
        return None
    return who.key if who is not None else None


def _lines(path: Path, name: str) -> list[Line]:
    return handwritten.read(path, _COLUMNS[name]) if path.exists() else []


def _who(line: Line, people: People, partial: bool) -> Person | None:
    word = line.values["file"] or line.values["student"]
    if not word:
        raise line.error("says neither `file` nor `student`")
    try:
        return people.find(word)
    except PeopleError as error:
        if partial and not isinstance(error, SeveralPeopleError):
            return None
        raise line.error(str(error)) from None
