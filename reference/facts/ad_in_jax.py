"""Facts about answers of `ad_in_jax`."""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: basic

from collections.abc import Callable
from itertools import permutations, product

import jax
import jax.numpy as jnp
import numpy as np
from adkit.checks import Failure
from adkit.checks.transformations import sweeps

from reference.ad_in_jax import newton_cg
from reference.facts import (
    Array,
    Facts,
    UnseenError,
    alike,
    combination,
    hessian_parts,
    is_none,
    multiple,
    near,
    numbers,
)
from reference.mistakes.signs import equation_of, turns

FACTS = Facts()
EPS = float(np.finfo(np.float64).eps)


def is_inexact(failure: Failure) -> bool:
    """Whether the answer is the right one but for digits that are lost."""
    return failure.distance is not None and 0.0 < failure.distance < 1e-2


def of_exceptions(*names: str, kinds: set[str]) -> None:
    """Enters the fact that the mistake raises one of these: any other exception speaks against it."""

    @FACTS.of(*names)
    def _(failure: Failure) -> int:
        raised = [kind for kind in failure.kinds if kind != "UntraceableError"][:1]
        return -1 if not failure.answered and raised and raised[0] not in kinds else 0


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
    """The orders of its axes in which the Hessian, or a multiple of it, is the answer; none where it is as it is."""
    _, hessian, _ = derivatives(failure)
    answer = numbers(failure.answer)
    if answer.ndim != 4 or multiple(answer, hessian):
        return []
    return [order for order in permutations(range(4)) if multiple(answer, hessian.transpose(order))]


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
    """In any order of the axes: half of it, or a multiple of one of its two terms."""
    _, hessian, term = derivatives(failure)
    answer = numbers(failure.answer)
    if answer.ndim != 4:
        return False
    orders = list(permutations(range(4)))  # one of them makes the other term
    half = any(near(multiple(answer, hessian.transpose(order)), 0.5) for order in orders)
    return half or any(multiple(answer, term.transpose(order)) for order in orders)


@FACTS.of("trace_inverse_derivatives__not_inverted")
def _(failure: Failure) -> bool:
    A, B = (np.asarray(each, dtype=np.float64) for each in failure.arguments[:2])
    return any(multiple(failure.answer, each) for each in (B @ A, (B @ A).T))


@FACTS.of("trace_inverse_derivatives__entries_inverted")
def _(failure: Failure) -> bool:
    """The closed form, with the inverses of the entries in the place of the inverse."""
    A, B, X = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
    Y = 1 / X
    P = Y @ B @ A @ Y
    term = np.einsum("li,jk->ijkl", P, Y)
    made = (P, P.T, term, term + np.einsum("li,jk->ijkl", Y, P))
    return len(X) > 1 and any(multiple(failure.answer, each) for each in made)


@FACTS.of("trace_inverse_derivatives__results_swapped", weak=True)
def _(failure: Failure) -> bool:
    gradient, hessian, _ = derivatives(failure)
    if "hessian" in failure.test:
        return any(multiple(failure.answer, each) for each in (gradient, gradient.T))
    answer = numbers(failure.answer)
    return answer.ndim == 4 and any(multiple(answer, hessian.transpose(order)) for order in permutations(range(4)))


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


@FACTS.of("cubic_norm_derivatives__hessian_nan_at_zero")
def _(failure: Failure) -> bool:
    at_zero = not np.any(failure.arguments[0])
    return at_zero and bool(np.isnan(numbers(failure.answer)).any()) and numbers(failure.answer).ndim == 2


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


def takes_a_sweep_for_each(failure: Failure, *, inputs: bool) -> int:
    """Where the other mode is the cheaper one by far, as much is multiplied as in a sweep for each input, or for each
    result. Difference quotients evaluate f as often: inexact values speak against it."""
    if not isinstance(failure.answer, int):
        return -1 if is_inexact(failure) else 0
    f, x = failure.arguments[:2]
    forward, reverse = sweeps(f, np.asarray(x))
    dear, cheap = (forward, reverse) if inputs else (reverse, forward)
    return dear > 4 * cheap and failure.answer >= int(0.9 * dear / cheap)


FACTS.of("jacobian__always_forward")(lambda failure: takes_a_sweep_for_each(failure, inputs=True))
FACTS.of("jacobian__always_reverse")(lambda failure: takes_a_sweep_for_each(failure, inputs=False))


