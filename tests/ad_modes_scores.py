"""The cases of `ad_modes`, run with functions in this process."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from otter.test_files import ExceptionTestFile

import reference.ad_modes
from autograder.assignment import Assignment

ASSIGNMENT = Assignment.load("ad_modes")
REFERENCE = {name: getattr(reference.ad_modes, name) for name in ASSIGNMENT.functions}
POINTS = {"q1": 4, "q2": 3, "q3": 5, "q4": 7, "q5": 5, "q6": 6, "q7": 5, "q8": 5}


@cache
def cases_of(question: str) -> ExceptionTestFile:
    return ExceptionTestFile.from_file(str(ASSIGNMENT.tests_dir / f"{question}.py"))


def results(environment: Mapping[str, Any], question: str) -> list[Any]:
    file = cases_of(question)
    file.run(dict(environment))
    return file.test_case_results


def score(environment: Mapping[str, Any], question: str) -> float:
    return sum(result.test_case.points for result in results(environment, question) if result.passed)
