"""What the command line shows: tables and progress for people, one JSON document for programs."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.grading.grade import Listener
    from autograder.records.student import Student
    from autograder.report.statistics import Statistics

_SECONDS_BETWEEN_LINES = 10.0
_LOG_COLUMNS = 160
_SHORTEST_NAME = 12
_LINED_NAME = 20
_ROWS = 60
_LISTED = 50


def say(text: str) -> None:
    """A line on standard error; one that begins with a blank goes on from the line before."""
    print(f"autograder: {text}" if not text.startswith(" ") else text, file=sys.stderr, flush=True)


def answer(document: Mapping[str, Any]) -> None:
    """The one JSON document of a command with --json, on standard output."""
    print(json.dumps(document, indent=1, default=str), flush=True)


def columns() -> int | None:
    """The width to print in: COLUMNS, else the terminal's (None). A log has no width of its own, and a narrow table is
    harder to read there than a long line."""
    if os.environ.get("COLUMNS", "").isdecimal() and int(os.environ["COLUMNS"]) > 0:
        return int(os.environ["COLUMNS"])
    return None if sys.stdout.isatty() else _LOG_COLUMNS


def conclude(statistics: "Statistics", out: Path, quiet: bool, ignored: Sequence[str] = ()) -> int:
    """Prints the table, where everything is and what a person should look at; the exit code."""
    from autograder.text import for_terminal

    if not quiet:
        table(statistics, out)
        if ignored:
            shown = ", ".join(for_terminal(name, 60) for name in ignored[:5])
            print(f"skipped (not submissions): {shown}{' …' if len(ignored) > 5 else ''}")
        print(f"grades    {out / 'final_grades.csv'}  (and {out / 'lms'} for Canvas, Moodle, Gradescope)")
        print(f"results   {out / 'results'}")
        print(f"feedback  {out / 'feedback'}")
        print(f"report    {out / 'report.html'}")
        if statistics.timeout_cases:
            print(f"timeouts  {statistics.timeout_cases} cases failed because a call did not finish in time")
    notes(statistics, out)
    for rows, what in (
        (statistics.not_graded, "could not be graded"),
        (statistics.timed_out, "ran out of time and are graded as far as they came"),
    ):
        if not rows:
            continue
        say(f"{len(rows)} of {len(statistics.rows)} {what}:")
        for row in rows[:_LISTED]:
            say(f"  {for_terminal(row.file, 100)}: {for_terminal(row.problem, 300)}")
        if len(rows) > _LISTED:
            say(f"  … and {len(rows) - _LISTED} more, see {out / 'report.html'}")
    return 1 if statistics.problems else 0


def notes(statistics: "Statistics", out: Path) -> None:
    """What has to be known before grades are handed on, in a few lines."""
    from autograder.text import for_terminal

    changed = [row for row in statistics.rows if row.final.steps]
    if changed:
        kinds = {"late": "late reduction", "adjustment": "adjustment", "cap": "cap"}
        counts = [
            f"{number} by {word}"
            for kind, word in kinds.items()
            if (number := sum(any(step.kind == kind for step in row.final.steps) for row in changed))
        ]
        grades = "1 grade differs" if len(changed) == 1 else f"{len(changed)} grades differ"
        say(f"{grades} from the score ({', '.join(counts)}): {out / 'grades_detail.csv'}")
    if statistics.absent:
        say(f"{len(statistics.absent)} handed in nothing and have a line in the tables")
    for note in statistics.notes:
        say(for_terminal(note, 1000))


def document(statistics: "Statistics", out: Path, ignored: Sequence[str] = ()) -> dict[str, Any]:
    """A graded class as data: what --json answers."""
    from autograder.records.run import Run

    run = Run.read(out)
    return {
        "assignment": run.assignment,
        "title": run.title,
        "out": str(out),
        "finished": run.finished,
        "isolated": run.isolated,
        "seconds": run.seconds,
        "questions": list(run.questions),
        "possible": run.possible,
        "mean": statistics.mean(),
        "median": statistics.median(),
        "counts": {
            "submissions": len(statistics.rows),
            "graded": len(statistics.completed),
            "timed_out": len(statistics.timed_out),
            "not_graded": len(statistics.not_graded),
            "cases_that_timed_out": statistics.timeout_cases,
        },
        "submissions": [
            {
                "file": row.file,
                "status": row.status,
                "graded": row.scored,
                "problem": row.problem,
                "questions": row.scores,
                "score": row.final.earned,
                "steps": [asdict(step) for step in row.final.steps],
                "earned": row.earned,
                "possible": row.possible,
                "percent": row.percent,
                "isolated": row.isolated,
                "seconds": row.seconds,
                "timeouts": [asdict(timeout) for timeout in row.timeouts],
                "results": str(out / "results" / f"{row.stem}.json"),
                "feedback": str(out / "feedback" / f"{row.stem}.html"),
            }
            for row in statistics.rows
        ],
        "missing": [
            {"name": row.file, "earned": None if row.blank else row.earned, **_identity(student)}
            for row, student in statistics.absent
        ],
        "notes": statistics.notes,
        "passed_over": list(ignored),
    }


def _identity(student: "Student") -> dict[str, str]:
    return {"id": student.id, "login": student.login, "email": student.email}


def table(statistics: "Statistics", out: Path) -> None:
    """The class as a table that fits: names are shortened, then the questions' columns left out; the points stay."""
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from autograder.records.run import Run
    from autograder.text import for_terminal, number

    run = Run.read(out)
    names = [str(question["name"]) for question in run.questions]
    rows = statistics.rows if len(statistics.rows) <= _ROWS else statistics.rows[: _ROWS - 5]
    signs = ["+" if question["bonus"] else "" for question in run.questions]
    last = [sign + number(float(question["points"])) for sign, question in zip(signs, run.questions, strict=True)]
    lines = [
        (
            for_terminal(row.file, 200),
            [number(row.scores.get(name, 0.0)) for name in names],
            [number(row.earned), f"{100 * row.percent:.0f}", _status(row.status, row.timeout_cases)],
        )
        for row in rows
    ]
    lines.append(("possible", last, [number(run.possible), "", ""]))

    console = Console(highlight=False, width=columns())
    ends = _widths([end for _, _, end in lines], ["total", "%", ""])
    questions = _widths([scores for _, scores, _ in lines], names)
    # With lines, a column has a blank on both sides and a line before it, and the table a line behind the last one;
    # without, a blank. What comes first of: lines, no lines, no questions.
    widths = (*questions, *ends)
    lined, room = True, console.width - sum(width + 3 for width in widths) - 4
    if room < _LINED_NAME:
        lined, room = False, console.width - sum(width + 1 for width in widths)
    without = room < _SHORTEST_NAME and bool(names)
    if without:
        room += sum(width + 1 for width in questions)
    room = max(room, _SHORTEST_NAME)

    title = Text(for_terminal(run.title))
    shown = Table(title=title, title_justify="left")
    if not lined:
        shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)
    shown.add_column("file", no_wrap=True)
    for name in [*(() if without else names), "total", "%"]:
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for place, (file, scores, (total, percent, status)) in enumerate(lines):
        if place == len(rows):
            shown.add_section()
        shown.add_row(
            Text(_shortened(file, room, cell_len)),
            *(() if without else scores),
            Text(total, "bold" if place < len(rows) else ""),
            percent,
            Text(status, "red"),
        )
    console.print(shown)
    if without:
        console.print("the points of each question are in final_grades.csv: this terminal is too narrow for them")
    if len(rows) < len(statistics.rows):
        console.print(f"… and {len(statistics.rows) - len(rows)} more in final_grades.csv")


