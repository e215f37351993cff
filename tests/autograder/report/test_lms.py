"""Tables that import: each one uploaded to an importer that does what the platform is documented to do."""

import csv
import io
from html.parser import HTMLParser
from pathlib import Path

import importers
import pytest
from graded_class import POSSIBLE, result, write_class
from importers import ENGLISH, GERMAN, LANGUAGES
from nasty import NASTY

from autograder.records import worksheet
from autograder.records.adjustments import ADJUSTMENTS
from autograder.records.inputs import Given, InputError
from autograder.records.people import People
from autograder.records.results import SubmissionResult
from autograder.records.roster import Student
from autograder.report.write import write_everything

NAMES = ("ann", "bob", "cyd", "dan")
POINTS = {"ann": 12.0, "bob": 6.0, "cyd": 4.0, "dan": 0.0}


def results() -> list[SubmissionResult]:
    passed = {"ann": ("q1", "q2", "q3"), "bob": ("q1",), "cyd": ("q2",), "dan": ()}
    return [result(f"{name}.ipynb", *passed[name]) for name in NAMES]


def on_canvas() -> list[Student]:
    return [
        Student(
            f"{name}.ipynb", f"s{number}", f"{name.title()} Able", f"{name}@x.org", f"{name}1", platform=f"10{number}"
        )
        for number, name in enumerate(NAMES)
    ]


def on_moodle() -> list[Student]:
    return [
        Student(f"{name}.ipynb", "", f"{name.title()} Able", f"{name}@x.org", platform=f"Participant 70{number}")
        for number, name in enumerate(NAMES)
    ]


def read(out: Path, name: str) -> str:
    return (out / "lms" / name).read_text(encoding="utf-8")


def sheet(language: importers.Language, *, maximum: str = "12", comments: str = "", absent: str = "709") -> str:
    """A grading worksheet as a site in this language writes it."""
    heads = {ENGLISH: "Full name,Email address,Status", GERMAN: "Vollständiger Name,E-Mail-Adresse,Status"}
    head = heads.get(language, "Nom complet,Adresse de courriel,Statut")
    header = f"{language.identifier},{head},{language.grade},MAX,CHANGE,{language.modified},{language.comments}"
    rows = [
        f'{language.participant}70{number},{name.title()} Able,{name}@x.org,"So, late",,"{maximum}",Yes,-,{comments}'
        for number, name in reversed(list(enumerate(NAMES)))
    ]
    rows.append(f'{language.participant}{absent},Zoe Zett,zoe@x.org,No submission,,"{maximum}",Yes,-,')
    return "\n".join([header, *rows]) + "\n"


# --- Canvas -----------------------------------------------------------------------------------------------------------


def course_of(students: list[Student]) -> list[dict[str, str]]:
    return [{"id": one.platform, "sis": one.id, "login": one.login, "name": one.name} for one in students]


def test_canvas_takes_every_grade_bonus_included(tmp_path: Path) -> None:
    students = on_canvas()
    out = write_class(tmp_path / "out", results(), students)
    write_everything(out)
    found = importers.canvas(read(out, "canvas.csv"), course_of(students), "Toy & co")
    assert found.grades == {f"10{number}": POINTS[name] for number, name in enumerate(NAMES)}
    assert found.possible == POSSIBLE
    assert found.skipped == []


def test_canvas_finds_students_by_their_own_number_or_login_where_its_number_is_unknown(tmp_path: Path) -> None:
    students = on_canvas()
    without = [Student(**{**one.__dict__, "platform": "", "name": "?"}) for one in students]
    out = write_class(tmp_path / "out", results(), without)
    write_everything(out)
    found = importers.canvas(read(out, "canvas.csv"), course_of(students), "Toy & co")
    assert found.grades["101"] == 6.0
    assert found.skipped == []


def test_no_name_takes_another_line_or_the_points_possible_in_canvas(tmp_path: Path) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in NASTY]
    students = [
        Student(f"{number}.ipynb", "", text, "", text, text, f"{200 + number}") for number, text in enumerate(texts)
    ]
    made = [result(f"{number}.ipynb", "q1") for number in range(len(texts))]
    out = write_class(tmp_path / "out", [*results(), *made], [*on_canvas(), *students])
    write_everything(out)
    found = importers.canvas(read(out, "canvas.csv"), course_of([*on_canvas(), *students]), "Toy & co")
    nasty = {f"{200 + number}": 6.0 for number in range(len(texts))}
    assert found.grades == {f"10{number}": POINTS[name] for number, name in enumerate(NAMES)} | nasty
    assert found.possible == POSSIBLE


# --- Moodle -----------------------------------------------------------------------------------------------------------


