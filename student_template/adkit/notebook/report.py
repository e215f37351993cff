"""What checks say, as text for a terminal, as HTML for a notebook, and as Markdown for a page on GitHub.

One block for each question: a line for each public case, then each sentence once, with the numbers of the cases it
concerns. All text is escaped. Colours are ones that can be read on a light and on a dark page;
everything else has the page's own.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adkit.notebook.fresh_run import Note, Problem
from adkit.notebook.public_cases import CaseResult, QuestionResult

__all__ = ["MARKS", "Block", "Table", "as_html", "as_markdown", "as_text", "message_html", "summary", "total"]

MARKS = {"passed": "✓", "wrong": "✗", "not yet": "·"}
COLOURS = {"passed": "#2e8b57", "wrong": "#d2413a", "not yet": "#808080"}
"""At least 3:1 against white and against JupyterLab's dark background."""
_LIMIT = 4_000
"""Characters shown of one text."""


def summary(result: QuestionResult) -> str:
    """How many of the public cases pass, and what that is of the whole question."""
    points = "bonus points" if result.bonus else "points"
    if result.untouched:
        return f"{result.name} is not filled in yet ({result.points:g} {points})."
    cases = f"{result.passed} of {_count(len(result.cases), 'public case')}"
    line = f"{cases}, {result.earned:g} of {result.points:g} {points}"
    if result.public_points >= result.points:
        return f"{line}."
    return f"{line}; the rest runs after you hand in."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _points(case: CaseResult) -> str:
    return _count_points(case.points)


def _count_points(points: float) -> str:
    return f"{points:g} point" if points == 1 else f"{points:g} points"


def _sentences(result: QuestionResult) -> list[tuple[str, list[CaseResult]]]:
    """Each sentence with the cases that say it, in the order in which they come up."""
    found: dict[str, list[CaseResult]] = {}
    for case in result.cases:
        if case.sentence:
            found.setdefault(case.sentence, []).append(case)
    return list(found.items())


def _short(text: str) -> str:
    return text if len(text) <= _LIMIT else f"{text[:_LIMIT]}…"


def _printable(text: str) -> str:
    """For a terminal: without control sequences."""
    return "".join(character if character.isprintable() or character == "\n" else "�" for character in _short(text))


def as_text(result: QuestionResult, traces: bool = False) -> str:
    """One question for a terminal; `traces` adds where exceptions were raised."""
    heading = f"{result.name}: {result.title}"
    notes = [f"  Note: {note}" for note in result.notes]
    if result.untouched:
        return "\n".join([heading, f"  {summary(result)}", *notes])
    lines = [heading]
    lines += [f"  {MARKS[case.state]} {_printable(case.title)} ({_points(case)})" for case in result.cases]
    for sentence, cases in _sentences(result):
        lines += ["", *(f"    {line}" for line in _printable(sentence).splitlines())]
        lines += [f"      {line}" for case in cases for line in _printable(_values(case, cases)).splitlines()]
        if traces and cases[0].trace:
            lines += [f"      {line}" for line in _printable(cases[0].trace).splitlines()]
    return "\n".join([*lines, *notes, f"  {summary(result)}"])


def _values(case: CaseResult, cases: Sequence[CaseResult]) -> str:
    """The numbers of a case, with its name where several cases, or others besides it, say the same."""
    if len(cases) == 1 and not case.values:
        return f"({case.title})"
    return f"{case.title}: {case.values}" if case.values else case.title


def as_html(result: QuestionResult) -> str:
    """One question for a notebook."""
    parts = [f"<div><strong>{_e(result.name)}</strong>: {_e(result.title)}</div>"]
    if not result.untouched:
        parts += [
            f"<div>{_mark(case.state)} {_e(case.title)} <span style='opacity:0.75'>({_points(case)})</span></div>"
            for case in result.cases
        ]
        parts += [_group_html(sentence, cases) for sentence, cases in _sentences(result)]
    parts += [f"<div style='margin-top:0.5em'>Note: {_e(note)}</div>" for note in result.notes]
    parts.append(f"<div style='margin-top:0.5em'>{_e(summary(result))}</div>")
    return _framed(result.state, "".join(parts))


