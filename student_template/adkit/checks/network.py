"""Checks of a network's loss in two passes: is it right, what does it keep for the backward pass, what is done again.

They fail through `adkit.checks`, so that a message names a known mistake where there is one. What is kept is judged by
its values, see `adkit.checks.residuals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from adkit.checks import values, work
from adkit.checks.failures import fail
from adkit.checks.residuals import Crossing, activations, crossing
from adkit.tracing.export import Measured, Work

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = [
    "Problem",
    "are_the_gradients",
    "evaluates_few_times",
    "is_the_loss",
    "keeps_the_checkpoints",
    "loss_and_gradient",
    "measured",
    "nested",
    "network",
    "one_segment_at_a_time",
    "peak_in_activations",
    "peaks_low",
    "recomputes_once",
    "right_gradient",
    "right_loss",
]


@dataclass(frozen=True)
class Problem:
    """A network with its data: what `checkpointed_loss` is asked on."""

    params: list[tuple[Float[np.ndarray, "_d _e"], Float[np.ndarray, " _e"]]]
    x: Float[np.ndarray, "batch d_0"]
    y: Float[np.ndarray, "batch d_n"]
    checkpoints: list[int]

    @property
    def n(self) -> int:
        """The number of layers."""
        return len(self.params)


def network(widths: Sequence[int], batch: int, checkpoints: Sequence[int], rng: np.random.Generator) -> Problem:
    """A random network, with a batch that should be much larger than the widths (see `adkit.checks.residuals`)."""
    params: list[tuple[Float[np.ndarray, "_d _e"], Float[np.ndarray, " _e"]]] = []
    for inputs, outputs in pairwise(widths):
        params.append((rng.normal(size=(inputs, outputs)) / np.sqrt(inputs), 0.3 * rng.normal(size=outputs)))
    x, y = rng.normal(size=(batch, widths[0])), rng.normal(size=(batch, widths[-1]))
    return Problem(params, x, y, list(checkpoints))


def measured(checkpointed_loss: Any, problem: Problem) -> Measured:
    """One evaluation of the loss and its gradient in two passes, with what crosses between them."""
    # A check of its own, so that where a case asks about several networks it is known at which of them an answer fails.
    return work.measured(
        checkpointed_loss,
        problem.params,
        problem.x,
        problem.y,
        np.float64(1.0),
        transform="vjp_split",
        static=(list(problem.checkpoints),),
        autodiff=True,
    )


def loss_and_gradient(problem: Problem) -> tuple[float, list[Float[np.ndarray, "..."]]]:
    """mean((a_n - y)^2) and W_1_bar, c_1_bar, …, W_n_bar, c_n_bar by plain backpropagation, in NumPy."""
    chain = activations(problem.params, problem.x)
    difference = chain[-1] - problem.y
    a_bar = 2 * difference / difference.size
    gradient: list[Float[np.ndarray, "..."]] = []
    for i in range(problem.n, 0, -1):
        z_bar = a_bar * (1 - chain[i] ** 2)
        gradient = [chain[i - 1].T @ z_bar, z_bar.sum(axis=0), *gradient]
        a_bar = z_bar @ problem.params[i - 1][0].T
    return float(np.mean(difference**2)), gradient


def right_loss(result: Measured, problem: Problem) -> None:
    """Fails unless the loss is plain backpropagation's (to rounding)."""
    is_the_loss(result.outputs[0], problem)


def right_gradient(result: Measured, problem: Problem) -> None:
    """Fails unless all gradients with respect to the parameters are plain backpropagation's (to rounding)."""
    are_the_gradients(result.outputs[1 : 1 + 2 * problem.n], problem)


def is_the_loss(given: Any, problem: Problem) -> None:
    """Fails unless `given` is plain backpropagation's loss, to rounding."""
    values.close(given, loss_and_gradient(problem)[0], rtol=1e-12, what="the loss")


