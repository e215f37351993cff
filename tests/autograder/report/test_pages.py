"""Reports: Otter's columns, Gradescope's fields, and pages that hold no secret and run nothing."""

import csv
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateAssertionError
from nasty import NASTY

from autograder.records import journal
from autograder.records.final import Final, Step
from autograder.records.journal import Journal, Record
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult, Timeout
from autograder.records.run import Run, prepare
from autograder.report import page as pages
from autograder.report.class_report import report_page, script_digest
from autograder.report.feedback import feedback_page
from autograder.report.grades import Row, final_grades
from autograder.report.gradescope import gradescope_results
from autograder.report.statistics import Statistics
from autograder.report.text_feedback import plain_feedback
from autograder.report.write import write_everything

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e"
MISTAKE = "Your A_bar is transposed."

QUESTIONS = (
    {"name": "q1", "title": "One", "points": 3.0, "bonus": False},
    {"name": "q10", "title": "Ten", "points": 2.5, "bonus": False},
    {"name": "q2", "title": "Two", "points": 2.0, "bonus": True},
)
RUN = Run(
    assignment="toy",
    title="Toy & co",
    questions=QUESTIONS,
    seed="s",
    contract="0" * 64,
    isolated=True,
    isolation=("landlock", "seccomp"),
    versions={"python": "3.11"},
    submissions=3,
    finished=True,
)


def result(file: str = "a.ipynb", passed: bool = True, **changes: object) -> SubmissionResult:
    """A submission that passes all cases, or only the public one of q1."""
    hidden = CaseResult("test_q1_h", "hidden title 4711", 2.0, True, passed, "" if passed else "a secret 4711")
    hidden = hidden if passed else replace(hidden, mistake=MISTAKE, message=f"{MISTAKE} more 4711")
    questions = (
        QuestionResult("q1", "One", 3.0, False, (CaseResult("test_q1_p", "public", 1.0, False, True, ""), hidden)),
        QuestionResult(
            "q10", "Ten", 2.5, False, (CaseResult("test_q10", EVIL, 2.5, False, passed, "" if passed else EVIL),)
        ),
        QuestionResult("q2", "Two", 0.0, True, (CaseResult("test_q2", "t", 2.0, True, passed, "" if passed else "h"),)),
    )
    made = SubmissionResult(
        file=file,
        status="completed",
        questions=questions,
        notes=(EVIL,),
        grader_notes=("only for the instructor",),
        output="printed 4711",
        seconds={"total": 1.5},
    )
    return replace(made, **changes)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    prepare(folder, RUN, resume=False, force=False)
    with Journal(folder) as book:
        for file, passed, status in (
            ("b.ipynb", True, "completed"),
            ("=a|calc.ipynb", False, "completed"),
            (f"{EVIL}.ipynb", False, "unreadable"),
        ):
            problem = "" if status == "completed" else f"=bad {EVIL}"
            made = result(file, passed, status=status, problem=problem)
            book.append(Record(file, f"stem-{passed}-{status}", "00", made))
    return folder


