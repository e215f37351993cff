"""A handout of one small assignment, for tests of what a student's `grader` and check.py say."""

import json
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

TESTS = '''"""q{number}: {function}."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q{number}"
points = None


@test_case(name="Of three", points=1)
def test_q{number}_of_three({function}):
    """{function} of three"""
    from adkit import checks

    checks.close(checks.call({function}, 3.0), 6.0, rtol=1e-9, what="y")


@test_case(name="Of an array", points=0.5)
def test_q{number}_of_an_array({function}):
    """{function} of an array"""
    import numpy as np
    from adkit import checks

    checks.close(checks.call({function}, np.array([1.0, 2.0])), [2.0, 4.0], rtol=1e-9, what="y")
'''
SETUP = 'import adkit\ngrader = adkit.Notebook("small")'
DOUBLE = "def double(x):\n    return 2 * x"
TWICE = "def twice(x):\n    return x + x"
STUB = 'def double(x):\n    raise NotImplementedError("q1: double")'
ENDLESS = "def double(x):\n    while True:\n        pass"
EXPORT = "grader.export()"


def handout(folder: Path, call_seconds: float = 0.3, cell_seconds: float = 20.0, **versions: list[str]) -> Path:
    """Public tests of two questions, the facts about them, and check.py; adkit is the installed one."""
    tests = folder / "tests" / "small"
    tests.mkdir(parents=True)
    questions: list[dict[str, Any]] = []
    for number, function in enumerate(("double", "twice"), start=1):
        (tests / f"q{number}.py").write_text(TESTS.format(number=number, function=function))
        questions.append(
            {
                "name": f"q{number}",
                "title": f"Question {number}",
                "points": 4.0,
                "functions": [function],
                "bonus": False,
                "call_seconds": call_seconds,
                "public_cases": 2,
                "public_points": 1.5,
            }
        )
    facts: dict[str, Any] = {"name": "small", "title": "A small one", "questions": questions, "versions": versions}
    facts["limits"] = {"cell_seconds": cell_seconds, "timeouts": 3}
    (tests / "assignment.json").write_text(json.dumps(facts))
    shutil.copy(ROOT / "student_template" / "check.py", folder)
    return folder


def notebook(*cells: str) -> str:
    """A notebook's file."""
    entries = [
        {"cell_type": "code", "id": f"cell-{k}", "metadata": {}, "outputs": [], "execution_count": None, "source": cell}
        for k, cell in enumerate(cells)
    ]
    return json.dumps({"cells": entries, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
