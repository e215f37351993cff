"""Facts about answers of `ad_in_jax`."""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: basic

from collections.abc import Callable
from itertools import permutations

import jax
import numpy as np
from adkit.checks import Failure

from reference.facts import (
    Array,
    Facts,
    UnseenError,
    alike,
    hessian_parts,
    is_none,
    multiple,
    near,
    numbers,
    raised,
)
from reference.mistakes.signs import equation_of, turns

FACTS = Facts()

# ---------------------------------------- q1: gradients and Hessians


def derivatives(failure: Failure) -> tuple[Array, Array, Array]:
    """The gradient and the Hessian of tr(A X^-1 B), and one of the two terms of the Hessian."""
    A, B, X = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
    Y = np.linalg.inv(X)
    P = Y @ B @ A @ Y
    term = np.einsum("li,jk->ijkl", P, Y)
    return -P.T, term + np.einsum("li,jk->ijkl", Y, P), term


@FACTS.of("trace_inverse_derivatives__gradient_transposed")
def _(failure: Failure) -> bool:
    gradient, _, _ = derivatives(failure)
    return multiple(failure.answer, gradient.T) != 0 and multiple(failure.answer, gradient) == 0


@FACTS.of("trace_inverse_derivatives__gradient_minus_missing")
def _(failure: Failure) -> bool:
    gradient, _, _ = derivatives(failure)
    return any(multiple(failure.answer, each) < 0 for each in (gradient, gradient.T))


def orders_of_axes(failure: Failure) -> list[tuple[int, ...]]:
    """The orders of its axes in which the Hessian is the answer; none where it is the answer as it is."""
    _, hessian, _ = derivatives(failure)
    answer = numbers(failure.answer)
    if answer.ndim != 4 or alike(answer, hessian):
        return []
    return [order for order in permutations(range(4)) if alike(answer, hessian.transpose(order))]


@FACTS.of("trace_inverse_derivatives__hessian_axes")
def _(failure: Failure) -> bool:
    turned = orders_of_axes(failure)
    # a transpose of X_ij or X_kl keeps the pairs of axes together, and has a sentence of its own
    return bool(turned) and not any({order[0], order[1]} in ({0, 1}, {2, 3}) for order in turned)


@FACTS.of("trace_inverse_derivatives__hessian_transpose_missing")
def _(failure: Failure) -> bool:
    return not {(1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2)}.isdisjoint(orders_of_axes(failure))


@FACTS.of("trace_inverse_derivatives__hessian_flat")
def _(failure: Failure) -> bool:
    n = len(failure.arguments[2])
    return numbers(failure.answer).shape == (n * n, n * n)


@FACTS.of("trace_inverse_derivatives__half_of_the_hessian")
def _(failure: Failure) -> bool:
    _, hessian, term = derivatives(failure)
    other = hessian - term
    answer = numbers(failure.answer)
    if answer.ndim != 4:
        return False
    return any(near(multiple(answer, each), c) for each, c in ((hessian, 0.5), (term, 1.0), (other, 1.0)))


@FACTS.of("trace_inverse_derivatives__not_inverted")
def _(failure: Failure) -> bool:
    A, B = (np.asarray(each, dtype=np.float64) for each in failure.arguments[:2])
    return alike(failure.answer, (B @ A).T)


def of_cubic(name: str, holds: Callable[[dict[str, float], float], bool]) -> None:
    """Enters a fact about the Hessian of 1/3 ||x||^3, of its parts and the length of x."""

    @FACTS.of(f"cubic_norm_derivatives__{name}")
    def _(failure: Failure) -> bool:
        x = np.asarray(failure.arguments[0], dtype=np.float64)
        answer, length = numbers(failure.answer), float(np.linalg.norm(x))
        if answer.ndim == 1 and length:
            c = multiple(answer, x) / length
            return c != 0 and holds({"gradient": c, "x x^T": np.nan, "I": np.nan, "ones": 0.0, "diagonal": 0.0}, length)
        found = hessian_parts(x, answer)
        return found is not None and holds({"gradient": np.nan, **found}, length)