class Page(HTMLParser):
    """What a page's markup can do."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def assert_inert(text: str, scripts: int = 0) -> None:
    page = Page(text)
    assert page.tags.count("script") == scripts
    assert not {"iframe", "object", "embed", "form", "link", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    targets = [value for name, value in page.attributes if name in ("href", "src", "action")]
    ours = ("feedback/", "#", "toy.ipynb#", "data:image/svg+xml;base64,")
    assert all(target.startswith(ours) for target in targets)
    script = f" script-src '{script_digest()}';" if scripts else ""
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:;{script} base-uri 'none'; form-action 'none'"
    )
    assert ("content", policy) in page.attributes
    assert "\x1b" not in text
    assert "\u202e" not in text


def markup(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    page = Page(text)
    return page.tags, page.attributes


def class_of(text: str) -> tuple[str, str]:
    """A student's page and the class report with this text in every field that holds one."""

    def case(hidden: bool) -> CaseResult:
        return CaseResult("test_q1", text, 1.0, hidden, False, text, mistake=text, reread=("One",), detail=text)

    final = Final(1.0, 0.0, 3.0, (Step("adjustment", 1.0, text, text), Step("late", -1.0, text)), lateness=text)
    questions = (QuestionResult(text, text, 3.0, False, (case(False), case(True))),)
    timeouts = (Timeout("call", text, 10), Timeout("worker", "", 600))
    made = [
        SubmissionResult(
            text, status, questions, text, (text,), (text,), text, timeouts=timeouts if status == "timed out" else ()
        )
        for status in ("completed", "timed out", "unreadable", "failed")
    ]
    run = replace(
        RUN,
        assignment=text,
        title=text,
        questions=({"name": text, "title": text, "points": 3.0, "bonus": True},),
        seed=text,
        isolation=(text,),
        versions={text: text},
        machine=text,
        shards=(text,),
        ignored=(text,),
        started=text,
    )
    statistics = Statistics.of((Record(one.file, "stem", "00", one) for one in made), lambda _: final)
    return "".join(feedback_page(one, text, final) for one in made), report_page(statistics, run)


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip()], ids=lambda text: ascii(text[:20]))
def test_the_markup_of_a_page_is_the_same_whatever_its_texts_are(text: str) -> None:
    for nasty, harmless in zip(class_of(text), class_of("x"), strict=True):
        assert markup(nasty) == markup(harmless)
        nasty.encode()


def test_a_template_cannot_print_what_is_not_escaped() -> None:
    environment = pages._environment()
    with pytest.raises(TemplateAssertionError, match="safe"):
        environment.from_string("{{ text | safe }}")
    for name in environment.list_templates():
        environment.get_template(name)
        assert environment.loader is not None
        source, _, _ = environment.loader.get_source(environment, name)
        assert "autoescape" not in source, name  # the block that switches escaping off
    for path in Path(pages.__file__).parent.glob("*.py"):
        assert "Markup" not in path.read_text(encoding="utf-8"), path.name


def test_final_grades_have_otters_columns_order_and_first_row() -> None:
    rows = [Row.of(result("b.ipynb"), "b"), Row.of(result("a.ipynb", passed=False), "a")]
    lines = list(csv.reader(final_grades(rows, QUESTIONS).splitlines()))
    assert lines[0] == ["file", "q1", "q10", "q2", "total_points_earned", "percent_correct", "grading_status"]
    assert lines[1] == ["points-per-question", "3", "2.5", "0", "5.5", "1.0", "--"]
    assert lines[2] == ["a.ipynb", "1", "0.0", "0", "1.0", "0.1818", "Completed"]
    assert lines[3] == ["b.ipynb", "3", "2.5", "2", "7.5", "1.3636", "Completed"]


def test_final_grades_are_what_otter_itself_would_write() -> None:
    from otter.grade.utils import merge_scores_to_df
    from otter.test_files import GradingResults
    from otter.test_files.abstract_test import TestCase as OtterCase
    from otter.test_files.abstract_test import TestCaseResult as OtterResult
    from otter.test_files.exception_test import ExceptionTestFile

    def points(value: float) -> float:
        return int(value) if value.is_integer() else value

    def graded(made: SubmissionResult) -> GradingResults:
        files = []
        for question in made.questions:
            worth = 0 if question.bonus else 1
            cases = [
                OtterCase(case.name, None, case.hidden, points(case.points * worth), None, None)
                for case in question.cases
            ]
            file = ExceptionTestFile(question.name, "", cases, all_or_nothing=False)
            file.test_case_results = [
                OtterResult(case, "", ours.passed) for case, ours in zip(cases, question.cases, strict=True)
            ]
            if question.bonus:
                file.update_score(points(question.earned))
            files.append(file)
        results = GradingResults(files)
        results.file = made.file
        return results

    made = [result("b.ipynb"), result("a.ipynb", passed=False)]
    otters = merge_scores_to_df([graded(one) for one in made]).to_csv(index=False)
    assert final_grades([Row.of(one, "x") for one in made], QUESTIONS) == otters


def test_a_spreadsheet_finds_no_formula_in_any_table(out: Path) -> None:
    write_everything(out)
    for path in (out / "final_grades.csv", *(out / "lms").glob("*.csv")):
        for row in csv.reader(path.read_text(encoding="utf-8").splitlines()):
            for cell in row:
                assert not cell.startswith(("=", "+", "-", "@")) or cell == "--", (path, cell)


