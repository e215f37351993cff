"""A worker whose submissions run in its own process: `python -m toy_worker`, for tests of the pool."""

import os
import subprocess
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
    if str(options["seed"]).startswith("the second start fails: "):
        with open(str(options["seed"]).partition(": ")[2], "a+b") as starts:
            starts.write(b".")
            if starts.tell() == 2:
                raise RuntimeError("no session can be opened now")
    load_cases(assignment)  # like the real one: Otter is not imported in the time of the first submission
    with subprocess.Popen(["sleep", "600"]) as template, seeds.using(str(options["seed"])):
        os.environ["TOY_TEMPLATE"] = str(template.pid)
        try:
            yield Warm(OpenSession, ("none at all",), None, os.pidfd_open(template.pid))
        finally:
            template.kill()


if __name__ == "__main__":
    worker.open_grader = open_grader
    sys.exit(worker.main())
