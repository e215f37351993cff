"""A worker whose submissions run in its own process: `python -m toy_worker`, for tests of the pool."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from toy_course import OpenSession

from autograder.grading import worker
from autograder.grading.grader import Warm
from reference.inputs import seeds


@contextmanager
def open_grader(assignment: object, **options: object) -> Generator[Warm, None, None]:
    """Opens sessions that isolate nothing."""
    if options["seed"] == "a broken machine":
        raise RuntimeError("no session can be opened here")
    with seeds.using(str(options["seed"])):
        yield Warm(OpenSession, ("none at all",))


if __name__ == "__main__":
    worker.open_grader = open_grader
    sys.exit(worker.main())