def test_the_students_page_names_the_mistake_and_shows_nothing_hidden() -> None:
    page = feedback_page(result(passed=False), "Toy")
    assert MISTAKE in page
    assert "The hidden case did not pass." in page
    assert "4711" not in page
    assert "hidden title" not in page
    assert "only for the instructor" not in page
    assert_inert(page)


def test_a_page_says_why_a_file_could_not_be_graded_but_not_what_broke_in_the_grader() -> None:
    unreadable = feedback_page(result(status="unreadable", problem="It is cut off."), "Toy")
    assert "It is cut off." in unreadable
    failed = feedback_page(result(status="failed", problem="IndexError in test_q1"), "Toy")
    assert "IndexError" not in failed
    assert "had a problem" in failed


def test_results_without_isolation_are_marked() -> None:
    made = result(isolated=False)
    assert "without isolation" in feedback_page(made, "Toy")
    assert gradescope_results(made)["extra_data"]["isolated"] is False
    assert "without isolation" in final_grades([Row.of(made, "a")], QUESTIONS)


def test_gradescope_hides_hidden_cases_and_what_was_printed() -> None:
    content = gradescope_results(result(passed=False))
    assert content["score"] == 1.0
    assert content["stdout_visibility"] == "hidden"
    assert {test["visibility"] for test in content["tests"] if "hidden title" in test["name"]} == {"hidden"}
    visible = [test for test in content["tests"] if test["visibility"] == "visible"]
    assert "4711" not in json.dumps([visible, content["output"]])
    assert MISTAKE in content["output"]
    assert sum(test["max_score"] for test in content["tests"]) == 5.5
    assert sum(test["score"] for test in content["tests"]) == 1.0


def test_the_class_report_counts_and_is_inert(out: Path) -> None:
    statistics = write_everything(out)
    assert statistics.mean() == pytest.approx(4.25)
    assert statistics.mistakes == {("q1", MISTAKE): 1}
    assert sum(statistics.histogram(5.5)) == 2
    page = (out / "report.html").read_text(encoding="utf-8")
    assert MISTAKE in page
    assert "Could not be graded (1)" in page
    assert_inert(page, scripts=1)
    for path in (out / "feedback").iterdir():
        assert_inert(path.read_text(encoding="utf-8"))


def test_reports_can_be_made_again_from_the_journal_alone(out: Path) -> None:
    write_everything(out)
    files = [path for path in out.rglob("*") if path.is_file() and path.name not in (journal.FILE, "run.json")]
    before = {path: path.read_bytes() for path in files}
    for path in files:
        path.unlink()
    write_everything(out)
    assert {path: path.read_bytes() for path in files} == before


def test_the_learning_platforms_tables_take_names_from_the_roster(out: Path) -> None:
    (out / "roster.csv").write_text("file,id,name,email,login\nb.ipynb,42,Doe Jane,jane@x.org,jd\n")
    write_everything(out)
    canvas = list(csv.DictReader((out / "lms" / "canvas.csv").read_text().splitlines()))
    assert canvas[0]["Toy & co"] == "5.5"
    jane = next(row for row in canvas if row["ID"] == "42")
    assert (jane["Student"], jane["SIS Login ID"], jane["Toy & co"]) == ("Doe Jane", "jd", "7.5")
    moodle = list(csv.DictReader((out / "lms" / "moodle.csv").read_text().splitlines()))
    assert any(row["Email address"] == "jane@x.org" and row["Grade"] == "7.5" for row in moodle)
    assert {row["ID number"] for row in moodle} == {"42", ""}
    gradescope = list(csv.DictReader((out / "lms" / "gradescope.csv").read_text().splitlines()))
    assert any(row["SID"] == "42" and row["Total Score"] == "7.5" and row["Max Points"] == "5.5" for row in gradescope)


