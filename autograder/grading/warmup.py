"""Warm-up: `python -m autograder.grading.warmup ASSIGNMENT` compiles ahead what every submission needs.

`python -m autograder.grading.warmup ASSIGNMENT FOLDER` is the process that does it: it grades the reference once, and
JAX leaves in FOLDER what it compiles (`autograder.grading.compiled`).
"""

import sys
from pathlib import Path

from autograder.assignment import Assignment
from autograder.grading.cache import reference_of
from autograder.grading.compiled import compiled_folder
from autograder.grading.grader import open_grader
from autograder.grading.one import grade_one
from autograder.isolation.layers import policy
from autograder.submissions.read import Submission


def grade_ahead(folder: str, made: str) -> None:
    """Grades the reference, and an empty submission: that one makes the grader try every known mistake."""
    assignment = Assignment.load(folder)
    reference = reference_of(assignment)
    assert reference is not None
    empty = "\n".join(f"def {name}(*arguments): return 0.0" for name in assignment.functions)
    # our own code, so it needs no isolation, and has to write here
    with open_grader(assignment, seed=None, isolated=False, compile_into=Path(made)) as warm:
        for source in (reference.read_text(encoding="utf-8"), empty):
            grade_one(Submission("reference", None, (source,)), assignment, warm.open_session)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        grade_ahead(*sys.argv[1:])
    elif compiled_folder(Assignment.load(sys.argv[1]), policy(allow_none=True)) is None:
        sys.exit("nothing was compiled ahead")
