"""Platforms' importers, written anew from documented and observed behaviour: what a table does when it is uploaded.

Canvas: Instructor Guide, "How do I import grades in the Gradebook?"; Moodle: documentation, "Using Assignment" (grading
worksheet, feedback files in a zip) and "Grade import"; what each one passes over is in `autograder.report.lms`,
`worksheet` and `archives`.
"""

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Imported:
    """What a platform has after an upload."""

    grades: dict[str, float] = field(default_factory=dict[str, float])
    """By the platform's own number of the student."""
    comments: dict[str, str] = field(default_factory=dict[str, str])
    possible: float | None = None
    skipped: list[str] = field(default_factory=list[str])
    """Lines that belong to nobody, or whose grade is not taken."""


def canvas(text: str, course: Sequence[Mapping[str, str]], assignment: str) -> Imported:
    """Canvas's gradebook import. course: id, sis, login, name of each student."""
    delimiter = ";" if text.split("\n")[0].count(";") > text.split("\n")[0].count(",") else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    header = rows[0]
    assert "Student" in header[0]
    assert "ID" in header[1]
    width = 5 if header[2:4] == ["SIS User ID", "SIS Login ID"] else 4 if header[2] == "SIS Login ID" else 3
    assert "Section" in header[width - 1]
    column = header.index(assignment)
    assert column >= width
    found = Imported()
    for row in rows[1:]:
        if "Points Possible" in row[0]:
            found.possible = float(row[column])
            continue
        if all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell, re.IGNORECASE) for cell in row):
            continue
        keys = {"id": row[1], "sis": row[2], "login": row[3]} if width == 5 else {"id": row[1]}
        who = next((one for kind, key in keys.items() for one in course if key and one[kind] == key), None)
        who = who or next((one for one in course if one["name"] == row[0]), None)
        if who is None:
            found.skipped.append(row[0])
        elif row[column].strip() not in ("", "-"):
            found.grades[who["id"]] = _canvas_number(row[column])
    return found


def _canvas_number(text: str) -> float:
    assert re.fullmatch(r"-?[0-9.,]+%?", text), text
    *whole, last = re.split(r"[.,]", text)
    return float(f"{''.join(whole)}.{last}") if whole else float(last)


@dataclass(frozen=True)
class Language:
    """How a Moodle site in a language calls things."""

    identifier: str
    grade: str
    modified: str
    comments: str
    participant: str
    decimal: str


ENGLISH = Language("Identifier", "Grade", "Last modified (grade)", "Feedback comments", "Participant ", ".")
GERMAN = Language("ID", "Bewertung", "Zuletzt geändert (Bewertung)", "Feedback als Kommentar", "Teilnehmer/in", ",")
FRENCH = Language(
    "Identifiant", "Note", "Dernière modification (note)", "Feedback par commentaires", "Participant", ","
)
LANGUAGES = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}


def moodle_worksheet(text: str, participants: Sequence[str], maximum: float, language: Language = ENGLISH) -> Imported:
    """Upload grading worksheet, into an assignment without grades. participants: the numbers."""
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    header = rows[0]
    for heading in (language.identifier, language.grade, language.modified):
        assert heading in header, f"invalid import: no column {heading}"
    found = Imported()
    for row in rows[1:]:
        number = row[header.index(language.identifier)][len(language.participant) :]
        if number not in participants:
            found.skipped.append(row[0])
            continue
        grade = row[header.index(language.grade)].replace(" ", "").replace(language.decimal, ".")
        if grade:
            points = float(re.match(r"-?\d*\.?\d*", grade)[0] or 0)  # type: ignore[index]
            if 0 <= points <= maximum:
                found.grades[number] = points
            else:
                found.skipped.append(number)
        if language.comments in header and row[header.index(language.comments)]:
            found.comments[number] = row[header.index(language.comments)]
    return found


def moodle_gradebook(text: str, course: Mapping[str, str], match: str, item: str) -> Imported:
    """The gradebook's import, with a user found by the column `match`. course: that field, and the user's number."""
    found = Imported()
    for row in csv.DictReader(io.StringIO(text)):
        user = course.get(row[match])
        if user is None:
            found.skipped.append(row[match])
        elif row[item]:
            found.grades[user] = float(row[item])
            found.comments[user] = row["Feedback"]
    return found


def moodle_feedback(archive: bytes, participants: Sequence[str]) -> dict[str, dict[str, bytes]]:
    """Upload multiple feedback files in a zip: the files that each participant gets, by name."""
    found: dict[str, dict[str, bytes]] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as content:
        for name in content.namelist():
            parts = name.split("/")
            if parts[-1].startswith((".", "~")):
                continue
            while parts:
                info = parts.pop(0).split("_", 4)
                if len(info) >= 4 and info[1].isdigit() and info[1] in participants and info[2:4] == _PLUGIN:
                    rest = "/".join([*info[4:], *parts]).lstrip("/")
                    found.setdefault(info[1], {})[rest] = content.read(name)
                    break
    return found


_PLUGIN = ["assignsubmission", "file"]


def canvas_feedback(archive: bytes, attachments: Mapping[tuple[str, str], str]) -> dict[str, dict[str, bytes]]:
    """Re-upload submissions: what each user gets, under the name of what they handed in.

    attachments: (user, attachment) and its name.
    """
    found: dict[str, dict[str, bytes]] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as content:
        for name in content.namelist():
            base = name.rpartition("/")[2]
            numbers = [part for part in base.split("_") if re.fullmatch(r"\d+", part)][:2]
            if base.startswith("._") or len(numbers) < 2 or (numbers[0], numbers[1]) not in attachments:
                continue
            found.setdefault(numbers[0], {})[attachments[numbers[0], numbers[1]]] = content.read(name)
    return found
