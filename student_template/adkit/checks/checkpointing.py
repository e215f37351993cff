"""Checks of the checkpointing assignment: is a schedule legal, what does it cost, what does a network keep.

They fail through `adkit.checks`, so that a message names a known mistake where there is one. Where the
running case is hidden, messages hold the broken rule and no number of the case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np

from adkit import checks
from adkit.checks.residuals import Array, Crossing, activations, crossing
from adkit.schedule import ScheduleError, Trace, integer, simulate
from adkit.tracing.export import Measured


def legal(n: int, schedule: Any, *, sizes: Sequence[int] | None = None, costs: Sequence[int] | None = None) -> Trace:
    """The trace of a student's schedule; fails with the first broken rule unless it is legal and complete."""
    try:
        return simulate(n, schedule, sizes, costs)
    except ScheduleError as problem:
        if checks.show_numbers():
            checks.fail(f"for n = {n}, {problem}", answer=schedule)
        broken = "is not legal and complete" if problem.position is None else "has an illegal action"
        checks.fail(f"the schedule {broken}: {problem.rule}", answer=schedule)


def at_most(number: int, bound: int, *, what: str, case: str, answer: Any) -> None:
    """Passes when `number` <= `bound`. `case` says in a public case what was asked, e.g. "n = 10"."""
    if number > bound:
        told = f"{what} is {number}, and may be {bound} (for {case})" if checks.show_numbers() else ""
        checks.fail(told or f"{what} is too large", answer=answer)


def exactly(number: int, right: int, *, what: str, case: str, answer: Any) -> None:
    """Passes when `number` == `right`; `case` as in `at_most`."""
    if number != right:
        told = f"{what} is {number}, and should be {right} (for {case})" if checks.show_numbers() else ""
        checks.fail(told or f"{what} is too {'large' if number > right else 'small'}", answer=answer)


def subset(n: int, checkpoints: Any) -> list[int]:
    """The checkpoints as a list; fails unless they are a strictly increasing subset of 1..n."""
    given = checkpoints.tolist() if isinstance(checkpoints, np.ndarray) else checkpoints
    case = f" (for n = {n})" if checks.show_numbers() else ""
    if not isinstance(given, list | tuple):
        checks.fail(f"checkpoints are a list of integers{case}", answer=checkpoints)
    numbers = [integer(c) for c in cast("list[object] | tuple[object, ...]", given)]
    chosen = [c for c in numbers if c is not None]
    if len(chosen) < len(numbers):
        floats = any(isinstance(c, float) for c in cast("list[object]", given))
        hint = ", not of floats: use // and math.isqrt, or int(…)" if floats else ""
        checks.fail(f"checkpoints are a list of integers{hint}{case}", answer=checkpoints)
    faults = {
        "a checkpoint is 0, but a_0 is the data": 0 in chosen,
        "a checkpoint lies beyond the last layer": any(c > n for c in chosen),
        "a checkpoint is negative": any(c < 0 for c in chosen),
        "one is there twice, or they do not increase": any(b <= a for a, b in pairwise(chosen)),
    }
    for fault, there in faults.items():
        if there:
            checks.fail(f"checkpoints are a strictly increasing subset of 1..n: {fault}{case}", answer=checkpoints)
    return chosen


def longest_run(n: int, checkpoints: Sequence[int]) -> int:
    """The most activations in a row that are no checkpoints: between two, before the first, after the last."""
    return max(b - a - 1 for a, b in pairwise([0, *checkpoints, n + 1]))


def peak_with(n: int, checkpoints: Sequence[int]) -> int:
    """The peak of going backward segment by segment, when each checkpoint is freed as soon as it was used.

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
            where = f"a_{i} (n = {n}, checkpoints {list(checkpoints)})" if checks.show_numbers() else "an activation"
            rule = "more than twice" if i <= last else "more than once, although it comes after the last checkpoint"
            checks.fail(f"{where} is evaluated {rule}", answer=answer)


@dataclass(frozen=True)
class Case:
    """A network with its data: what `checkpointed_loss` is asked on."""

    params: list[tuple[Array, Array]]
    x: Array
    y: Array
    checkpoints: list[int]

    @property
    def n(self) -> int:
        """The number of layers."""
        return len(self.params)


def network(widths: Sequence[int], batch: int, checkpoints: Sequence[int], rng: np.random.Generator) -> Case:
    """A random network, with a batch that should be much larger than the widths (see `adkit.checks.residuals`)."""
    params: list[tuple[Array, Array]] = []
    for inputs, outputs in pairwise(widths):
        params.append((rng.normal(size=(inputs, outputs)) / np.sqrt(inputs), 0.3 * rng.normal(size=outputs)))
    x, y = rng.normal(size=(batch, widths[0])), rng.normal(size=(batch, widths[-1]))
    return Case(params, x, y, list(checkpoints))


def measured(checkpointed_loss: Any, case: Case) -> Measured:
    """One evaluation of the loss and its gradient in two passes, with what crosses between them."""
    # A check of its own, so that where a case asks about several networks it is known at which of them an answer fails.
    return checks.measured(
        checkpointed_loss,
        case.params,
        case.x,
        case.y,
        np.float64(1.0),
        transform="vjp_split",
        static=(list(case.checkpoints),),
        autodiff=True,
    )


def loss_and_gradient(case: Case) -> tuple[float, list[Array]]:
    """mean((a_n - y)^2) and W_1_bar, b_1_bar, …, W_n_bar, b_n_bar by plain backpropagation, in NumPy."""
    chain = activations(case.params, case.x)
    difference = chain[-1] - case.y
    a_bar = 2 * difference / difference.size
    gradient: list[Array] = []
    for i in range(case.n, 0, -1):
        z_bar = a_bar * (1 - chain[i] ** 2)
        gradient = [chain[i - 1].T @ z_bar, z_bar.sum(axis=0), *gradient]
        a_bar = z_bar @ case.params[i - 1][0].T
    return float(np.mean(difference**2)), gradient


def right_loss(result: Measured, case: Case) -> None:
    """Fails unless the loss is plain backpropagation's (to rounding)."""
    checks.close(result.outputs[0], loss_and_gradient(case)[0], rtol=1e-12, what="the loss")