# ---------------------------------------- q3: Hessian times vector


def product_with(failure: Failure, v: Array) -> Array:
    """The Hessian of the function that was handed over, times v."""
    f, x = failure.arguments[:2]
    return np.asarray(jax.jvp(jax.grad(f), (np.asarray(x),), (v,))[1])


@FACTS.of("hvp__normalised")
def _(failure: Failure) -> int:
    """The products are those with v over its length; or NaN where v is 0, and right elsewhere: 0 was divided by 0."""
    if is_inexact(failure):
        return -1  # in a difference quotient the step may be divided by the length
    v = np.atleast_2d(numbers(failure.arguments[2]))
    answer, right = np.atleast_2d(numbers(failure.answer)), np.atleast_2d(_right_product(failure))
    lengths = np.linalg.norm(v, axis=1)
    there = lengths > 0
    if answer.shape != right.shape:
        return 0
    if not np.all(there) and np.all(np.isnan(answer[~there])):
        return not np.any(there) or alike(answer[there], right[there])
    if not np.any(there) or np.allclose(lengths[there], 1.0):
        return 0
    unit = np.where(there[:, None], right / np.where(there, lengths, 1.0)[:, None], 0.0)
    return alike(answer, unit) or alike(answer, right / np.linalg.norm(v))


def _right_product(failure: Failure) -> Array:
    """Where the answer holds NaN it was compared with nothing."""
    v = np.asarray(failure.arguments[2], dtype=np.float64)
    if failure.right is not None:
        return numbers(failure.right)
    return np.stack([product_with(failure, row) for row in np.atleast_2d(v)]).reshape(v.shape)


@FACTS.of("hvp__curvature")
def _(failure: Failure) -> bool:
    """v^T H v, or v times that; of each row."""
    v, answer = np.asarray(failure.arguments[2], dtype=np.float64), numbers(failure.answer)
    if v.shape[-1] < 2:
        return False
    curvatures = np.array([row @ product_with(failure, row) for row in np.atleast_2d(v)])
    if v.ndim == 1:
        curvatures = curvatures[0]
    return alike(answer, curvatures) or alike(answer, curvatures[..., None] * v)


@FACTS.of("hvp__diagonal")
def _(failure: Failure) -> bool:
    f, x, v = failure.arguments[:3]
    return 1 < np.size(x) < 50 and alike(failure.answer, np.asarray(v) * np.diag(jax.hessian(f)(np.asarray(x))))


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


NOT_OF_THE_ROWS = {"TooLarge", "TimeoutError", "UntraceableError", "RecursionError", "MemoryError"}
"""Exceptions that one vector raises as well as several."""


@FACTS.of("hvp__one_vector_only")
def _(failure: Failure) -> int:
    """Several rows raise what one vector does not, or all get the product with one of them."""
    v = np.asarray(failure.arguments[2], dtype=np.float64)
    if "vmap" in failure.test:
        raise UnseenError("the function has seen one vector")
    if not failure.answered and failure.kinds and not NOT_OF_THE_ROWS & set(failure.kinds):
        return 1 if v.ndim == 2 else -1
    answer = np.atleast_2d(numbers(failure.answer))
    if v.ndim != 2 or len(v) < 2:
        return 0
    products = [product_with(failure, row) for row in v]
    return any(all(alike(row, each) for row in answer) for each in products)


@FACTS.of("hvp__rows_added")
def _(failure: Failure) -> bool:
    """One product for all rows: that with their sum, or with their mean."""
    v, answer = np.asarray(failure.arguments[2], dtype=np.float64), np.atleast_2d(numbers(failure.answer))
    if v.ndim != 2 or len(v) < 2 or not all(alike(row, answer[0]) for row in answer):
        return False
    return multiple(answer[0], product_with(failure, v.sum(axis=0))) > 0


@FACTS.of("hvp__row_by_row")
def _(failure: Failure) -> bool:
    """The product takes the multiplications of n gradients or more."""
    _, x, v = failure.arguments[:3]
    gradients, rows = failure.answer, len(np.atleast_2d(v))
    few = isinstance(gradients, int) and gradients < len(x) ** 2  # else it is a size, of an array that is too large
    return few and len(x) > 50 and gradients >= 0.5 * len(x) * rows


