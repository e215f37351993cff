"""Tables that Canvas, Moodle and Gradescope take: grades by student, in each one's columns.

Sources. Canvas: Instructor Guide, "How do I import grades in the Gradebook?" (Student, ID, SIS User ID, SIS Login ID,
Section, then one column for an assignment, named after it; a row `Points Possible` first), and as observed of its
importer: a student is found by ID, Canvas's own number, else by the SIS numbers, else by name; any row whose first cell
has the words `Points Possible` sets the points; a comma or a point before the last digits is the decimal sign. Moodle:
see `worksheet`, and its documentation of "Grade import" (columns are matched by hand; Username, ID number and Email
address find a user). Gradescope: the columns of its grade export. Untried on live platforms. Where the grader failed
the points are left empty: a 0 would be a grade.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from autograder.records import worksheet as worksheets
from autograder.records.identity import Claim, Matches, match
from autograder.records.people import Person, participant
from autograder.records.roster import PARTICIPANT, Student, table
from autograder.records.run import Run, write_atomically
from autograder.records.worksheet import OURS, Worksheet
from autograder.report.feedback import steps_in_words
from autograder.report.grades import Row
from autograder.text import csv_text, for_csv, for_html_cell, for_terminal, number, signed

Graded = Sequence[tuple[Row, Student]]


@dataclass(frozen=True)
class Class:
    """A class as its tables need it."""

    run: Run
    graded: Graded
    absent: Graded = ()
    """Students without a submission who get a line all the same."""
    worksheet: Worksheet | None = None

    @property
    def everyone(self) -> Graded:
        """All who have a line."""
        return [*self.graded, *self.absent]


def with_students(rows: Sequence[Row], students: Mapping[str, Student]) -> Graded:
    """Rows with their students; the file's stem is the name of an unknown one."""
    return [(row, students.get(row.file) or Student(file=row.file, name=row.stem)) for row in rows]


def write_tables(whole: Class, folder: Path) -> list[str]:
    """Writes the tables; returns what the instructor must know before uploading them."""
    moodle, notes = _moodle(whole)
    notes = [*_above(whole), *notes]
    write_atomically(folder / "canvas.csv", _canvas(whole))
    write_atomically(folder / "moodle.csv", moodle)
    write_atomically(folder / "moodle_gradebook.csv", _moodle_gradebook(whole))
    write_atomically(folder / "gradescope.csv", _gradescope(whole))
    return notes


def _above(whole: Class) -> list[str]:
    """A warning where grades are above the maximum that a platform knows."""
    maximum = whole.run.possible
    if whole.worksheet is not None and whole.worksheet.maximum is not None:
        maximum = whole.worksheet.maximum
    above = [row.earned for row, _ in whole.everyone if row.graded and row.earned > maximum + 1e-9]
    if not above:
        return []
    bonus = sum(
        float(question["points"]) for question in whole.run.questions if question["bonus"] and not whole.run.cap
    )
    to = number(max(float(math.ceil(max(above))), whole.run.possible + bonus))
    grades = "1 grade is" if len(above) == 1 else f"{len(above)} grades are"
    return [
        f"{grades} above the maximum of {number(maximum)} points (the highest is {number(max(above))}). Moodle "
        f"silently skips such a grade: set the maximum to {to} in Moodle before you upload"
        f"{'' if whole.run.cap else ', or cap them with --cap'}. Canvas takes them as they are"
    ]


def _canvas(whole: Class) -> str:
    lines: list[Sequence[object]] = [("    Points Possible", "", "", "", "", whole.run.possible)]
    for row, student in whole.everyone:
        own, theirs = student.id, student.platform
        if not theirs.isdecimal():
            own, theirs = ("", own) if own.isdecimal() else (own, "")
        own = "" if own == theirs or own.startswith(PARTICIPANT) else own
        name = re.sub(r"(?i)points\s+possible", "Points-Possible", student.name)
        lines.append((name, theirs, own, student.login, student.section, _points(row)))
    return table(("Student", "ID", "SIS User ID", "SIS Login ID", "Section", whole.run.title), lines)


