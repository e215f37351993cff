"""report.html: the class for its instructor."""

from collections.abc import Sequence
from urllib.parse import quote

from autograder.records.run import Run
from autograder.report.grades import Row
from autograder.report.page import bar, number, page, signed
from autograder.report.statistics import Statistics
from autograder.text import for_html, plain


def report_page(statistics: Statistics, run: Run) -> str:
    """The page as HTML."""
    parts = [
        _header(statistics, run, run.possible),
        _distribution(statistics, run.possible),
        _problems(statistics.not_graded),
        _timeouts(statistics),
        _questions(statistics, run),
        _mistakes(statistics),
        _decisions(statistics),
        _submissions(statistics, run),
        _cases(statistics),
        _environment(run),
    ]
    return page(f"{run.title}: the class", "\n".join(part for part in parts if part), wide=True)


def _header(statistics: Statistics, run: Run, possible: float) -> str:
    lower, upper = statistics.quartiles()
    figures = [
        ("submissions", str(len(statistics.rows))),
        ("not graded", str(len(statistics.not_graded))),
        ("timed out", str(len(statistics.timed_out))),
        ("points possible", number(possible)),
        ("mean", f"{statistics.mean():.1f}"),
        ("median", number(statistics.median())),
        ("middle half", f"{number(lower)} – {number(upper)}"),
    ]
    cells = "".join(f'<div><b>{value}</b><span class="faint small">{name}</span></div>' for name, value in figures)
    warnings: list[str] = []
    if not run.isolated:
        warnings.append("Graded without isolation: submissions could read and change anything.")
    if not run.finished:
        warnings.append(f"Not finished: {len(statistics.rows)} of {run.submissions} submissions are graded.")
    boxes = "".join(f'<div class="box note">{for_html(warning)}</div>' for warning in warnings)
    shards = f" · shards {for_html(', '.join(run.shards))}" if run.shards else ""
    return (
        f'<h1>{for_html(run.title, 200)}</h1><p class="faint">{for_html(run.assignment, 100)} · '
        f'{for_html(run.started)}{shards}</p>{boxes}<div class="figures">{cells}</div>'
    )


def _distribution(statistics: Statistics, possible: float) -> str:
    if not statistics.completed:
        return ""
    return (
        '<section class="card"><h2>Points</h2><p class="faint small">Graded submissions by the share of the points '
        f"possible that they earned.</p>{histogram_svg(statistics.histogram(possible))}</section>"
    )


def histogram_svg(counts: Sequence[int]) -> str:
    """Columns over shares of the points possible, as SVG."""
    width, height, base = 640, 190, 160
    step = width / len(counts)
    most = max([1, *counts])
    parts: list[str] = []
    for index, count in enumerate(counts):
        tall = 130 * count / most
        left, middle = index * step + 4, (index + 0.5) * step
        if count:
            parts.append(
                f'<rect class="column" x="{left:.1f}" y="{base - tall:.1f}" width="{step - 8:.1f}" '
                f'height="{tall:.1f}" rx="3"/>'
                f'<text class="count" x="{middle:.1f}" y="{base - tall - 6:.1f}" text-anchor="middle">{count}</text>'
            )
        low, high = 100 * index // len(counts), 100 * (index + 1) // len(counts)
        parts.append(f'<text x="{middle:.1f}" y="{base + 18}" text-anchor="middle">{low}–{high} %</text>')
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Histogram of points: {list(counts)}">'
        f'<line class="axis" x1="0" y1="{base}" x2="{width}" y2="{base}"/>{"".join(parts)}</svg>'
    )


