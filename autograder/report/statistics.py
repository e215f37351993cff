"""A class in numbers, collected in one pass over the journal."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import fmean, median, quantiles

from autograder.records.final import Final
from autograder.records.journal import Record
from autograder.records.results import SubmissionResult, Timeout
from autograder.records.roster import Student
from autograder.report.grades import Row


@dataclass
class CaseCount:
    """One test case over the class."""

    question: str
    title: str
    hidden: bool
    points: float
    passed: int = 0


@dataclass
class Statistics:
    """A class: rows, cases, mistakes. Only graded submissions count in averages."""

    rows: list[Row] = field(default_factory=list[Row])
    cases: dict[str, CaseCount] = field(default_factory=dict[str, CaseCount])
    mistakes: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(question, sentence): how many submissions."""
    absent: list[tuple[Row, Student]] = field(default_factory=list[tuple[Row, Student]])
    """Students without a submission who get a line all the same; not in any average."""
    timeless: list[str] = field(default_factory=list[str])
    """Submissions without a submission time, where there is a late policy."""
    notes: list[str] = field(default_factory=list[str])
    """What the instructor must know about the grades before passing them on."""
    timeouts: Counter[tuple[str, float]] = field(default_factory=Counter[tuple[str, float]])
    """(what a limit was set on, its seconds): how many submissions ran into it."""

    @staticmethod
    def of(records: Iterable[Record], grade: Callable[[SubmissionResult], Final] = Final.of) -> "Statistics":
        """Counts the records; `grade` turns scores into grades."""
        statistics = Statistics()
        for record in records:
            statistics._add(record, grade(record.result))
        statistics.rows.sort(key=lambda row: row.file)
        return statistics

    def _add(self, record: Record, final: Final) -> None:
        result = record.result
        self.rows.append(Row.of(result, record.stem, final))
        # dicts, not sets: what is equally frequent is in the same order whenever the report is written
        self.timeouts.update(dict.fromkeys(((_limited(timeout), timeout.seconds) for timeout in result.timeouts), 1))
        if not result.graded:
            return
        mistakes: dict[tuple[str, str], int] = {}
        for question in result.questions:
            for case in question.cases:
                count = self.cases.setdefault(case.name, CaseCount(question.name, case.title, case.hidden, case.points))
                count.passed += case.passed
                if case.mistake:
                    mistakes[question.name, case.mistake] = 1
        self.mistakes.update(mistakes)

    @property
    def completed(self) -> list[Row]:
        """The graded submissions, including those that timed out with a score."""
        return [row for row in self.rows if row.scored]

    @property
    def not_graded(self) -> list[Row]:
        """The submissions that were not graded."""
        return [row for row in self.rows if not row.scored]

    @property
    def problems(self) -> list[Row]:
        """The submissions that a person should look at: not graded, or only in part."""
        return [row for row in self.rows if row.status != "completed"]

    @property
    def timed_out(self) -> list[Row]:
        """The submissions that timed out before every case was run, graded up to that point."""
        return [row for row in self.completed if row.status == "timed out"]

    @property
    def timeout_cases(self) -> int:
        """Cases that failed because a call did not finish in time, over the class."""
        return sum(row.timeout_cases for row in self.rows)

    def mean(self) -> float:
        """Mean points; 0 for an empty class."""
        return fmean(row.earned for row in self.completed) if self.completed else 0.0

    def median(self) -> float:
        """Median points; 0 for an empty class."""
        return median(row.earned for row in self.completed) if self.completed else 0.0

    def quartiles(self) -> tuple[float, float]:
        """Lower and upper quartile of the points."""
        points = [row.earned for row in self.completed]
        if len(points) < 2:
            return (points[0], points[0]) if points else (0.0, 0.0)
        lower, _, upper = quantiles(points, n=4, method="inclusive")
        return lower, upper

    def histogram(self, possible: float, bins: int = 10) -> list[int]:
        """How many submissions earned 0 to 10 %, 10 to 20 %, …; the last one holds 100 % and more."""
        counts = [0] * bins
        for row in self.completed:
            share = row.earned / possible if possible else 0.0
            counts[min(bins - 1, int(share * bins + 1e-9))] += 1
        return counts


def _limited(timeout: Timeout) -> str:
    """What a limit applied to, in words that are the same for the whole class: without a cell's number."""
    return {
        "call": f"a call of {timeout.what}",
        "traced function": "a function as JAX traced it",
        "cell": "a cell",
        "notebook": "all cells of a notebook",
        "submission": "a whole submission",
        "worker": "the grader's worker process",
        "container": "the container",
    }[timeout.limit]
