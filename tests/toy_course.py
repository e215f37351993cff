"""A tiny assignment, submissions to it, and sessions without isolation: for tests of grading."""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograder.assignment import Assignment
from autograder.grading.task import Settings, task_of
from autograder.grading.worker import grade_task
from autograder.records.journal import Record
from autograder.records.results import SubmissionResult, Timeout
from autograder.submissions.batch import Entry
from autograder.submissions.read import Submission

TOML = """
title = "Toy <course> & more"
[limits]
call_seconds = 2
notebook_seconds = 5
submission_seconds = 20
[questions.q1]
title = "Doubling"
points = 3
functions = ["double"]
[questions.q2]
title = "Negation"
points = 2.5
functions = ["negate"]
[questions.q3]
title = "Extra"
points = 2
functions = ["extra"]
bonus = true
"""

Q1 = '''
"""q1: Doubling."""
from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None

@test_case(points=1)
def test_q1_of_three(double):
    """twice three"""
    from adkit import checks
    checks.close(checks.call(double, 3.0), 6.0, rtol=1e-9, what="double(3)")

@test_case(points=2, hidden=True)
def test_q1_secret_title(double):
    """secret title 4711"""
    from adkit import checks
    checks.close(checks.call(double, 4711.0), 9422.0, rtol=1e-9, what="double")
'''

Q2 = '''
"""q2: Negation."""
from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None

@test_case(points=1)
def test_q2_plain_assert(negate):
    from adkit import checks
    assert checks.call(negate, 1.0) == -1.0

@test_case(points=1.5, hidden=True)
def test_q2_grader_bug(negate):
    """a test with a bug for odd answers"""
    from adkit import checks
    assert checks.call(negate, 4711.0) + 0 == -4711.0, "4711 is a secret"
'''

Q3 = '''
"""q3: Extra."""
from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None

@test_case(points=2, hidden=True)
def test_q3_extra(extra):
    """extra"""
    from adkit import checks
    checks.equal(checks.call(extra), 1, what="extra()")
'''

RIGHT = "def double(x):\n    return 2 * x\ndef negate(x):\n    return -x\n"
EXTRA = "def extra():\n    return 1\n"
WRONG = "def double(x):\n    return x\ndef negate(x):\n    raise ValueError(f'got {x}')\n"


def write_assignment(folder: Path) -> Assignment:
    """The assignment `toy` below `folder`."""
    tests = folder / "toy" / "tests"
    tests.mkdir(parents=True)
    (folder / "toy" / "assignment.toml").write_text(TOML)
    for name, text in (("q1", Q1), ("q2", Q2), ("q3", Q3)):
        (tests / f"{name}.py").write_text(text.lstrip())
    return Assignment.load(folder / "toy")


def notebook(*cells: str) -> str:
    """A notebook's text."""
    return json.dumps(
        {
            "cells": [
                {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
                for cell in cells
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


class OpenSession:
    """A session of functions that are just functions."""

    def __init__(self, submission: Submission, assignment: Assignment) -> None:
        self.log = SimpleNamespace(notes=[], failed_cells=[], output="", seconds={"cells": 0.0}, timeouts=[], not_run=0)
        names: dict[str, Any] = {}
        for number, cell in enumerate(submission.cells, start=1):
            if cell.startswith("DIE ONCE "):
                marker = Path(cell.removeprefix("DIE ONCE ").strip())
                if not marker.exists():
                    marker.touch()
                    os._exit(9)
                continue
            if cell == "OUT OF TIME":
                self.log.timeouts.append(Timeout("submission", "", 20.0))
                continue
            if cell == "DIE":
                os._exit(9)
            if cell == "STALL":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                while True:
                    signal.pause()
            if cell == "RAISE":
                raise RuntimeError("the session broke")
            try:
                exec(cell, names)
            except Exception as error:
                self.log.failed_cells.append((number, str(error)))
        self.functions = {name: names[name] for name in assignment.functions if name in names}

    def __enter__(self) -> "OpenSession":
        return self

    def __exit__(self, *exception: object) -> None:
        self.log.output = "printed 4711"


class OneProcess:
    """Grades like a pool, in this very process."""

    isolation = ("none at all",)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.assignment = settings.load_assignment()

    def __enter__(self) -> "OneProcess":
        return self

    def __exit__(self, *exception: object) -> None:
        return

    def grade(self, entries: Sequence[Entry]) -> Iterator[Record]:
        """Grades all entries in order."""
        for entry in entries:
            answer = grade_task(task_of(entry.name, entry.path), self.settings, self.assignment, OpenSession)
            result = SubmissionResult.from_json(json.loads(json.dumps(answer["result"])))
            yield Record(entry.name, entry.stem, answer["sha256"], result)
