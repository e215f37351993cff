"""assignment.toml: limits of one question, and errors that say what to change."""

from dataclasses import replace
from pathlib import Path

import pytest
from adkit import checks

from autograder.assignment import Assignment, AssignmentError, Limits, Question
from autograder.grading.task import with_timeout
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission
from autograder.testcases import in_order

TOML = """
title = "Toy"
[limits]
call_seconds = 2
[questions.q1]
title = "Quick"
points = 1
functions = ["f"]
[questions.q2]
title = "Slow"
points = 1
functions = ["g"]
call_seconds = {seconds}
"""


def written(folder: Path, seconds: str) -> Path:
    (folder / "assignment.toml").write_text(TOML.format(seconds=seconds), encoding="utf-8")
    return folder


def test_a_question_may_have_a_limit_of_its_own(tmp_path: Path) -> None:
    assignment = Assignment.load(written(tmp_path, "7.5"))
    assert [question.call_seconds for question in assignment.questions] == [None, 7.5]
    assert assignment.limits.call_seconds == 2


@pytest.mark.parametrize("seconds", ["0", "-1", "true", '"10"'])
def test_a_limit_that_is_no_positive_number_is_refused_by_name(tmp_path: Path, seconds: str) -> None:
    with pytest.raises(AssignmentError, match="question q2: call_seconds must be a positive number"):
        Assignment.load(written(tmp_path, seconds))


@pytest.mark.parametrize("minutes", ["0", "-5", "2.5", "true", '"20"'])
def test_minutes_that_are_no_positive_whole_number_are_refused_by_name(tmp_path: Path, minutes: str) -> None:
    (tmp_path / "assignment.toml").write_text(TOML.format(seconds=7) + f"minutes = {minutes}\n", encoding="utf-8")
    with pytest.raises(AssignmentError, match="question q2: minutes must be a positive whole number"):
        Assignment.load(tmp_path)


def test_a_question_may_say_how_many_minutes_it_takes(tmp_path: Path) -> None:
    (tmp_path / "assignment.toml").write_text(TOML.format(seconds=7) + "minutes = 20\n", encoding="utf-8")
    assert [question.minutes for question in Assignment.load(tmp_path).questions] == [None, 20]


def test_cases_of_a_question_that_comes_last_are_run_after_all_others(tmp_path: Path) -> None:
    (tmp_path / "assignment.toml").write_text(
        TOML.format(seconds=7).replace('title = "Quick"', 'title = "Quick"\nlast = true'), encoding="utf-8"
    )
    (tmp_path / "tests").mkdir()
    for name, function in (("q1", "f"), ("q2", "g")):
        cases = "".join(
            f"@test_case(points=0.5, hidden={hidden})\ndef test_{name}_{kind}({function}): ...\n"
            for kind, hidden in (("hidden", True), ("public", False))
        )
        text = f"from otter.test_files import test_case\nOK_FORMAT = False\nname = '{name}'\npoints = None\n{cases}"
        (tmp_path / "tests" / f"{name}.py").write_text(text, encoding="utf-8")
    order = [case.name for case in in_order(Assignment.load(tmp_path))]
    assert order == ["test_q2_public", "test_q2_hidden", "test_q1_public", "test_q1_hidden"]


def test_a_timeout_cuts_the_limits_of_questions_too(tmp_path: Path) -> None:
    assignment = with_timeout(Assignment.load(written(tmp_path, "60")), 5)
    assert [question.call_seconds for question in assignment.questions] == [2, 5]


def test_a_call_ends_at_its_questions_limit(workshop: ForkServer) -> None:
    questions = (Question("q1", "t", 1, ("f",), call_seconds=1), Question("q2", "t", 1, ("g",)))
    assignment = Assignment("toy", "Toy", Path(), questions, Limits(call_seconds=20))
    code = "import time\ndef f(x):\n    while True: pass\ndef g(x):\n    time.sleep(1.5)\n    return x"
    with Session(workshop, Submission("toy", None, (code,)), assignment) as session:
        with pytest.raises(checks.StudentError, match="f did not finish within 1 seconds"):
            session.functions["f"](1)
        assert session.functions["g"](2) == 2


def test_without_a_timeout_the_assignment_stays_as_it_is() -> None:
    assignment = Assignment("toy", "Toy", Path(), (Question("q1", "t", 1, ("f",), call_seconds=3),))
    assert with_timeout(assignment, None) == replace(assignment)
