"""Results for submissions that Otter never came to see, in both of the forms it would have written."""

import json
from typing import Any

from autograder.text import printable


def unreadable(problem: str) -> dict[str, bytes]:
    """The file is not a submission: 0 points and a sentence for the student."""
    text = printable(problem, 1000)
    return _both(ValueError(text), [_test("Submission", text, visible=True)])


def failed(details: str) -> dict[str, bytes]:
    """The grader failed: 0 points, an apology for the student and the details for the instructor."""
    last = details.strip().splitlines()[-1] if details.strip() else "unknown error"
    apology = "The autograder failed. Please tell your instructor; it is not your fault."
    tests = [_test("Autograder", apology, visible=True), _test("Autograder error", printable(details), visible=False)]
    return _both(RuntimeError(f"the autograder failed: {printable(last, 500)}"), tests)


def _test(name: str, output: str, *, visible: bool) -> dict[str, Any]:
    visibility = "visible" if visible else "hidden"
    return {"name": name, "status": "failed", "visibility": visibility, "output": output}


def _both(problem: Exception, tests: list[dict[str, Any]]) -> dict[str, bytes]:
    """`problem`: a built-in exception, for the pickle is read where this package may not be installed. A ValueError
    says that the file is not a submission (`autograder.otter.listener` tells the two apart)."""
    import dill
    from otter.test_files import GradingResults

    results: Any = GradingResults.without_results(problem)
    document = {"score": 0, "tests": tests}
    return {"results.json": json.dumps(document, indent=1).encode(), "results.pkl": dill.dumps(results)}  # pyright: ignore[reportUnknownMemberType]
