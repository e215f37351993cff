"""A class of thirty, from a platform's download to the platform's imports: every grade and every page arrives."""

import csv
import functools
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import importers
import pytest
from downloads import ASSIGNMENT, LIMITS, OTHERS, PLATFORMS, Expected, simulated
from graded_class import LATE, RUN, result, write_class

from autograder.assignment import Assignment
from autograder.grading.grade import Order, grade
from autograder.records import inputs, roster
from autograder.records.adjustments import ADJUSTMENTS, EXTENSIONS
from autograder.records.journal import Record
from autograder.records.people import participant
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.records.roster import Student
from autograder.report.statistics import Statistics
from autograder.report.write import write_everything
from autograder.submissions.batch import Entry
from autograder.submissions.collect import collect

COUNT = 30
PASSED = [("q1",), ("q1", "q2"), ("q1", "q2", "q3"), ("q2",), ()]
POINTS = [6.0, 10.0, 12.0, 4.0, 0.0]


def name(number: int) -> str:
    """Two share a name, and one has an accent."""
    return {7: "Student Number Six", 8: "Zoë Müller-Óg"}.get(number, f"Student Number {number}")


def download(platform: str, folder: Path) -> Path:
    """The unpacked download of a class."""
    folder.mkdir()
    for number in range(COUNT):
        if platform == "moodle":
            place = folder / f"{name(number)}_{1000 + number}_assignsubmission_file_"
            place.mkdir()
            (place / "toy.ipynb").write_text(f'{{"cells": [], "n": {number}}}')
        else:
            squeezed = f"number{number}student{'_LATE' if number % 5 == 0 else ''}"
            (folder / f"{squeezed}_{100 + number}_{9000 + number}_toy.ipynb").write_text(f'{{"n": {number}}}')
    return folder


def number_of(student: Student) -> int:
    """Which of the thirty somebody is, by the platform's own number."""
    found = participant(student)
    return int(found) - 1000 if found else int(student.platform or student.id) - 100


def graded(platform: str, tmp_path: Path, **run: Any) -> tuple[Path, list[Student]]:
    """The download collected, and results as grading it would write them."""
    collect(download(platform, tmp_path / "download"), "toy", tmp_path / "collected")
    students = list(roster.read(tmp_path / "collected" / roster.COLLECTED).values())
    assert len(students) == COUNT
    results = [result(one.file, *PASSED[number_of(one) % 5]) for one in students]
    sources = inputs.collected_sources([tmp_path / "collected"])
    return write_class(tmp_path / "out", results, students, sources=sources, **run), students


@pytest.mark.parametrize("platform", ["moodle", "canvas"])
def test_thirty_hand_ins_come_back_as_thirty_grades_and_thirty_pages(platform: str, tmp_path: Path) -> None:
    out, students = graded(platform, tmp_path)
    write_everything(out)
    lms = out / "lms"
    if platform == "moodle":
        numbers = [str(1000 + number) for number in range(COUNT)]
        found = importers.moodle_worksheet((lms / "moodle.csv").read_text(encoding="utf-8"), numbers, 12)
        pages = importers.moodle_feedback((lms / "moodle_feedback.zip").read_bytes(), numbers)
        wanted = {str(1000 + number): POINTS[number % 5] for number in range(COUNT)}
    else:
        course = [
            {"id": str(100 + number), "sis": f"s{number}", "login": f"l{number}", "name": name(number)}
            for number in range(COUNT)
        ]
        found = importers.canvas((lms / "canvas.csv").read_text(encoding="utf-8"), course, RUN.title)
        attachments = {(str(100 + number), str(9000 + number)): "toy.ipynb" for number in range(COUNT)}
        pages = importers.canvas_feedback((lms / "canvas_feedback.zip").read_bytes(), attachments)
        wanted = {str(100 + number): POINTS[number % 5] for number in range(COUNT)}
    assert found.grades == wanted
    assert found.skipped == []
    assert set(pages) == set(wanted)
    assert len(students) == COUNT


