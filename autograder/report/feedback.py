"""A student's page: what was earned, what is wrong and why. Of hidden cases only how many passed.

Neither a hidden case's title nor its message is shown, nor anything the submission printed: a submission can
print or raise the inputs it was called with. A recognised mistake's sentence is the course's own and may be
shown.
"""

from autograder.records.final import Final
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.report.page import bar, number, page, signed
from autograder.text import for_html, plain


def feedback_page(result: SubmissionResult, title: str, final: Final | None = None) -> str:
    """The page as HTML; `title` is the assignment's, `final` the grade when it is not the score alone."""
    parts = [_header(result, title, final or Final.of(result)), _problem(result), _notes(result)]
    if result.status != "unreadable":
        parts += [_question(question) for question in result.questions]
    parts.append(_footer(result))
    return page(f"{title}: {plain(result.file, 80, lines=False)}", "\n".join(part for part in parts if part))


def hidden_summary(cases: tuple[CaseResult, ...]) -> str:
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


def _header(result: SubmissionResult, title: str, final: Final) -> str:
    share = final.total / result.possible if result.possible else 0.0
    bonus = f' <span class="faint small">({number(final.bonus)} of it bonus)</span>'
    of_it = bonus if final.bonus and not final.steps else _steps(final)
    return (
        f'<section class="card"><div class="head"><div><h1>{for_html(title, 200)}</h1>'
        f'<p class="faint">{for_html(plain(result.file, 160, lines=False))}</p></div>'
        f'<div class="points total">{number(final.total)} / {number(result.possible)}</div></div>'
        f"{bar(share)}{of_it}</section>"
    )


def _steps(final: Final) -> str:
    lines = steps_in_words(final)
    if not lines:
        return ""
    shown = [(text, signed(points) if place else number(points)) for place, (text, points) in enumerate(lines)]
    rows = "".join(f'<tr><td>{for_html(text, 600)}</td><td class="n">{points}</td></tr>' for text, points in shown)
    total = f'<tr><td><b>Total</b></td><td class="n"><b>{number(final.total)}</b></td></tr>'
    return f'<table class="steps"><tbody>{rows}{total}</tbody></table>'


def _problem(result: SubmissionResult) -> str:
    if result.status == "unreadable":
        return f'<div class="box bad"><b>This file could not be graded.</b> {for_html(result.problem, 1000)}</div>'
    if result.status == "failed":
        return (
            '<div class="box bad"><b>The grader had a problem with this submission.</b> '
            "Your instructor has been told and will look at it; you need not do anything.</div>"
        )
    if result.status == "timed out" and result.graded:
        return f'<div class="box bad"><b>This submission ran out of time.</b> {for_html(result.problem, 1000)}</div>'
    if result.status == "timed out":
        return (
            '<div class="box bad"><b>This submission was not finished in time.</b> '
            "Your instructor has been told and will look at it.</div>"
        )
    return ""


def _notes(result: SubmissionResult) -> str:
    if not result.notes:
        return ""
    items = "".join(f"<li>{for_html(plain(note, 600))}</li>" for note in result.notes[:50])
    return f'<section class="card"><h2>About your file</h2><ul class="small">{items}</ul></section>'


def _question(question: QuestionResult) -> str:
    public = [case for case in question.cases if not case.hidden]
    hidden = tuple(case for case in question.cases if case.hidden)
    worth = sum(case.points for case in question.cases)
    points = f"{number(question.earned)} / {number(worth)}{' bonus' if question.bonus else ''}"
    items = [_public_case(case) for case in public]
    if hidden:
        items.append(_hidden_cases(hidden, {case.mistake for case in public}))
    return (
        f'<section class="card"><div class="head"><h2>{for_html(question.name, 40)} · '
        f'{for_html(question.title, 200)}</h2><span class="points">{points}</span></div>'
        f'{bar(question.earned / worth if worth else 0.0)}<ul class="cases">{"".join(items)}</ul></section>'
    )


def _public_case(case: CaseResult) -> str:
    message = "" if case.passed else f'<div class="message">{for_html(case.message, 3000)}</div>'
    return (
        f'<li class="{"pass" if case.passed else "fail"}">{_mark(case.passed)}'
        f"<span>{for_html(case.title, 200)}</span>"
        f'<span class="points small">{number(case.earned)} / {number(case.points)}</span>{message}</li>'
    )


def _hidden_cases(cases: tuple[CaseResult, ...], said: set[str]) -> str:
    passed = all(case.passed for case in cases)
    earned, points = sum(case.earned for case in cases), sum(case.points for case in cases)
    mistakes = dict.fromkeys(case.mistake for case in cases if case.mistake and case.mistake not in said)
    messages = "".join(f'<div class="message">{for_html(mistake, 600)}</div>' for mistake in mistakes)
    return (
        f'<li class="{"pass" if passed else "fail"}">{_mark(passed)}<span>{hidden_summary(cases)}</span>'
        f'<span class="points small">{number(earned)} / {number(points)}</span>{messages}</li>'
    )


def _mark(passed: bool) -> str:
    sign, words = ("✓", "passed") if passed else ("✗", "not passed")
    return f'<span class="mark" role="img" aria-label="{words}">{sign}</span>'


def _footer(result: SubmissionResult) -> str:
    lines = ["Hidden cases check the same rules with other inputs and in corner cases."]
    if not result.isolated:
        lines.append("Graded without isolation.")
    return f'<p class="faint small">{" ".join(lines)}</p>'