def test_moodles_participants_are_identified_as_its_grading_worksheet_does(out: Path) -> None:
    (out / "roster.csv").write_text("file,id,name\nb.ipynb,Participant 42,Doe Jane\n")
    write_everything(out)
    moodle = list(csv.DictReader((out / "lms" / "moodle.csv").read_text().splitlines()))
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(moodle[0])
    jane = next(row for row in moodle if row["Full name"] == "Doe Jane")
    assert (jane["Identifier"], jane["ID number"], jane["Grade"]) == ("Participant 42", "", "7.5")


OVER = "All in all it took longer than 600 seconds; 2 of 4 cases were not run or not finished."


def timed_out(*timeouts: Timeout) -> SubmissionResult:
    made = result("late.ipynb", passed=False, status="timed out", problem=OVER, timeouts=timeouts)
    late = replace(made.questions[1].cases[0], failure="timeout")
    return replace(made, questions=(made.questions[0], replace(made.questions[1], cases=(late,)), made.questions[2]))


def test_running_out_of_time_is_a_status_of_its_own_everywhere(out: Path) -> None:
    late = timed_out(Timeout("call", "double", 10), Timeout("submission", "", 600))
    with Journal(out) as book:
        book.append(Record("late.ipynb", "late", "00", late))
    statistics = write_everything(out)
    grades = {row["file"]: row for row in csv.DictReader((out / "final_grades.csv").read_text().splitlines())}
    assert grades["late.ipynb"]["grading_status"] == f"Timed out: {OVER}"
    assert grades["late.ipynb"]["total_points_earned"] == "1.0"
    assert [row.file for row in statistics.timed_out] == ["late.ipynb"]
    assert "late.ipynb" in [row.file for row in statistics.completed]
    assert "late.ipynb" in [row.file for row in statistics.problems]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Ran out of time" in page
    assert "a call of double" in page
    assert "Could not be graded (1)" in page
    assert OVER in (out / "feedback" / "late.html").read_text(encoding="utf-8")
    written = json.loads((out / "results" / "late.json").read_text(encoding="utf-8"))
    assert written["extra_data"]["status"] == "timed out"
    assert written["extra_data"]["timeouts"][0] == {"limit": "call", "what": "double", "seconds": 10}
    assert [test["extra_data"]["failure"] for test in written["tests"]].count("timeout") == 1
    (line,) = [line for line in (out / "lms" / "canvas.csv").read_text().splitlines() if line.startswith("late")]
    assert line.endswith(",1.0")


@pytest.mark.parametrize("limit", ["worker", "container"])
def test_what_was_ended_from_outside_has_no_grade(out: Path, limit: str) -> None:
    late = timed_out(Timeout(limit, "", 900))  # pyright: ignore[reportArgumentType]
    with Journal(out) as book:
        book.append(Record("late.ipynb", "late", "00", late))
    statistics = write_everything(out)
    assert [row.file for row in statistics.not_graded if row.status == "timed out"] == ["late.ipynb"]
    (line,) = [line for line in (out / "lms" / "canvas.csv").read_text().splitlines() if line.startswith("late")]
    assert line.endswith(",")


def test_a_call_that_did_not_finish_is_counted_and_leaves_the_submission_completed() -> None:
    made = result(
        timeouts=(Timeout("call", "double", 10), Timeout("cell", "Cell 3", 30), Timeout("cell", "Cell 9", 30))
    )
    statistics = Statistics.of([Record("a.ipynb", "a", "00", made)])
    assert statistics.timeouts == {("a call of double", 10): 1, ("a cell", 30): 1}
    assert statistics.problems == []


QUESTION = {"name": "q1", "title": "One", "points": 3.0, "bonus": False, "heading": "q1: One (3 points)"}


def lost(*cases: CaseResult, bonus: bool = False) -> SubmissionResult:
    return SubmissionResult("a.ipynb", "completed", (QuestionResult("q1", "One", 0.0 if bonus else 3.0, bonus, cases),))


def failed(name: str, hidden: bool = False, **changes: object) -> CaseResult:
    return replace(CaseResult(name, f"case {name}", 1.0, hidden, False, ""), **changes)


def shown(made: SubmissionResult, final: Final | None = None) -> str:
    page = feedback_page(made, "Toy", final, replace(RUN, questions=(QUESTION,), started="2026-05-05T12:00:00+0200"))
    assert_inert(page)
    return page


