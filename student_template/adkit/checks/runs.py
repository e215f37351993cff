"""Checks of a schedule that drives a network: are loss and gradients right, is it carried out, what is alive.

They fail through `adkit.checks`, so that a message names a known mistake where there is one. Work and memory are
counted in what JAX traces with the schedule fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from adkit.checks import work
from adkit.checks.calling import call
from adkit.checks.failures import fail
from adkit.checks.network import Problem, are_the_gradients, is_the_loss, peak_in_activations
from adkit.checks.plain import kind_of
from adkit.schedule import Action, simulate
from adkit.tracing.export import Measured

__all__ = [
    "carries_it_out",
    "evaluations_in_use",
    "peaks_with_the_schedule",
    "right_answer",
    "right_loss",
    "right_run",
    "schedule",
    "traced",
]

SLACK = 6
"""Live activations that a run may have more than its schedule: the gradient that is handed on, and what a layer and its
derivative compute on their way."""


def schedule(actions: str) -> list[Action]:
    """A schedule from its shorthand, f1 s1 b1 x1 for forward, save, backward, free."""
    names = {"f": "forward", "s": "save", "b": "backward", "x": "free"}
    return [(names[action[0]], int(action[1:])) for action in actions.split()]


def right_loss(run_schedule: Any, schedule: Sequence[Action], problem: Problem) -> None:
    """Fails unless the loss is plain backpropagation's, whatever the gradients are."""
    loss, _ = call(run_schedule, list(schedule), problem.params, problem.x, problem.y, returns=2, autodiff=True)
    is_the_loss(loss, problem)


def right_run(run_schedule: Any, schedule: Sequence[Action], problem: Problem, *, repeat: bool = True) -> None:
    """Fails unless loss and gradients, by JAX or by NumPy, are plain backpropagation's."""
    answer = call(
        run_schedule, list(schedule), problem.params, problem.x, problem.y, returns=2, autodiff=True, repeat=repeat
    )
    loss, gradients = answer
    pairs = _list(gradients)
    if pairs is None or any(len(_list(pair) or ()) != 2 for pair in pairs):
        wrong = "the gradients are a list of pairs (W_bar, c_bar), like params"
        what = kind_of(gradients) if pairs is None else "a list of something else"
        fail(f"{wrong}; here they are {what}", hidden=wrong, answer=answer, kind="wrong shape")
    if len(pairs) != problem.n:
        wrong = "the gradients are as many pairs (W_bar, c_bar) as there are layers"
        fail(f"{wrong}: {problem.n}, not {len(pairs)}", hidden=wrong, answer=answer, kind="wrong shape")
    right_answer([loss, *(part for pair in pairs for part in _list(pair) or ())], problem)


def _list(value: Any) -> list[Any] | None:
    return list(cast("list[Any] | tuple[Any, ...]", value)) if isinstance(value, list | tuple) else None


def right_answer(given: Sequence[Any], problem: Problem) -> None:
    """Fails unless [loss, W_1_bar, c_1_bar, …] are plain backpropagation's, to rounding."""
    is_the_loss(given[0], problem)
    are_the_gradients(given[1:], problem)


def traced(run_schedule: Any, schedule: Sequence[Action], problem: Problem) -> Measured:
    """A run as JAX traces it with the schedule fixed; fails unless what was traced gives the right answer."""
    result = work.measured(
        run_schedule,
        problem.params,
        problem.x,
        problem.y,
        static=(list(schedule),),
        leading=1,
        autodiff=True,
    )
    if len(result.outputs) != 1 + 2 * problem.n:
        wrong = "it should return the loss and a pair (W_bar, c_bar) for each layer"
        fail(
            f"{wrong}: 1 + 2 * {problem.n} arrays, not {len(result.outputs)}",
            hidden=wrong,
            answer=result.outputs,
            kind="wrong shape",
        )
    right_answer(result.outputs, problem)
    return result


def evaluations_in_use(n: int, schedule: Sequence[Action]) -> int:
    """How many of a legal schedule's evaluations are needed at least: by a backward step, or by another such one.

    An activation that is evaluated again while it is saved is in memory twice, and a run may read either.
    """
    made_of: list[frozenset[int]] = []  # for each evaluation, those that it may be computed from; none for the data
    needed: list[frozenset[int]] = []  # for each backward step
    saved: dict[int, frozenset[int]] = {}
    working, layer = frozenset[int](), -1

    def in_memory(i: int) -> frozenset[int]:
        return saved.get(i, frozenset[int]()) | (working if layer == i else frozenset[int]())

    for name, i in schedule:
        if name == "forward":
            made_of.append(in_memory(i - 1))
            working, layer = frozenset([len(made_of) - 1]), i
        elif name == "save":
            saved[i] = in_memory(i)
        else:
            if name == "backward":
                needed.append(in_memory(i))
            else:
                saved.pop(i, None)
            layer = -1 if layer == i else layer
    return _fewest(frozenset(), needed, made_of)


def _fewest(used: frozenset[int], needed: Sequence[frozenset[int]], made_of: Sequence[frozenset[int]]) -> int:
    """How many evaluations are used at least, with `used`, where one of each set of `needed` is."""
    waiting, either = list(needed), list[frozenset[int]]()
    while waiting:
        choice = waiting.pop()
        if len(choice) > 1:
            either.append(choice)
        elif not choice <= used:
            used |= choice
            waiting += (made_of[one] for one in choice)
    either = [choice for choice in either if used.isdisjoint(choice)]
    if not either:
        return len(used)
    return min(_fewest(used | {one}, [*either, made_of[one]], made_of) for one in either[0])


def carries_it_out(result: Measured, schedule: Sequence[Action], problem: Problem) -> None:
    """Fails unless the matrix products are those of the schedule's evaluations and of one backward pass.

    A backward pass has two products for each layer, one for the first (nobody needs the gradient with respect to x),
    and a third where the layer's own product is computed again for its derivative. The widths are at least 2, or a
    product would have a vector in it.
    """
    work.countable(result.work)
    n = problem.n
    evaluations = simulate(n, schedule).evaluations
    least = evaluations_in_use(n, schedule) + 2 * n - 1
    most = evaluations + 3 * n - 1
    products = result.work.matrix_products
    if least <= products <= most:
        return
    if products < least:
        why = (
            "not every forward step of the schedule is carried out: an activation that is gone must be evaluated again"
        )
    else:
        why = "more is computed than the schedule says"
    counted = "the matrix products of the run"
    fail(
        f"{counted} ({products}, where {least} to {most} are right) show that {why}",
        hidden=f"{counted} show that {why}",
        answer=[products - most, products - least],
        kind="too costly",
    )


def peaks_with_the_schedule(result: Measured, schedule: Sequence[Action], problem: Problem) -> None:
    """Fails when more activations are alive at a time than the schedule's peak and `SLACK`; all widths are equal."""
    found = peak_in_activations(result.work, problem)
    peak = simulate(problem.n, schedule).peak
    if found > peak + SLACK:
        why = "more is alive than the schedule keeps: use what it says is in memory, and nothing else"
        fail(
            f"the peak of live arrays is that of {found} activations, and may be {peak + SLACK} "
            f"({peak} by the schedule, {SLACK} for what is being computed): {why}",
            hidden=f"the peak of live arrays is too large: {why}",
            answer=[found - peak],
            kind="too costly",
        )
