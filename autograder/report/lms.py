"""Tables that Canvas, Moodle and Gradescope take: grades by student, in each one's columns.

Sources: Canvas, lib/gradebook_importer.rb (Student, ID, SIS User ID, SIS Login ID, Section, then one column an
assignment, found by its title; a row `Points Possible` first; a student is found by ID, else login, else name);
Moodle, mod/assign/feedback/offline/importgradeslib.php ("Upload grading worksheet" needs Identifier, Grade and
Last modified (grade)) and the gradebook's "Import" (columns are matched by hand: Username, ID number, Email address);
Gradescope, the columns of its grade export. Where the grader failed the points are left empty: a 0 would be a grade.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.engine.output import write_atomically
from autograder.report.grades import Row
from autograder.report.roster import Student, table


def write_lms(
    rows: Sequence[Row],
    students: Mapping[str, Student],
    title: str,
    questions: Sequence[dict[str, Any]],
    folder: Path,
) -> None:
    """Writes canvas.csv, moodle.csv and gradescope.csv; without a roster the file's stem stands for the
    student."""
    graded = [(row, students.get(row.file) or Student(file=row.file, name=row.stem)) for row in rows]
    possible = sum(float(question["points"]) for question in questions if not question["bonus"])
    names = [str(question["name"]) for question in questions]
    write_atomically(folder / "canvas.csv", _canvas(graded, title, possible))
    write_atomically(folder / "moodle.csv", _moodle(graded))
    write_atomically(folder / "gradescope.csv", _gradescope(graded, possible, names))


def _canvas(graded: Iterable[tuple[Row, Student]], title: str, possible: float) -> str:
    lines: list[Sequence[object]] = [("    Points Possible", "", "", "", "", possible)]
    lines += [
        (student.name, student.platform or student.id, "", student.login, student.section, _points(row))
        for row, student in graded
    ]
    return table(("Student", "ID", "SIS User ID", "SIS Login ID", "Section", title), lines)


def _moodle(graded: Iterable[tuple[Row, Student]]) -> str:
    lines: list[Sequence[object]] = []
    for row, student in graded:
        who = (student.platform, student.login, student.id, student.name, student.email)
        lines.append((*who, _points(row), "", _comment(row)))
    header = ("Identifier", "Username", "ID number", "Full name", "Email address")
    return table((*header, "Grade", "Last modified (grade)", "Feedback comments"), lines)


def _gradescope(graded: Iterable[tuple[Row, Student]], possible: float, names: Sequence[str]) -> str:
    header = ("Name", "SID", "Email", "Sections", "Total Score", "Max Points", "Status", *names)
    return table(
        header,
        [
            (
                student.name,
                student.id,
                student.email,
                student.section,
                _points(row),
                possible,
                "Graded" if row.graded and row.status in ("completed", "timed out") else "Ungraded",
                *(row.scores.get(name, 0.0) for name in names),
            )
            for row, student in graded
        ],
    )


def _points(row: Row) -> float | str:
    return row.earned if row.status == "unreadable" or row.graded else ""


def _comment(row: Row) -> str:
    if row.status == "unreadable":
        return f"This file could not be graded. {row.problem}"
    return f"See the page feedback/{row.stem}.html" if row.graded else "To be looked at."