def test_moodles_worksheet_takes_every_grade_when_its_maximum_is_what_the_note_says(tmp_path: Path) -> None:
    out = write_class(tmp_path / "out", results(), on_moodle())
    notes = write_everything(out).notes
    numbers = [f"70{number}" for number in range(4)]
    assert importers.moodle_worksheet(read(out, "moodle.csv"), numbers, POSSIBLE).skipped == ["700"]
    assert "set the maximum to 12 in Moodle" in next(note for note in notes if "above the maximum" in note)
    assert "set the maximum to 12 in Moodle" in read(out, "README.txt")
    found = importers.moodle_worksheet(read(out, "moodle.csv"), numbers, 12)
    assert found.grades == {f"70{number}": POINTS[name] for number, name in enumerate(NAMES)}
    assert found.skipped == []


def test_with_a_cap_no_grade_is_above_moodles_maximum(tmp_path: Path) -> None:
    out = write_class(tmp_path / "out", results(), on_moodle(), cap=True)
    notes = write_everything(out).notes
    found = importers.moodle_worksheet(read(out, "moodle.csv"), ["700", "701", "702", "703"], POSSIBLE)
    assert found.skipped == []
    assert found.grades["700"] == 10.0
    assert not any("maximum" in note for note in notes)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_worksheet_comes_back_with_its_own_headings_and_rows(code: str, tmp_path: Path) -> None:
    language = LANGUAGES[code]
    given = tmp_path / "worksheet.csv"
    given.write_text(sheet(language), encoding="utf-8")
    out = write_class(tmp_path / "out", results(), on_moodle(), worksheet=given)
    (out / ADJUSTMENTS).write_text("student,points\nbob,0.25\n")
    write_everything(out)
    before, after = (
        list(csv.reader(io.StringIO(text))) for text in (given.read_text(encoding="utf-8"), read(out, "moodle.csv"))
    )
    column = before[0].index(language.grade)
    assert after[0] == before[0]
    assert [row[:column] + row[column + 1 : -1] for row in after] == [
        row[:column] + row[column + 1 : -1] for row in before
    ]
    numbers = [f"70{number}" for number in range(4)] + ["709"]
    found = importers.moodle_worksheet(read(out, "moodle.csv"), numbers, 12, language)
    assert found.grades == {"700": 12.0, "701": 6.25, "702": 4.0, "703": 0.0}
    assert found.skipped == []
    assert ("6,25" in read(out, "moodle.csv")) == (language.decimal == ",")


def test_the_decimal_sign_is_the_one_in_the_worksheet_not_the_languages(tmp_path: Path) -> None:
    found = worksheet.parse(sheet(GERMAN, maximum="12.00"))
    assert found is not None
    assert found.number(6.25) == "6.25"
    english = worksheet.parse(sheet(ENGLISH, maximum="12,00"))
    assert english is not None
    assert english.number(6.25) == "6,25"


def test_a_worksheet_of_a_language_that_is_not_known_is_filled_by_where_the_maximum_stands(tmp_path: Path) -> None:
    text = "Tunniste,Koko nimi,Sähköposti,Tila,Pisteet,Enintään,X\n"
    text += 'Osallistuja700,Ann Able,ann@x.org,a,,"12,00",k\nOsallistuja701,Bob Able,bob@x.org,b,,"12,00",k\n'
    found = worksheet.parse(text)
    assert found is not None
    assert found.header[found.grade] == "Pisteet"
    assert found.maximum == 12


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id,name\n7,Ann\n",
        "file,id,name\na.ipynb,s7,Ann\n",
        "Identifier,Full name,Status\nParticipant 7,Ann,x\n",
        "Identifier,Full name,Grade\nParticipant 7,Ann,\nsomebody,Bob,\n",
        'Identifier,"Full name,Grade\nParticipant 7,Ann,\n',
    ],
)
def test_what_is_no_worksheet_is_none(text: str) -> None:
    assert worksheet.parse(text) is None


def test_a_worksheet_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    given = tmp_path / "class.csv"
    given.write_text("id,name\n7,Ann\n")
    with pytest.raises(InputError, match=r"class\.csv is not a grading worksheet of Moodle"):
        Given(worksheet=given).check(tmp_path, People([], {}), [], partial=False)


def test_a_worksheet_beside_the_submissions_or_as_the_class_list_is_found(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "Grades-Toy.csv").write_text(sheet(GERMAN), encoding="utf-8")
    Given((tmp_path / "class",)).keep(tmp_path / "beside")
    Given((), tmp_path / "class" / "Grades-Toy.csv").keep(tmp_path / "listed")
    for out in ("beside", "listed"):
        found = worksheet.read(tmp_path / out / worksheet.FILE)
        assert found is not None
        assert len(found.rows) == 5


