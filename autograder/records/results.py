"""What grading says about a submission, as plain data: all that later stages (journal, CSV, feedback, report) read."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from adkit.kinds import Kind

Status = Literal["completed", "timed out", "unreadable", "failed"]
"""completed: every case was run; timed out: the submission's time, or what the grader allows it, was over before every
case was run; unreadable: the file is not a submission; failed: the grader could not finish it."""

Limit = Literal["call", "traced function", "cell", "notebook", "submission", "worker", "container"]
"""What a limit in seconds is set on. `worker` and `container` are the outer ones, which end a grader that is stuck:
with them there are no points at all."""

Failure = Literal["", "timeout", "not run"]


@dataclass(frozen=True)
class Timeout:
    """One limit in seconds that a submission ran into."""

    limit: Limit
    what: str
    """The function or the cell (`Cell 3`); empty for limits on everything."""
    seconds: float
    """The limit."""

    def sentence(self) -> str:
        """In words, for tables and reports."""
        if self.limit in ("submission", "worker", "container"):
            return f"all in all it took longer than {self.seconds:g} seconds"
        if self.limit == "notebook":
            return f"all cells together took longer than {self.seconds:g} seconds"
        return f"{self.what} took longer than {self.seconds:g} seconds"


@dataclass(frozen=True)
class CaseResult:
    """One test case of one submission."""

    name: str
    """The test function's name: unique within the assignment."""
    title: str
    """The case in words."""
    points: float
    """What passing earns."""
    hidden: bool
    passed: bool
    message: str
    """Why it failed, for the student; empty when it passed. Hidden cases' messages hold no numbers of the case."""
    mistake: str = ""
    """The sentence of the known mistake that was recognised, if any."""
    failure: Failure = ""
    """timeout: a call of this case did not finish in time; not run: time or restarts were used up before it."""
    kind: Kind | Literal[""] = ""
    """In which way it failed, one of a fixed list; empty when it passed or was not run."""
    mistakes: tuple[str, ...] = ()
    """The names of the recognised mistakes, that of the sentence's beginning first."""
    misconception: str = ""
    """The sentence of the first of them alone."""
    reread: tuple[str, ...] = ()
    """The notebook's headings that the recognised mistakes point to."""
    detail: str = ""
    """Of a public case with a recognised mistake: what is wrong, without the mistake's sentence."""
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])
    """Of a public case: what a picture of the fault is drawn from (`adkit.drawing.wrong`)."""

    @property
    def earned(self) -> float:
        """Points earned by this case."""
        return self.points if self.passed else 0.0


@dataclass(frozen=True)
class QuestionResult:
    """One question of one submission."""

    name: str
    title: str
    possible: float
    """Points possible; 0 for a bonus question."""
    bonus: bool
    cases: tuple[CaseResult, ...]

    @property
    def earned(self) -> float:
        """Points earned by this question (rounded: points are multiples of 1/4 or so, sums stay exact)."""
        return round(sum(case.earned for case in self.cases), 6)


@dataclass(frozen=True)
class SubmissionResult:
    """One submission."""

    file: str
    """The submission's name, unique in its batch."""
    status: Status
    questions: tuple[QuestionResult, ...] = ()
    problem: str = ""
    """For a status other than completed: what went wrong and what to do."""
    notes: tuple[str, ...] = ()
    """What the student should know: cells that failed, limits that were hit."""
    grader_notes: tuple[str, ...] = ()
    """What only the instructor should know: where the grader itself failed."""
    output: str = ""
    """The beginning and the end of what the submission printed, capped. Untrusted text: escape it wherever it goes."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """Time by phase."""
    isolated: bool = True
    """False when the submission was run with --no-isolation."""
    timeouts: tuple[Timeout, ...] = ()
    """Every limit in seconds that it ran into, in order."""

    @property
    def graded(self) -> bool:
        """Whether its points are a grade: not where the grader failed, and not where it was ended from outside."""
        outer = any(timeout.limit in ("worker", "container") for timeout in self.timeouts)
        return self.status == "completed" or (self.status == "timed out" and not outer)

    @property
    def earned(self) -> float:
        """Points earned, bonus included."""
        return round(sum(question.earned for question in self.questions), 6)

    @property
    def possible(self) -> float:
        """Points possible, bonus excluded."""
        return round(sum(question.possible for question in self.questions), 6)

    def to_json(self) -> dict[str, Any]:
        """A JSON-serialisable form; `from_json` reads it back."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> "SubmissionResult":
        """The inverse of `to_json`; KeyError or TypeError on data of another shape."""
        questions: list[QuestionResult] = []
        for question in data["questions"]:
            cases: Any = tuple(_case(case) for case in question["cases"])
            questions.append(QuestionResult(**{**question, "cases": cases}))
        tuples: dict[str, Any] = {
            "questions": tuple(questions),
            "notes": tuple(data["notes"]),
            "grader_notes": tuple(data["grader_notes"]),
            "timeouts": tuple(Timeout(**timeout) for timeout in data.get("timeouts", ())),
        }
        return SubmissionResult(**{**data, **tuples})


def _case(data: dict[str, Any]) -> CaseResult:
    content: dict[str, Any] = dict(data)
    for key in ("mistakes", "reread"):
        content[key] = tuple(cast("list[str]", content.get(key, ())))
    return CaseResult(**content)
