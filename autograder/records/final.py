"""From the score to the grade, and whose it is: what lateness takes off, what a person adds, where it is capped.

The order is fixed: the score, its bonus, the late reduction, the adjustments of adjustments.csv in their order, the
cap. Each step is a fact with its reason, and the student's page shows all of them with the original score. No step
takes a grade below 0.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from autograder.late import LatePolicy, in_zone, moment
from autograder.records import adjustments as tables
from autograder.records import journal, roster
from autograder.records.adjustments import Adjustment, Extension
from autograder.records.people import People, Person
from autograder.records.results import SubmissionResult
from autograder.records.roster import Student
from autograder.records.run import Run

UNKNOWN = "late, but the platform does not say by how much"


@dataclass(frozen=True)
class Step:
    """What changed a grade, by how much, and why."""

    kind: Literal["late", "adjustment", "cap"]
    points: float
    reason: str
    question: str = ""
    """Of an adjustment to one question."""


@dataclass(frozen=True)
class Final:
    """A grade and how it came about."""

    score: float
    """Points earned by the questions, bonus excluded."""
    bonus: float
    possible: float
    steps: tuple[Step, ...] = ()
    late: timedelta = timedelta()
    lateness: str = ""
    """What an instructor should look at: late, but nobody knows by how much."""
    who: str = ""
    """The student's name on the class list; empty where it is not known."""

    @property
    def earned(self) -> float:
        """The original score, bonus included."""
        return round(self.score + self.bonus, 6)

    @property
    def total(self) -> float:
        """The grade."""
        return round(self.earned + sum(step.points for step in self.steps), 6) + 0.0

    @staticmethod
    def of(result: SubmissionResult) -> "Final":
        """The score as it was graded, with no step."""
        bonus = sum(question.earned for question in result.questions if question.bonus)
        return Final(round(result.earned - bonus, 6), round(bonus, 6), result.possible)


Writer = Callable[[journal.Record, Final, Path, Run], object]
"""Writes the files of one submission into an output folder: `autograder.report.write.write_submission`."""


@dataclass
class Finals:
    """The rules of a run, and what people decided about single grades."""

    policy: LatePolicy | None = None
    cap: bool = False
    students: Mapping[str, Student] = field(default_factory=dict[str, Student])
    adjustments: Sequence[Adjustment] = ()
    extensions: Mapping[str, Extension] = field(default_factory=dict[str, Extension])

    @staticmethod
    def load(out: Path, run: Run, submissions: Iterable[tuple[str, str]] | None = None) -> "Finals":
        """Reads the output folder's tables. submissions: names and stems, where the journal does not hold all yet."""
        people = people_of(out, submissions)
        names = [str(question["name"]) for question in run.questions]
        partial = is_part(run) or (submissions is None and not run.finished)
        extensions = tables.read_extensions(out / tables.EXTENSIONS, people, partial=partial)
        return Finals(
            policy=LatePolicy.parse(run.late) if run.late else None,
            cap=bool(run.cap),
            students=roster.read_if_there(out / roster.FILE),
            adjustments=tables.read_adjustments(out / tables.ADJUSTMENTS, people, names, partial=partial),
            extensions={extension.who.file: extension for extension in extensions if extension.who.file},
        )

    def of(self, result: SubmissionResult) -> Final:
        """A submission's grade."""
        final = Final.of(result)
        steps: list[Step] = []
        late, lateness = self._late(result.file)
        if self.policy is not None and late:
            off, why = self.policy.reduction(late, final.earned, final.possible)
            if off:
                steps.append(Step("late", -off, why))
        about = [entry for entry in self.adjustments if entry.who.file == result.file]
        graded = self._with(final, steps, about, late, lateness)
        student = self.students.get(result.file)
        return replace(graded, who=student.name) if student is not None else graded

    def of_absent(self, student: Student, possible: float) -> Final:
        """The grade of somebody who handed in nothing: what a person gave them."""
        key = Person("", "", student).key
        about = [entry for entry in self.adjustments if entry.who.key == key]
        return self._with(Final(0.0, 0.0, possible), [], about, timedelta(), "")

    def _with(
        self, final: Final, steps: list[Step], about: Sequence[Adjustment], late: timedelta, lateness: str
    ) -> Final:
        total = final.earned + sum(step.points for step in steps)
        for entry in about:
            points = max(entry.points, -total)
            cut = "" if points == entry.points else " (no grade is below 0)"
            steps.append(Step("adjustment", round(points, 6), entry.reason + cut, entry.question))
            total += points
        if self.cap and total > final.possible:
            steps.append(Step("cap", round(final.possible - total, 6), "no more than the points possible"))
        return Final(final.score, final.bonus, final.possible, tuple(steps), late, lateness)

    def _late(self, file: str) -> tuple[timedelta, str]:
        if self.policy is None:
            return timedelta(), ""
        student = self.students.get(file) or Student(file=file)
        extension = self.extensions.get(file)
        submitted = (extension.submitted if extension else None) or moment(student.submitted)
        says = student.late.strip().casefold() in ("yes", "true", "late", "1")
        if submitted is None:
            return timedelta(), UNKNOWN if says else ""
        until = extension.until if extension else None
        deadline = in_zone(until, self.policy.deadline) if until else self.policy.deadline
        late = self.policy.late_by(in_zone(submitted, deadline), deadline)
        in_time = student.late.strip().casefold() in ("no", "false", "0")
        return late, "late here, but in time for the platform (an extension there?)" if late and in_time else ""

    def timeless(self, files: Iterable[str]) -> list[str]:
        """Submissions of which nobody knows when they were handed in, where that matters."""
        if self.policy is None:
            return []
        found: list[str] = []
        for file in files:
            extension = self.extensions.get(file)
            if (extension is None or extension.submitted is None) and moment(
                (self.students.get(file) or Student()).submitted
            ) is None:
                found.append(file)
        return found


def people_of(out: Path, submissions: Iterable[tuple[str, str]] | None = None) -> People:
    """Everyone of a run: those in the journal (or these), and who handed in nothing."""
    if submissions is None:
        submissions = dict.fromkeys((record.name, record.stem) for record in journal.read_latest(out))
    return People(submissions, roster.read_if_there(out / roster.FILE), roster.read_missing(out))


def is_part(run: Run) -> bool:
    """Whether some of the class are graded elsewhere."""
    counts = {shard.split("/")[1] for shard in run.shards}
    return any(f"{index}/{count}" not in run.shards for count in counts for index in range(1, int(count) + 1))
