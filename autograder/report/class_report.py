"""report.html: the class, for its instructor."""

from typing import Any

from autograder.records.run import Run
from autograder.report.page import render
from autograder.report.statistics import Statistics
from autograder.text import for_page, number


def report_page(statistics: Statistics, run: Run) -> str:
    """The page as HTML."""
    rows = [*statistics.rows, *(row for row, _ in statistics.absent)]
    return render(
        "class_report.html",
        run=run,
        statistics=statistics,
        figures=_figures(statistics, run),
        histogram=statistics.histogram(run.possible),
        questions=_questions(statistics, run),
        decided=[row for row in rows if row.final.steps or row.final.lateness],
        environment=_environment(run),
    )


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
    """Each question of run.json with the class's mean points, and the shares that earned all of them (full) or none."""
    described: list[dict[str, Any]] = []
    count = len(statistics.completed)
    for question in run.questions if count else ():
        earned = [row.scores.get(str(question["name"]), 0.0) for row in statistics.completed]
        described.append(
            {
                **question,
                "mean": sum(earned) / count,
                "full": sum(points >= float(question["points"]) - 1e-9 for points in earned) / count,
                "none": sum(points <= 1e-9 for points in earned) / count,
            }
        )
    return described


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