@FACTS.of("hvp__hessian_formed", weak=True)
def _(failure: Failure) -> bool:
    """An array of n x n numbers is made, and the products are right."""
    if not isinstance(failure.answer, int):
        return False
    if "hessian" not in failure.test:
        raise UnseenError("the work was counted")
    return failure.answer >= len(failure.arguments[1]) ** 2


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


def along_newtons_step(failure: Failure) -> tuple[float, float] | None:
    """Where the answer lies on the ray from x0 in the direction of Newton's step: how many times that step it is away,
    and how long the next one is, relative to the way.

    None where it does not, and where it does because it is nearly the minimiser, to which a step points where f is
    nearly quadratic.
    """
    found = steps_of_newton(failure, downhill=True)
    if found is None:
        return None
    way, step = found
    times = multiple(way, step, 1e-5)
    f, x = failure.arguments[0], numbers(failure.answer)
    following = np.linalg.solve(np.asarray(jax.hessian(f)(x)), -np.asarray(jax.grad(f)(x)))
    next_one = float(np.linalg.norm(following))
    if times <= 0 or float(np.linalg.norm(way - times * step)) > 1e-3 * next_one:
        return None
    return times, next_one / float(np.linalg.norm(way))


@FACTS.of("newton_cg__one_step")
def _(failure: Failure) -> bool:
    """One step of Newton's, or a part of one. What is a hair less than one, with a hair left to go, is many parts."""
    found = along_newtons_step(failure)
    if found is None:
        return False
    times, left = found
    return not (near(times, 1.0, 1e-2) and near(1 - times, left, 0.1))


@FACTS.of("newton_cg__uphill")
def _(failure: Failure) -> bool:
    """Where f is quadratic, the distance to the minimiser has been doubled by each step."""
    found = steps_of_newton(failure, downhill=False)
    if found is None:
        return False
    way, step = found
    times = multiple(way - step, -step, 1e-5)
    return times > 1.5 and near(float(np.log2(times)), float(np.round(np.log2(times))), 1e-3)


@FACTS.of("newton_cg__no_safeguard")
def _(failure: Failure) -> bool:
    """Of one unknown: f has grown, and a full step leads from here to the same place on the other side, and back."""
    f, x0 = failure.arguments[:2]
    answer = numbers(failure.answer)
    if answer.shape != (1,) or not float(f(answer)) > float(f(np.asarray(x0))):
        return False
    step = -np.asarray(jax.grad(f)(answer)) / np.asarray(jax.hessian(f)(answer))[0]
    return near(float((answer + step)[0]), -float(answer[0]), 1e-6)


@FACTS.of("newton_cg__goal_too_easy", "newton_cg__absolute_residual")
def ends_near_the_minimiser(failure: Failure) -> bool:
    """The last steps were Newton's, and stopped when they became short.

    Only a small part of the way is left, in no direction more than in others, and f can still be seen to decrease: what
    gradient descent leaves lies where f is flattest, and a line search that rounding ends leaves nothing to be seen.
    """
    f, x0 = failure.arguments[:2]
    x0, x = np.asarray(x0, dtype=np.float64), numbers(failure.answer)
    if not 1 < x0.size < 20 or x.shape != x0.shape or not np.all(np.isfinite(x)):
        return False
    if along_newtons_step(failure) is not None:
        return False
    slope, hessian = np.asarray(jax.grad(f)(x)), np.asarray(jax.hessian(f)(x))
    step, value = np.linalg.solve(hessian, -slope), float(f(x))
    left, way = float(np.linalg.norm(step)), float(np.linalg.norm(x + step - x0))
    flattest = abs(float(np.linalg.eigh(hessian)[1][:, 0] @ step))
    seen = -float(slope @ step) / 2 > 100 * EPS * max(1.0, abs(value))
    return value < float(f(x0)) and left <= 1e-2 * way and flattest < 0.98 * left and seen


