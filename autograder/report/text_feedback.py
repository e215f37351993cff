"""A student's feedback for where no page can be: Markdown for a repository and a notebook, text for a mail.

Like the page it shows neither a hidden case's title nor its message, nor anything that the submission printed.
"""

from collections.abc import Callable, Iterator

from autograder.records.final import Final
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.report.feedback import hidden_summary, steps_in_words
from autograder.report.page import number, signed
from autograder.text import for_markdown, for_terminal


def markdown_feedback(result: SubmissionResult, title: str, final: Final) -> str:
    """Markdown in which nothing of a submission's is more than text."""
    lines = [f"# {for_markdown(title, 200)}", ""]
    lines += [f"**{number(final.total)} of {number(result.possible)} points**", ""]
    lines += [f"- {line}" for line in _about(result, final, for_markdown)]
    for question in _questions(result):
        lines += ["", f"## {_heading(question, for_markdown)}", ""]
        lines += [f"- {line}" for line in _cases(question, for_markdown)]
    return "\n".join(lines) + "\n"


def plain_feedback(result: SubmissionResult, title: str, final: Final) -> str:
    """Lines of text."""
    lines = [for_terminal(title, 200), f"{number(final.total)} of {number(result.possible)} points", ""]
    lines += [f"  {line}" for line in _about(result, final, for_terminal)]
    for question in _questions(result):
        lines += ["", _heading(question, for_terminal)]
        lines += [f"  {line}" for line in _cases(question, for_terminal)]
    return "\n".join(lines) + "\n"


_Escape = Callable[[str, int], str]


def _about(result: SubmissionResult, final: Final, escape: _Escape) -> Iterator[str]:
    for place, (text, points) in enumerate(steps_in_words(final)):
        yield f"{escape(text, 600)}: {signed(points) if place else number(points)}"
    if final.steps:
        yield f"Total: {number(final.total)}"
    if result.status == "unreadable":
        yield f"This file could not be graded. {escape(result.problem, 1000)}"
    elif result.status == "failed":
        yield "The grader had a problem with this submission. Your instructor has been told and will look at it."
    for note in result.notes[:50]:
        yield escape(note, 600)


def _questions(result: SubmissionResult) -> tuple[QuestionResult, ...]:
    return () if result.status == "unreadable" else result.questions


def _heading(question: QuestionResult, escape: _Escape) -> str:
    worth = sum(case.points for case in question.cases)
    points = f"{number(question.earned)} of {number(worth)}{' bonus' if question.bonus else ''}"
    return f"{escape(question.name, 40)}: {escape(question.title, 200)} ({points})"


def _cases(question: QuestionResult, escape: _Escape) -> Iterator[str]:
    public = [case for case in question.cases if not case.hidden]
    hidden = tuple(case for case in question.cases if case.hidden)
    for case in public:
        yield f"{_mark(case)} {escape(case.title, 200)}"
        if not case.passed:
            yield f"   {escape(case.message, 3000)}"
    if hidden:
        yield hidden_summary(hidden)
        said = {case.mistake for case in public}
        for mistake in dict.fromkeys(case.mistake for case in hidden if case.mistake and case.mistake not in said):
            yield f"   {escape(mistake, 600)}"


def _mark(case: CaseResult) -> str:
    return "✓" if case.passed else "✗"
