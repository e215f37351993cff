"""What transformations of JAX cost: sweeps of a Jacobian, products with a Hessian, what a fixed point keeps.

Work is counted in what JAX traces (`adkit.measure`): in `ad_in_jax` a function is traced with the arrays of f as
arguments, so that only its structure is known in the trace. What is allowed is computed from f alone: from what one
evaluation, one tangent pushed forward and one cotangent pulled back take.
"""

# The types of JAX's transformations are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adkit.checks import notes, values, work
from adkit.checks.calling import call
from adkit.checks.case import name_of
from adkit.checks.errors import StudentError
from adkit.checks.failures import failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float

    from adkit.tracing.export import Measured, Work

__all__ = [
    "allowed_residuals",
    "by_the_cheaper_mode",
    "is_reverse_over_reverse",
    "keeps_what_one_step_needs",
    "minimised",
    "note_reverse_over_reverse",
    "pulled_back",
    "pushes_few_vectors",
    "solved",
    "sweeps",
    "traced",
    "without_a_hessian",
]

JACOBIAN_FACTOR = 2
"""Multiplications that a Jacobian may take, in those of the cheaper mode."""
PRODUCT_FACTOR = 3
"""Multiplications that a product with a Hessian may take, in those of a gradient."""


def traced(function: Any, *args: Any, **options: Any) -> Measured:
    """`checks.measured` where autodiff is allowed; a function that cannot be traced is told what traced cases need."""
    try:
        return work.measured(function, *args, autodiff=True, **options)
    except StudentError as problem:
        if "UntraceableError" not in problem.kinds:
            raise
        why = f"{name_of(function)} is traced by JAX in this case, and cannot be; other cases only call it"
        text = problem.public
    failed(f"{why}. {text}", hidden=why, kind="not traceable")


def pulled_back(
    function: Any, *args: Any, static: Sequence[Any] = (), leading: int = 0
) -> list[Float[np.ndarray, "..."]]:
    """The cotangents of args[:-1], args[-1] the cotangent of the result: traced, or where JAX cannot trace the function
    step by step, as `jax.vjp` does it in a notebook. Nothing of it is counted, so values may decide."""
    try:
        return work.measured(function, *args, transform="vjp", static=static, leading=leading, autodiff=True).outputs
    except StudentError as problem:
        if "UntraceableError" not in problem.kinds:
            raise
    static = (*static[:leading], list(args), *static[leading:])
    return work.measured(
        function, *args[:-1], transform="vjp_at", static=static, leading=leading, autodiff=True
    ).outputs


def sweeps(f: Any, x: Float[np.ndarray, " n"]) -> tuple[int, int]:
    """Multiplications in the Jacobian of f at x by n sweeps forward, and by one sweep back for each result.

    What belongs to the evaluation of f is counted once, as when f is linearised and the linear map is applied.
    """
    import jax

    from adkit.tracing.export import measure

    def evaluation(x: Any) -> Any:
        return f(x)

    results = jax.eval_shape(evaluation, x)
    once = measure(evaluation, x, run=False).work.multiplications
    pushed = measure(evaluation, x, transform="jvp", run=False).work.multiplications
    pulled = measure(evaluation, x, np.ones(results.shape), transform="vjp_split", run=False)
    assert pulled.forward_work is not None
    assert pulled.backward_work is not None
    forward = once + x.size * (pushed - once)
    return forward, pulled.forward_work.multiplications + results.size * pulled.backward_work.multiplications


def by_the_cheaper_mode(jacobian: Any, f: Any, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "m n"]:
    """The Jacobian as traced; fails when it takes more than twice the multiplications of the cheaper mode."""
    found = traced(jacobian, f, x)
    work.countable(found.work)
    forward, reverse = sweeps(f, x)
    most = JACOBIAN_FACTOR * min(forward, reverse)
    if found.work.multiplications > most:
        mode = "forward" if forward < reverse else "reverse"
        why = "the Jacobian takes more than twice the multiplications of the cheaper mode"
        failed(
            f"{why}: {found.work.multiplications:,}, where {most:,} are allowed; {mode} mode is the cheaper one here",
            hidden=why,
            answer=found.work.multiplications // min(forward, reverse),
            kind="too costly",
        )
    return found.outputs[0]


