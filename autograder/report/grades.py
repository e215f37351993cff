"""final_grades.csv, with the columns, the order and the first row of `otter grade`.

Otter: grade/utils.py, merge_scores_to_df. The first row holds the points of each question; bonus questions
have 0 possible and add to the score only. Texts that a spreadsheet would take for a formula get an
apostrophe.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.report.escape import for_csv
from autograder.results import SubmissionResult, Timeout

POINTS_ROW = "points-per-question"


@dataclass(frozen=True)
class Row:
    """One submission's line: little enough to be kept for a whole class."""

    file: str
    stem: str
    scores: dict[str, float]
    earned: float
    possible: float
    status: str
    """completed, timed out, unreadable or failed."""
    problem: str
    isolated: bool
    seconds: float
    timeouts: tuple[Timeout, ...] = ()
    """Limits in seconds that it ran into."""
    timeout_cases: int = 0
    """Cases that failed because a call did not finish in time."""
    graded: bool = True
    """Whether the points are a grade: see `SubmissionResult.graded`."""

    @property
    def percent(self) -> float:
        """Otter's percent_correct: the share of the points possible, to four digits."""
        return round(self.earned / self.possible, 4) if self.possible else 0.0

    @property
    def grading_status(self) -> str:
        """Otter's word for what was graded, the problem otherwise."""
        if self.status == "timed out":
            return f"Timed out: {self.problem}"
        if self.status != "completed":
            return self.problem or self.status
        return "Completed" if self.isolated else "Completed without isolation"

    @staticmethod
    def of(result: SubmissionResult, stem: str) -> "Row":
        """The line of a result."""
        return Row(
            file=result.file,
            stem=stem,
            scores={question.name: question.earned for question in result.questions},
            earned=result.earned,
            possible=result.possible,
            status=result.status,
            problem=result.problem,
            isolated=result.isolated,
            seconds=result.seconds.get("total", 0.0),
            timeouts=result.timeouts,
            timeout_cases=sum(case.failure == "timeout" for question in result.questions for case in question.cases),
            graded=result.graded,
        )


def final_grades(rows: Iterable[Row], questions: Sequence[dict[str, Any]]) -> str:
    """The file's text; `questions` as in run.json."""
    names = sorted(str(question["name"]) for question in questions)  # Otter's order: as text
    possible = {
        str(question["name"]): 0.0 if question["bonus"] else float(question["points"]) for question in questions
    }
    lines = [[POINTS_ROW, *(possible[name] for name in names), sum(possible.values()), 1.0, "--"]]
    for row in sorted(rows, key=lambda row: row.file):
        scores = [row.scores.get(name, 0.0) for name in names]
        lines.append([for_csv(row.file), *scores, row.earned, row.percent, for_csv(row.grading_status)])
    return _table(["file", *names, "total_points_earned", "percent_correct", "grading_status"], lines)


def _table(header: list[str], lines: list[list[Any]]) -> str:
    """As pandas writes it: a column of whole numbers without decimals, any other with them."""
    whole = [
        all(isinstance(line[column], float) and line[column].is_integer() for line in lines)
        and header[column] != "percent_correct"
        for column in range(len(header))
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for line in lines:
        writer.writerow([int(value) if whole[column] else value for column, value in enumerate(line)])
    return text.getvalue()
