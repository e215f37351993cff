"""results/<stem>.json in the format of Gradescope's autograders.

Source: Gradescope, "Autograder specifications", results.json. Hidden cases have the visibility `hidden`: only
instructors see them. What the submission printed is in `extra_data`, which students do not see.
"""

import json
import math
from dataclasses import asdict
from typing import Any

from autograder.records.final import Final
from autograder.records.journal import Record
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.report.feedback import failures_in_words, hidden_summary, steps_in_words
from autograder.text import number, printable, signed


def results_json(record: Record, final: Final | None = None) -> str:
    """The file's text; `final` is the grade when it is not the score alone."""
    content = gradescope_results(record.result, final)
    content["extra_data"]["sha256"] = record.sha256
    return json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"


def gradescope_results(result: SubmissionResult, final: Final | None = None) -> dict[str, Any]:
    """The results as data: `score` is the grade after all steps, used instead of the sum of the tests."""
    final = final or Final.of(result)
    notes = [printable(note, 600) for note in result.notes]
    if result.status == "unreadable":
        notes.insert(0, f"This file could not be graded. {printable(result.problem, 1000)}")
    elif result.status == "failed":
        notes.insert(0, "The grader had a problem with this submission; your instructor has been told.")
    elif result.status == "timed out":
        who = "" if result.graded else " Your instructor has been told."
        notes.insert(0, f"This submission ran out of time. {printable(result.problem, 1000)}{who}")
    tests: list[dict[str, Any]] = []
    for question in result.questions:
        tests += [
            _test(f"{question.name}.{number}", question, case) for number, case in enumerate(question.cases, start=1)
        ]
        hidden = tuple(case for case in question.cases if case.hidden)
        summary = hidden_summary(hidden)
        failures = failures_in_words(hidden)
        mistakes = dict.fromkeys(case.mistake for case in hidden if case.mistake)
        if summary and result.status != "unreadable":
            notes.append(f"{question.name}: {' '.join([summary, *filter(None, [failures]), *mistakes])}")
    lines = [
        f"{printable(text, 600, lines=False)}: {signed(points) if place else number(points)}"
        for place, (text, points) in enumerate(steps_in_words(final))
    ]
    notes = [*lines, f"Total: {number(final.total)}", *notes] if lines else notes
    return {
        "score": final.total,
        # students may see it, and a submission chooses how long it takes: rounding leaves little to signal with
        "execution_time": math.ceil(result.seconds.get("total", 0.0) / 10) * 10,
        "output": "\n".join(notes),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "file": printable(result.file, 300, lines=False),
            "status": result.status,
            "problem": printable(result.problem, 2000),
            "possible": result.possible,
            "original_score": final.earned,
            "steps": [asdict(step) for step in final.steps],
            "isolated": result.isolated,
            "seconds": result.seconds,
            "timeouts": [asdict(timeout) for timeout in result.timeouts],
            "grader_notes": [printable(note, 1000) for note in result.grader_notes],
            "printed": printable(result.output, 20_000),
        },
    }


def _test(number: str, question: QuestionResult, case: CaseResult) -> dict[str, Any]:
    return {
        "name": printable(f"{question.name}: {case.title}", 300, lines=False),
        "number": number,
        "score": case.earned,
        "max_score": 0.0 if question.bonus else case.points,
        "status": "passed" if case.passed else "failed",
        "visibility": "hidden" if case.hidden else "visible",
        "output": "" if case.passed else printable(case.message, 4000),
        "extra_data": {
            "case": case.name,
            "mistake": case.mistake,
            "mistakes": case.mistakes,
            "failure": case.failure,
            "kind": case.kind,
        },
    }
