"""Checks of schedules: is one legal and complete, what does it cost, which activations does it evaluate again.

They fail through `adkit.checks`, so that a message names a known mistake where there is one. A hidden case says the
broken rule and no number of the case.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np

from adkit.checks import evidence
from adkit.checks.failures import fail
from adkit.schedule import ScheduleError, Trace, integer, simulate

__all__ = [
    "at_most",
    "evaluated_twice_at_most",
    "evaluations_of",
    "exactly",
    "legal",
    "longest_run",
    "optimal",
    "peak_with",
    "subset",
    "within",
]


def legal(n: int, schedule: Any, *, sizes: Sequence[int] | None = None, costs: Sequence[int] | None = None) -> Trace:
    """The trace of a student's schedule; fails with the first broken rule unless it is legal and complete."""
    try:
        return simulate(n, schedule, sizes, costs)
    except ScheduleError as problem:
        broken = "is not legal and complete" if problem.position is None else "has an illegal action"
        fail(
            f"for n = {n}, {problem}",
            hidden=f"the schedule {broken}: {problem.rule}",
            answer=schedule,
            kind="wrong answer" if _is_made_of_actions(schedule) else "wrong shape",
            evidence=evidence.schedule(n, schedule, position=problem.position),
        )


def _is_made_of_actions(schedule: Any) -> bool:
    """Whether it is a list of pairs of a word and a whole number, whatever these are."""
    if not isinstance(schedule, list | tuple):
        return False
    actions = cast("list[Any] | tuple[Any, ...]", schedule)
    return all(
        isinstance(action, list | tuple)
        and len(cast("list[Any]", action)) == 2
        and isinstance(action[0], str)
        and integer(cast("object", action[1])) is not None
        for action in actions
    )


def at_most(
    number: int, bound: int, *, what: str, case: str, answer: Any, shows: evidence.Evidence | None = None
) -> None:
    """Passes when `number` <= `bound`. `case` says in a public case what was asked, e.g. "n = 10".

    shows: what a picture of the excess is drawn from (`adkit.checks.evidence`).
    """
    if number > bound:
        public = f"{what} is {number}, and may be at most {bound} (for {case})"
        fail(public, hidden=f"{what} is too large", answer=answer, kind="too costly", evidence=shows)


def exactly(
    number: int, right: int, *, what: str, case: str, answer: Any, shows: evidence.Evidence | None = None
) -> None:
    """Passes when `number` == `right`; `case` and `shows` as in `at_most`."""
    if number != right:
        public = f"{what} is {number}, and should be {right} (for {case})"
        large = number > right
        fail(
            public,
            hidden=f"{what} is too {'large' if large else 'small'}",
            answer=answer,
            kind="too costly" if large else "wrong answer",
            evidence=shows,
        )


def within(n: int, memory: int, schedule: Any) -> Trace:
    """The trace of a student's schedule for equal layers; fails unless it is legal, complete, and never has more than
    `memory` activations in memory.
    """
    trace = legal(n, schedule)
    at_most(
        trace.peak,
        memory,
        what="the peak memory",
        case=f"n = {n}, memory {memory}",
        answer=schedule,
        shows=evidence.schedule(n, schedule, memory=memory),
    )
    return trace


def optimal(n: int, memory: int, schedule: Any, *, least: int) -> None:
    """Fails unless the schedule is `within` the memory and evaluates exactly `least` activations."""
    trace = within(n, memory, schedule)
    case = f"n = {n}, memory {memory}"
    shows = evidence.schedule(n, schedule, memory=memory)
    exactly(trace.evaluations, least, what="the count of evaluations", case=case, answer=schedule, shows=shows)


def subset(n: int, checkpoints: Any) -> list[int]:
    """The checkpoints as a list; fails unless they are a strictly increasing subset of 1..n."""
    given = checkpoints.tolist() if isinstance(checkpoints, np.ndarray) else checkpoints
    case = f" (for n = {n})"
    if not isinstance(given, list | tuple):
        wrong = "checkpoints are a list of integers"
        fail(f"{wrong}{case}", hidden=wrong, answer=checkpoints, kind="wrong shape")
    numbers = [integer(c) for c in cast("list[object] | tuple[object, ...]", given)]
    chosen = [c for c in numbers if c is not None]
    if len(chosen) < len(numbers):
        floats = any(isinstance(c, float) for c in cast("list[object]", given))
        hint = ", not of floats: use // and math.isqrt, or int(…)" if floats else ""
        wrong = f"checkpoints are a list of integers{hint}"
        fail(f"{wrong}{case}", hidden=wrong, answer=checkpoints, kind="wrong shape")
    faults = {
        "a checkpoint is 0, but a_0 is the data": 0 in chosen,
        "a checkpoint lies beyond the last layer": any(c > n for c in chosen),
        "a checkpoint is negative": any(c < 0 for c in chosen),
        "one appears twice, or they do not increase": any(b <= a for a, b in pairwise(chosen)),
    }
    for fault, there in faults.items():
        if there:
            wrong = f"checkpoints are a strictly increasing subset of 1..n: {fault}"
            fail(f"{wrong}{case}", hidden=wrong, answer=checkpoints)
    return chosen


def longest_run(n: int, checkpoints: Sequence[int]) -> int:
    """The most activations in a row that are not checkpoints: between two, before the first, after the last."""
    return max(b - a - 1 for a, b in pairwise([0, *checkpoints, n + 1]))


def peak_with(n: int, checkpoints: Sequence[int]) -> int:
    """The peak of going backward segment by segment, when each checkpoint is freed as soon as it has been used.

    While the run above the j-th checkpoint is worked on, j checkpoints and that run are in memory.
    """
    bounds = [0, *checkpoints, n + 1]
    return max(len(checkpoints), *(j + end - start - 1 for j, (start, end) in enumerate(pairwise(bounds))))


def evaluations_of(n: int, trace: Trace) -> list[int]:
    """How often each of a_1 … a_n is evaluated; index 0 is not used."""
    counts = [0] * (n + 1)
    for name, i in trace.schedule:
        counts[i] += name == "forward"
    return counts


def evaluated_twice_at_most(n: int, checkpoints: Sequence[int], trace: Trace, *, answer: Any) -> None:
    """Fails when an activation is evaluated more than twice, or one after the last checkpoint more than once."""
    counts = evaluations_of(n, trace)
    last = max(checkpoints, default=0)
    for i in range(1, n + 1):
        allowed = 2 if i <= last else 1
        if counts[i] > allowed:
            where = f"a_{i} (n = {n}, checkpoints {list(checkpoints)})"
            rule = "more than twice" if i <= last else "more than once, although it comes after the last checkpoint"
            fail(
                f"{where} is evaluated {rule}",
                hidden=f"an activation is evaluated {rule}",
                answer=answer,
                kind="too costly",
                evidence=evidence.schedule(n, answer),
            )