of_cubic("outer_product_missing", lambda c, r: all(map(is_none, (c["x x^T"], c["diagonal"], c["ones"]))) and c["I"] > 0)
of_cubic("identity_missing", lambda c, r: is_none(c["I"]) and is_none(c["ones"]) and not is_none(c["x x^T"]))
of_cubic("outer_product_not_divided", lambda c, r: near(c["x x^T"], r) and not near(r, 1.0))
of_cubic("third_missing", lambda c, r: any(near(c[each], 3.0) for each in ("gradient", "x x^T", "I")))
of_cubic("unit_vector", lambda c, r: near(c["gradient"] * r**2, 1.0) and not near(r, 1.0))
of_cubic("diagonal_only", lambda c, r: is_none(c["x x^T"]) and near(c["diagonal"], 1.0))


@FACTS.of("cubic_norm_derivatives__nan_at_zero")
def _(failure: Failure) -> int:
    at_zero = not np.any(failure.arguments[0])
    return at_zero and bool(np.isnan(numbers(failure.answer)).any()) and numbers(failure.answer).ndim == 1


# ---------------------------------------- q2: the cheaper mode


@FACTS.of("jacobian__squeezed")
def _(failure: Failure) -> bool:
    f, x = failure.arguments[:2]
    return numbers(failure.answer).shape == np.shape(x) and np.shape(f(np.asarray(x))) in ((), (1,))


@FACTS.of("jacobian__of_the_sum")
def _(failure: Failure) -> bool:
    answer = np.atleast_2d(numbers(failure.answer))
    f, x = failure.arguments[:2]
    m, sums = np.shape(f(np.asarray(x)))[0], np.asarray(jax.jacfwd(f)(np.asarray(x))).sum(axis=0)
    return m > 1 and all(alike(row, sums) for row in answer)


@FACTS.of("jacobian__transposed", "sparse_jacobian__transposed")
def _(failure: Failure) -> bool:
    f, x = failure.arguments[:2]
    J = np.atleast_2d(np.asarray(jax.jacfwd(f)(np.asarray(x))))
    answer = numbers(failure.answer)
    return alike(answer, J.T) and not alike(answer, J)


# ---------------------------------------- q3: Hessian times vector


@FACTS.of("hvp__normalised")
def _(failure: Failure) -> bool:
    v = np.atleast_2d(numbers(failure.arguments[2]))
    answer, right = np.atleast_2d(numbers(failure.answer)), np.atleast_2d(numbers(failure.right))
    lengths = np.linalg.norm(v, axis=1)
    if answer.shape != right.shape or not np.any(lengths) or np.allclose(lengths[lengths > 0], 1.0):
        return False
    unit = np.where(lengths[:, None] > 0, right / np.where(lengths[:, None] > 0, lengths[:, None], 1.0), 0.0)
    whole = right / np.linalg.norm(v)
    return alike(answer, unit) or alike(answer, whole)


@FACTS.of("hvp__curvature")
def _(failure: Failure) -> bool:
    f, x, v = failure.arguments[:3]
    v = np.asarray(v, dtype=np.float64)
    answer = numbers(failure.answer)
    if v.ndim != 1 or v.size < 2 or answer.shape not in ((), v.shape):
        return False
    right = np.asarray(jax.jvp(jax.grad(f), (np.asarray(x),), (v,))[1])
    number = float(v @ right)
    return near(float(answer), number) if answer.shape == () else alike(answer, number * v)


@FACTS.of("hvp__gradient_along_v")
def _(failure: Failure) -> bool:
    f, x, v = failure.arguments[:3]
    v, answer = np.asarray(v, dtype=np.float64), numbers(failure.answer)
    slope = v @ np.asarray(jax.grad(f)(np.asarray(x)))
    return v.shape[-1] > 1 and answer.shape == np.shape(slope) and alike(answer, slope)


@FACTS.of("hvp__value_returned")
def _(failure: Failure) -> bool:
    f, x = failure.arguments[:2]
    gradient = np.asarray(jax.grad(f)(np.asarray(x)))
    answer = np.atleast_2d(numbers(failure.answer))
    return gradient.size > 1 and all(alike(row, gradient) for row in answer)