def _framed(state: str, inner: str) -> str:
    style = f"border-left:4px solid {COLOURS[state]};padding:0.2em 0 0.2em 0.8em;line-height:1.45"
    return f"<div style='{style}'>{inner}</div>"


def _mark(state: str) -> str:
    return f"<span style='color:{COLOURS[state]};font-weight:bold' title='{state}'>{MARKS[state]}</span>"


def _group_html(sentence: str, cases: Sequence[CaseResult]) -> str:
    parts = [f"<div style='margin-top:0.6em;font-weight:bold;white-space:pre-wrap'>{_e(sentence)}</div>"]
    for case in cases:
        parts.append(f"<div style='white-space:pre-wrap'>{_e(_values(case, cases))}</div>")
        parts += [f"<div style='margin:0.4em 0'>{drawing}</div>" for drawing in case.pictures]
    if cases[0].trace:
        trace = f"<pre style='white-space:pre;overflow-x:auto'>{_e(cases[0].trace)}</pre>"
        parts.append(f"<details><summary>Where it happened</summary>{trace}</details>")
    return "".join(parts)


def _e(text: str) -> str:
    return html.escape(_short(text))


def message_html(text: str, state: str = "not yet") -> str:
    """A sentence as a block of its own."""
    return _framed(state, f"<div>{_e(text)}</div>")


def total(results: Iterable[QuestionResult]) -> str:
    """One line about many questions."""
    results = tuple(results)
    states = [result.state for result in results]
    counts = ", ".join(f"{states.count(state)} {state}" for state in MARKS)
    earned = sum(result.earned for result in results)
    public = sum(result.public_points for result in results)
    possible = sum(result.points for result in results if not result.bonus)
    bonus = sum(result.points for result in results if result.bonus)
    whole = f"{possible:g}" + (f" + {bonus:g} bonus" if bonus else "")
    return (
        f"{_count(len(states), 'question')}: {counts}. The public cases give {earned:g} of their {public:g} points; "
        f"there are {whole} in all, and the rest runs after you hand in."
    )


@dataclass(frozen=True)
class Table:
    """Questions one under the other, as far as they have been checked."""

    title: str
    results: tuple[QuestionResult, ...]
    left: tuple[str, ...] = ()
    """The names of questions that are still to be checked."""
    problems: tuple[str, ...] = ()
    """What went wrong besides."""
    notes: tuple[str, ...] = ()
    """What to know besides; nothing is wrong because of it."""

    def __repr__(self) -> str:
        return table_text(self)

    def _repr_html_(self) -> str:
        lines = [f"<div><strong>{_e(self.title)}</strong></div>"]
        lines += [f"<div>{_mark('wrong')} {_e(problem)}</div>" for problem in self.problems]
        lines += [f"<div>Note: {_e(note)}</div>" for note in self.notes]
        rows = "".join(_row_html(result) for result in self.results)
        lines.append(f"<table style='margin:0.4em 0'>{rows}</table>")
        if self.left:
            lines.append(f"<div>Checking {_e(self.left[0])} …</div>")
        else:
            lines.append(f"<div>{_e(total(self.results))}</div>")
        for result in self.results:
            if result.state == "wrong":
                lines.append(f"<div style='margin-top:1em'>{as_html(result)}</div>")
            elif result.notes:
                lines += [f"<div>{_e(result.name)}: {_e(note)}</div>" for note in result.notes]
        states = {result.state for result in self.results}
        state = "wrong" if "wrong" in states or self.problems else "passed" if states == {"passed"} else "not yet"
        return _framed(state, "".join(lines))


def _row_html(result: QuestionResult) -> str:
    cells = [
        _mark(result.state), f"<strong>{_e(result.name)}</strong>", _e(result.title), _e(_state(result)), _of(result),
    ]  # fmt: skip
    style = "text-align:left;padding:0.1em 0.8em 0.1em 0"
    return (
        "<tr style='background:transparent'>" + "".join(f"<td style='{style}'>{cell}</td>" for cell in cells) + "</tr>"
    )


