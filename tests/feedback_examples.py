"""Results of five kinds of wrong submissions, with what a page shows of each: no grading is needed to look at them."""

from dataclasses import replace
from typing import Any

import adkit
import numpy as np
from adkit.checks import evidence

from autograder.records.final import Final, Step
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult, Timeout
from autograder.records.run import Run

RUN = Run(
    assignment="toy",
    title="Gradients of matrix functions",
    questions=(
        {"name": "q1", "title": "The linear solve", "points": 4.0, "bonus": False, "heading": "q1: The linear solve"},
        {"name": "q2", "title": "More", "points": 2.0, "bonus": True, "heading": "q2: More (2 bonus points)"},
    ),
    seed="s",
    contract="0123456789abcdef",
    isolated=True,
    versions={"autograder": "0.1.0"},
    started="2026-05-05T12:00:00+0200",
    finished=True,
)


def _case(name: str, hidden: bool, shown: dict[str, Any] | None = None, **changes: Any) -> CaseResult:
    case = CaseResult(f"test_{name}", f"the case {name}", 1.0, hidden, False, "no")
    return replace(case, evidence=shown or {}, **changes)


def _passed(name: str, hidden: bool) -> CaseResult:
    return CaseResult(f"test_{name}", f"the case {name}", 1.0, hidden, True, "")


def _matrix() -> dict[str, Any] | None:
    right = np.random.default_rng(1).standard_normal((5, 5))
    return evidence.entries(right.T.copy(), right, "A_bar")


def _illegal() -> dict[str, Any] | None:
    actions = [("forward", 1), ("save", 1), ("forward", 2), ("save", 2), ("free", 2), ("backward", 2)]
    return evidence.schedule(4, actions, position=5)


def _excess() -> dict[str, Any] | None:
    up = [step for i in range(1, 13) for step in (("forward", i), ("save", i))]
    down = [step for i in range(12, 0, -1) for step in (("backward", i), ("free", i))]
    return evidence.schedule(12, [*up, *down], memory=6)


def _adjoints() -> dict[str, Any] | None:
    shows = evidence.adjoints(adkit.toy_graph(), range(5))
    return shows(np.array([-1.3, 0.7, 1.0, 1.0, 1.0]), np.array([-0.54, 0.7, 1.0, 1.0, 1.0]))


def _steps() -> dict[str, Any] | None:
    def f(x: Any) -> float:
        return 300.0 + float(np.sin(3 * x[0]) * x[1])

    x = np.array([0.4, -1.3])
    watched, points = evidence.watched(f)
    given = np.array([(watched(x + h) - watched(x)) / 1e-8 for h in 1e-8 * np.eye(2)])
    return evidence.steps(f, x, points)(given, np.array([3 * np.cos(1.2) * x[1], np.sin(1.2)]))


def examples() -> dict[str, tuple[SubmissionResult, Final]]:
    """By name: a result and its grade."""
    transposed: Any = {
        "mistake": "A_bar is transposed: it is −b_bar xᵀ, not −x b_barᵀ.",
        "mistakes": ("linear_solve_vjp__a_bar_transposed",),
        "reread": ("Cotangents, and the trace trick",),
    }
    kinds: Any = ("recursion limit", "time limit", "not finite", "wrong answer", "wrong answer")
    cases: dict[str, tuple[CaseResult, ...]] = {
        "mistake": (
            _case("of a matrix", False, _matrix(), detail="A_bar[0, 1] is 1, and should be 2", **transposed),
            _case("of a vector", False, detail="A_bar[1, 0] is 3, and should be 4", **transposed),
            *(_case(f"hidden {k}", True, kind="wrong answer", **transposed) for k in range(3)),
        ),
        "schedule": (
            _case("n = 4", False, _illegal(), message='action 5, ("backward", 2), is illegal: a_2 is neither saved'),
            _case("n = 12", False, _excess(), message="the peak memory is 12, and may be at most 6", kind="too costly"),
            _passed("hidden", True),
        ),
        "adjoint": (_case("at a point", False, _adjoints(), message="v1_bar is -1.3, and should be -0.54"),),
        "steps": (_case("a gradient", False, _steps(), message="the numerical gradient is nearly right"),),
        "hidden": (_passed("public", False), *(_case(f"h{k}", True, kind=kind) for k, kind in enumerate(kinds))),
    }
    made: dict[str, tuple[SubmissionResult, Final]] = {}
    for name, entries in cases.items():
        questions = (
            QuestionResult("q1", "The linear solve", float(len(entries)), False, entries),
            QuestionResult("q2", "More", 0.0, True, (_passed("bonus", True), _passed("bonus 2", True))),
        )
        result = SubmissionResult(f"{name}.ipynb", "completed", questions, notes=("Cell 3 raised an error: no",))
        final = replace(Final.of(result), who="Jane Doe")
        made[name] = (result, final)
    late, final = made["hidden"]
    late = replace(late, status="timed out", problem="It took too long.", timeouts=(Timeout("call", "f", 10.0),))
    made["late"] = (late, replace(final, steps=(Step("late", -0.5, "1 day late: 10 %"),)))
    made["unreadable"] = (SubmissionResult("x.ipynb", "unreadable", problem="It is cut off."), Final(0.0, 0.0, 4.0))
    return made
