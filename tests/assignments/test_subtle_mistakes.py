"""Solutions that are wrong on few inputs lose points: the cases that are made for them notice it."""

from functools import cache
from importlib import import_module

import pytest
from adkit import checks
from adkit.notebook.time_limit import limits
from otter.test_files import ExceptionTestFile
from subtle_mistakes import SUBTLE, Subtle

from autograder.assignment import Assignment


@cache
def cases_of(assignment: str, question: str):
    file = ExceptionTestFile.from_file(str(Assignment.load(assignment).tests_dir / f"{question}.py"))
    return {case.body.test_func.__name__: case.body.call_func for case in file.test_cases}


@pytest.mark.parametrize("wrong", SUBTLE, ids=lambda wrong: f"{wrong.function}-{wrong.words}".replace(" ", "-"))
def test_the_cases_that_look_for_a_subtle_mistake_notice_it(wrong: Subtle) -> None:
    cases = cases_of(wrong.assignment, wrong.question)
    reference = import_module(f"reference.{wrong.assignment}")
    names = Assignment.load(wrong.assignment).question(wrong.question).functions
    functions = {name: getattr(reference, name) for name in names} | {wrong.function: wrong.implementation}
    assert wrong.loses
    with limits(10, 3):  # a call that takes longer is ended, as it is when it is graded
        failed = {
            name
            for name, case in cases.items()
            if (wrong.remembers or name in wrong.loses)
            and checks.first_failure(lambda case=case: case(functions)) is not None
        }
    assert set(wrong.loses) <= failed