def _state(result: QuestionResult) -> str:
    if result.untouched:
        return "not filled in yet"
    return f"{result.passed} of {_count(len(result.cases), 'public case')}"


def _of(result: QuestionResult) -> str:
    return f"{result.earned:g} of {result.points:g} {'bonus points' if result.bonus else 'points'}"


def row_text(result: QuestionResult, width: int) -> str:
    """One question's line of a table; `width`: of the longest title."""
    name = f"{result.name}: {result.title}"
    return f"  {MARKS[result.state]} {name:{width}}  {_state(result):20}  {_of(result)}"


def found_text(found: QuestionResult | Problem | Note, width: int, traces: bool = False) -> str:
    """What is printed of something found, as it comes: a question's line and details, or a sentence."""
    if isinstance(found, QuestionResult):
        return "\n".join([row_text(found, width), *details_text(found, traces)])
    return f"  {'!' if isinstance(found, Problem) else 'Note:'} {_printable(found.text)}"


def table_text(table: Table) -> str:
    """The table for a terminal, and a block for each question that is wrong."""
    width = max((len(f"{result.name}: {result.title}") for result in table.results), default=0)
    found = (*map(Problem, table.problems), *map(Note, table.notes), *table.results)
    lines = [table.title, *(found_text(one, width) for one in found)]
    if not table.left:
        lines += ["", total(table.results)]
    return "\n".join(lines)


def details_text(result: QuestionResult, traces: bool = False) -> list[str]:
    """What stands under a question's line: what is wrong with it, and notes."""
    if result.state == "wrong":
        return [f"      {line}".rstrip() for line in as_text(result, traces).splitlines()[1:-1]]
    return [f"      Note: {note}" for note in result.notes]


def as_markdown(results: Sequence[QuestionResult]) -> str:
    """A table of questions, and the details of what is wrong, folded."""
    if not results:
        return ""
    rows = ["| question | | public cases | points |", "|---|---|--:|--:|"]
    for result in results:
        name = f"{html.escape(result.name)}: {html.escape(result.title)}".replace("|", "\\|")
        counts = f"{result.passed} of {len(result.cases)}"
        rows.append(f"| {name} | {MARKS[result.state]} {result.state} | {counts} | {_of(result)} |")
    rows.append("")
    for result in results:
        if result.state == "wrong" or result.notes:
            text = html.escape(as_text(result))
            # <pre> begins a line, so that a blank line in it does not end the block
            rows += [
                f"<details><summary>{html.escape(result.name)}</summary>",
                "",
                f"<pre>{text}</pre>",
                "",
                "</details>",
                "",
            ]
    return "\n".join(rows)


@dataclass(frozen=True)
class Hint:
    """What `grader.hint` gives: the hints for a question so far, the last one new."""

    name: str
    title: str
    steps: tuple[str, ...]
    left: int
    """How many there are besides."""

    def _rest(self) -> str:
        if not self.left:
            return "These are all the hints there are for this question."
        return f'grader.hint("{self.name}") again gives {_count(self.left, "more hint")}, one at a time.'

    def __repr__(self) -> str:
        steps = [f"  {number}. {step}" for number, step in enumerate(self.steps, start=1)]
        return "\n".join([f"{self.name}: {self.title}", *steps, f"  {self._rest()}"])

    def _repr_html_(self) -> str:
        steps = "".join(f"<li style='margin:0.3em 0'>{_e(step)}</li>" for step in self.steps)
        heading = f"<div><strong>{_e(self.name)}</strong>: {_e(self.title)}</div>"
        return _framed("not yet", f"{heading}<ol style='margin:0.3em 0'>{steps}</ol><div>{_e(self._rest())}</div>")


@dataclass(frozen=True)
class Block:
    """What `grader.check` gives: one question, or a sentence where there is nothing to check."""

    result: QuestionResult | None
    sentence: str = ""

    @property
    def passed(self) -> bool:
        """Whether every public case passes."""
        return self.result is not None and self.result.state == "passed"

    def __repr__(self) -> str:
        return as_text(self.result) if self.result is not None else self.sentence

    def _repr_html_(self) -> str:
        return as_html(self.result) if self.result is not None else message_html(self.sentence, "wrong")