def test_the_maximum_of_the_worksheet_is_the_one_that_is_warned_about(tmp_path: Path) -> None:
    given = tmp_path / "worksheet.csv"
    given.write_text(sheet(GERMAN, maximum="12,00"), encoding="utf-8")
    out = write_class(tmp_path / "out", results(), on_moodle(), worksheet=given)
    assert not any("maximum" in note for note in write_everything(out).notes)
    given.write_text(sheet(GERMAN, maximum="5,00"), encoding="utf-8")
    out = write_class(tmp_path / "low", results(), on_moodle(), worksheet=given)
    assert any("2 grades are above the maximum of 5" in note for note in write_everything(out).notes)


def test_nobody_takes_anothers_line_of_the_worksheet_by_their_name(tmp_path: Path) -> None:
    given = tmp_path / "worksheet.csv"
    given.write_text(sheet(GERMAN), encoding="utf-8")
    students = on_moodle()
    students[3] = Student("dan.ipynb", name="Ann Able")  # no number, and another's name
    out = write_class(tmp_path / "out", results(), students, worksheet=given)
    notes = write_everything(out).notes
    found = importers.moodle_worksheet(read(out, "moodle.csv"), ["700"], 12, GERMAN)
    assert found.grades == {"700": 12.0}
    assert any("dan.ipynb" in note and "without a line" in note for note in notes)


def test_two_files_for_one_line_of_the_worksheet_leave_it_empty_and_are_named(tmp_path: Path) -> None:
    given = tmp_path / "worksheet.csv"
    given.write_text(sheet(GERMAN), encoding="utf-8")
    students = [*on_moodle()[:3], Student("dan.ipynb", platform="Participant 700")]
    out = write_class(tmp_path / "out", results(), students, worksheet=given)
    notes = write_everything(out).notes
    assert "700" not in importers.moodle_worksheet(read(out, "moodle.csv"), ["700"], 12, GERMAN).grades
    for file in ("ann.ipynb", "dan.ipynb"):
        assert any(f"{file} is not the only one who could be Ann Able" in note for note in notes)


def test_a_persons_comment_stays_and_one_of_ours_is_replaced(tmp_path: Path) -> None:
    given = tmp_path / "worksheet.csv"
    old = "Graded automatically: 1 of 10 points."
    text = sheet(GERMAN, comments="<p>Sehr schön</p>").replace("<p>Sehr schön</p>", old, 1)
    given.write_text(text, encoding="utf-8")
    out = write_class(tmp_path / "out", results(), on_moodle(), worksheet=given)
    write_everything(out)
    numbers = [f"70{number}" for number in range(4)]
    comments = importers.moodle_worksheet(read(out, "moodle.csv"), numbers, 12, GERMAN).comments
    assert comments["703"].startswith("Graded automatically: 0 of 10 points.")
    assert comments["700"] == "<p>Sehr schön</p>"


def test_moodles_feedback_column_holds_no_live_html(tmp_path: Path) -> None:
    numbers = [str(700 + number) for number in range(len(NASTY))]
    made = [
        result(f"{number}.ipynb", status="unreadable", problem=text, questions=())
        for number, text in zip(numbers, NASTY, strict=True)
    ]
    students = [Student(f"{one}.ipynb", email=f"{one}@x.org", platform=f"Participant {one}") for one in numbers]
    out = write_class(tmp_path / "out", made, students)
    write_everything(out)
    found = importers.moodle_worksheet(read(out, "moodle.csv"), numbers, 12)
    course = {f"{number}@x.org": number for number in numbers}
    book = importers.moodle_gradebook(read(out, "moodle_gradebook.csv"), course, "Email address", "Toy & co")
    for comments in (found.comments, book.comments):
        assert set(comments) == set(numbers)
        for number, comment in comments.items():
            assert tags_of(comment) <= {"br"}, NASTY[int(number) - 700]
            assert comment.startswith("Graded automatically")


def test_moodles_gradebook_takes_grades_by_address(tmp_path: Path) -> None:
    out = write_class(tmp_path / "out", results(), on_moodle())
    write_everything(out)
    course = {f"{name}@x.org": name for name in NAMES}
    found = importers.moodle_gradebook(read(out, "moodle_gradebook.csv"), course, "Email address", "Toy & co")
    assert found.grades == POINTS
    assert found.skipped == []


def test_lines_that_moodle_would_pass_over_are_named(tmp_path: Path) -> None:
    students = [*on_moodle()[:3], Student("dan.ipynb", "s9", "Dan Able")]
    out = write_class(tmp_path / "out", results(), students)
    notes = write_everything(out).notes
    assert any(note.startswith("1 submission (dan.ipynb) without Moodle's participant number") for note in notes)


# --- Gradescope, and who handed in nothing ---------------------------------------------------------------------------


