"""Grading one submission: what cases say to students, and what they must not say."""

from pathlib import Path

import courses
import pytest
import unisolated

from autograder.assignment import Assignment, AssignmentError
from autograder.grading.one import grade_one
from autograder.records.results import CaseResult, SubmissionResult
from autograder.submissions.read import Submission
from autograder.testcases import load_cases


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return courses.awkward_assignment(tmp_path_factory.mktemp("course"))


def graded(assignment: Assignment, *cells: str) -> SubmissionResult:
    submission = Submission(name="x.ipynb", path=None, cells=cells)
    return grade_one(submission, assignment, unisolated.OpenSession, seed="s")


def cases(result: SubmissionResult) -> dict[str, CaseResult]:
    return {case.name: case for question in result.questions for case in question.cases}


def test_a_right_submission_earns_everything_and_bonus_is_not_possible(assignment: Assignment) -> None:
    result = graded(assignment, courses.RIGHT, courses.EXTRA)
    assert (result.status, result.earned, result.possible) == ("completed", 7.5, 5.5)
    assert [(question.earned, question.possible) for question in result.questions] == [(3, 3), (2.5, 2.5), (2, 0)]
    assert all(case.passed and case.message == "" for case in cases(result).values())


def test_titles_are_docstrings_or_else_names_in_words(assignment: Assignment) -> None:
    titles = {case.name: case.title for question in load_cases(assignment).values() for case in question}
    assert titles["test_q1_of_three"] == "twice three"
    assert titles["test_q2_plain_assert"] == "plain assert"


def test_a_public_case_says_what_is_wrong_without_the_tests_code(assignment: Assignment) -> None:
    result = cases(graded(assignment, courses.WRONG))
    assert "6" in result["test_q1_of_three"].message
    assert "got 1.0" in result["test_q2_plain_assert"].message
    for case in result.values():
        assert "Error at line" not in case.message
        assert "checks.close(" not in case.message


def test_a_hidden_case_shows_no_number_even_when_the_submission_raises_its_input(assignment: Assignment) -> None:
    raising = "def double(x):\n    raise ValueError(f'{x}')\n"
    for code in (courses.WRONG, raising, raising.replace("ValueError", "ZeroDivisionError"), ""):
        hidden = [case for case in cases(graded(assignment, code)).values() if case.hidden]
        assert hidden
        for case in hidden:
            assert not case.passed
            assert "4711" not in case.message
            assert "9422" not in case.message
    case = cases(graded(assignment, raising))["test_q1_secret_title"]
    assert (case.kind, case.message) == ("exception", "the function raised an error in this hidden case")


def test_a_bug_in_a_test_costs_the_case_and_is_told_to_the_instructor_only(assignment: Assignment) -> None:
    result = graded(assignment, "def double(x):\n    return 2 * x\ndef negate(x):\n    return [x]\n")
    case = cases(result)["test_q2_grader_bug"]
    assert not case.passed
    assert "TypeError" not in case.message
    assert result.status == "failed"
    assert any("TypeError" in note for note in result.grader_notes)
    assert not any("TypeError" in note for note in result.notes)
    assert result.questions[0].earned == 3


def test_cells_that_raised_are_in_the_notes(assignment: Assignment) -> None:
    result = graded(assignment, "1 / 0", courses.RIGHT)
    assert result.earned == 5.5
    assert any("Cell 1" in note and "division by zero" in note for note in result.notes)


def test_a_question_without_its_test_file_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    broken = courses.awkward_assignment(tmp_path)
    (broken.tests_dir / "q2.py").unlink()
    with pytest.raises(AssignmentError, match=r"q2\.py"):
        load_cases(broken)