def _moodle(whole: Class) -> tuple[str, list[str]]:
    if whole.worksheet is not None:
        return _filled(whole, whole.worksheet)
    header = ("Identifier", "Username", "ID number", "Full name", "Email address", "Grade", "Last modified (grade)")
    lines: list[list[object]] = []
    nameless: list[Row] = []
    for row, student in whole.everyone:
        one = participant(student)
        identifier = student.platform or student.id if one else ""
        own = "" if student.id == identifier else student.id
        if not one:
            nameless.append(row)
        who = (identifier, student.login, own, student.name, student.email)
        lines.append([*map(for_csv, who), _points(row), "", _comment(row, whole)])
    notes: list[str] = []
    if 0 < len(nameless) < len(lines):
        notes.append(
            f"{_some(nameless)} without Moodle's participant number: Moodle skips their lines in moodle.csv. "
            "Use moodle_gradebook.csv, or give Moodle's own grading worksheet with --worksheet"
        )
    return csv_text((*header, "Feedback comments"), lines), notes


def _filled(whole: Class, sheet: Worksheet) -> tuple[str, list[str]]:
    """Moodle's own worksheet with grades in it."""
    matches = _lines_of([one for _, one in whole.everyone], [row.file for row, _ in whole.everyone], sheet)
    grades: dict[int, tuple[float | None, str]] = {}
    unmatched: list[Row] = []
    for (row, _), index in zip(whole.everyone, matches.owners, strict=True):
        if index is None:
            unmatched.append(row)
        else:
            points = _points(row)
            grades[index] = (points if isinstance(points, float) else None, _comment(row, whole))
    notes = [f"in Moodle's worksheet {note}: the line stays as it is" for note in matches.notes[:20]]
    if len(matches.notes) > 20:
        notes.append(f"… and {len(matches.notes) - 20} more that fit a line of Moodle's worksheet with others")
    if whole.run.missing == "zero":
        taken = {*grades, *matches.contested}
        left = [index for index, row in enumerate(sheet.rows) if index not in taken and not row[sheet.grade].strip()]
        grades |= {index: (0.0, for_html_cell([f"{OURS}: nothing handed in."])) for index in left}
    if unmatched:
        notes.append(f"{_some(unmatched)} without a line in Moodle's worksheet: their grades are not in moodle.csv")
    if sheet.modified is None:
        notes.append(
            "Moodle's worksheet has no column for the last change of the grade that was recognised; Moodle requires one"
        )
    return sheet.filled(grades).text(), notes


def line_of(person: Person, everyone: Sequence[Person], sheet: Worksheet) -> int | None:
    """Somebody's line in Moodle's worksheet; everyone: who else may have a line there."""
    owners = _lines_of([one.student for one in everyone], [one.label for one in everyone], sheet).owners
    return next((owner for one, owner in zip(everyone, owners, strict=True) if one.key == person.key), None)


def _lines_of(students: Sequence[Student], labels: Sequence[str], sheet: Worksheet) -> Matches:
    """Which line belongs to which student."""
    claims = [
        Claim(_with_participant(student), shown=for_terminal(label, 80))
        for student, label in zip(students, labels, strict=True)
    ]
    return match(claims, [Student(name=one.name, email=one.email, platform=one.identifier) for one in sheet.entries()])


def _with_participant(student: Student) -> Student:
    """Files of earlier versions have Moodle's participant in `id`."""
    number = participant(student)
    return replace(student, id="", platform=student.id) if number and not student.platform else student


def _moodle_gradebook(whole: Class) -> str:
    header = ("Username", "ID number", "Email address", "Full name", for_csv(whole.run.title), "Feedback")
    lines: list[list[object]] = []
    for row, student in whole.everyone:
        own = "" if student.id.startswith(PARTICIPANT) else student.id
        who = (student.login, own, student.email, student.name)
        lines.append([*map(for_csv, who), _points(row), _comment(row, whole)])
    return csv_text(header, lines)