def test_thirty_hand_ins_go_into_a_german_worksheet_with_late_and_changed_grades(tmp_path: Path) -> None:
    sheet = tmp_path / "Bewertungen.csv"
    lines = [
        f'Teilnehmer/in{1000 + number},{name(number)},s{number}@example.edu,"Zur Bewertung abgegeben",,"12,00",-,'
        for number in range(COUNT)
    ]
    header = "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Bestwertung,Zuletzt geändert (Bewertung)"
    sheet.write_text("\n".join([f"{header},Feedback als Kommentar", *lines]) + "\n", encoding="utf-8")
    out, _ = graded("moodle", tmp_path, worksheet=sheet, late=LATE)
    (out / EXTENSIONS).write_text("student,submitted\n1001,2026-05-03T01:00:00+02:00\n")
    (out / ADJUSTMENTS).write_text("student,question,points,reason\n1002,q2,-0.25,a number too few\n")
    write_everything(out)
    text = (out / "lms" / "moodle.csv").read_text(encoding="utf-8")
    numbers = [str(1000 + number) for number in range(COUNT)]
    found = importers.moodle_worksheet(text, numbers, 12, importers.GERMAN)
    wanted = {str(1000 + number): POINTS[number % 5] for number in range(COUNT)}
    assert found.grades == wanted | {"1001": 8.0, "1002": 11.75}  # 20 % of 10, and 12 - 0.25
    assert "11,75" in text
    assert "20 % of the points earned" in found.comments["1001"]


def test_a_short_worksheet_keeps_its_headings_and_says_what_moodle_will_miss(tmp_path: Path) -> None:
    sheet = tmp_path / "short.csv"
    sheet.write_text(
        "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Bestwertung\n"
        "Teilnehmer/in700001,Änne Müller,am@example.edu,Zur Bewertung abgegeben,,35\n",
        encoding="utf-8",
    )
    student = Student("am.ipynb", name="Müller, Änne", email="am@example.edu")
    out = write_class(tmp_path / "out", [result("am.ipynb", "q1")], [student], worksheet=sheet)
    (out / ADJUSTMENTS).write_text("student,points\nam,1.5\n")
    notes = write_everything(out).notes
    rows = list(csv.reader(io.StringIO((out / "lms" / "moodle.csv").read_text(encoding="utf-8"))))
    assert rows == [
        ["ID", "Vollständiger Name", "E-Mail-Adresse", "Status", "Bewertung", "Bestwertung"],
        ["Teilnehmer/in700001", "Änne Müller", "am@example.edu", "Zur Bewertung abgegeben", "7,5", "35"],
    ]
    assert any("no column for the last change of the grade" in note for note in notes)


# --- what really is in a download: files of every kind, and some who hand in nothing ----------------------------------


class ByHand:
    """A grader that knows what each file is worth, by what is in it; what is no notebook it cannot read."""

    def __init__(self, worth: dict[bytes, float]) -> None:
        self.worth = worth
        self.isolation = ["by hand"]

    def __enter__(self) -> "ByHand":
        return self

    def __exit__(self, *exception: object) -> None: ...

    def grade(self, entries: Sequence[Entry]) -> Iterator[Record]:
        for entry in entries:
            points = self.worth[entry.path.read_bytes()]
            case = CaseResult("test_q1_a", "a", points, False, True, "")
            made = SubmissionResult(entry.name, "completed", (QuestionResult("q1", "One", 35.0, False, (case,)),))
            if not points:
                made = SubmissionResult(entry.name, "unreadable", problem="This is no notebook.")
            yield Record(entry.name, entry.stem, "00", made)


@dataclass(frozen=True)
class GradedDownload:
    """A download of thirty, collected and graded; tests read it and leave it alone."""

    expected: Expected
    wanted: dict[str, float]
    """What each of them has to get, by their own number."""
    statistics: Statistics
    lms: Path
    """The folder of what goes back to the platform."""


def graded_download(platform: str, folder: Path, **order: Any) -> GradedDownload:
    expected = simulated(platform, folder)
    collect(expected.download, ASSIGNMENT, folder / "collected", expected.roster, LIMITS, OTHERS)
    wanted = {student.id: 0.0 for student in expected.students}
    worth: dict[bytes, float] = {}
    for place, student in enumerate(expected.students):
        content = expected.taken.get(student.id)
        if content is not None:
            readable = not content.startswith((b"<<<<<<<", b"<!DOCTYPE"))
            wanted[student.id] = worth.setdefault(content, 1 + place / 4 if readable else 0.0)
    grade(
        Order(
            assignment=Assignment.load(ASSIGNMENT),
            paths=(folder / "collected",),
            out=folder / "out",
            seed="s",
            contract="0" * 64,
            roster=expected.roster,
            missing="zero",
            grader=lambda: ByHand(worth),
            **order,
        )
    )
    return GradedDownload(expected, wanted, write_everything(folder / "out"), folder / "out" / "lms")


