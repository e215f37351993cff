"""A student's feedback for where no page can be: Markdown for a repository and a notebook, text for a mail.

Like the page it shows neither a hidden case's title nor its message, nor anything that the submission printed.
"""

from collections.abc import Callable, Iterator

from autograder.records.final import Final
from autograder.records.results import SubmissionResult
from autograder.report.feedback import Question, questions_shown, steps_in_words
from autograder.text import for_markdown, for_terminal, number, signed


def markdown_feedback(result: SubmissionResult, title: str, final: Final) -> str:
    """Markdown in which nothing of a submission's is more than text."""
    lines = [f"# {for_markdown(title, 200)}", ""]
    lines += [f"**{number(final.total)} of {number(result.possible)} points**", ""]
    lines += [f"- {line}" for line in _about(result, final, for_markdown)]
    for question in questions_shown(result):
        lines += ["", f"## {_heading(question, for_markdown)}", ""]
        lines += [f"- {line}" for line in _cases(question, for_markdown)]
    return "\n".join(lines) + "\n"


def plain_feedback(result: SubmissionResult, title: str, final: Final) -> str:
    """Lines of text."""
    lines = [for_terminal(title, 200), f"{number(final.total)} of {number(result.possible)} points", ""]
    lines += [f"  {line}" for line in _about(result, final, for_terminal)]
    for question in questions_shown(result):
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


def _heading(question: Question, escape: _Escape) -> str:
    points = f"{number(question.earned)} of {number(question.worth)}{' bonus' if question.bonus else ''}"
    return f"{escape(question.name, 40)}: {escape(question.title, 200)} ({points})"


def _cases(question: Question, escape: _Escape) -> Iterator[str]:
    for line in question.lines:
        mark = "✓" if line.passed else "✗"
        yield line.title if line.hidden else f"{mark} {escape(line.title, 200)}"
        for message in line.messages:
            yield f"   {escape(message, 3000)}"