def _status(status: str, timeouts: int) -> str:
    if status != "completed":
        return status
    return f"{timeouts} timeout{'s' if timeouts > 1 else ''}" if timeouts else ""


def _widths(lines: Sequence[Sequence[str]], headers: Sequence[str]) -> list[int]:
    return [max(len(line[place]) for line in [headers, *lines]) for place in range(len(headers))]


def _shortened(name: str, room: int, width: Any) -> str:
    """A name in `room` columns, its middle left out: the beginning says whose it is, the end which of several."""
    if width(name) <= room:
        return name
    first, last = name, ""
    while width(first) + 1 + width(last) > room or not last:
        if not last:
            half = (room - 1) * 2 // 3
            while width(first) > half:
                first = first[:-1]
            last = name[len(first) :]
        last = last[1:]
        if not last:
            break
    return f"{first}…{last}"


@contextlib.contextmanager
def progress(quiet: bool) -> Generator["Listener | None", None, None]:
    """A bar with rate and remaining time on a terminal, a line now and then otherwise."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _line_listener()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*shown, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("grading", total=None, rate="")
        started = time.monotonic()
        before = 0

        def listener(record: Any, done: int, of: int) -> None:
            nonlocal before
            if record is None:
                before = done
            rate = (done - before) / max(1e-9, time.monotonic() - started)
            bars.update(bar, completed=done, total=of, rate=f"{rate:.2f}/s" if rate else "")

        yield listener


def _line_listener() -> "Listener":
    from autograder.text import for_terminal, number

    started = time.monotonic()
    last = started - _SECONDS_BETWEEN_LINES
    before = 0

    def listener(record: Any, done: int, of: int) -> None:
        nonlocal last, before
        if record is None:
            before = done
            say(f"{of} submissions" + (f", {done} of them are graded already" if done else ""))
            return
        now = time.monotonic()
        problem = record.result.status != "completed"
        if of > 40 and not problem and done != of and now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        rate = (done - before) / max(1e-9, now - started)
        remaining = (of - done) / rate
        what = record.result.status if problem else f"{number(record.result.earned)} points"
        say(f"{done}/{of} {for_terminal(record.name, 80)}: {what} ({rate:.2f} a second, {remaining:.0f} s to go)")

    return listener