def test_a_mistake_is_said_once_with_a_number_and_what_to_read_again() -> None:
    mistake: Any = {"mistake": MISTAKE, "mistakes": ("f__transposed",), "reread": ("The transpose",)}
    page = shown(
        lost(
            failed("a", message=f"{MISTAKE} (A[0] is 1)", detail="A[0] is 1", **mistake),
            failed("b", message=f"{MISTAKE} (A[1] is 2)", detail="A[1] is 2", **mistake),
            failed("c", hidden=True, message=MISTAKE, **mistake),
        )
    )
    assert page.count(MISTAKE) == 1
    assert page.count('href="#mistake-1"') == 3
    assert 'href="toy.ipynb#The-transpose"' in page
    assert "A[0] is 1" in page
    assert "A[1] is 2" in page


def test_a_message_that_several_cases_share_is_said_once() -> None:
    page = shown(lost(failed("a", message="f is not defined"), failed("b", message="f is not defined")))
    assert page.count("f is not defined") == 1
    assert "The same as in “case a”." in page


def test_without_a_mistake_the_questions_own_paragraph_is_to_be_read_again() -> None:
    assert 'href="toy.ipynb#q1%3A-One-%283-points%29"' in shown(lost(failed("a", message="no")))


def test_of_hidden_cases_their_kinds_are_counted_and_nothing_else_is_said() -> None:
    page = shown(
        lost(
            failed("a", hidden=True, kind="recursion limit", message="a secret 4711"),
            failed("b", hidden=True, kind="wrong answer", message="a secret 4711"),
            failed("c", hidden=True, kind="wrong answer", message="a secret 4711"),
            failed("d", hidden=True, failure="not run", message="a secret 4711"),
        )
    )
    assert page.count("two gave a wrong answer") == 1
    for words in (
        "one reached Python&#39;s recursion limit",
        "one could not be run any more",
    ):
        assert words in page
    assert "4711" not in page
    assert "case b" not in page


def test_a_public_cases_picture_is_an_image_and_a_hidden_case_has_none() -> None:
    matrix = {"entries": {"what": "A_bar", "given": [[1, 2], [3, 4]], "right": [[1, 3], [2, 4]]}}
    assert 'alt="A_bar: 2 of 4 entries differ: yours is the transpose' in shown(lost(failed("a", evidence=matrix)))
    assert "<img" not in shown(lost(failed("a", hidden=True, evidence=matrix)))


def test_a_bonus_is_apart_from_the_score() -> None:
    bonus = QuestionResult("q2", "Two", 0.0, True, (CaseResult("b", "b", 5.0, True, True, ""),))
    made = replace(lost(CaseResult("a", "a", 24.25, False, True, ""), failed("c")), file="x.ipynb")
    made = replace(made, questions=(*made.questions, bonus))
    page = shown(made, Final(24.25, 5.0, 30.0))
    assert "24.25 <span" in page
    assert "+ 5 of 5 bonus" in page
    assert "29.25 / 30" not in page
    assert "29.25 of 30" not in plain_feedback(made, "Toy", Final(24.25, 5.0, 30.0))
    assert "24.25 of 30 points, and 5 bonus points" in plain_feedback(made, "Toy", Final(24.25, 5.0, 30.0))


def test_questions_with_lost_points_are_open_and_the_others_folded() -> None:
    full = QuestionResult("q2", "Two", 1.0, False, (CaseResult("t", "t", 1.0, False, True, ""),))
    made = lost(failed("a"))
    page = shown(replace(made, questions=(*made.questions, full)))
    assert '<details class="card" id="question-1" open>' in page
    assert '<details class="card" id="question-2">' in page


def test_the_page_says_whose_it_is_and_which_version_graded_it_when() -> None:
    page = shown(lost(failed("a")), Final(0.0, 0.0, 3.0, who="Jane Doe"))
    assert "Jane Doe" in page
    assert "Graded on 5 May 2026, tests 00000000." in page


def test_what_a_case_says_survives_the_journal() -> None:
    case = failed("a", kind="wrong shape", mistakes=("f__x",), reread=("H",), detail="d", evidence={"entries": {}})
    made = lost(case)
    assert Record.from_line(Record("a", "a", "00", made).to_line()).result == made
