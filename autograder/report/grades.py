"""final_grades.csv, with the columns, the order and the first row of `otter grade`.

Otter: grade/utils.py, merge_scores_to_df. The first row holds the points of each question; bonus questions
have 0 possible and add to the score only. Texts that a spreadsheet would take for a formula get an
apostrophe.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.records.final import Final
from autograder.records.results import SubmissionResult, Timeout
from autograder.text import csv_text, for_csv, number, signed

POINTS_ROW = "points-per-question"
_NOTHING = Final(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Row:
    """One submission's line: small enough to be kept for a whole class."""

    file: str
    stem: str
    scores: dict[str, float]
    earned: float
    """The grade: the score after late reduction, adjustments and cap."""
    possible: float
    status: str
    """completed, timed out, unreadable or failed; missing for a student without a submission."""
    problem: str
    isolated: bool
    seconds: float
    timeouts: tuple[Timeout, ...] = ()
    """Limits in seconds that it ran into."""
    timeout_cases: int = 0
    """Cases that failed because a call did not finish in time."""
    scored: bool = True
    """Whether there is a score, perhaps of the cases before the time was up: see `SubmissionResult.graded`."""
    final: Final = _NOTHING
    """How `earned` came about."""
    blank: bool = False
    """Without points, not even 0: for a student without a submission."""

    @property
    def graded(self) -> bool:
        """Whether `earned` is a grade to pass on: a score, 0 for an unreadable or missing submission, or a person's
        decision. It is not where the grader failed or was killed, and where the line is blank."""
        decided = any(step.kind == "adjustment" for step in self.final.steps)
        return decided or (not self.blank and (self.scored or self.status in ("unreadable", "missing")))

    @property
    def limits_in_words(self) -> str:
        """The limits in seconds that it ran into, each once."""
        return "; ".join(dict.fromkeys(timeout.sentence() for timeout in self.timeouts))

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
    def of_absent(label: str, final: Final, *, blank: bool) -> "Row":
        """The line of a student without a submission."""
        return Row(
            file=label,
            stem="",
            scores={},
            earned=final.total,
            possible=final.possible,
            status="missing",
            problem="Nothing handed in",
            isolated=True,
            seconds=0.0,
            scored=False,
            final=final,
            blank=blank,
        )

    @staticmethod
    def of(result: SubmissionResult, stem: str, final: Final | None = None) -> "Row":
        """The line of a result; `final` is the grade when it is not the score alone."""
        final = final or Final.of(result)
        return Row(
            file=result.file,
            stem=stem,
            scores={question.name: question.earned for question in result.questions},
            earned=final.total,
            possible=result.possible,
            status=result.status,
            problem=result.problem,
            isolated=result.isolated,
            seconds=result.seconds.get("total", 0.0),
            timeouts=result.timeouts,
            timeout_cases=sum(case.failure == "timeout" for question in result.questions for case in question.cases),
            scored=result.graded,
            final=final,
        )


def final_grades(rows: Iterable[Row], questions: Sequence[dict[str, Any]]) -> str:
    """The file's text; `questions` as in run.json."""
    names = sorted(str(question["name"]) for question in questions)  # Otter's order: as text
    possible = {
        str(question["name"]): 0.0 if question["bonus"] else float(question["points"]) for question in questions
    }
    lines = [[POINTS_ROW, *(possible[name] for name in names), sum(possible.values()), 1.0, "--"]]
    for row in sorted(rows, key=lambda row: row.file):
        values = [*(row.scores.get(name, 0.0) for name in names), row.earned, row.percent]
        values = ["" if row.blank else value for value in values]
        lines.append([for_csv(row.file), *values, for_csv(row.grading_status)])
    return _table(["file", *names, "total_points_earned", "percent_correct", "grading_status"], lines)


def grades_detail(rows: Iterable[Row]) -> str:
    """grades_detail.csv: for each submission the original score, what each kind of step changed, and why."""
    header = ["file", "score", "bonus", "late", "adjustment", "cap", "total", "why", "to be looked at"]
    lines: list[list[Any]] = []
    for row in sorted(rows, key=lambda row: row.file):
        final = row.final
        by_kind = {
            kind: round(sum(step.points for step in final.steps if step.kind == kind), 6)
            for kind in ("late", "adjustment", "cap")
        }
        why = "; ".join(
            f"{step.question or step.kind} {signed(step.points)}" + (f" ({step.reason})" if step.reason else "")
            for step in final.steps
        )
        values = (final.score, final.bonus, *by_kind.values(), final.total)
        lines.append([for_csv(row.file), *map(number, values), for_csv(why, 2000), for_csv(final.lateness)])
    return _table(header, lines)


def _table(header: list[str], lines: list[list[Any]]) -> str:
    """As pandas, and so Otter, writes it: a column of whole numbers without decimals, any other with them.

    By hand, because importing pandas for it takes 0.4 s; a test compares with what Otter itself writes.
    """
    whole = [
        all(isinstance(line[column], float) and line[column].is_integer() for line in lines)
        and header[column] != "percent_correct"
        for column in range(len(header))
    ]
    return csv_text(
        header, ([int(value) if whole[column] else value for column, value in enumerate(line)] for line in lines)
    )
