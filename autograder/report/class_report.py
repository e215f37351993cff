"""report.html: the class, for its instructor.

The page has one script (`templates/class_report.js`), which sorts and searches its tables. A Content-Security-Policy
allows that script by its digest and no other, and the script moves rows and reads their text: what a student is called
is text in a cell and nothing else.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from autograder.records.run import Run
from autograder.report.page import render
from autograder.report.statistics import CaseCount, Statistics
from autograder.text import for_page, number

SCRIPT = "class_report.js"
_MOST_CHANGES = 25
"""Cases that a comparison lists."""


@dataclass(frozen=True)
class Class:
    """A class to compare with."""

    statistics: Statistics
    run: Run
    label: str
    """What it is called: the path of its folder."""


def report_page(statistics: Statistics, run: Run, earlier: Class | None = None) -> str:
    """The page as HTML; earlier: a class to compare with."""
    rows = [*statistics.rows, *(row for row, _ in statistics.absent)]
    return render(
        "class_report.html",
        run=run,
        statistics=statistics,
        figures=_figures(statistics, run),
        histogram=statistics.histogram(run.possible),
        questions=_questions(statistics, run),
        cases=_cases(statistics),
        comparison=_comparison(statistics, run, earlier) if earlier is not None else None,
        named=any(row.final.who for row in rows),
        decided=[row for row in rows if row.final.steps or row.final.lateness],
        environment=_environment(run),
        script_digest=script_digest(),
    )


def script_digest() -> str:
    """How a Content-Security-Policy names the page's script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(render(SCRIPT).encode()).digest()).decode()}"


def _figures(statistics: Statistics, run: Run) -> dict[str, str]:
    lower, upper = statistics.quartiles()
    return {
        "submissions": str(len(statistics.rows)),
        "not graded": str(len(statistics.not_graded)),
        "timed out": str(len(statistics.timed_out)),
        "points possible": number(run.possible),
        "mean": f"{statistics.mean():.1f}",
        "median": number(statistics.median()),
        "middle half": f"{number(lower)} – {number(upper)}",
    }


def _questions(statistics: Statistics, run: Run) -> list[dict[str, Any]]:
    """Each question of run.json with the class's mean points, the shares that earned all of them (full) or none, and of
    the points of its public and of its hidden cases; None where it has no such cases."""
    described: list[dict[str, Any]] = []
    count = len(statistics.completed)
    for question in run.questions if count else ():
        name, points = str(question["name"]), float(question["points"])
        earned = [row.scores.get(name, 0.0) for row in statistics.completed]
        minutes = question.get("minutes")
        mean = sum(earned) / count
        cases = [case for case in statistics.cases.values() if case.question == name]
        described.append(
            {
                **question,
                "minutes": minutes,
                "per_hour": 60 * points / minutes if minutes else None,
                "mean": mean,
                "share": mean / points if points else 0.0,
                "full": sum(one >= points - 1e-9 for one in earned) / count,
                "none": sum(one <= 1e-9 for one in earned) / count,
                "public": _share([case for case in cases if not case.hidden], count),
                "hidden": _share([case for case in cases if case.hidden], count),
            }
        )
    return described


def _share(cases: list[CaseCount], count: int) -> float | None:
    worth = sum(case.points for case in cases)
    return sum(case.points * case.passed for case in cases) / (worth * count) if worth and count else None


def _cases(statistics: Statistics) -> list[dict[str, Any]]:
    """Every case, the hardest first: the share that passes, how well it separates, what is wrong with it."""
    count = max(1, statistics.moments.count)
    described = [
        {
            "case": case,
            "share": case.passed / count,
            "correlation": statistics.moments.correlation(case),
            "flag": statistics.moments.flag(case),
        }
        for case in statistics.cases.values()
    ]
    return sorted(described, key=lambda one: one["share"])


def _comparison(statistics: Statistics, run: Run, earlier: Class) -> dict[str, Any]:
    """This class beside an earlier one: figures, questions and cases of the same name, most changed cases first."""
    before, then = earlier.statistics, earlier.run
    old = {question["name"]: question for question in _questions(before, then)}
    questions = [
        {"now": question, "before": old[question["name"]]}
        for question in _questions(statistics, run)
        if question["name"] in old
    ]
    old_cases = {one["case"].name: one for one in _cases(before)} if before.moments.count else {}
    cases = [
        {"now": one, "before": old_cases[one["case"].name]}
        for one in _cases(statistics)
        if one["case"].name in old_cases and statistics.moments.count
    ]
    cases.sort(key=lambda pair: abs(pair["now"]["share"] - pair["before"]["share"]), reverse=True)
    figures = [
        ("submissions", str(len(before.rows)), str(len(statistics.rows))),
        ("mean", f"{before.mean():.1f}", f"{statistics.mean():.1f}"),
        ("median", number(before.median()), number(statistics.median())),
        ("points possible", number(then.possible), number(run.possible)),
        ("timed out", str(len(before.timed_out)), str(len(statistics.timed_out))),
    ]
    return {
        "label": earlier.label,
        "started": then.started,
        "other": then.assignment != run.assignment,
        "changed": then.contract != run.contract,
        "figures": figures,
        "questions": questions,
        "cases": cases[:_MOST_CHANGES],
    }


def _environment(run: Run) -> dict[str, str]:
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
        shown = ", ".join(for_page(name, 80, lines=False) for name in run.ignored[:20])
        more = f" and {len(run.ignored) - 20} more" if len(run.ignored) > 20 else ""
        entries["files skipped"] = shown + more
    return entries
