"""A student's page: what was lost and why, then every question; of hidden cases how many passed, and how others failed.

Neither a hidden case's title nor its message is shown, nor anything the submission printed: a submission can print or
raise the inputs it was called with. The template never gets them. A recognised mistake's sentence is the course's own
and may be shown, and so may the kinds of failure, of which there are few (`adkit.kinds`), counted over a question.

No sentence is said twice: a mistake is said in the summary and has a number there, other messages are said once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from adkit.kinds import KINDS

from autograder.records.final import Final
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.records.run import Run
from autograder.report.page import Image, render
from autograder.text import number

MOST_PICTURES = 12
"""On one page."""
_COUNTS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Picture:
    """A drawing of what is wrong, as an image that runs nothing and loads nothing."""

    source: Image
    label: str


@dataclass(frozen=True)
class Reread:
    """A heading of the notebook, and where it is."""

    heading: str
    target: str
    """The address; empty where nobody knows which notebook it is."""


@dataclass(frozen=True)
class Mistake:
    """A recognised mistake, numbered over the page."""

    number: int
    sentence: str
    reread: tuple[Reread, ...]


@dataclass(frozen=True)
class Line:
    """A public case, or all hidden cases of a question together."""

    passed: bool
    title: str
    earned: float
    points: float
    messages: tuple[str, ...]
    hidden: bool = False
    mistakes: tuple[int, ...] = ()
    """The numbers of the mistakes that were recognised."""
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Question:
    """A question as its student sees it."""

    name: str
    title: str
    bonus: bool
    earned: float
    worth: float
    """Points that can be earned, also where they are a bonus."""
    lines: tuple[Line, ...]
    mistakes: tuple[Mistake, ...]
    reasons: tuple[str, ...]
    """Why points were lost beside the mistakes, in words."""
    reread: tuple[Reread, ...]
    """Where no mistake says what to read again."""

    @property
    def lost(self) -> float:
        """Points that were not earned."""
        return round(self.worth - self.earned, 6)


def feedback_page(result: SubmissionResult, title: str, final: Final | None = None, run: Run | None = None) -> str:
    """The page as HTML; `title` is the assignment's, `final` the grade when it is not the score alone."""
    final = final or Final.of(result)
    questions = questions_shown(result, run, pictures=True)
    return render(
        "feedback.html",
        assignment=title,
        file=result.file,
        final=final,
        score=score_shown(final),
        steps=steps_in_words(final),
        bonus_worth=sum(question.worth for question in questions if question.bonus),
        status=result.status,
        graded=result.graded,
        problem=result.problem,
        notes=result.notes[:50],
        questions=questions,
        lost=[question for question in questions if question.lost and not question.bonus],
        missed_bonus=[question for question in questions if question.lost and question.bonus],
        isolated=result.isolated,
        version=version_in_words(run),
    )


def questions_shown(result: SubmissionResult, run: Run | None = None, *, pictures: bool = False) -> list[Question]:
    """What a student may see of each question; nothing of a file that could not be read."""
    if result.status == "unreadable":
        return []
    page = _Page(result, run, pictures)
    return [page.question(question) for question in result.questions]


@dataclass
class _Page:
    """What has been said so far."""

    result: SubmissionResult
    run: Run | None
    drawing: bool
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    """Of the mistakes, by their sentences."""
    said: dict[str, str] = field(default_factory=dict[str, str])
    """Other messages, by themselves: the case that says them."""
    pictures: int = 0

    def question(self, question: QuestionResult) -> Question:
        failed = [case for case in question.cases if not case.passed]
        mistakes: list[Mistake] = []
        for case in failed:
            if case.mistake and case.mistake not in self.numbers:
                self.numbers[case.mistake] = len(self.numbers) + 1
                mistakes.append(Mistake(self.numbers[case.mistake], case.mistake, self._reread(case.reread)))
        heading = self._heading(question)
        return Question(
            name=question.name,
            title=question.title,
            bonus=question.bonus,
            earned=question.earned,
            worth=round(sum(case.points for case in question.cases), 6),
            lines=tuple(self._lines(question)),
            mistakes=tuple(mistakes),
            reasons=tuple(_reasons(failed)),
            reread=self._reread((heading,)) if failed and heading and not mistakes else (),
        )

    def _heading(self, question: QuestionResult) -> str:
        known = self.run.questions if self.run is not None else ()
        return next((str(one.get("heading", "")) for one in known if one["name"] == question.name), "")

    def _reread(self, headings: Sequence[str]) -> tuple[Reread, ...]:
        return tuple(Reread(heading, self._target(heading)) for heading in headings)

    def _target(self, heading: str) -> str:
        if self.run is None:
            return ""
        notebook = self.run.notebook or quote(f"{self.run.assignment}.ipynb")
        return f"{notebook}#{quote(anchor(heading))}"

    def _lines(self, question: QuestionResult) -> Iterator[Line]:
        for case in question.cases:
            if not case.hidden:
                yield Line(
                    case.passed,
                    case.title,
                    case.earned,
                    case.points,
                    tuple(self._messages(case)),
                    mistakes=self._numbers([case]),
                    pictures=tuple(self._drawn(case)),
                )
        hidden = [case for case in question.cases if case.hidden]
        if hidden:
            yield Line(
                passed=all(case.passed for case in hidden),
                title=hidden_summary(hidden),
                earned=round(sum(case.earned for case in hidden), 6),
                points=round(sum(case.points for case in hidden), 6),
                messages=(),  # the summary says how they failed
                hidden=True,
                mistakes=self._numbers(hidden),
            )

    def _numbers(self, cases: Sequence[CaseResult]) -> tuple[int, ...]:
        sentences = dict.fromkeys(case.mistake for case in cases if not case.passed and case.mistake)
        return tuple(sorted(self.numbers[sentence] for sentence in sentences))

    def _messages(self, case: CaseResult) -> Iterator[str]:
        message = "" if case.passed else case.detail if case.mistake else case.message
        if message in self.said:
            yield f"The same as in “{self.said[message]}”."
        elif message:
            self.said[message] = case.title
            yield message

    def _drawn(self, case: CaseResult) -> Iterator[Picture]:
        if case.passed or not case.evidence or not self.drawing or self.pictures >= MOST_PICTURES:
            return
        from adkit.drawing.wrong import pictures  # imports NumPy: most pages need no picture

        for drawing in pictures(case.evidence):
            self.pictures += 1
            yield Picture(Image.of(drawing.svg), drawing.label)


