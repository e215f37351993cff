"""A class in numbers, collected in one pass over the journal.

How well a case separates is its corrected item-total correlation (Ebel & Frisbie, *Essentials of Educational
Measurement*, 5th ed., chapter 13): of passing it with the points of all other cases. With x = 1 for those who pass,
p the case's points, T a submission's points and R = T - p x the others',

    cov(x, R) = cov(x, T) - p var(x),    var(R) = var(T) - 2 p cov(x, T) + p^2 var(x),

so that sums over the class are enough, and nothing is kept per submission and case.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import ceil, sqrt
from statistics import fmean, median, quantiles

from autograder.records.final import Final
from autograder.records.journal import Record
from autograder.records.results import SubmissionResult, Timeout
from autograder.records.roster import Student
from autograder.report.grades import Row

LOW = 0.2
"""A case whose correlation is surely below this does not separate (Ebel & Frisbie: poor, to be rejected or revised)."""
_FEWEST = 20
"""Submissions, for a judgement on a case."""
_SURE = 1.645
"""Standard errors: a case that separates as little as `LOW` is flagged once in twenty times, by chance."""


@dataclass
class CaseCount:
    """One test case over the class."""

    name: str
    question: str
    title: str
    hidden: bool
    points: float
    passed: int = 0
    points_of_passed: float = 0.0
    """All points of the submissions that pass it."""


@dataclass
class Moments:
    """Sums over the graded submissions' points as they were graded, bonus included."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, points: float) -> None:
        """A submission's points."""
        self.count += 1
        self.total += points
        self.squares += points * points

    def correlation(self, case: CaseCount) -> float | None:
        """The corrected item-total correlation of a case; None where it does not exist."""
        if not 0 < case.passed < self.count:
            return None
        share, mean = case.passed / self.count, self.total / self.count
        variance, of_case = self.squares / self.count - mean * mean, share * (1 - share)
        covariance = case.points_of_passed / self.count - share * mean
        of_others = variance - 2 * case.points * covariance + case.points**2 * of_case
        if of_others <= 1e-12 * max(1.0, variance):
            return None
        return (covariance - case.points * of_case) / sqrt(of_others * of_case)

    def flag(self, case: CaseCount) -> str:
        """What is wrong with a case, in a few words; empty where nothing is, or the class is too small to tell."""
        if self.count < 2:
            return ""
        if case.passed == 0:
            return "nobody passes"
        if case.passed == self.count:
            return "everybody passes"
        rare = min(case.passed, self.count - case.passed)
        correlation = self.correlation(case)
        if self.count < _FEWEST or correlation is None or rare < max(5, 0.05 * self.count):
            return ""
        error = (1 - correlation**2) / sqrt(self.count - 1)
        if correlation + _SURE * error < 0:
            return "the weaker pass it"
        return "does not separate" if correlation + _SURE * error < LOW else ""


@dataclass
class Statistics:
    """A class: rows, cases, mistakes. Only graded submissions count in averages."""

    rows: list[Row] = field(default_factory=list[Row])
    cases: dict[str, CaseCount] = field(default_factory=dict[str, CaseCount])
    mistakes: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(question, sentence of one mistake): how many submissions. Where two mistakes give the same answer, a submission
    is counted for the one that it or the class shows elsewhere, else for the first."""
    moments: Moments = field(default_factory=Moments)
    absent: list[tuple[Row, Student]] = field(default_factory=list[tuple[Row, Student]])
    """Students without a submission who get a line all the same; not in any average."""
    timeless: list[str] = field(default_factory=list[str])
    """Submissions without a submission time, where there is a late policy."""
    notes: list[str] = field(default_factory=list[str])
    """What the instructor must know about the grades before passing them on."""
    timeouts: Counter[tuple[str, float]] = field(default_factory=Counter[tuple[str, float]])
    """(what a limit was set on, its seconds): how many submissions ran into it."""
    _sentences: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Of a mistake, by question and name."""
    _sure: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """By question and name: submissions that show this mistake and no other."""
    _unsure: Counter[tuple[str, tuple[str, ...]]] = field(default_factory=Counter[tuple[str, tuple[str, ...]]])
    """By question and names: submissions that show one of these mistakes, and none of them for sure."""

    @staticmethod
    def of(records: Iterable[Record], grade: Callable[[SubmissionResult], Final] = Final.of) -> "Statistics":
        """Counts the records; `grade` turns scores into grades."""
        statistics = Statistics()
        for record in records:
            statistics._add(record, grade(record.result))
        statistics.rows.sort(key=lambda row: row.file)
        statistics._count_mistakes()
        return statistics

    def _add(self, record: Record, final: Final) -> None:
        result = record.result
        self.rows.append(Row.of(result, record.stem, final))
        # dicts, not sets: what is equally frequent is in the same order whenever the report is written
        self.timeouts.update(dict.fromkeys(((_limited(timeout), timeout.seconds) for timeout in result.timeouts), 1))
        if not result.graded:
            return
        self.moments.add(result.earned)
        for question in result.questions:
            found: dict[tuple[str, ...], None] = {}
            for case in question.cases:
                count = self.cases.setdefault(
                    case.name, CaseCount(case.name, question.name, case.title, case.hidden, case.points)
                )
                if case.passed:
                    count.passed += 1
                    count.points_of_passed += result.earned
                if case.mistake:
                    names = case.mistakes or (case.mistake,)
                    self._sentences.setdefault((question.name, names[0]), case.misconception or case.mistake)
                    found[names] = None
            sure = {names[0] for names in found if len(names) == 1}
            self._sure.update((question.name, name) for name in sure)
            self._unsure.update((question.name, names) for names in found if not sure & set(names))

    def _count_mistakes(self) -> None:
        counts = Counter(self._sure)
        for (question, names), times in self._unsure.items():
            name = next((name for name in names if (question, name) in self._sure), names[0])
            counts[question, name] += times
        for (question, name), times in counts.items():
            self.mistakes[question, self._sentences[question, name]] += times

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
    def out_of_time(self) -> list[Row]:
        """The submissions in which anything did not finish in time, those with most such cases first."""
        return sorted((row for row in self.rows if row.timeouts), key=lambda row: -row.timeout_cases)

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

    def histogram(self, possible: float) -> list[int]:
        """How many submissions earned 0 to 10 %, 10 to 20 %, … of the points possible. 100 % belong to the tenth bin;
        where bonus points bring somebody above, there are more bins."""
        counts = [0] * 10
        for row in self.completed:
            tenths = 10 * row.earned / possible if possible else 0.0
            place = max(0, int(tenths + 1e-9)) if tenths < 10 else max(9, ceil(tenths - 1e-9) - 1)
            counts += [0] * (place + 1 - len(counts))
            counts[place] += 1
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
