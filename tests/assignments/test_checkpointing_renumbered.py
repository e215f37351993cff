"""A notebook that was handed out when q7 and q8 of `checkpointing` were q6 and q7 is graded like any other."""

import json
import re
from functools import partial
from typing import Any

from solved import solved_notebook

from autograder.assignment import Assignment
from autograder.grading.one import grade_one
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import read_content


def as_it_was(notebook: str) -> str:
    """Without the new questions, and with the old numbers."""
    old: dict[str, Any] = json.loads(notebook)
    cells: list[dict[str, Any]] = []
    for cell in old["cells"]:
        source = "".join(cell["source"])
        if re.search(r"def (run_schedule|nested_checkpointed_loss)\b|check\(\"q[69]\"\)", source):
            continue
        source = re.sub(r"\bq([78])\b", lambda found: f"q{int(found[1]) - 1}", source)
        cells.append({**cell, "source": source})
    return json.dumps({**old, "cells": cells})


def test_questions_are_found_by_the_names_of_their_functions(workshop: ForkServer) -> None:
    assignment = Assignment.load("checkpointing")
    submission = read_content(as_it_was(solved_notebook("checkpointing")).encode(), "old.ipynb", assignment.limits)
    result = grade_one(submission, assignment, partial(Session, workshop))
    assert result.status == "completed", result.problem
    earned = {question.name: sum(c.points for c in question.cases if c.passed) for question in result.questions}
    assert earned == {"q1": 3, "q2": 3, "q3": 6, "q4": 4, "q5": 10, "q6": 0, "q7": 9, "q8": 5, "q9": 0}