@FACTS.of("newton_cg__gradient_descent", weak=True)
def _(failure: Failure) -> int:
    """Of a quadratic function, what is left of the way is that of steps of one length. Of an ill-conditioned one, f has
    decreased along its steepest direction, and where it is flattest the way has hardly begun.

    Steps in Newton's direction speak against it, where that is not the gradient's.
    """
    f, x0 = failure.arguments[:2]
    x0, x = np.asarray(x0, dtype=np.float64), numbers(failure.answer)
    if not 2 < x0.size < 20 or x.shape != x0.shape or not np.all(np.isfinite(x)):
        raise UnseenError("it says nothing of the steps")
    if along_newtons_step(failure) is not None:
        return 0 if multiple(x - x0, jax.grad(f)(x0), 1e-3) else -1
    if type(f).__name__ == "Quadratic":
        return is_left_by_steps_of_one_length(np.asarray(f.A), np.asarray(f.b), x0, x)
    minimiser = np.asarray(newton_cg(f, x0, 1e-8))
    values, vectors = np.linalg.eigh(np.asarray(jax.hessian(f)(minimiser)))
    if values[-1] < 1e4 * values[0]:
        raise UnseenError("many steps of any kind arrive")
    before, left = vectors.T @ (x0 - minimiser), vectors.T @ (x - minimiser)
    hardly_begun = abs(left[0] - before[0]) <= 0.05 * abs(before[0])
    return bool(hardly_begun and abs(left[-1]) < 0.5 * abs(before[-1])) and float(f(x)) < float(f(x0))


def is_left_by_steps_of_one_length(A: Array, b: Array, x0: Array, x: Array) -> bool:
    """Whether the distance to the minimiser of x^T A x / 2 - b^T x has become, along each eigenvector, (1 - t λ)^k of
    what it was: by k steps of gradient descent of one length t.

    Two eigenvectors are enough where t is a round number: else any two lengths would do, with some k.
    """
    values, vectors = np.linalg.eigh((A + A.T) / 2)
    minimiser = np.linalg.solve(A, b)
    before, after = (vectors.T @ (each - minimiser) for each in (x0, x))
    there = (np.abs(before) > 1e-6 * np.max(np.abs(before))) & (np.abs(after) > 1e-12)
    if np.max(np.abs(after)) >= np.max(np.abs(before)):
        return False
    left, curvature = after[there] / before[there], values[there]
    if len(left) < 2:
        raise UnseenError("one number is left by steps of many lengths")
    k = np.arange(1, 20_001)[:, None]
    size = np.abs(left) ** (1 / k)
    rounding = float(np.max(2 * EPS * np.linalg.norm(minimiser) / np.abs(after[there] * np.log(np.abs(left)))))
    close = max(1e-9, 4 * rounding)
    for signs in product((1, -1), repeat=len(left)):
        # a factor that is negative was taken an even number of times, or an odd one
        fits = np.all(np.where(np.array(signs) > 0, left > 0, np.sign(left) == (-1.0) ** k), axis=1)
        lengths = (1 - np.array(signs) * size) / curvature
        t, spread = lengths[:, 0], np.max(lengths, axis=1) - np.min(lengths, axis=1)
        fits &= spread <= close * np.abs(t)
        if (
            np.any(fits)
            and close < 1e-5
            and (len(left) > 2 or any(is_round(float(each), 10 * close) for each in t[fits]))
        ):
            return True
    return False


def is_round(number: float, close: float) -> bool:
    """Whether a number has two digits at most."""
    return near(number, float(f"{number:.1e}"), max(1e-6, close))


# ---------------------------------------- q5: derivatives that survive


of_exceptions("log1pexp__reverse_rule_only", "safe_norm__reverse_rule_only", kinds={"TypeError"})
# of an array, and of a traced value
of_exceptions("log1pexp__python_if", kinds={"ValueError", "TracerBoolConversionError"})


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


@FACTS.of("safe_norm__gradient_one_at_zero")
def _(failure: Failure) -> bool:
    """A gradient is right but where x is 0: there it is not 0, and not NaN."""
    x, answer = np.atleast_2d(numbers(failure.arguments[0])), np.atleast_2d(numbers(failure.answer))
    if answer.shape != x.shape or not np.all(np.isfinite(answer)):
        return False
    lengths = np.linalg.norm(x, axis=1)
    at_zero, right = lengths == 0, x / np.where(lengths > 0, lengths, 1.0)[:, None]
    elsewhere = bool(np.all(at_zero)) or alike(answer[~at_zero], right[~at_zero])
    return bool(np.any(answer[at_zero])) and elsewhere


@FACTS.of("safe_norm__norm_held_fixed", "safe_norm__slope_held_fixed", weak=True)
def _(failure: Failure) -> bool:
    """The second derivatives alone are wrong: what comes from the length in x over its length is not there."""
    if "second" not in failure.test:
        return False
    x, (v,) = np.asarray(failure.arguments[0], dtype=np.float64), failure.arguments[-1]
    unit, direction = x / np.linalg.norm(x), np.asarray(v, dtype=np.float64)
    found = combination(numbers(failure.answer), {"v": direction, "x": unit * (unit @ direction)})
    return found is not None and is_none(found["x"])