def are_the_gradients(given: Sequence[Any], problem: Problem) -> None:
    """Fails unless W_1_bar, c_1_bar, …, W_n_bar, c_n_bar are plain backpropagation's, to rounding."""
    for index, (found, right) in enumerate(zip(given, loss_and_gradient(problem)[1], strict=True)):
        letter, layer = "Wc"[index % 2], index // 2 + 1
        what = f"the gradient with respect to {letter}_{layer}"
        values.close(found, right, rtol=1e-10, what=what, hidden="a layer's gradient")


def peak_in_activations(work: Work, problem: Problem) -> int:
    """The peak of live arrays in activations as large as x: all widths of the problem are equal."""
    return work.peak // np.size(problem.x)


def keeps_the_checkpoints(result: Measured, problem: Problem) -> None:
    """Fails unless of a_1 … a_{n-1} exactly the checkpoints cross, and nothing else as large."""
    found = crossing(problem.params, problem.x, problem.y, result.residuals or [])
    wanted = tuple(sorted(i for i in problem.checkpoints if i < problem.n))
    products = result.backward_work.products if result.backward_work is not None else 0
    # The products tell apart mistakes that keep the same: one jax.checkpoint around everything, and nested ones.
    answer = [list(found.activations), len(found.unexplained), products]
    if found.activations == wanted and not found.unexplained:
        _leaves_the_gradient(result, problem, found)
        return
    missing, extra = set(wanted) - set(found.activations), set(found.activations) - set(wanted)
    faults: list[tuple[str, str]] = []  # in a public case, and in a hidden one
    if extra:
        wrong = "activations that are not checkpoints are stored"
        faults.append((f"{wrong}{_named(extra)}", wrong))
    if missing:
        faults.append((f"checkpoints are not stored{_named(missing)}", "checkpoints are not stored"))
    if found.unexplained:
        which = "arrays as large as activations, but none of a_1 … a_n, are stored"
        why = (
            "intermediate results of a layer (its product, 1 - tanh^2, a scaled or rounded copy) belong inside a "
            "jax.checkpoint"
        )
        faults.append((f"{which} (of shapes {list(found.unexplained)}): {why}", f"{which}: {why}"))
        if not np.allclose(result.outputs[0], loss_and_gradient(problem)[0], rtol=1e-9, atol=0):
            wrong = "the loss is not right either: is every layer tanh(a W + c)?"
            faults.append((wrong, wrong))
    public, hidden = ("; ".join(words) for words in zip(*faults, strict=True))
    between = "from the forward to the backward pass"
    too_much = bool(extra or found.unexplained)
    fail(
        f"{between} {public}",
        hidden=f"{between} {hidden}",
        answer=answer,
        kind="too costly" if too_much else "wrong answer",
    )


def _leaves_the_gradient(result: Measured, problem: Problem, found: Crossing) -> None:
    """Fails when the gradient itself crosses, as small as it is: then no activation is needed in the backward pass."""
    parameters = sum(leaf.size for layer in problem.params for leaf in layer)
    products = result.forward_work.products if result.forward_work is not None else 0
    if found.strange_numbers >= parameters / 2 and products >= 3 * problem.n - 1:
        fail(
            "the forward pass already computes the gradient; it belongs in the backward pass",
            answer=[products],
            kind="too costly",
        )


def recomputes_once(result: Measured, problem: Problem) -> None:
    """Fails unless the backward pass has the matrix products of n layers and of one recomputation of each.

    Two per layer carry the gradients with respect to the layer's weights and its input. Evaluating every segment
    again takes n more, which is what `jax.checkpoint` does. A hand-written rule may do with less: the last
    activation of a segment is a checkpoint that is stored anyway, a_n comes from the loss, and nobody needs the
    gradient with respect to x. A loss written as dot products, at most three (vdot(a, a) - 2 vdot(a, y) +
    vdot(y, y)) or one per column, has as many more forward and twice as many backward.
    """
    assert result.forward_work is not None
    assert result.backward_work is not None
    work.countable(result.backward_work)
    n, stored = problem.n, sum(i < problem.n for i in problem.checkpoints)
    products = result.backward_work.products
    of_the_loss = min(max(result.forward_work.products - n, 0), max(3, problem.y.shape[1]))
    if 3 * n - stored - 2 <= products <= 3 * n + 2 * of_the_loss:
        return
    if products > 3 * n:
        why = "something is recomputed more than once"
    else:
        why = "not every segment is recomputed (the last one has to be, too)"
    counted = "the matrix products of the backward pass"
    numbers = f"{products} where {3 * n} are needed"
    fail(
        f"{counted} ({numbers}) show that {why}",
        hidden=f"{counted} show that {why}",
        answer=[products - 3 * n],
        kind="too costly",
    )


