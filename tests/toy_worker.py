"""A worker whose submissions run in its own process: `python -m toy_worker`, for tests of the pool."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from unisolated import OpenSession

from autograder.assignment import Assignment
from autograder.grading import worker
from autograder.grading.grader import Warm
from autograder.testcases import load_cases
from reference.inputs import seeds


@contextmanager
def open_grader(assignment: Assignment, **options: object) -> Generator[Warm, None, None]:
    """Opens sessions that isolate nothing."""
    if options["seed"] == "a broken machine":
        raise RuntimeError("no session can be opened here")
    load_cases(assignment)  # like the real one: Otter is not imported in the time of the first submission
    with seeds.using(str(options["seed"])):
        yield Warm(OpenSession, ("none at all",))


if __name__ == "__main__":
    worker.open_grader = open_grader
    sys.exit(worker.main())
