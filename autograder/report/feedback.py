"""A student's page: what was earned, what is wrong and why. Of hidden cases only how many passed.

Neither a hidden case's title nor its message is shown, nor anything the submission printed: a submission can
print or raise the inputs it was called with. The template never gets them. A recognised mistake's sentence is the
course's own and may be shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.records.final import Final
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.report.page import render


@dataclass(frozen=True)
class Line:
    """A public case, or all hidden cases of a question together."""

    passed: bool
    title: str
    earned: float
    points: float
    messages: tuple[str, ...]
    hidden: bool = False


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


def feedback_page(result: SubmissionResult, title: str, final: Final | None = None) -> str:
    """The page as HTML; `title` is the assignment's, `final` the grade when it is not the score alone."""
    final = final or Final.of(result)
    return render(
        "feedback.html",
        assignment=title,
        file=result.file,
        final=final,
        steps=steps_in_words(final),
        possible=result.possible,
        status=result.status,
        graded=result.graded,
        problem=result.problem,
        notes=result.notes[:50],
        questions=questions_shown(result),
        isolated=result.isolated,
    )


def questions_shown(result: SubmissionResult) -> list[Question]:
    """What a student may see of each question; nothing of a file that could not be read."""
    if result.status == "unreadable":
        return []
    return [
        Question(
            name=question.name,
            title=question.title,
            bonus=question.bonus,
            earned=question.earned,
            worth=sum(case.points for case in question.cases),
            lines=tuple(_lines(question)),
        )
        for question in result.questions
    ]


def _lines(question: QuestionResult) -> Iterator[Line]:
    public = [case for case in question.cases if not case.hidden]
    for case in public:
        yield Line(case.passed, case.title, case.earned, case.points, () if case.passed else (case.message,))
    hidden = [case for case in question.cases if case.hidden]
    if hidden:
        named = {case.mistake for case in public}
        yield Line(
            passed=all(case.passed for case in hidden),
            title=hidden_summary(hidden),
            earned=sum(case.earned for case in hidden),
            points=sum(case.points for case in hidden),
            messages=tuple(
                dict.fromkeys(case.mistake for case in hidden if case.mistake and case.mistake not in named)
            ),
            hidden=True,
        )


def hidden_summary(cases: Sequence[CaseResult]) -> str:
    """How many hidden cases passed, in words; empty when there are none."""
    if not cases:
        return ""
    passed = sum(case.passed for case in cases)
    if len(cases) == 1:
        return "The hidden case passed." if passed else "The hidden case did not pass."
    return f"{passed} of {len(cases)} hidden cases passed."


def steps_in_words(final: Final) -> list[tuple[str, float]]:
    """How a grade came about, line by line, the original score first; empty when that is the grade."""
    if not final.steps:
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
