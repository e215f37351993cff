"""A student's feedback for where no page can be: Markdown for a repository and a notebook, text for a mail.

Like the page it shows neither a hidden case's title nor its message, nor anything that the submission printed.
"""

from collections.abc import Callable, Iterator, Sequence

from autograder.records.final import Final
from autograder.records.results import SubmissionResult
from autograder.records.run import Run
from autograder.report.feedback import Question, Reread, questions_shown, score_in_words, steps_in_words
from autograder.text import for_markdown, for_terminal, number, signed


def markdown_feedback(result: SubmissionResult, title: str, final: Final, run: Run | None = None) -> str:
    """Markdown in which nothing of a submission's is more than text."""
    lines = [f"# {for_markdown(title, 200)}", ""]
    lines += [f"**{score_in_words(final)}**", ""]
    lines += [f"- {line}" for line in _about(result, final, for_markdown)]
    questions = questions_shown(result, run)
    summary = list(_summary(questions, for_markdown, _link))
    if summary:
        lines += ["", "## What was lost, and why", "", *(f"- {line}" for line in summary)]
    for question in questions:
        lines += ["", f"## {_heading(question, for_markdown)}", ""]
        lines += [f"- {line}" for line in _cases(question, for_markdown)]
    return "\n".join(lines) + "\n"


def plain_feedback(result: SubmissionResult, title: str, final: Final, run: Run | None = None) -> str:
    """Lines of text."""
    lines = [for_terminal(title, 200), score_in_words(final), ""]
    lines += [f"  {line}" for line in _about(result, final, for_terminal)]
    questions = questions_shown(result, run)
    summary = list(_summary(questions, for_terminal, lambda reread: for_terminal(reread.heading, 200)))
    if summary:
        lines += ["", "What was lost, and why", *(f"  {line}" for line in summary)]
    for question in questions:
        lines += ["", _heading(question, for_terminal)]
        lines += [f"  {line}" for line in _cases(question, for_terminal)]
    return "\n".join(lines) + "\n"


_Escape = Callable[[str, int], str]


def _about(result: SubmissionResult, final: Final, escape: _Escape) -> Iterator[str]:
    for place, (text, points) in enumerate(steps_in_words(final)):
        yield f"{escape(text, 600)}: {signed(points) if place else number(points)}"
    if final.steps or final.bonus:
        yield f"Total: {number(final.total)}"
    if result.status == "unreadable":
        yield f"This file could not be graded. {escape(result.problem, 1000)}"
    elif result.status == "failed":
        yield "The grader had a problem with this submission. Your instructor has been told and will look at it."
    for note in result.notes[:50]:
        yield escape(note, 600)


def _link(reread: Reread) -> str:
    heading = for_markdown(reread.heading, 200)
    return f"[{heading}]({reread.target})" if reread.target else heading


def _summary(questions: Sequence[Question], escape: _Escape, link: Callable[[Reread], str]) -> Iterator[str]:
    for question in questions:
        if not question.lost:
            continue
        what = "bonus points not earned" if question.bonus else "points lost"
        yield f"{escape(question.name, 40)}: {number(question.lost)} {what}"
        for mistake in question.mistakes:
            yield f"   {mistake.number}. {escape(mistake.sentence, 1000)}{_again(mistake.reread, link)}"
        for reason in question.reasons:
            yield f"   {escape(reason, 1000)}{_again(question.reread, link)}"


def _again(reread: Sequence[Reread], link: Callable[[Reread], str]) -> str:
    return f" Read again: {', '.join(map(link, reread))}." if reread else ""


def _heading(question: Question, escape: _Escape) -> str:
    points = f"{number(question.earned)} of {number(question.worth)}{' bonus' if question.bonus else ''}"
    return f"{escape(question.name, 40)}: {escape(question.title, 200)} ({points})"


def _cases(question: Question, escape: _Escape) -> Iterator[str]:
    for line in question.lines:
        mark = "✓" if line.passed else "✗"
        yield line.title if line.hidden else f"{mark} {escape(line.title, 200)}"
        if line.mistakes:
            numbers = ", ".join(map(str, line.mistakes))
            yield f"   See mistake {numbers} above."
        for message in line.messages:
            yield f"   {escape(message, 3000)}"