@FACTS.of("hvp__one_vector_only")
def _(failure: Failure) -> int:
    f, x, v = failure.arguments[:3]
    v = np.asarray(v, dtype=np.float64)
    if "vmap" in failure.test:
        raise UnseenError("the function has seen one vector")
    if raised(failure, "TypeError", "ValueError"):
        return 1 if v.ndim == 2 else -1
    answer = numbers(failure.answer)
    if v.ndim != 2 or len(v) < 2:
        return 0
    first = np.asarray(jax.jvp(jax.grad(f), (np.asarray(x),), (v[0],))[1])
    return all(alike(row, first) for row in np.atleast_2d(answer))


@FACTS.of("hvp__rows_added")
def _(failure: Failure) -> bool:
    f, x, v = failure.arguments[:3]
    v, answer = np.asarray(v, dtype=np.float64), numbers(failure.answer)
    if v.ndim != 2 or len(v) < 2:
        return False
    added = np.asarray(jax.jvp(jax.grad(f), (np.asarray(x),), (v.sum(axis=0),))[1])
    return all(alike(row, added) for row in np.atleast_2d(answer))


@FACTS.of("hvp__row_by_row")
def _(failure: Failure) -> bool:
    """The product takes the multiplications of n gradients or more."""
    _, x, v = failure.arguments[:3]
    gradients, rows = failure.answer, len(np.atleast_2d(v))
    few = isinstance(gradients, int) and gradients < len(x) ** 2  # else it is a size, of an array that is too large
    return few and len(x) > 50 and gradients >= 0.5 * len(x) * rows


# ---------------------------------------- q4: Newton's method without a Hessian


def steps_of_newton(failure: Failure, *, downhill: bool) -> tuple[Array, Array] | None:
    """The way from x0 to the answer, and Newton's step there; None where f went the other way, and for many unknowns.

    The Hessian is a difference of gradients: to be compared with five digits.
    """
    f, x0 = failure.arguments[:2]
    x0, answer = np.asarray(x0, dtype=np.float64), numbers(failure.answer)
    if not 2 < x0.size < 20 or answer.shape != x0.shape or not np.all(np.isfinite(answer)):
        return None
    if (float(f(answer)) < float(f(x0))) is not downhill:
        return None
    gradient, h = jax.grad(f), 1e-5
    rows = [np.asarray(gradient(x0 + h * e) - gradient(x0 - h * e)) / (2 * h) for e in np.eye(x0.size)]
    return answer - x0, np.linalg.solve(np.stack(rows), -np.asarray(gradient(x0)))


@FACTS.of("newton_cg__one_step")
def _(failure: Failure) -> bool:
    """The answer lies on the ray from x0 in the direction of Newton's step."""
    found = steps_of_newton(failure, downhill=True)
    return found is not None and multiple(found[0], found[1], 1e-5) > 0


@FACTS.of("newton_cg__uphill")
def _(failure: Failure) -> bool:
    """Where f is quadratic, the distance to the minimiser has been doubled by each step."""
    found = steps_of_newton(failure, downhill=False)
    if found is None:
        return False
    way, step = found
    times = multiple(way - step, -step, 1e-5)
    return times > 1.5 and near(float(np.log2(times)), float(np.round(np.log2(times))), 1e-3)


# ---------------------------------------- q5: derivatives that survive


@FACTS.of("log1pexp__absolute_value")
def _(failure: Failure) -> bool:
    """Of the derivatives those at 0 alone are wrong."""
    x, answer, right = (np.atleast_1d(numbers(each)) for each in (failure.arguments[0], failure.answer, failure.right))
    if x.shape != answer.shape or not np.any(x == 0):
        return False
    there = x == 0
    wrong = bool(np.all(answer[there] != 0.5)) and alike(answer[~there], right[~there])
    return wrong and bool(np.allclose(right[there], 0.5))


@FACTS.of("safe_norm__shifted")
def _(failure: Failure) -> bool:
    """At 0 the norm is a small number, and not 0."""
    answer = numbers(failure.answer)
    return answer.shape == () and not np.any(failure.arguments[0]) and 0 < abs(float(answer)) < 1e-3


# ---------------------------------------- q6: the derivative of a fixed point


