"""The page a run shows: the class in numbers, a histogram, a table; nothing of a submission is more than text on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.actions.commands import annotations
from autograder.records.run import Run
from autograder.report.grades import Row
from autograder.report.statistics import Statistics
from autograder.text import for_markdown, number

ROWS = 400
"""Lines of the table: a summary may have 1 MiB, and people read the CSV of a larger class."""
_BAR = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def summary(statistics: Statistics, run: Run, names: Mapping[str, str] | None = None) -> str:
    """Markdown for $GITHUB_STEP_SUMMARY.

    names: what stands for a file's name. Then nothing is said that a submission could have chosen, why it could not be
    graded neither, and the lines are in the order of these names. None: everything as it is.
    """
    graded, problems, late = statistics.completed, statistics.not_graded, statistics.timed_out
    lower, upper = statistics.quartiles()
    parts = [
        f"## {_text(run.title)}",
        f"**{len(graded)}** graded, **{len(problems)}** could not be. "
        f"Mean **{number(round(statistics.mean(), 2))}** of {number(run.possible)}, "
        f"median {number(statistics.median())}, quartiles {number(lower)} and {number(upper)}.",
    ]
    if not run.isolated or any(not row.isolated for row in statistics.rows):
        parts.append("> [!WARNING]\n> Graded without isolation: submissions could have changed these results.")
    if not run.finished:
        parts.append("> [!WARNING]\n> The run was not finished: submissions are missing below.")
    if graded:
        parts.append("```text\n" + "\n".join(histogram(statistics.histogram(run.possible), 10)) + "\n```")
    if problems:
        parts += ["### Could not be graded", _problems(problems, names)]
    if late:
        parts += ["### Ran out of time, graded as far as they came", _problems(late, names)]
    if statistics.mistakes:
        parts += ["### Most frequent mistakes", _mistakes(statistics)]
    parts += ["### Grades", _grades(statistics.rows, run, names)]
    if names is not None:
        parts.append("The artefact with the grades says whose number is whose, and why a file could not be graded.")
    versions = ", ".join(f"{_text(name)} {_text(version)}" for name, version in run.versions.items())
    parts.append(f"<sub>{versions}; isolation: {_text(', '.join(run.isolation)) or 'none'}</sub>")
    return "\n\n".join(parts) + "\n"


def problem_annotations(statistics: Statistics, names: Mapping[str, str] | None = None) -> list[str]:
    """One annotation for each submission that could not be graded, or not to the end; `names` as for the summary."""
    rows = _in_order(statistics.problems, names)
    found = [(_name(row, names), _why(row, names)) for row in rows]
    return annotations("error", found, "more submissions could not be graded: see the summary")


def _in_order(rows: Sequence[Row], names: Mapping[str, str] | None) -> Sequence[Row]:
    return rows if names is None else sorted(rows, key=lambda row: names[row.file])


def _name(row: Row, names: Mapping[str, str] | None) -> str:
    return row.file if names is None else names[row.file]


def _why(row: Row, names: Mapping[str, str] | None) -> str:
    return row.problem or row.status if names is None else row.status


def read(out: Path) -> tuple[Statistics, Run]:
    """The class in an output folder of `autograder grade` or `autograder merge`."""
    from autograder.report.write import statistics_of

    return statistics_of(out)


def histogram(counts: Sequence[int], width: int) -> list[str]:
    """One line a bin of `width` per cent, with bars of Unicode blocks that are exact to an eighth of a character."""
    most = max(counts, default=0)
    lines: list[str] = []
    for index, count in enumerate(counts):
        eighths = round(8 * _BAR * count / most) if most else 0
        eighths = max(eighths, 1) if count else 0
        bar = _EIGHTHS[8] * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
        label = f"{width * index:3d}–{width * (index + 1):3d} %"
        lines.append(f"{label} │{bar} {count}" if count else f"{label} │")
    return lines


def _grades(rows: Sequence[Row], run: Run, shown: Mapping[str, str] | None) -> str:
    names = [str(question["name"]) for question in run.questions]
    points = {str(question["name"]): number(float(question["points"])) for question in run.questions}
    bonus = {str(question["name"]) for question in run.questions if question["bonus"]}
    heads = [f"{_text(name)} ({'+' if name in bonus else ''}{points[name]})" for name in names]
    lines = [_line(["submission", *heads, "total", "%", "status"]), _line(["---", *["--:"] * (len(names) + 2), "---"])]
    for row in _in_order(rows, shown)[:ROWS]:
        scores = [number(row.scores.get(name, 0.0)) for name in names]
        status = "" if row.status == "completed" else row.status
        if not status and row.timeout_cases:
            status = f"timeouts: {row.timeout_cases}"
        lines.append(_line([_code(_name(row, shown)), *scores, number(row.earned), f"{100 * row.percent:.0f}", status]))
    text = "\n".join(lines)
    left = len(rows) - ROWS
    return f"{text}\n\n… and {left} more: see final\\_grades.csv" if left > 0 else text


def _problems(problems: Sequence[Row], names: Mapping[str, str] | None) -> str:
    lines = [_line(["submission", "why"]), _line(["---", "---"])]
    rows = _in_order(problems, names)[:ROWS]
    lines += [_line([_code(_name(row, names)), _text(_why(row, names), 300)]) for row in rows]
    return "\n".join(lines)


def _mistakes(statistics: Statistics) -> str:
    lines = [_line(["question", "mistake", "submissions"]), _line(["---", "---", "--:"])]
    for (question, sentence), count in statistics.mistakes.most_common(10):
        lines.append(_line([_text(question), _text(sentence, 300), str(count)]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(name: str) -> str:
    # Inside <code>, GitHub makes no mention of @somebody and no link of #1; what is in it is still Markdown, so escaped
    return f"<code>{_text(name, 80)}</code>"


def _text(text: str, limit: int = 500) -> str:
    # As Markdown and as HTML: a viewer that knows only one of them shows text too
    escaped = for_markdown(text, limit)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        escaped = escaped.replace(f"\\{character}", entity)
    return escaped