def _problems(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = "".join(
        f'<tr><td class="file">{_name(row)}</td><td class="s">{for_html(row.status)}</td>'
        f"<td>{for_html(plain(row.problem, 800))}</td></tr>"
        for row in rows
    )
    return (
        f'<section class="card"><h2>Could not be graded ({len(rows)})</h2>'
        f"{_table(('file', 'status', 'why'), lines)}</section>"
    )


def _timeouts(statistics: Statistics) -> str:
    if not statistics.timeouts:
        return ""
    lines = "".join(
        f'<tr><td class="n">{times}</td><td>{for_html(what, 200)}</td><td class="n">{seconds:g}</td></tr>'
        for (what, seconds), times in statistics.timeouts.most_common(25)
    )
    cases = statistics.timeout_cases
    ended = "".join(
        f'<tr><td class="file">{_name(row)}</td><td>{for_html(plain(row.problem, 800))}</td></tr>'
        for row in statistics.timed_out
    )
    table = _table(("file", "graded as far as it came"), ended) if ended else ""
    return (
        '<section class="card"><h2>Ran out of time</h2><p class="faint small">Time counts while a submission runs or '
        f"sleeps, not while it waits for a busy machine. Cases that failed because a call did not finish: {cases}.</p>"
        f"{_table(('submissions#', 'what did not finish', 'seconds allowed#'), lines)}{table}</section>"
    )


def _questions(statistics: Statistics, run: Run) -> str:
    count = len(statistics.completed)
    if not count:
        return ""
    lines: list[str] = []
    for question in run.questions:
        name, points = str(question["name"]), float(question["points"])
        earned = [row.scores.get(name, 0.0) for row in statistics.completed]
        mean = sum(earned) / count
        full = sum(points_earned >= points - 1e-9 for points_earned in earned)
        none = sum(points_earned <= 1e-9 for points_earned in earned)
        bonus = " (bonus)" if question["bonus"] else ""
        lines.append(
            f'<tr><td class="s">{for_html(name)}</td><td>{for_html(str(question["title"]))}{bonus}</td>'
            f'<td class="n">{number(points)}</td><td class="n">{mean:.2f}</td>'
            f"<td>{bar(mean / points if points else 0.0)}</td>"
            f'<td class="n">{100 * full / count:.0f} %</td><td class="n">{100 * none / count:.0f} %</td></tr>'
        )
    header = ("", "question", "points#", "mean#", "share of points", "all points#", "none#")
    return f'<section class="card"><h2>Questions</h2>{_table(header, "".join(lines))}</section>'


def _cases(statistics: Statistics) -> str:
    count = len(statistics.completed)
    if not count:
        return ""
    lines = "".join(
        f'<tr><td class="s">{for_html(case.question)}</td><td>{for_html(case.title, 200)}</td>'
        f'<td class="s">{"hidden" if case.hidden else "public"}</td>'
        f'<td class="n">{number(case.points)}</td><td class="n">{100 * case.passed / count:.0f} %</td>'
        f"<td>{bar(case.passed / count)}</td></tr>"
        for case in statistics.cases.values()
    )
    header = ("", "case", "kind", "points#", "passed#", "share of submissions")
    return f'<section class="card"><h2>Test cases</h2>{_table(header, lines)}</section>'


def _mistakes(statistics: Statistics) -> str:
    if not statistics.mistakes:
        return ""
    lines = "".join(
        f'<tr><td class="n">{times}</td><td class="s">{for_html(question)}</td><td>{for_html(sentence, 600)}</td></tr>'
        for (question, sentence), times in statistics.mistakes.most_common(25)
    )
    return (
        '<section class="card"><h2>Most frequent mistakes</h2><p class="faint small">Recognised because the '
        "submission answers exactly as the mistake does.</p>"
        f"{_table(('submissions#', '', 'what the students were told'), lines)}</section>"
    )


def _decisions(statistics: Statistics) -> str:
    """Grades that are not the score alone, and what a person should look at."""
    rows = [row for row in statistics.rows if row.final.steps or row.final.lateness]
    absent = [(row, row.final) for row, _ in statistics.absent if row.final.steps]
    if not rows and not absent:
        return ""
    lines: list[str] = []
    for row, final in [*((row, row.final) for row in rows), *absent]:
        steps = [f"{step.question or step.kind}: {step.reason}".rstrip(": ") for step in final.steps]
        changes = [signed(step.points) for step in final.steps]
        name = _name(row) if row.stem else for_html(row.file, 120)
        lines.append(
            f'<tr><td class="file">{name}</td><td class="n">{number(final.earned)}</td>'
            f'<td class="n">{"<br>".join(changes)}</td>'
            f"<td>{'<br>'.join(for_html(text, 400) for text in (*steps, final.lateness) if text)}</td>"
            f'<td class="n"><b>{number(final.total)}</b></td></tr>'
        )
    header = ("file", "score#", "change#", "why", "grade#")
    return (
        f'<section class="card"><h2>Late, adjusted, capped ({len(lines)})</h2>'
        f"{_table(header, ''.join(lines))}</section>"
    )


def _submissions(statistics: Statistics, run: Run) -> str:
    names = [str(question["name"]) for question in run.questions]
    lines: list[str] = []
    for row in statistics.rows:
        scores = "".join(f'<td class="n">{number(row.scores.get(name, 0.0))}</td>' for name in names)
        status = "" if row.status == "completed" else for_html(row.status)
        if row.status == "completed" and row.timeout_cases:
            status = f"timeouts: {row.timeout_cases}"
        lines.append(
            f'<tr><td class="file">{_name(row)}</td>{scores}<td class="n"><b>{number(row.earned)}</b></td>'
            f'<td class="n">{100 * row.percent:.0f} %</td><td class="n">{row.seconds:.1f}</td>'
            f'<td class="s bad">{status}</td></tr>'
        )
    header = ("file", *(f"{name}#" for name in names), "total#", "%#", "seconds#", "")
    return f'<section class="card"><h2>Submissions</h2>{_table(header, "".join(lines))}</section>'


def _environment(run: Run) -> str:
    entries = {
        "isolation": ", ".join(run.isolation) if run.isolated else "none (--no-isolation)",
        "seed": run.seed,
        "versions": ", ".join(f"{name} {value}" for name, value in run.versions.items()),
        "machine": run.machine,
        "workers": str(run.jobs),
        "time": f"{run.seconds:.1f} s",
        "tests": run.contract[:16],
    }
    if run.ignored:
        shown = ", ".join(plain(name, 80, lines=False) for name in run.ignored[:20])
        more = f" and {len(run.ignored) - 20} more" if len(run.ignored) > 20 else ""
        entries["files passed over"] = shown + more
    lines = "".join(f"<dt>{for_html(name)}</dt><dd>{for_html(value, 3000)}</dd>" for name, value in entries.items())
    return f'<section class="card small"><h2>How it was graded</h2><dl>{lines}</dl></section>'


def _name(row: Row) -> str:
    shown = for_html(plain(row.file, 120, lines=False)) or "(no name)"
    return f'<a href="feedback/{quote(row.stem)}.html">{shown}</a>'


def _table(header: Sequence[str], lines: str) -> str:
    """A table; a header that ends with # is a column of numbers."""
    cells = "".join(
        f'<th class="n">{for_html(name[:-1])}</th>' if name.endswith("#") else f"<th>{for_html(name)}</th>"
        for name in header
    )
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>'