@FACTS.of("fixed_point__theta_ignored")
def _(failure: Failure) -> bool:
    return failure.right is not None and bool(np.any(failure.right)) and not np.any(numbers(failure.answer))


Cotangents = dict[str, Array]


def made_with(failure: Failure) -> Cotangents | None:
    """The cotangents of theta that are made of other solutions than that of (I - J)^T w = x_bar, by what is wrong."""
    f, theta, x_bar = failure.arguments[:3]
    found = equation_of(failure)
    if found is None or np.shape(failure.right) != np.shape(theta):
        return None
    x = found[-1]
    J, I = np.asarray(jax.jacfwd(lambda x: f(x, theta))(x)), np.eye(x.size)  # noqa: E741 (the identity)
    bar = np.asarray(x_bar, dtype=np.float64)
    solutions = {
        "right": np.linalg.solve((I - J).T, bar),
        "transpose_missing": np.linalg.solve(I - J, bar),
        "wrong_sign": np.linalg.solve((I + J).T, bar),
        "wrong_sign transpose_missing": np.linalg.solve(I + J, bar),
        "identity_missing": np.linalg.solve(J.T, bar),
        "identity_missing transpose_missing": np.linalg.solve(J, bar),
        "one_step": bar,
    }
    pull = jax.vjp(lambda theta: f(x, theta), theta)[1]
    return {name: np.asarray(pull(w)[0]) for name, w in solutions.items()}


def of_cotangent(name: str) -> None:
    """Enters the fact that theta_bar is made like that, up to its sign."""

    @FACTS.of(f"fixed_point__{name}")
    def _(failure: Failure) -> bool:
        made = made_with(failure)
        if made is None or multiple(failure.answer, made["right"], 1e-6):
            return False
        found = [which for which, part in made.items() if near(abs(multiple(failure.answer, part, 1e-6)), 1.0, 1e-6)]
        return bool(found) and all(name in which.split() for which in found)


for _name in ("transpose_missing", "wrong_sign", "identity_missing", "one_step"):
    of_cotangent(_name)


@FACTS.of("fixed_point__start_has_a_derivative")
def _(failure: Failure) -> bool:
    return failure.right is not None and not np.any(failure.right) and bool(np.any(numbers(failure.answer)))


@FACTS.of("fixed_point__fixed_number", weak=True)
def _(failure: Failure) -> bool:
    """The iteration was ended after a round number of turns: one that ends at a tolerance hardly is."""
    if failure.right is not None:
        raise UnseenError("a derivative was asked for")
    return turns(failure) > 0 and turns(failure) % 50 == 0


@FACTS.of("fixed_point__through_the_iterations")
def _(failure: Failure) -> bool:
    """A hundred times as many numbers as x has cross to the backward pass."""
    kept = failure.answer
    return failure.right is None and isinstance(kept, int) and kept >= 100 * np.size(failure.arguments[2])


# ---------------------------------------- q7: sparse Jacobians


@FACTS.of("sparse_jacobian__conflicts_ignored")
def _(failure: Failure) -> bool:
    """An entry is the sum of entries of its row that belong to several columns."""
    f, x, pattern = failure.arguments[:3]
    J, answer, inside = np.asarray(jax.jacfwd(f)(np.asarray(x))), numbers(failure.answer), np.asarray(pattern)
    if answer.shape != J.shape or np.shape(inside) != J.shape:
        return False
    for row, made in zip(np.where(inside, J, 0.0), answer, strict=True):
        wrong = np.flatnonzero(~np.isclose(row, made, rtol=1e-9, atol=1e-12))
        groups = [np.flatnonzero(np.isclose(made, made[j], rtol=1e-9) & (row != 0)) for j in wrong]
        if any(len(group) > 1 and near(float(row[group].sum()), float(made[group[0]])) for group in groups):
            return True
    return False


@FACTS.of("sparse_jacobian__not_masked")
def _(failure: Failure) -> bool:
    f, x, pattern = failure.arguments[:3]
    J, answer = np.asarray(jax.jacfwd(f)(np.asarray(x))), numbers(failure.answer)
    inside = np.asarray(pattern)
    return answer.shape == J.shape and alike(np.where(inside, answer, 0.0), J) and bool(np.any(answer[~inside]))
