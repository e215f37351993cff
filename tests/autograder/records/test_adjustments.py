"""Grades that a person can change: adjustments, extensions, the cap, the order of the steps, where they are shown."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from graded_class import LATE, QUESTIONS, result, write_class
from nasty import NASTY

from autograder.grading.merge import merge
from autograder.records.adjustments import ADJUSTMENTS, EXTENSIONS, keep
from autograder.records.final import Final, Finals
from autograder.records.handwritten import HandwrittenError
from autograder.records.results import Limit, Timeout
from autograder.records.roster import Student
from autograder.report.grades import final_grades
from autograder.report.write import statistics_of, write_everything, write_submission

ANN = Student("ann.ipynb", "s1", "Able, Ann", "ann@example.org", "annable", platform="Participant 1001")
BOB = Student("bob.ipynb", "s2", "Bob Best", "bob@example.org", "bobbest", platform="Participant 1002")
TIMES = {"in time": "2026-05-01T20:00:00+02:00", "a day late": "2026-05-03T01:00:00+02:00"}


def student(one: Student, **changes: str) -> Student:
    return Student(**{**one.__dict__, **changes})


def class_of_two(tmp_path: Path, **run: Any) -> Path:
    """Ann has 12 of 10 points, in time; Bob 6, a day and an hour late."""
    results = [result("ann.ipynb", "q1", "q2", "q3"), result("bob.ipynb", "q1")]
    students = [student(ANN, submitted=TIMES["in time"]), student(BOB, submitted=TIMES["a day late"], late="yes")]
    return write_class(tmp_path / "out", results, students, **run)


def adjust(out: Path, *lines: str, head: str = "student,question,points,reason") -> None:
    (out / ADJUSTMENTS).write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


def extend(out: Path, *lines: str, head: str = "student,until,submitted,reason") -> None:
    (out / EXTENSIONS).write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


def totals(out: Path) -> dict[str, str]:
    write_everything(out)
    with (out / "final_grades.csv").open(encoding="utf-8") as file:
        return {line["file"]: line["total_points_earned"] for line in csv.DictReader(file)}


def final_of(out: Path, file: str) -> Final:
    return next(row.final for row in statistics_of(out)[0].rows if row.file == file)


# --- who is meant --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "bob.ipynb",
        "bob",
        "s2",
        "S2",
        "bobbest",
        "bob@example.org",
        "Best, Bob",
        "bob best",
        "Participant 1002",
        "1002",
    ],
)
def test_a_student_is_known_by_file_number_login_address_or_name(word: str, tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    adjust(out, f'"{word}",,+1,')
    assert totals(out)["bob.ipynb"] == "7"


def test_a_column_file_is_as_good_as_a_column_student(tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    adjust(out, "bob.ipynb,q2,2", head="file,question,points")
    assert totals(out)["bob.ipynb"] == "8"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("bpb,,1,", "line 2: there is no student or file 'bpb' in these results; did you mean 'bob'"),
        ("Bob Bist,,1,", "did you mean 'Bob Best'"),
        ("bob,q22,1,", "there is no question 'q22'; did you mean 'q2'"),
        (",,1,", "says neither `file` nor `student`"),
        ("bob,,,", r"points must be a difference like \+2 or -1\.5, got ''"),
        ("bob,,=30,", "got '.?=30'"),
        ("bob,,nan,", "got 'nan'"),
        ("bob,,1e9,", "got '1e9'"),
        ("bob,,two,", "got 'two'"),
        ("bob,,1,well, done", "5 cells, but 4 columns"),
    ],
)
def test_an_adjustment_that_means_nothing_is_an_error_that_names_the_nearest(
    line: str, says: str, tmp_path: Path
) -> None:
    out = class_of_two(tmp_path)
    adjust(out, line)
    with pytest.raises(HandwrittenError, match=says):
        write_everything(out)


def test_a_wrong_column_is_named(tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    adjust(out, "bob,,1,", head="student,question,point,reason")
    with pytest.raises(HandwrittenError, match=r"unknown column 'point'; did you mean 'points'\?"):
        write_everything(out)


@pytest.mark.parametrize("word", ["Muller, Zoe", "zoe mueller", "Zoe\u0308 Mu\u0308ller", "muellerzoe", "zm"])
def test_a_name_is_the_same_with_its_accents_or_without(word: str, tmp_path: Path) -> None:
    students = [student(ANN, name="Zoë Müller", email="zm@example.org"), student(BOB, name="Zoe Miller")]
    out = write_class(tmp_path / "out", [result("ann.ipynb"), result("bob.ipynb")], students)
    adjust(out, f'"{word}",,1,')
    assert totals(out) == {"points-per-question": "10", "ann.ipynb": "1", "bob.ipynb": "0"}


def test_a_word_that_ends_in_a_number_is_not_whoever_has_that_number(tmp_path: Path) -> None:
    out = write_class(tmp_path / "out", [result("ann.ipynb")], [student(ANN, platform="Participant 7")])
    adjust(out, "task 7,,1,")
    with pytest.raises(HandwrittenError, match="there is no student or file 'task 7'"):
        write_everything(out)


@pytest.mark.parametrize(("limit", "grade"), [("submission", "6.0"), ("worker", "")])
def test_what_ran_out_of_time_has_a_grade_when_its_score_is_one(limit: Limit, grade: str, tmp_path: Path) -> None:
    made = result("ann.ipynb", "q1", status="timed out", problem="too long", timeouts=(Timeout(limit, "", 60.0),))
    out = write_class(tmp_path / "out", [made], [student(ANN)])
    statistics = write_everything(out)
    table = (out / "lms" / "canvas.csv").read_text().splitlines()
    assert table[-1].rpartition(",")[2] == grade
    assert len(statistics.completed) == bool(grade)
    adjust(out, "ann.ipynb,,+1,looked at by hand")
    write_everything(out)
    assert (out / "lms" / "canvas.csv").read_text().splitlines()[-1].rpartition(",")[2] == "7.0"


def test_a_name_that_two_have_is_an_error_that_lists_both(tmp_path: Path) -> None:
    students = [student(ANN, name="Jo Doe"), student(BOB, name="Doe, Jo")]
    out = write_class(tmp_path / "out", [result("ann.ipynb"), result("bob.ipynb")], students)
    adjust(out, "Jo Doe,,1,")
    with pytest.raises(HandwrittenError, match=r"'Jo Doe' could be ann\.ipynb, bob\.ipynb: name the file"):
        write_everything(out)


@pytest.mark.parametrize("points", ["1.5", "+1.5", "'+1.5", '"1,5"', "+1.50", " 1.5 "])
def test_points_are_read_as_people_and_spreadsheets_write_them(points: str, tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    adjust(out, f"bob,,{points},")
    assert totals(out)["bob.ipynb"] == "7.5"


@pytest.mark.parametrize(
    "content",
    [
        b"student;question;points;reason\r\nBob Best;q2;1,5;gut\r\n",
        "sep=;\r\nstudent;question;points;reason\r\nBob Best;q2;1,5;gut\r\n".encode("utf-16"),
        "\ufeffstudent\tquestion\tpoints\treason\nBob Best\tq2\t1.5\tgrün\n".encode(),
        "student;question;points;reason\r\nBob Best;q2;\u22121,5;grün\r\n".replace("\u2212", "+").encode("cp1252"),
    ],
    ids=["semicolons", "Excel's UTF-16", "tabs with a mark", "an old code page"],
)
def test_a_table_that_a_spreadsheet_saved_is_read(content: bytes, tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    (out / ADJUSTMENTS).write_bytes(content)
    assert totals(out)["bob.ipynb"] == "7.5"


def test_a_file_that_somebody_named_after_another_is_not_the_other(tmp_path: Path) -> None:
    students = [ANN, Student("Able, Ann.ipynb", "s2", "Bob Best")]
    out = write_class(tmp_path / "out", [result("ann.ipynb"), result("Able, Ann.ipynb")], students)
    adjust(out, '"Able, Ann",,1,')
    with pytest.raises(HandwrittenError, match=r"could be Able, Ann\.ipynb, ann\.ipynb: name the file"):
        write_everything(out)


# --- the order of the steps ----------------------------------------------------------------------------------------


def test_the_order_is_score_bonus_late_adjustment_cap(tmp_path: Path) -> None:
    out = class_of_two(tmp_path, late=LATE, cap=True)
    students = [student(ANN, submitted=TIMES["a day late"])]
    (out / "roster.csv").unlink()
    out = write_class(tmp_path / "late", [result("ann.ipynb", "q1", "q2", "q3")], students, late=LATE, cap=True)
    adjust(out, "ann,q2,+3,the test was wrong", "ann,,-0.5,no name in the file")
    final = final_of(out, "ann.ipynb")
    assert (final.score, final.bonus, final.earned) == (10.0, 2.0, 12.0)
    steps = [(step.kind, step.question, step.points) for step in final.steps]
    # 20 % of 12, then the adjustments to what is left, then the cap at the 10 points possible
    assert steps == [("late", "", -2.4), ("adjustment", "q2", 3.0), ("adjustment", "", -0.5), ("cap", "", -2.1)]
    assert final.total == 10.0


def test_without_a_cap_bonus_and_adjustments_go_above_the_points_possible(tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    adjust(out, "ann,,1,")
    assert totals(out) == {"points-per-question": "10", "ann.ipynb": "13", "bob.ipynb": "6"}


def test_no_grade_is_below_0(tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    adjust(out, "bob,,-50,copied")
    final = final_of(out, "bob.ipynb")
    assert (final.total, final.steps[0].points) == (0.0, -6.0)
    assert final.steps[0].reason == "copied (no grade is below 0)"


def test_a_file_that_could_not_be_graded_gets_the_points_that_a_person_gives(tmp_path: Path) -> None:
    failed = result("ann.ipynb", "q1", status="failed", problem="the grader's own mistake")
    out = write_class(tmp_path / "out", [failed, result("bob.ipynb", "q1")], [ANN, BOB])
    write_everything(out)
    canvas = (out / "lms" / "canvas.csv").read_text()
    assert '"Able, Ann",,s1,annable,,\n' in canvas
    adjust(out, "ann,,2,read by hand")
    write_everything(out)
    assert '"Able, Ann",,s1,annable,,8.0\n' in (out / "lms" / "canvas.csv").read_text()


# --- lateness ------------------------------------------------------------------------------------------------------


def test_the_time_of_the_hand_in_decides_what_is_taken_off(tmp_path: Path) -> None:
    out = class_of_two(tmp_path, late=LATE)
    assert totals(out)["bob.ipynb"] == "4.8"
    final = final_of(out, "bob.ipynb")
    assert [(step.kind, step.points) for step in final.steps] == [("late", -1.2)]
    assert final.steps[0].reason == "1 day 1 hour late: 20 % of the points earned"
    assert final_of(out, "ann.ipynb").steps == ()


def test_an_extension_moves_the_deadline_of_one_student(tmp_path: Path) -> None:
    out = class_of_two(tmp_path, late=LATE)
    extend(out, "bob,2026-05-02T23:59,,ill")  # without a zone: that of the deadline
    assert [step.points for step in final_of(out, "bob.ipynb").steps] == [-0.6]
    extend(out, "bob,2026-05-04T12:00+02:00,,ill")
    assert final_of(out, "bob.ipynb").steps == ()


def test_late_without_a_time_is_listed_and_not_reduced_until_a_time_is_given(tmp_path: Path) -> None:
    results = [result("ann.ipynb", "q1"), result("bob.ipynb", "q1")]
    students = [student(ANN, submitted=TIMES["in time"]), student(BOB, late="yes")]
    out = write_class(tmp_path / "out", results, students, late=LATE)
    statistics = write_everything(out)
    assert final_of(out, "bob.ipynb").total == 6.0
    assert any("late by an unknown amount" in note and "bob.ipynb" in note for note in statistics.notes)
    assert "does not say by how much" in (out / "grades_detail.csv").read_text()
    assert "does not say by how much" in (out / "report.html").read_text()
    extend(out, "bob,,2026-05-03T01:00:00+02:00,seen in the mail")
    statistics = write_everything(out)
    assert final_of(out, "bob.ipynb").total == 4.8
    assert not any("unknown amount" in note for note in statistics.notes)


def test_late_here_but_in_time_for_the_platform_is_reduced_and_listed(tmp_path: Path) -> None:
    students = [student(BOB, submitted=TIMES["a day late"], late="no")]
    out = write_class(tmp_path / "out", [result("bob.ipynb", "q1")], students, late=LATE)
    assert any("in time for the platform: 1 submission (bob.ipynb)" in note for note in write_everything(out).notes)
    assert final_of(out, "bob.ipynb").total == 4.8


def test_who_has_no_time_and_no_mark_is_not_late_and_is_counted(tmp_path: Path) -> None:
    students = [student(ANN, submitted=TIMES["in time"]), BOB]
    out = write_class(tmp_path / "out", [result("ann.ipynb"), result("bob.ipynb")], students, late=LATE)
    assert "without a submission time, so not treated as late: 1 submission (bob.ipynb)" in write_everything(out).notes


def test_without_a_policy_a_late_mark_changes_nothing(tmp_path: Path) -> None:
    assert totals(class_of_two(tmp_path))["bob.ipynb"] == "6"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("bob,yesterday,,",), "until must be a date and a time like"),
        (("bob,,2026-05-02,",), "submitted must be a date and a time like"),
        (("bobby,2026-05-02T12:00,,",), "there is no student or file 'bobby' in these results; did you mean 'bob'"),
        (("bob,2026-05-02T12:00,,", "s2,,2026-05-02T12:00,"), r"line 3: a second line for bob\.ipynb"),
    ],
)
def test_an_extension_that_means_nothing_is_an_error(lines: tuple[str, ...], says: str, tmp_path: Path) -> None:
    out = class_of_two(tmp_path, late=LATE)
    extend(out, *lines)
    with pytest.raises(HandwrittenError, match=says):
        write_everything(out)


# --- where the steps are shown -------------------------------------------------------------------------------------


def test_each_step_is_on_the_students_page_with_the_original_score(tmp_path: Path) -> None:
    out = class_of_two(tmp_path, late=LATE, cap=True)
    adjust(out, "bob,q2,+1.5,the test was unclear")
    write_everything(out)
    page = text_of((out / "feedback" / "bob.html").read_text(encoding="utf-8"))
    for line in (
        "6.3 |of 10",
        "Points as graded|6",
        "Handed in 1 day 1 hour late: 20 % of the points earned|−1.2",
        "Changed by your instructor, q2: the test was unclear|+1.5",
        "Total|6.3",
    ):
        assert line in page
    capped = text_of((out / "feedback" / "ann.html").read_text(encoding="utf-8"))
    for line in ("10 |of 10", "Points of the questions|10", "Bonus|+2", "Capped: no more than the points possible|−2"):
        assert line in capped


def test_a_grade_without_steps_has_the_page_it_always_had(tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    write_everything(out)
    assert "Points as graded" not in text_of((out / "feedback" / "ann.html").read_text(encoding="utf-8"))
    assert not (out / "grades_detail.csv").exists()


def test_gradescopes_score_is_the_grade_and_the_original_is_kept(tmp_path: Path) -> None:
    out = class_of_two(tmp_path, late=LATE)
    adjust(out, "bob,q2,+1.5,unclear")
    write_everything(out)
    content = json.loads((out / "results" / "bob.json").read_text(encoding="utf-8"))
    assert content["score"] == 6.3
    assert content["extra_data"]["original_score"] == 6.0
    assert [step["kind"] for step in content["extra_data"]["steps"]] == ["late", "adjustment"]
    assert content["output"].splitlines()[0] == "Points as graded: 6"
    assert "Total: 6.3" in content["output"]


def test_final_grades_keep_otters_columns_and_the_steps_are_in_a_table_of_their_own(tmp_path: Path) -> None:
    out = class_of_two(tmp_path, late=LATE)
    plain = final_grades(statistics_of(class_of_two(tmp_path / "plain"))[0].rows, QUESTIONS)
    adjust(out, "ann,,-1,=cmd|' /C calc'!A0")
    write_everything(out)
    text = (out / "final_grades.csv").read_text()
    assert text.splitlines()[0] == plain.splitlines()[0]
    assert "bob.ipynb,6,0,0,4.8,0.48,Completed" in text  # the questions as graded, the total after all steps
    detail = list(csv.DictReader((out / "grades_detail.csv").read_text().splitlines()))
    assert [(line["file"], line["score"], line["late"], line["adjustment"], line["total"]) for line in detail] == [
        ("ann.ipynb", "10", "0", "-1", "11"),
        ("bob.ipynb", "6", "-1.2", "0", "4.8"),
    ]
    assert "Completed" in text
    write_everything(class_of_two(tmp_path / "again"))


def test_means_are_those_of_the_grades(tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    adjust(out, "ann,,-2,", "bob,,4,")
    assert statistics_of(out)[0].mean() == 10.0


def test_a_reason_is_text_wherever_it_is_shown(tmp_path: Path) -> None:
    reasons = [text for text in NASTY if text.strip() and len(text) < 10_000]
    out = write_class(tmp_path / "out", [result(f"{number}.ipynb", "q1") for number in range(len(reasons))])
    with (out / ADJUSTMENTS).open("w", encoding="utf-8", errors="replace", newline="") as file:
        lines = [[f"{number}.ipynb", "1", reason] for number, reason in enumerate(reasons)]
        csv.writer(file).writerows([["student", "points", "reason"], *lines])
    write_everything(out)
    pages = [out / "report.html", *(out / "feedback").iterdir()]
    assert len(pages) == len(reasons) + 1
    for page in pages:
        tags = tags_of(page.read_text(encoding="utf-8"))
        assert "img" not in tags
        assert tags.count("script") == (1 if page.name == "report.html" else 0)  # the report's own, for its tables
    for table in (out / "grades_detail.csv", *(out / "lms").glob("*.csv")):
        for cell in (cell for row in csv.reader(table.read_text(encoding="utf-8").splitlines()) for cell in row):
            assert not cell.startswith(("=", "+", "@", "\t", "＝")), (table, cell)


# --- they survive --------------------------------------------------------------------------------------------------


def test_a_table_of_the_command_line_replaces_the_folders_own_and_nothing_is_lost(tmp_path: Path) -> None:
    out = class_of_two(tmp_path)
    adjust(out, "bob,,1,first")
    given = tmp_path / "given.csv"
    given.write_text("student,points\nbob,2\n")
    said = keep(given, out, ADJUSTMENTS)
    assert totals(out)["bob.ipynb"] == "8"
    assert "adjustments.before.csv" in said
    assert "first" in (out / "adjustments.before.csv").read_text()
    assert keep(given, out, ADJUSTMENTS) == ""


def test_adjustments_of_shards_are_joined_and_a_line_that_all_have_counts_once(tmp_path: Path) -> None:
    for number, name in enumerate(("ann", "bob"), start=1):
        one = student(ANN if name == "ann" else BOB, submitted=TIMES["a day late"])
        out = write_class(
            tmp_path / name, [result(f"{name}.ipynb", "q1")], [one], shards=(f"{number}/2",), late=LATE, cap=True
        )
        adjust(out, "ann,,1,both shards know her", *[f"{name},q2,0.5,only here"] * number)
        extend(out, f"{name},2026-05-04T12:00,,ill")
    merge([tmp_path / "ann", tmp_path / "bob"], tmp_path / "all", write=write_submission)
    assert totals(tmp_path / "all") == {"points-per-question": "10.0", "ann.ipynb": "7.5", "bob.ipynb": "7.0"}
    assert len((tmp_path / "all" / ADJUSTMENTS).read_text().splitlines()) == 5


def test_in_a_shard_a_student_of_another_shard_is_no_error(tmp_path: Path) -> None:
    out = write_class(tmp_path / "out", [result("ann.ipynb", "q1")], [ANN], shards=("1/2",))
    adjust(out, "bob,,1,", "ann,,1,")
    assert totals(out)["ann.ipynb"] == "7"


def test_the_rules_without_an_output_folder_change_nothing() -> None:
    made = result("ann.ipynb", "q1", "q3")
    assert Finals().of(made) == Final(6.0, 2.0, 10.0)
    assert Finals().of(made).total == made.earned


# --- reading pages -------------------------------------------------------------------------------------------------


class _Text(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def text_of(page: str) -> str:
    """The words of a page, with | between elements."""
    return "|".join(_Text(page).found)


def tags_of(page: str) -> list[str]:
    return _Text(page).tags