def _gradescope(whole: Class) -> str:
    names = [str(question["name"]) for question in whole.run.questions]
    header = ("Name", "SID", "Email", "Sections", "Total Score", "Max Points", "Status", "Submission ID")
    return table(
        (*header, "Submission Time", "Lateness (H:M:S)", *names),
        [
            (
                student.name,
                student.id,
                student.email,
                student.section,
                _points(row),
                whole.run.possible,
                "Missing" if row.status == "missing" else "Graded" if row.graded else "Ungraded",
                "",
                student.submitted,
                _clock(row.final.late) if student.submitted else "",
                *("" if row.blank else row.scores.get(name, 0.0) for name in names),
            )
            for row, student in whole.everyone
        ],
    )


def _clock(late: timedelta) -> str:
    seconds = int(late.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _points(row: Row) -> float | str:
    return row.earned if row.graded else ""


def _comment(row: Row, whole: Class) -> str:
    """For a column that Moodle shows as HTML."""
    lines = [f"{OURS}: {number(row.earned)} of {number(whole.run.possible)} points."]
    if row.status == "unreadable":
        lines.append(f"This file could not be graded. {row.problem}")
    elif row.status == "missing":
        lines = [f"{OURS}: nothing handed in."]
    elif not row.graded:
        return ""
    lines += [
        f"{text}: {signed(points) if place else number(points)}"
        for place, (text, points) in enumerate(steps_in_words(row.final))
    ]
    return for_html_cell(lines)


def readme(whole: Class, notes: Sequence[str]) -> str:
    """README.txt: where each file is uploaded, and what to know before."""
    number_of = len(whole.everyone)
    warnings = "".join(f"- {note}.\n" for note in notes) or "- nothing special.\n"
    sheet = (
        "your grading worksheet with the grades filled in"
        if whole.worksheet is not None
        else "a grading worksheet with English headings. A site in another language asks for its own:\n"
        "                        download it there, and give it to `autograder report OUT --worksheet FILE`"
    )
    return f"""{for_terminal(whole.run.title, 200)}: {number_of} lines in each table.
Not tested on your platform: check its preview before you confirm.

Know before you upload
{warnings}
Tables (do not save them from a spreadsheet: it turns 7.5 into a date where numbers have a comma)
  canvas.csv            Grades, Import. The last column is named after the assignment: give it the assignment's name
                        in Canvas. A student is found by the column ID (Canvas's number), else SIS ids, else the name.
  moodle.csv            The assignment, View all submissions, Upload grading worksheet:
                        {sheet}.
                        Tick "Allow updating records that have been modified more recently in Moodle" when grades
                        are there already: Moodle skips them otherwise.
  moodle_gradebook.csv  Grades, Import, CSV file; map Email address, ID number or Username.
  gradescope.csv        The columns of Gradescope's export, to compare or keep: it takes no table for a
                        programming assignment.

Feedback (written when the names in the platform's own download are known)
  moodle_feedback.zip   The assignment, View all submissions, Upload multiple feedback files in a zip.
  canvas_feedback.zip   The assignment, Re-upload submissions (after Download submissions). Canvas finds the student by
                        the name of the file, and shows it under the name of what was handed in.
  mail.mbox             One message for each student with an address. Nothing is sent: open it in a mail program, or
                        send it with a tool of yours; --mail-from sets the sender.
  repositories/         A FEEDBACK.md for each cloned repository; `autograder post-feedback OUT CLONES` pushes them.
"""


def some_files(files: Sequence[str]) -> str:
    """Their number, and the first of them."""
    shown = ", ".join(for_terminal(file, 60) for file in files[:5])
    more = f" and {len(files) - 5} more" if len(files) > 5 else ""
    return f"{len(files)} {'submission' if len(files) == 1 else 'submissions'} ({shown}{more})"


def _some(rows: Sequence[Row]) -> str:
    return some_files([row.file for row in rows])


def read_worksheet(out: Path) -> Worksheet | None:
    """The worksheet kept with the results, if any."""
    return worksheets.read(out / worksheets.FILE)