# ---------------------------------------- q6: the derivative of a fixed point


of_exceptions("fixed_point__no_rule", kinds={"ValueError"})


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
    _, _, x0, x = found
    I = np.eye(x.size)  # noqa: E741 (the identity)
    J, J0 = (np.asarray(jax.jacfwd(lambda x: f(x, theta))(point)) for point in (x, x0))
    bar = np.asarray(x_bar, dtype=np.float64)
    solutions = {
        "right": np.linalg.solve((I - J).T, bar),
        "transpose_missing": np.linalg.solve(I - J, bar),
        "wrong_sign": np.linalg.solve((I + J).T, bar),
        "wrong_sign transpose_missing": np.linalg.solve(I + J, bar),
        "identity_missing": np.linalg.solve(J.T, bar),
        "identity_missing transpose_missing": np.linalg.solve(J, bar),
        "one_step": bar,
        "matrix_at_the_start": np.linalg.solve((I - J0).T, bar),
    }
    pull, pull_at_the_start = (jax.vjp(lambda theta, at=at: f(at, theta), theta)[1] for at in (x, x0))
    made = {name: np.asarray(pull(w)[0]) for name, w in solutions.items()}
    for name in ("right", "matrix_at_the_start"):
        made[f"at_the_start {name}"] = np.asarray(pull_at_the_start(solutions[name])[0])
    return made


def of_cotangent(name: str) -> None:
    """Enters the fact that theta_bar is made like that, up to its sign; one that is made in another way speaks against
    it."""

    @FACTS.of(f"fixed_point__{name}")
    def _(failure: Failure) -> int:
        made = made_with(failure)
        if made is None or multiple(failure.answer, made["right"], 1e-6):
            return 0
        found = [which for which, part in made.items() if near(abs(multiple(failure.answer, part, 1e-6)), 1.0, 1e-6)]
        so = [name in which.split() for which in found]
        return 0 if not so or (any(so) and not all(so)) else 1 if all(so) else -1


for _name in ("transpose_missing", "wrong_sign", "identity_missing", "one_step", "at_the_start", "matrix_at_the_start"):
    of_cotangent(_name)


@FACTS.of("fixed_point__start_has_a_derivative")
def _(failure: Failure) -> bool:
    return failure.right is not None and not np.any(failure.right) and bool(np.any(numbers(failure.answer)))


@FACTS.of("fixed_point__square_compared")
def _(failure: Failure) -> bool:
    """The iteration was ended where the square of its step first met the tolerance."""
    found, number = equation_of(failure), turns(failure)
    if found is None or failure.right is not None or not number:
        return False
    f, theta, x0, _ = found

    def turn(x, _):
        return (f(x, theta),) * 2

    path = np.asarray(jax.lax.scan(turn, jnp.asarray(x0), None, length=number + 2)[1])
    path = np.concatenate([x0[None], path])
    squares, sizes = np.sum(np.diff(path, axis=0) ** 2, axis=1), np.maximum(1.0, np.linalg.norm(path[:-1], axis=1))
    tolerance = float(failure.arguments[-1])
    for allowed in (tolerance, tolerance * sizes, tolerance * sizes**2, tolerance * x0.size):
        met = np.flatnonzero(squares <= allowed)
        if met.size and number - int(met[0]) in (0, 1):
            return True
    return False


@FACTS.of("fixed_point__fixed_number", weak=True)
def _(failure: Failure) -> bool:
    """The iteration was ended after a round number of turns: one that ends at a tolerance hardly is."""
    if failure.right is not None:
        raise UnseenError("a derivative was asked for")
    number = turns(failure)
    return number > 0 and (number % 50 == 0 or (number >= 16 and number & (number - 1) == 0))


@FACTS.of("fixed_point__through_the_iterations")
def _(failure: Failure) -> bool:
    """Many times as many numbers as x has cross to the backward pass, more than the derivatives of one turn."""
    kept, theta = failure.answer, failure.arguments[1]
    n = np.size(failure.arguments[2])
    return failure.right is None and isinstance(kept, int) and kept >= max(40 * n, 2 * n * np.size(theta) + 2 * n**2)


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