def without_a_hessian(
    hvp: Any, f: Any, x: Float[np.ndarray, " n"], v: Float[np.ndarray, "*k n"], *, few: bool
) -> Float[np.ndarray, "*k n"]:
    """The products as traced; fails when a value has as many numbers as the Hessian, or, where `few`, when the
    multiplications are more than three times those of the gradient for each product.

    All arrays of f, and all that f computes, have fewer numbers than the Hessian.
    """
    from adkit.tracing.export import measure

    found = traced(hvp, f, x, v)
    if few:
        work.countable(found.work)
        gradient = measure(lambda x: f(x), x, transform="value_and_grad", run=False).work.multiplications
        most = PRODUCT_FACTOR * gradient * (v.size // x.size)
        if found.work.multiplications > most:
            why = "a product with the Hessian takes more than three times the multiplications of the gradient"
            failed(
                f"{why}: {found.work.multiplications:,} in all, where {most:,} are allowed",
                hidden=why,
                answer=found.work.multiplications // gradient,
                kind="too costly",
            )
    elif found.work.largest >= x.size**2:
        failed(
            "an array as large as the Hessian, n x n, is made: a product needs none",
            answer=found.work.largest,
            kind="too costly",
        )
    return found.outputs[0]


def is_reverse_over_reverse(hvp: Any) -> bool:
    """Whether hvp pulls back through a gradient that was made by pulling back, as JAX traces it; no where it cannot."""
    from adkit import functions

    f = functions.ReverseMarked(functions.Logistic(np.ones((2, 3)), np.ones(2), 1.0))
    try:
        return _work_of(hvp, f, np.zeros(3), np.ones(3)).marked > 0
    except StudentError:  # forward mode of f itself, as in reverse over forward, is refused
        return False


def note_reverse_over_reverse(hvp: Any) -> None:
    """Notes that a right hvp is reverse over reverse where forward over reverse has less in memory; never fails.

    Multiplications are as many; the peak of live numbers tells them apart, for a network of several layers.
    """
    if not notes.asked_for() or not is_reverse_over_reverse(hvp):
        return
    import jax

    from adkit import functions

    layers, width, batch = 8, 8, 64
    f = functions.NetworkLoss(np.ones((batch, width)), np.ones((batch, width)), (width,) * (layers + 1))
    theta = np.zeros(layers * (width * width + width))

    def forward_over_reverse(f: Any, x: Any, v: Any) -> Any:
        return jax.jvp(jax.grad(f), (x,), (v,))[1]

    least = _work_of(forward_over_reverse, f, theta, theta).peak
    try:
        own = _work_of(hvp, f, theta, theta).peak
    except StudentError:
        return
    if own > least:
        notes.note("reverse over reverse", layers=layers, least=least, own=own)


def _work_of(hvp: Any, *args: Any) -> Work:
    """What hvp(*args) takes, as JAX traces it here; the time for a note is not a call's, which has a limit."""
    from adkit.tracing.export import evaluate, export

    return evaluate(export(hvp, args), args, run=False).work


def minimised(newton_cg: Any, f: Any, x0: Float[np.ndarray, " n"], tolerance: float, *, repeat: bool = False) -> None:
    """Fails unless the gradient of f is small at the answer: at most tolerance times max(1, its length at x0)."""
    import jax

    x = values.array(
        call(newton_cg, f, x0, tolerance, autodiff=True, repeat=repeat), shape=x0.shape, what="the minimiser"
    )
    slope = jax.grad(f)
    length, at_the_start = (float(np.linalg.norm(np.asarray(slope(point)))) for point in (x, x0))
    allowed = tolerance * max(1.0, at_the_start)
    # the grader's own rounding: it may add up the same numbers in another order
    if not length <= allowed * (1 + 1e-6):
        why = "the gradient is not small enough where newton_cg stopped"
        failed(f"{why}: its norm is {length:.3g}, and may be {allowed:.3g}", hidden=why, answer=x)


def solved(
    fixed_point: Any, f: Any, theta: Float[np.ndarray, "..."], x0: Float[np.ndarray, " n"], tolerance: float
) -> None:
    """Fails unless the answer is a fixed point to the tolerance."""
    answer = call(fixed_point, f, theta, x0, tolerance, autodiff=True, repeat=False)
    x = values.array(answer, shape=x0.shape, what="the fixed point")
    distance = float(np.linalg.norm(np.asarray(f(x, theta)) - x))
    allowed = tolerance * max(1.0, float(np.linalg.norm(x)))
    if not distance <= allowed * (1 + 1e-6) + 4 * np.finfo(np.float64).eps * float(np.linalg.norm(x)):
        why = "f(x, theta) is too far from the x that is returned"
        failed(f"{why}: ||f(x, theta) - x|| is {distance:.3g}, and may be {allowed:.3g}", hidden=why, answer=x)


def allowed_residuals(f: Any, theta: Float[np.ndarray, "..."], x: Float[np.ndarray, " n"]) -> int:
    """Numbers that may cross to the backward pass of a fixed point: those of one vjp of f at x, x itself, two n x n
    arrays, and a constant."""
    from adkit.tracing.export import measure

    one = measure(lambda x, theta: f(x, theta), x, theta, np.ones_like(x), transform="vjp_split")
    return sum(residual.size for residual in one.residuals or ()) + 2 * x.size**2 + 4 * x.size + 16


def keeps_what_one_step_needs(
    fixed_point: Any,
    f: Any,
    theta: Float[np.ndarray, "..."],
    x0: Float[np.ndarray, " n"],
    x_bar: Float[np.ndarray, " n"],
    tolerance: float,
) -> list[Float[np.ndarray, "..."]]:
    """x and theta_bar as traced; fails when more crosses to the backward pass than one step of f needs."""
    found = traced(fixed_point, theta, x_bar, static=(f, x0, tolerance), leading=1, transform="vjp_split")
    kept = sum(residual.size for residual in found.residuals or ())
    most = allowed_residuals(f, theta, found.outputs[0])
    if kept > most:
        why = (
            "more crosses from the forward to the backward pass than one step at the solution needs: is every "
            "iteration kept?"
        )
        failed(f"{why} ({kept:,} numbers, and {most:,} are allowed)", hidden=why, answer=kept, kind="too costly")
    return found.outputs


def pushes_few_vectors(
    sparse_jacobian: Any, f: Any, x: Float[np.ndarray, " n"], pattern: Bool[np.ndarray, "m n"], most: int
) -> Float[np.ndarray, "m n"]:
    """The Jacobian as traced; fails when more than `most` vectors go through f, forward or back."""
    from adkit.functions import Marked

    found = traced(sparse_jacobian, Marked(f), x, static=(pattern,))
    work.countable(found.work)
    vectors = -(-found.work.marked // x.size)
    if vectors > most:
        why = "more vectors go through f than the pattern needs"
        failed(f"{why}: {vectors}, where {most} are enough", hidden=why, answer=vectors, kind="too costly")
    return found.outputs[0]