Download = Callable[[str], GradedDownload]


@pytest.fixture(scope="module")
def download_of(tmp_path_factory: pytest.TempPathFactory) -> Download:
    """The graded download of a platform, graded when it is first asked for."""

    @functools.cache
    def graded(platform: str) -> GradedDownload:
        return graded_download(platform, tmp_path_factory.mktemp(platform))

    return graded


@pytest.mark.parametrize("platform", PLATFORMS)
def test_of_thirty_everyone_has_one_line_in_the_grades(platform: str, download_of: Download) -> None:
    expected, statistics = download_of(platform).expected, download_of(platform).statistics
    assert len(statistics.rows) == 30 - len(expected.missing)  # everyone of a group has a line of their own
    assert len(statistics.absent) == len(expected.missing)
    assert len(statistics.not_graded) >= len(expected.refused)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_everyone_of_thirty_gets_their_own_points_from_canvas_table(platform: str, download_of: Download) -> None:
    graded = download_of(platform)
    expected, wanted = graded.expected, graded.wanted
    course = [
        {"id": one.platform, "sis": one.id, "login": one.login, "name": one.name if platform == "canvas" else ""}
        for one in expected.students
    ]
    text = (graded.lms / "canvas.csv").read_text(encoding="utf-8")
    found = importers.canvas(text, course, Assignment.load(ASSIGNMENT).title)
    assert found.grades == {one.platform: wanted[one.id] for one in expected.students}
    assert found.skipped == []


@pytest.mark.parametrize("platform", ["moodle", "moodle-flat"])
def test_everyone_of_thirty_gets_their_own_points_from_moodles_worksheet(platform: str, tmp_path: Path) -> None:
    students = simulated(platform, tmp_path / "first").students
    header = "ID,Vollständiger Name,E-Mail-Adresse,Bewertung,Bestwertung,Zuletzt geändert (Bewertung)"
    lines = [f'Teilnehmer/in{one.platform},{one.name},{one.email},,"35,00",-,' for one in students]
    sheet = tmp_path / "Bewertungen.csv"
    sheet.write_text("\n".join([f"{header},Feedback als Kommentar", *lines]) + "\n", encoding="utf-8")
    graded = graded_download(platform, tmp_path, worksheet=sheet)
    expected, wanted = graded.expected, graded.wanted
    numbers = [one.platform for one in expected.students]
    text = (graded.lms / "moodle.csv").read_text(encoding="utf-8")
    found = importers.moodle_worksheet(text, numbers, 35, importers.GERMAN)
    assert found.grades == {one.platform: wanted[one.id] for one in expected.students}
    assert set(found.comments) == set(numbers)
    assert found.skipped == []


@pytest.mark.parametrize("platform", ["gradescope", "plain", "classroom"])
def test_everyone_of_thirty_is_in_the_table_with_gradescopes_columns(platform: str, download_of: Download) -> None:
    graded = download_of(platform)
    text = (graded.lms / "gradescope.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(row["SID"] for row in rows) == sorted(one.id for one in graded.expected.students)
    assert {row["SID"]: float(row["Total Score"]) for row in rows} == graded.wanted


@pytest.mark.parametrize("platform", ["canvas", "moodle", "moodle-flat", "classroom"])
def test_whoever_handed_in_a_file_gets_a_page_back(platform: str, download_of: Download) -> None:
    expected, lms = download_of(platform).expected, download_of(platform).lms
    if platform == "canvas":
        names = [re.search(r"_(\d+)_(\d+)_([^/]+)$", entry) for entry in expected.entries]
        attachments = {(match[1], match[2]): match[3] for match in names if match}
        found = set(importers.canvas_feedback((lms / "canvas_feedback.zip").read_bytes(), attachments))
    elif platform == "classroom":
        found = {path.parent.name for path in (lms / "repositories").glob("*/FEEDBACK.md")}
    else:
        numbers = [one.platform for one in expected.students]
        found = set(importers.moodle_feedback((lms / "moodle_feedback.zip").read_bytes(), numbers))
    of = {one.id: one.login if platform == "classroom" else one.platform for one in expected.students}
    assert {of[number] for number in expected.taken} <= found
    assert found <= {of[number] for number in {*expected.taken, *expected.refused}}