def one_segment_at_a_time(result: Measured, problem: Problem) -> None:
    """Fails when the backward pass has more activations alive at a time than checkpoints and one segment need.

    JAX keeps two arrays for each layer (a_i and 1 - a_i, of which tanh' is made), and some more while it computes. All
    widths are equal, and the batch is well above n times the width, so that the gradients are small beside it.
    """
    assert result.backward_work is not None
    stored = [i for i in problem.checkpoints if i < problem.n]
    longest = max(end - start for start, end in pairwise([0, *stored, problem.n]))
    found = peak_in_activations(result.backward_work, problem)
    bound = len(stored) + 2 * longest + 8
    if found > bound:
        why = "several segments are in memory at once; each is recomputed when its turn comes, and given up"
        fail(
            f"the peak of live arrays in the backward pass is that of {found} activations, and may be {bound} "
            f"({len(stored)} checkpoints, two arrays for each of {longest} layers, and 8): {why}",
            hidden=f"the peak of live arrays in the backward pass is too large: {why}",
            answer=[found - bound, len(result.residuals or ()), result.backward_work.products],
            kind="too costly",
        )


def nested(nested_checkpointed_loss: Any, problem: Problem, *, run: bool = True) -> Measured:
    """The loss and all gradients in one program; what it needs is counted, and where `run` is true it is run."""
    return work.measured(
        nested_checkpointed_loss,
        problem.params,
        problem.x,
        problem.y,
        transform="value_and_grad",
        autodiff=True,
        run=run,
    )


def peaks_low(result: Measured, problem: Problem) -> None:
    """Fails when more than 2 ceil(log2 n) + 4 activations are alive at a time; all widths are equal."""
    found, bound = peak_in_activations(result.work, problem), 2 * _levels(problem) + 4
    if found > bound:
        fail(
            f"the peak of live arrays is that of {found} activations, and may be {bound} for {problem.n} layers",
            hidden="the peak of live arrays is too large",
            answer=[found - bound, result.work.products],
            kind="too costly",
        )


def evaluates_few_times(result: Measured, problem: Problem) -> None:
    """Fails when there are more than 3 n + n ceil(log2 n) matrix products in all; or no less memory than without
    checkpoints, which is two arrays a layer: then nothing was evaluated again because nothing was given up.
    """
    work.countable(result.work)
    alive = peak_in_activations(result.work, problem)
    if alive > problem.n:
        wrong = "no memory is saved: as much is alive at a time as without checkpoints"
        fail(
            f"{wrong} ({alive} activations for {problem.n} layers)",
            hidden=wrong,
            answer=[alive - problem.n],
            kind="too costly",
        )
    found, bound = result.work.matrix_products, problem.n * (3 + _levels(problem))
    if found > bound:
        why = "the layers are evaluated too often"
        fail(
            f"{found} matrix products, where {bound} are enough for {problem.n} layers, show that {why}",
            hidden=f"the matrix products show that {why}",
            answer=[found - bound],
            kind="too costly",
        )


def _levels(problem: Problem) -> int:
    """ceil(log2 n)."""
    return (problem.n - 1).bit_length()


def _named(indices: set[int]) -> str:
    return f" ({', '.join(f'a_{i}' for i in sorted(indices))})"