def test_gradescopes_columns_have_grades_lateness_and_status(tmp_path: Path) -> None:
    students = [Student(**{**one.__dict__, "submitted": "2026-05-03T01:00:00+02:00"}) for one in on_canvas()]
    late = {"deadline": "2026-05-01T23:59:00+02:00", "steps": "10 % per day"}
    made = [*results()[:3], result("dan.ipynb", status="failed", problem="x", questions=())]
    out = write_class(tmp_path / "out", made, students, late=late)
    write_everything(out)
    lines = list(csv.DictReader(io.StringIO(read(out, "gradescope.csv"))))
    assert [line["Total Score"] for line in lines] == ["9.6", "4.8", "3.2", ""]
    assert [line["Status"] for line in lines] == ["Graded", "Graded", "Graded", "Ungraded"]
    assert lines[0]["Lateness (H:M:S)"] == "25:01:00"
    assert [line["q1"] for line in lines] == ["6.0", "6.0", "0.0", "0.0"]


@pytest.fixture
def class_list(tmp_path: Path) -> Path:
    path = tmp_path / "class.csv"
    lines = [f"{one.id},{one.name},{one.email},{one.login},{one.platform}" for one in on_canvas()]
    path.write_text("\n".join(["id,name,email,login,platform", *lines, "s9,Zoe Zett,zoe@x.org,zoe1,109"]) + "\n")
    return path


@pytest.mark.parametrize(("missing", "grade"), [("zero", {"109": 0.0}), ("blank", {}), ("none", {}), ("", {})])
def test_who_handed_in_nothing_has_a_line_on_request(
    missing: str, grade: dict[str, float], class_list: Path, tmp_path: Path
) -> None:
    out = write_class(tmp_path / "out", results(), on_canvas(), class_list=class_list, missing=missing)
    statistics = write_everything(out)
    course = [*course_of(on_canvas()), {"id": "109", "sis": "s9", "login": "zoe1", "name": "Zoe Zett"}]
    found = importers.canvas(read(out, "canvas.csv"), course, "Toy & co")
    assert {key: value for key, value in found.grades.items() if key == "109"} == grade
    has_line = missing in ("zero", "blank")
    for name in ("canvas.csv", "moodle.csv", "moodle_gradebook.csv", "gradescope.csv"):
        assert ("Zoe Zett" in read(out, name)) == has_line, name
    final = {line["file"]: line for line in csv.DictReader((out / "final_grades.csv").read_text().splitlines())}
    assert ("Zoe Zett" in final) == has_line
    if has_line:
        assert final["Zoe Zett"]["grading_status"] == "Nothing handed in"
        assert final["Zoe Zett"]["total_points_earned"] == ("0" if missing == "zero" else "")
        assert "Missing" in read(out, "gradescope.csv")
    assert len(statistics.rows) == 4  # no average counts them
    assert statistics.problems == []


def test_points_that_a_person_gives_somebody_who_handed_in_nothing_are_in_the_tables(
    class_list: Path, tmp_path: Path
) -> None:
    out = write_class(tmp_path / "out", results(), on_canvas(), class_list=class_list)
    (out / ADJUSTMENTS).write_text("student,points,reason\nZoe Zett,5,oral\n")
    write_everything(out)
    course = [{"id": "109", "sis": "s9", "login": "zoe1", "name": "Zoe Zett"}]
    assert importers.canvas(read(out, "canvas.csv"), course, "Toy & co").grades == {"109": 5.0}
    assert "oral" in (out / "report.html").read_text()


def test_zero_is_for_everyone_of_the_worksheet_who_handed_in_nothing(tmp_path: Path) -> None:
    given = tmp_path / "worksheet.csv"
    given.write_text(sheet(GERMAN), encoding="utf-8")
    out = write_class(tmp_path / "out", results(), on_moodle(), worksheet=given, missing="zero")
    write_everything(out)
    assert importers.moodle_worksheet(read(out, "moodle.csv"), ["709"], 12, GERMAN).grades == {"709": 0.0}


@pytest.fixture(scope="module")
def nasty_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a class in which everything that somebody chose is nasty."""
    made = [result(f"{number}.ipynb", status="unreadable", problem=text) for number, text in enumerate(NASTY)]
    students = [
        Student(f"{number}.ipynb", text, text, text, text, text, text, "2026-05-01T20:00:00+02:00", text, text)
        for number, text in enumerate(text.encode("utf-8", "replace").decode() for text in NASTY)
    ]
    out = write_class(tmp_path_factory.mktemp("nasty") / "out", made, students)
    write_everything(out)
    return out


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_table_has_a_formula_whatever_a_program_splits_at(separator: str, nasty_class: Path) -> None:
    tables = list(nasty_class.rglob("*.csv"))
    assert len(tables) >= 6
    for table in tables:
        for row in csv.reader(io.StringIO(table.read_text(encoding="utf-8")), delimiter=separator):
            for cell in row:
                assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) or cell == "--", (
                    table,
                    cell,
                )


def tags_of(text: str) -> set[str]:
    found: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.add(tag)

    Tags().feed(text)
    return found