def right_gradient(result: Measured, case: Case) -> None:
    """Fails unless all gradients by the parameters are plain backpropagation's (to rounding)."""
    given = result.outputs[1 : 1 + 2 * case.n]
    for index, (found, right) in enumerate(zip(given, loss_and_gradient(case)[1], strict=True)):
        letter, layer = "Wb"[index % 2], index // 2 + 1
        what = f"the gradient by {letter}_{layer}" if checks.show_numbers() else "a layer's gradient"
        checks.close(found, right, rtol=1e-10, what=what)


def keeps_the_checkpoints(result: Measured, case: Case) -> None:
    """Fails unless of a_1 … a_{n-1} exactly the checkpoints cross, and nothing else as large."""
    found = crossing(case.params, case.x, case.y, result.residuals or [])
    wanted = tuple(sorted(i for i in case.checkpoints if i < case.n))
    products = result.backward_work.products if result.backward_work is not None else 0
    # The products tell apart mistakes that keep the same: one jax.checkpoint around everything, and nested ones.
    answer = [list(found.activations), len(found.unexplained), products]
    if found.activations == wanted and not found.unexplained:
        _leaves_the_gradient(result, case, found)
        return
    missing, extra = set(wanted) - set(found.activations), set(found.activations) - set(wanted)
    faults: list[str] = []
    if extra:
        faults.append(f"activations that are no checkpoints are kept{_named(extra)}")
    if missing:
        faults.append(f"checkpoints are not kept{_named(missing)}")
    if found.unexplained:
        shapes = f" (of shapes {list(found.unexplained)})" if checks.show_numbers() else ""
        faults.append(
            f"arrays as large as activations, but none of a_1 … a_n, are kept{shapes}: what a layer computes "
            "on its way (its product, 1 - tanh^2, a scaled or rounded copy) belongs inside a jax.checkpoint"
        )
        if not np.allclose(result.outputs[0], loss_and_gradient(case)[0], rtol=1e-9, atol=0):
            faults.append("the loss is not right either: is every layer tanh(a W + b)?")
    checks.fail(f"from the forward to the backward pass {'; '.join(faults)}", answer=answer)


def _leaves_the_gradient(result: Measured, case: Case, found: Crossing) -> None:
    """Fails when the gradient itself crosses, as small as it is: then no activation is needed in the backward pass."""
    parameters = sum(leaf.size for layer in case.params for leaf in layer)
    products = result.forward_work.products if result.forward_work is not None else 0
    if found.strange_numbers >= parameters / 2 and products >= 3 * case.n - 1:
        checks.fail(
            "the forward pass computes the gradient already; it belongs into the backward pass", answer=[products]
        )


def recomputes_once(result: Measured, case: Case) -> None:
    """Fails unless the backward pass has the matrix products of n layers and of one recomputation of each.

    Two a layer carry the gradients by the layer's weights and by its input. Evaluating every segment
    again takes n more, which is what `jax.checkpoint` does. A hand-written rule may do with less: the last
    activation of a segment is a checkpoint that is stored anyway, a_n comes from the loss, and nobody needs the
    gradient by x. A loss written as dot products, at most three (vdot(a, a) - 2 vdot(a, y) + vdot(y, y)) or one a
    column, has as many more forward and twice as many backward.
    """
    assert result.forward_work is not None
    assert result.backward_work is not None
    checks.countable(result.backward_work)
    n, stored = case.n, sum(i < case.n for i in case.checkpoints)
    products = result.backward_work.products
    of_the_loss = min(max(result.forward_work.products - n, 0), max(3, case.y.shape[1]))
    if 3 * n - stored - 2 <= products <= 3 * n + 2 * of_the_loss:
        return
    numbers = f" ({products} where {3 * n} are needed)" if checks.show_numbers() else ""
    if products > 3 * n:
        why = "something is recomputed more than once"
    else:
        why = "not every segment, the last one too, is recomputed"
    checks.fail(f"the matrix products of the backward pass{numbers} tell that {why}", answer=[products - 3 * n])


def _named(indices: set[int]) -> str:
    return f" ({', '.join(f'a_{i}' for i in sorted(indices))})" if checks.show_numbers() else ""