def anchor(heading: str) -> str:
    """The id that Jupyter gives a heading: its text with hyphens for spaces."""
    return heading.replace(" ", "-")


def _reasons(failed: Sequence[CaseResult]) -> Iterator[str]:
    """Why points were lost in cases without a recognised mistake: public ones by their titles, hidden ones by kind."""
    unknown = [case for case in failed if not case.mistake]
    if unknown and all(case.kind == "no answer" for case in failed):
        yield "There is nothing to grade: see the question's cases."
        return
    public = [case.title for case in unknown if not case.hidden]
    if public:
        cases = "case" if len(public) == 1 else "cases"
        yield f"Public {cases} not passed: {'; '.join(public)}."
    hidden = [case for case in unknown if case.hidden]
    if hidden:
        subject = "hidden case" if len(hidden) == 1 else "hidden cases"
        yield f"{_count(len(hidden)).capitalize()} {subject} not passed: {_by_kind(hidden)}."


def failures_in_words(hidden: Sequence[CaseResult]) -> str:
    """How the hidden cases that did not pass failed, counted by kind; empty where they all passed."""
    failed = [case for case in hidden if not case.passed]
    known = [case for case in failed if case.kind or case.failure == "not run"]
    if not known:
        return ""
    if len(hidden) == 1:
        return f"It {_words(known[0])}."
    return f"Of those that did not: {_by_kind(known)}."


def _by_kind(cases: Sequence[CaseResult]) -> str:
    counts = Counter(_words(case) for case in cases)
    return "; ".join(f"{_count(times)} {words}" for words, times in counts.most_common())


def _words(case: CaseResult) -> str:
    if case.failure == "not run":
        return "could not be run any more"
    return KINDS[case.kind] if case.kind else "failed"


def _count(count: int) -> str:
    return _COUNTS[count] if count < len(_COUNTS) else str(count)


def hidden_summary(cases: Sequence[CaseResult]) -> str:
    """How many hidden cases passed, in words; empty when there are none."""
    if not cases:
        return ""
    passed = sum(case.passed for case in cases)
    if len(cases) == 1:
        return "The hidden case passed." if passed else "The hidden case did not pass."
    return f"{passed} of {len(cases)} hidden cases passed."


def score_shown(final: Final) -> float:
    """The points to show beside the points possible: without the bonus, except where steps changed both together."""
    return final.total if final.steps else final.score


def score_in_words(final: Final) -> str:
    """The grade in a line, with the bonus apart."""
    points = f"{number(score_shown(final))} of {number(final.possible)} points"
    if not final.bonus:
        return points
    if final.steps:
        return f"{points}, bonus and all changes included"
    return f"{points}, and {number(final.bonus)} bonus {'point' if final.bonus == 1 else 'points'}"


def version_in_words(run: Run | None) -> str:
    """When, and with which version, a submission was graded."""
    if run is None:
        return ""
    try:
        time = datetime.fromisoformat(run.started)
        day = f"{time.day} {time:%B %Y}"
    except ValueError:
        day = run.started
    parts = [
        f"on {day}" if day else "",
        f"with version {run.versions['autograder']}" if "autograder" in run.versions else "",
    ]
    words = " ".join(part for part in parts if part)
    tests = f", tests {run.contract[:8]}" if run.contract else ""
    return f"Graded {words}{tests}." if words else ""


def steps_in_words(final: Final) -> list[tuple[str, float]]:
    """How a grade came about, line by line, the original score first; empty when that is the grade."""
    if not final.steps and not final.bonus:
        return []
    lines = [("Points of the questions" if final.bonus else "Points as graded", final.score)]
    if final.bonus:
        lines.append(("Bonus", final.bonus))
    for step in final.steps:
        kind = {"late": "Handed in", "adjustment": "Changed by your instructor", "cap": "Capped"}[step.kind]
        question = f", {step.question}" if step.question else ""
        glue = " " if step.kind == "late" else ": "
        lines.append((f"{kind}{question}{glue}{step.reason}" if step.reason else f"{kind}{question}", step.points))
    return lines
