"""Facts about answers of `matrix_gradients`."""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: basic

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from adkit.checks import Failure

from reference.facts import Array, Facts, UnseenError, alike, combination, multiple, near, numbers, raised
from reference.matrix_gradients import numerical_gradient

FACTS = Facts()

# ---------------------------------------- q1 and q2: the linear solve, backwards


@dataclass(frozen=True)
class Outer:
    """How an A_bar is made that is no right one: factor · u v^T, of columns taken in one of several ways."""

    factor: float
    u: str
    v: str
    columns: str = "each"


def _by_columns(u: Array, v: Array) -> Iterator[tuple[str, Array]]:
    u, v = u.reshape(len(u), -1), v.reshape(len(v), -1)
    yield "each", u @ v.T
    if u.shape[1] > 1:
        yield "first", np.outer(u[:, 0], v[:, 0])
        yield "sums", np.outer(u.sum(axis=1), v.sum(axis=1))


def outers(failure: Failure) -> list[Outer]:
    """In which ways the A_bar that was answered is an outer product of what is at hand."""
    A, b, x_bar = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
    answer = numbers(failure.answer)
    if answer.shape != A.shape or (b.shape == A.shape and not _is_of_a(failure)):
        return []
    with np.errstate(all="ignore"):
        vectors = {
            "b_bar": np.linalg.solve(A.T, x_bar),
            "A^-1 x_bar": np.linalg.solve(A, x_bar),
            "x_bar": x_bar,
            "of ones": np.linalg.solve(A.T, np.ones_like(x_bar)),
            "x": np.linalg.solve(A, b),
            "A^-T b": np.linalg.solve(A.T, b),
            "b": b,
        }
    found: list[Outer] = []
    for u, v in product(vectors, vectors):
        for columns, made in _by_columns(vectors[u], vectors[v]):
            c = multiple(answer, made, 1e-7)
            if c:
                found.append(Outer(c, u, v, columns))
    return found


def _is_of_a(failure: Failure) -> bool:
    return failure.right is not None and np.shape(failure.right) == np.shape(failure.arguments[0])


COTANGENTS = ("b_bar", "A^-1 x_bar", "x_bar", "of ones")
SOLUTIONS = ("x", "A^-T b", "b")


def upright(made: Outer) -> bool:
    """Whether its rows belong to a cotangent and its columns to a solution."""
    return made.u in COTANGENTS and made.v in SOLUTIONS


def _parts(made: Outer) -> set[str]:
    return {made.u, made.v}


A_BARS: dict[str, Callable[[Outer], bool]] = {
    "minus_missing": lambda made: made.factor > 0,
    "a_bar_transposed": lambda made: made.u in SOLUTIONS and made.v in COTANGENTS,
    "b_for_x": lambda made: "b" in _parts(made) and "x_bar" not in _parts(made),
    "x_bar_for_b_bar": lambda made: "x_bar" in _parts(made) and "b" not in _parts(made),
    "x_bar_and_b": lambda made: {"x_bar", "b"} == _parts(made),
    "transpose_missing": lambda made: "A^-1 x_bar" in _parts(made),
    "x_bar_ignored": lambda made: "of ones" in _parts(made),
    "factor_two": lambda made: near(abs(made.factor), 2.0, 1e-6),
    "first_column_only": lambda made: made.columns == "first",
    "outer_of_sums": lambda made: made.columns == "sums",
}


def of_a_bar(function: str, name: str, holds: Callable[[Outer], bool]) -> None:
    """Enters a fact about the A_bar that was answered, whichever way it is read."""

    @FACTS.of(f"{function}__{name}")
    def _(failure: Failure) -> bool:
        found = outers(failure)
        if any(near(made.factor, -1.0, 1e-6) and made == Outer(made.factor, "b_bar", "x") for made in found):
            return False  # it is right
        simple = [made for made in found if upright(made) or (made.u in SOLUTIONS and made.v in COTANGENTS)]
        return bool(simple) and all(holds(made) for made in simple)


for _name, _holds in A_BARS.items():
    of_a_bar("linear_solve_vjp", _name, _holds)
for _name in ("minus_missing", "a_bar_transposed", "b_for_x", "transpose_missing"):
    of_a_bar("linear_solve", _name, A_BARS[_name])


def of_b_bar(name: str, wrong: Callable[[Array, Array, Array], Array]) -> None:
    """Adds to the fact that the b_bar that was answered is this one, up to its sign."""
    before = FACTS.get(f"linear_solve_vjp__{name}")

    def fact(failure: Failure) -> int:
        A, b, x_bar = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
        answer = numbers(failure.answer)
        if failure.right is not None and np.shape(failure.right) == b.shape and answer.shape == b.shape:
            made = wrong(A, b, x_bar)
            return alike(np.abs(answer), np.abs(made), 1e-7) and not alike(np.abs(answer), np.abs(failure.right), 1e-7)
        return before(failure) if before is not None else 0

    FACTS.of(f"linear_solve_vjp__{name}")(fact)


of_b_bar("transpose_missing", lambda A, b, x_bar: np.linalg.solve(A, x_bar))
of_b_bar("x_bar_ignored", lambda A, b, x_bar: np.linalg.solve(A.T, np.ones_like(x_bar)))
of_b_bar("x_for_b_bar", lambda A, b, x_bar: np.linalg.solve(A, b))


@FACTS.of("linear_solve_vjp__b_bar_minus")
def _(failure: Failure) -> bool:
    right = failure.right
    return np.shape(right) == np.shape(failure.arguments[1]) and alike(failure.answer, -np.asarray(right), 1e-7)


@FACTS.of("linear_solve_vjp__regularised")
def _(failure: Failure) -> bool:
    """A b_bar that solves the normal equations with something added: A x_bar - A A^T b_bar is a multiple of b_bar."""
    A, b, x_bar = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
    b_bar = numbers(failure.answer)
    if np.shape(failure.right) != b.shape or b_bar.shape != b.shape:
        return False
    rest = A @ x_bar - A @ (A.T @ b_bar)
    t = float(np.vdot(rest, b_bar) / np.vdot(b_bar, b_bar))
    rounding = 1e-13 * np.linalg.norm(A) ** 2 * np.linalg.norm(b_bar)
    size = float(np.linalg.norm(rest))
    return bool(t > 0 and size > rounding and np.linalg.norm(rest - t * b_bar) < 1e-2 * size)


@FACTS.of("linear_solve__vectors_only", weak=True)
def _(failure: Failure) -> int:
    """There is an error for a matrix b, in the case that asks for nothing else, and none for a vector."""
    if np.ndim(failure.arguments[1]) == 1 and np.ndim(failure.arguments[0]) == 2:
        return -1
    if failure.test != "test_q2_gradient_of_a_matrix":
        raise UnseenError("more is asked for than a derivative for a matrix")
    return raised(failure, "ValueError", "TypeError", "IndexError")


@FACTS.of("linear_solve__a_bar_zero")
def _(failure: Failure) -> bool:
    return np.shape(failure.right) == np.shape(failure.arguments[0]) and not np.any(numbers(failure.answer))


# ---------------------------------------- q1 and q2: what more than one answer shows


def system_of(failure: Failure) -> tuple[Array, Array, Array]:
    """A, b and x_bar."""
    A, b, x_bar = (np.asarray(each, dtype=np.float64) for each in failure.arguments[:3])
    return A, b, x_bar


def right_parts(failure: Failure) -> tuple[Array, Array]:
    """The right A_bar and b_bar."""
    A, b, x_bar = system_of(failure)
    b_bar, x = np.linalg.solve(A.T, x_bar), np.linalg.solve(A, b)
    return -b_bar.reshape(len(A), -1) @ x.reshape(len(A), -1).T, b_bar


@FACTS.of("linear_solve_vjp__results_swapped")
def _(failure: Failure) -> bool:
    """What was checked as A_bar has the shape of b_bar, and is it up to its sign, or the other way round."""
    A, b, _ = system_of(failure)
    answer = np.abs(numbers(failure.answer))
    if A.shape == b.shape or failure.right is not None:
        return False
    return any(alike(answer, np.abs(part), 1e-7) for part in right_parts(failure))


def in_32_bits(*arrays: Array) -> list[tuple[Array, ...]]:
    """The same arrays, with some or all of them rounded to 32-bit floats."""
    choices = product((False, True), repeat=len(arrays))
    return [
        tuple(
            each.astype(np.float32).astype(np.float64) if cut else each for each, cut in zip(arrays, some, strict=True)
        )
        for some in choices
        if any(some)
    ]


@FACTS.of("linear_solve_vjp__single_precision")
def _(failure: Failure) -> bool:
    """The exact answer for a system that was rounded to 32-bit floats, or an outer product with a solution in 32 bits:
    its entries are 32-bit floats."""
    A, b, x_bar = system_of(failure)
    answer = numbers(failure.answer)
    if failure.right is None or alike(answer, failure.right, 1e-9) or not alike(answer, failure.right, 1e-3):
        return False
    _, b_bar = right_parts(failure)
    if np.linalg.cond(A) < 1e3:
        for rounded in in_32_bits(A, b, x_bar):
            M, y, y_bar = rounded
            u, v = np.linalg.solve(M.T, y_bar), np.linalg.solve(M, y)
            made = u if answer.shape == b.shape else -u.reshape(len(A), -1) @ v.reshape(len(A), -1).T
            if alike(answer, made, 1e-12):
                return True
    if answer.shape != A.shape or b.ndim > 1:
        return False
    x = np.linalg.solve(A, b)
    left, right = answer @ x / (x @ x), answer.T @ b_bar / (b_bar @ b_bar)
    one = alike(answer, np.outer(left, right) * (x @ x) / float(right @ x), 1e-12)
    return one and any(_is_32_bit(each) for each in (left, right))


def _is_32_bit(column: Array) -> bool:
    """Whether the entries are 32-bit floats, up to the rounding of one product with 64-bit floats."""
    nearest = column.astype(np.float32).astype(np.float64)
    return column.size > 2 and bool(np.all(np.abs(column - nearest) <= 1e-14 * np.abs(column)))


@FACTS.also("linear_solve_vjp__regularised")
def _(failure: Failure) -> bool:
    """An A_bar with the right b_bar, and an x that solves (A + t I) x = b, or such normal equations."""
    A, b, _ = system_of(failure)
    answer = numbers(failure.answer)
    if answer.shape != A.shape or failure.right is None or np.shape(failure.right) != A.shape or b.shape == A.shape:
        return False
    _, b_bar = right_parts(failure)
    u = b_bar.reshape(len(A), -1)
    x = -(np.linalg.pinv(u) @ answer).T
    if not alike(-u @ x.T, answer, 1e-12):
        return False
    rest = b.reshape(len(A), -1) - A @ x
    return any(_is_multiple(each, x, float(np.linalg.norm(A)) ** k) for k, each in ((1, rest), (2, A.T @ rest)))


def _is_multiple(rest: Array, x: Array, scale: float) -> bool:
    t = float(np.vdot(rest, x) / np.vdot(x, x))
    size = float(np.linalg.norm(rest))
    rounding = 1e-12 * scale * float(np.linalg.norm(x))
    return bool(size > rounding and np.linalg.norm(rest - t * x) < 1e-4 * size)


def _natural_pivots(A: Array) -> Array:
    """The pivots of an elimination that exchanges no rows, as far as they are not zero."""
    M, pivots = A.copy(), list[float]()
    for k in range(len(M)):
        pivots.append(float(abs(M[k, k])))
        if pivots[-1] <= 1e-14 * np.max(np.abs(A)):
            break
        M[k + 1 :] -= np.outer(M[k + 1 :, k] / M[k, k], M[k])
    return np.array(pivots)


@FACTS.of("linear_solve_vjp__no_pivoting")
def _(failure: Failure) -> bool:
    """There is a division by zero, of a system that is well-conditioned, and has a zero for a pivot."""
    A, _, _ = system_of(failure)
    if np.linalg.cond(A) > 1e3 or np.min(_natural_pivots(A)) > 1e-14 * np.max(np.abs(A)):
        return False
    if not failure.answered:
        return raised(failure, "ZeroDivisionError", "FloatingPointError")
    return not np.all(np.isfinite(numbers(failure.answer)))


@FACTS.of("linear_solve_vjp__normal_equations", weak=True)
def _(failure: Failure) -> bool:
    """Of an ill-conditioned system the residual is about eps times the condition's square, and nothing else is wrong
    that has to do with numbers."""
    A, _, x_bar = system_of(failure)
    if not failure.answered:
        raise UnseenError("there are no numbers")
    b_bar, condition = numbers(failure.answer), float(np.linalg.cond(A))
    if condition < 1e5 or np.shape(failure.right) != x_bar.shape or not np.all(np.isfinite(b_bar)):
        return False
    if np.array_equal(b_bar, b_bar.astype(np.float32)):
        return False
    residual = A.T @ b_bar - x_bar
    dropped = np.linalg.svd(A)[2][-1]
    if any(_is_along(residual, each) for each in (b_bar, dropped)):
        return False  # another system was solved: something is added, or a singular value left out
    missed = float(np.linalg.norm(residual) / np.linalg.norm(x_bar))
    lost = float(np.finfo(np.float64).eps) * condition**2
    return 1e-3 * lost < missed < 1e2 * lost


def _is_along(vector: Array, direction: Array) -> bool:
    unit = direction / np.linalg.norm(direction)
    return bool(np.linalg.norm(vector - np.vdot(vector, unit) * unit) < 1e-2 * np.linalg.norm(vector))


@FACTS.also("linear_solve__vectors_only")
def _(failure: Failure) -> int:
    """An A_bar for a matrix b that is made of one column alone, or of the sums of all."""
    if np.ndim(failure.arguments[1]) == 1 and np.ndim(failure.arguments[0]) == 2 and failure.right is not None:
        return -1
    if np.ndim(failure.arguments[1]) != 2 or len(failure.arguments) != 3 or not failure.answered:
        raise UnseenError("there is no A_bar of a matrix b")
    found = [made for made in outers(failure) if made.u == "b_bar" and made.v == "x"]
    return bool(found) and all(made.columns != "each" for made in found)


@FACTS.of("linear_solve__not_twice")
def _(failure: Failure) -> bool:
    """The second derivatives are those of a rule in which A or its factors, x, or both are taken for constants."""
    return _stops(failure)


@FACTS.of("linear_solve__not_twice_for_matrices")
def _(failure: Failure) -> bool:
    return np.ndim(failure.arguments[1]) == 2 and _stops(failure)


def _stops(failure: Failure) -> bool:
    if failure.test != "test_q2_gradient_of_the_gradient" or failure.right is None:
        return False
    A, b, x_bar, (A_bar_bar, b_bar_bar) = failure.arguments
    answer = numbers(failure.answer)
    if alike(answer, failure.right, 1e-6):
        return False

    def of_the_rule(A: Any, b: Any, stopped: tuple[bool, bool, bool]) -> Any:
        held = [jax.lax.stop_gradient(A) if each else A for each in stopped[:1]]
        x = jnp.linalg.solve(A, b)
        x = jax.lax.stop_gradient(x) if stopped[1] else x
        b_bar = jnp.linalg.solve(held[0].T, x_bar)
        b_bar = jax.lax.stop_gradient(b_bar) if stopped[2] else b_bar
        outer = jnp.outer(b_bar, x) if b_bar.ndim == 1 else b_bar @ x.T
        return jnp.vdot(A_bar_bar, -outer) + jnp.vdot(b_bar_bar, b_bar)

    for stopped in ((True, False, False), (False, True, False), (True, True, False), (False, False, True)):
        by_A, by_b = jax.grad(of_the_rule, (0, 1))(jnp.asarray(A), jnp.asarray(b), stopped)
        for made in (np.asarray(by_A), np.asarray(by_b)):
            if made.shape == answer.shape and (alike(answer, made, 1e-6) or not (np.any(made) or np.any(answer))):
                return True
    return False


# ---------------------------------------- q3: the nuclear norm


def inner(failure: Failure, *, turned: bool = False) -> tuple[Array, Array] | None:
    """The diagonal of U^T G V with the thin factors of W, and the singular values; None where G has other parts."""
    W, G = np.asarray(failure.arguments[0], dtype=np.float64), numbers(failure.answer)
    G = G.T if turned else G
    if G.shape != W.shape or not np.any(W) or not np.all(np.isfinite(G)):
        return None
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    made = U.T @ G @ Vt.T
    d = np.diag(made)
    if not alike(U @ np.diag(d) @ Vt, G, 1e-7):
        return None
    return d, s


def of_inner(name: str, holds: Callable[[Array, Array], bool], *, turned: bool = False) -> None:
    """Enters a fact about what stands between U and V^T where there should be ones."""

    @FACTS.of(f"nuclear_norm_gradient__{name}")
    def _(failure: Failure) -> bool:
        found = inner(failure, turned=turned)
        return found is not None and holds(*found)


def dropped(d: Array, s: Array) -> Array:
    """Which singular values are left out, all others being there as a whole."""
    out = np.abs(d) < 1e-9
    return out if alike(np.abs(d[~out]), np.ones(int(np.sum(~out))), 1e-6) or np.all(out) else np.zeros(len(d), bool)


def small_ones_dropped(d: Array, s: Array) -> bool:
    """Some that are not 0 are left out, and all that are there are larger."""
    out = dropped(d, s) & (s > 1e-13 * s[0])
    return bool(np.any(out) and (np.all(out) or np.max(s[out]) < np.min(s[~dropped(d, s)])))


of_inner("w_returned", lambda d, s: len(s) > 1 and np.ptp(s) > 1e-3 * s[0] and alike(np.abs(d), s, 1e-7))
of_inner("minus", lambda d, s: bool(np.all(d < 0)))
of_inner("v_ut", lambda d, s: alike(np.abs(d), np.ones(len(d)), 1e-7), turned=True)
of_inner("loose_rank", lambda d, s: small_ones_dropped(d, s) and not np.all(dropped(d, s)))
of_inner("absolute_threshold", lambda d, s: bool(np.all(dropped(d, s))) and 0 < s[0] < 1e-3)
FACTS.weak.add("nuclear_norm_gradient__absolute_threshold")  # differences of the norm are 0 there, too


def several(s: Array) -> bool:
    """Whether there is more than one singular value: of a matrix of rank one all norms have the same gradient."""
    return bool(len(s) > 1 and s[1] > 1e-6 * s[0])


of_inner(
    "spectral_norm",
    lambda d, s: several(s) and near(abs(d[0]), 1, 1e-7) and not np.any(np.abs(d[1:]) > 1e-9),
)
of_inner("frobenius", lambda d, s: several(s) and alike(np.abs(d), s / np.linalg.norm(s), 1e-7))


@FACTS.of("nuclear_norm_gradient__damped")
def _(failure: Failure) -> bool:
    """What stands between U and V^T is s / (s + t), s / sqrt(s^2 + t) or s / max(s, t), with one t > 0."""
    found = inner(failure)
    if found is None:
        return False
    d, s = found
    if any(alike(d, s / size, 1e-6) for size in (1.0, s[0], np.linalg.norm(s), np.sum(s))):
        return False
    there = (d > 1e-9) & (d < 1 - 1e-8)
    added = (s * (1 / d - 1), s**2 * (1 / d**2 - 1), s / d)
    unlike = int(np.sum(there)) > 1 and bool(np.ptp(s[there]) > 1e-2 * np.max(s[there]))
    # the same t to all digits that rounding leaves: what a difference quotient is off by is no such number
    return unlike and any(bool(np.ptp(t[there]) < 1e-5 * np.max(t[there])) for t in added)


@FACTS.of("nuclear_norm_gradient__pseudo_inverse")
def _(failure: Failure) -> bool:
    found = inner(failure)
    if found is None:
        return False
    d, s = found
    there = np.abs(d) > 1e-9
    unlike = np.any(np.abs(s[there] - 1) > 1e-3)
    return bool(np.any(there) and unlike and alike(np.abs(d[there]) * s[there], np.ones(int(there.sum())), 1e-6))


@FACTS.of("nuclear_norm_gradient__vt_transposed")
def _(failure: Failure) -> bool:
    """U V with the thin factors, whatever the signs of the singular vectors are."""
    W, G = np.asarray(failure.arguments[0], dtype=np.float64), numbers(failure.answer)
    if G.shape != W.shape or not np.any(W) or not np.all(np.isfinite(G)):
        return False
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    if not s[-1] > 1e-6 * s[0] or len(s) < 2 or len(s) > 6 or Vt.shape[0] != Vt.shape[1]:
        return False
    gaps = -np.diff(s) < 1e-6 * s[0]
    signs = product((1.0, -1.0), repeat=len(s))
    if np.any(gaps) or alike(U @ Vt, G, 1e-3):
        return False
    return any(alike(U * each @ Vt.T * each, G, 1e-7) for each in signs)


@FACTS.of("nuclear_norm_gradient__single_precision")
def _(failure: Failure) -> bool:
    """The exact answer for a W that was rounded to 32-bit floats."""
    W, G = np.asarray(failure.arguments[0], dtype=np.float64), numbers(failure.answer)
    if G.shape != W.shape or not np.all(np.isfinite(G)) or failure.right is None:
        return False
    U, s, Vt = np.linalg.svd(W.astype(np.float32).astype(np.float64), full_matrices=False)
    if not s[-1] > 1e-3 * s[0]:
        return False
    return alike(U @ Vt, G, 1e-11) and not alike(failure.right, G, 1e-10)


@FACTS.of("nuclear_norm_gradient__through_the_svd")
def _(failure: Failure) -> int:
    """NaN where two singular values are equal and not 0; NaN where all are distinct and none is 0 speaks against it."""
    W, G = np.asarray(failure.arguments[0], dtype=np.float64), numbers(failure.answer)
    s = np.linalg.svd(W, compute_uv=False)
    if not s[-1] > 1e-9 * s[0] or len(s) < 2:
        raise UnseenError("NaN has other reasons where W has a singular value of 0")
    equal = bool(np.any(-np.diff(s) < 1e-9 * s[0]))
    if G.shape != W.shape or np.all(np.isfinite(G)):
        return 0
    return 1 if equal else -1


@FACTS.of("nuclear_norm_gradient__inverse_root", weak=True)
def _(failure: Failure) -> int:
    """An inverse that there is not, of W^T W or W W^T; or as many digits lost as where singular values are squared:
    the error is about eps times the condition's square."""
    W = np.asarray(failure.arguments[0], dtype=np.float64)
    if not np.any(W):
        raise UnseenError("at 0 there are other reasons")
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    full, square = bool(s[-1] > 1e-7 * s[0]), W.shape[0] == W.shape[1]
    if raised(failure, "LinAlgError", "ZeroDivisionError", "FloatingPointError"):
        return 1 if not (full and square) else -1
    G = numbers(failure.answer)
    if G.shape != W.shape:
        return 0
    if not np.all(np.isfinite(G)):
        return 1 if not (full and square) else -1
    if not full:
        raise UnseenError("without full rank there is no one answer")
    error = float(np.linalg.norm(G - U @ Vt, 2))
    lost = float(np.finfo(np.float64).eps) * (s[0] / s[-1]) ** 2
    single = np.array_equal(G, G.astype(np.float32))
    if s[0] > 1e3 * s[-1] and not single and 1e-2 * lost < error < 1e2 * lost:
        return 1
    if not square:
        if error < 1e-3:
            raise UnseenError("something is lost in rounding, for one reason or another")
        inside = U @ (U.T @ G @ Vt.T) @ Vt
        beside = float(np.linalg.norm(G - inside))
        determined = alike(inside, U @ Vt, 1e-5) and beside > 1e-9 and abs(beside - 1) > 1e-3
        return determined or error > 2.5  # what stands where W is 0 is determined by nothing
    return -1 if s[0] < 1e2 * s[-1] else 0  # nothing is lost where the condition is small


# ---------------------------------------- q4: checking gradients numerically


def moves(failure: Failure) -> tuple[Array, list[set[float]]] | None:
    """The entries of x, and for each of them by how much it was moved where f was evaluated; None where several were
    moved at once."""
    x = np.asarray(failure.arguments[1], dtype=np.float64)
    flat = x.ravel()
    found: list[set[float]] = [set() for _ in flat]
    for point in failure.points:
        if np.shape(point) != x.shape:
            return None
        moved = np.ravel(np.asarray(point, dtype=np.float64)) - flat
        where = np.flatnonzero(moved)
        if where.size > 1:
            return None
        for i in where:
            found[int(i)].add(float(moved[i]))
    return flat, found


def one_step_each(found: list[set[float]]) -> Array | None:
    """The size of the step at each entry, 0 where it was not moved; None where there is more than one."""
    sizes = [np.abs(list(each)) for each in found]
    if any(size.size and np.ptp(size) > 1e-3 * np.max(size) for size in sizes):
        return None
    return np.array([np.max(size, initial=0.0) for size in sizes])


@FACTS.of("numerical_gradient__one_sided")
def _(failure: Failure) -> bool:
    found = moves(failure)
    if not failure.answered or found is None or not any(found[1]) or one_step_each(found[1]) is None:
        return False
    x, each = found
    sides = [{h > 0 for h in steps} for steps in each]
    return all(len(side) == 1 or (not side and not entry) for side, entry in zip(sides, x, strict=True))


def central_steps(failure: Failure) -> tuple[Array, Array, int] | None:
    """x, the steps of central differences, and the entry that is furthest from right; None where it is something
    else."""
    found, answer = moves(failure), numbers(failure.answer)
    if found is None or failure.right is None or answer.shape != np.shape(failure.right) or not answer.size:
        return None
    steps = one_step_each(found[1])
    if steps is None or not all(len(each) == 2 for each in found[1]) or not np.all(np.isfinite(answer)):
        return None
    if not alike(answer, failure.right, 0.3):
        return None  # it is wrong by more than any step
    return found[0], steps, int(np.argmax(np.abs(np.ravel(answer - np.asarray(failure.right)))))


def of_step(name: str, holds: Callable[[Array, Array, int], bool]) -> None:
    """Enters a fact about the steps of central differences, and the entry that is furthest from right."""

    @FACTS.of(f"numerical_gradient__{name}")
    def _(failure: Failure) -> bool:
        found = central_steps(failure)
        return found is not None and holds(*found)


def _relative(x: Array, steps: Array, worst: int) -> float:
    return float(steps[worst] / max(1.0, abs(x[worst])))


of_step("step_too_large", lambda x, steps, worst: _relative(x, steps, worst) > 3e-5)
of_step("step_too_small", lambda x, steps, worst: _relative(x, steps, worst) < 1e-6)
of_step(
    "step_unscaled",
    lambda x, steps, worst: (
        bool(np.ptp(steps) <= 1e-3 * np.max(steps)) and abs(x[worst]) > 10 and _relative(x, steps, worst) < 1e-6
    ),
)


@FACTS.of("numerical_gradient__step_proportional")
def _(failure: Failure) -> bool:
    """The same part of each x_i, whether it is small or not, and nothing where it is 0."""
    found = moves(failure)
    steps = one_step_each(found[1]) if found is not None else None
    if found is None or steps is None:
        return False
    size = np.abs(found[0])
    there = (size > 1e-6 * np.max(size, initial=0.0)) & (steps > 0)
    if np.count_nonzero(there) < 2 or np.min(size[there]) > 0.5 or np.ptp(size[there]) < 0.1 * np.max(size):
        return False
    share = steps[there] / size[there]
    return bool(np.ptp(share) <= 1e-3 * np.max(share))


@FACTS.of("numerical_gradient__divided_by_h")
def _(failure: Failure) -> bool:
    sides = sum(float(np.sum(np.asarray(point) - failure.arguments[1])) > 0 for point in failure.points)
    c = multiple(failure.answer, failure.right, 1e-3)
    return 0 < sides < len(failure.points) and near(c, 2.0, 1e-3)


@FACTS.of("numerical_gradient__flattened")
def _(failure: Failure) -> bool:
    x = np.asarray(failure.arguments[1])
    return x.ndim > 1 and numbers(failure.answer).shape == (x.size,)


def compared(failure: Failure) -> tuple[bool, Array, Array]:
    """The verdict, the gradient that it is about, and the right one."""
    f, grad_f, x = failure.arguments
    if type(failure.answer) is not bool:
        raise UnseenError("there is no verdict")
    claimed = np.asarray(grad_f(x), dtype=np.float64)
    right = np.asarray(numerical_gradient(f, np.array(x, dtype=np.float64)))
    if claimed.shape != right.shape or not np.all(np.isfinite(claimed)):
        raise UnseenError("it is of another shape, or not finite")
    return failure.answer, claimed, right


@FACTS.of("check_gradient__sums_only", weak=True)
def _(failure: Failure) -> bool:
    verdict, claimed, right = compared(failure)
    return verdict and alike(np.sort(claimed.ravel()), np.sort(right.ravel()), 1e-5) and not alike(claimed, right, 1e-2)


@FACTS.of("check_gradient__directions_only")
def _(failure: Failure) -> int:
    """A gradient of quite another length passes; one that passes in another direction speaks against it."""
    verdict, claimed, right = compared(failure)
    c = multiple(claimed, right, 1e-5)
    if not verdict or near(c, 1.0, 0.3):
        raise UnseenError("there are other reasons")
    return 1 if c > 0 else -1


@FACTS.of("check_gradient__allclose")
def _(failure: Failure) -> bool:
    """A tiny gradient that is wrong passes, after larger ones with the same error did not."""
    verdict, claimed, right = compared(failure)
    return verdict and 0 < float(np.max(np.abs(right))) < 1e-6 and not alike(claimed, right, 1e-3)


@FACTS.of("check_gradient__absolute_tolerance", weak=True)
def _(failure: Failure) -> bool:
    """A huge gradient that is right is refused, after smaller ones were not."""
    verdict, claimed, right = compared(failure)
    return not verdict and alike(claimed, right, 1e-5) and float(np.max(np.abs(right))) > 1e6


@FACTS.of("check_gradient__too_tight", weak=True)
def _(failure: Failure) -> bool:
    """The first right gradient of all is refused: those that come later may be for other reasons."""
    verdict, claimed, right = compared(failure)
    if verdict or not alike(claimed, right, 1e-5):
        return False
    if failure.test != "test_q4_check_a_right_and_a_wrong_gradient":
        raise UnseenError("there are other reasons to refuse it")
    return True


@FACTS.of("check_gradient__entry_by_entry")
def _(failure: Failure) -> int:
    """A right gradient with an entry next to zero is refused; one without such an entry speaks against it."""
    verdict, claimed, right = compared(failure)
    if verdict or not alike(claimed, right, 1e-5):
        return 0
    return 1 if np.min(np.abs(claimed)) < 1e-7 * np.max(np.abs(claimed)) else -1


def passed(failure: Failure) -> tuple[Array, Array] | None:
    """A gradient that is wrong and passed, and the right one; None where a right one was refused."""
    f, grad_f, x = failure.arguments
    if failure.answer is not True:
        return None
    claimed = np.asarray(grad_f(x), dtype=np.float64)
    right = numerical_gradient(f, np.array(x, dtype=np.float64))
    return claimed, right


def of_passing(name: str, holds: Callable[[Array, Array], bool]) -> None:
    """Enters a fact about the wrong gradient that passes, and the right one."""

    @FACTS.of(f"check_gradient__{name}")
    def _(failure: Failure) -> bool:
        found = passed(failure)
        return found is not None and found[0].shape == found[1].shape and holds(*found)


def _few_per_cent(claimed: Array, right: Array) -> bool:
    error = np.abs(claimed - right)
    return bool(np.all(np.isfinite(claimed)) and np.max(error) / np.max(np.abs(right)) > 1e-3 and np.all(
        error <= 0.06 * np.abs(right) + 1e-7 * np.max(np.abs(right))
    ))  # fmt: skip


def _zeros(claimed: Array, right: Array) -> bool:
    missing = (claimed == 0) & (np.abs(right) > 1e-3 * np.max(np.abs(right)))
    return bool(np.any(missing)) and alike(claimed[~missing], right[~missing], 1e-5)


def _small_sign(claimed: Array, right: Array) -> bool:
    turned = np.abs(claimed + right) <= 1e-4 * np.abs(right)
    small = np.abs(right) < 0.02 * np.max(np.abs(right))
    return int(np.sum(turned)) == 1 and bool(np.all(small[turned])) and alike(claimed[~turned], right[~turned], 1e-5)


of_passing("loose", _few_per_cent)
of_passing("lengths_only", lambda claimed, right: alike(claimed, -right, 1e-5))
of_passing("one_per_cent", _small_sign)
of_passing("along_the_gradient", _zeros)


@FACTS.of("check_gradient__nan_passes")
def _(failure: Failure) -> bool:
    _, grad_f, x = failure.arguments
    return failure.answer is True and bool(np.isnan(np.asarray(grad_f(x), dtype=np.float64)).any())


@FACTS.of("check_gradient__broadcast")
def _(failure: Failure) -> bool:
    _, grad_f, x = failure.arguments
    return failure.answer is True and np.shape(grad_f(x)) != np.shape(x)


# ---------------------------------------- q5: the singular value decomposition, backwards


def svd_parts(failure: Failure) -> tuple[dict[str, float], str] | None:
    """How W_bar is put together, in the units of the right one, and with which F; None where that is not seen.

    The parts of P and Q without their skew counterparts are those of P^T and Q^T with a minus sign.
    """
    U, s, Vt, U_bar, s_bar, Vt_bar = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
    W_bar = numbers(failure.answer)
    k = len(s)
    if W_bar.shape != (len(U), Vt.shape[1]) or k < 2:
        return None
    P, Q, off = U.T @ U_bar, Vt @ Vt_bar.T, ~np.eye(k, dtype=bool)
    gaps = {"squares": np.subtract.outer(s**2, s**2).T, "plain": np.subtract.outer(s, s).T}
    left, right = U_bar - U @ P, Vt_bar - Q.T @ Vt
    for kind, gap in gaps.items():
        F = np.where(off, 1 / np.where(off, gap, 1.0), 0.0)
        for side in ("right", "wrong"):
            parts = {
                "P": U @ _times(F * P, s, side == "right") @ Vt,
                "P^T": -U @ _times(F * P.T, s, side == "right") @ Vt,
                "Q": U @ _times(F * Q, s, side == "wrong") @ Vt,
                "Q^T": -U @ _times(F * Q.T, s, side == "wrong") @ Vt,
                "s": U @ np.diag(s_bar) @ Vt,
                "left": left @ np.diag(1 / s) @ Vt,
                "right": U @ np.diag(1 / s) @ right,
            }
            for variant in (parts, parts | {"left": left @ Vt, "right": U @ right}):
                variant = {
                    name: part
                    for name, part in variant.items()
                    if np.linalg.norm(part)
                    > 1e-12 * np.linalg.norm(parts["P"] + parts["Q"] + parts["s"] + parts["left"] + parts["right"])
                }
                found = combination(W_bar, variant, 1e-7)
                if found is not None:
                    how = f"{kind} {side} {'with S^-1' if variant.get('left') is parts['left'] or variant.get('right') is parts['right'] else 'without S^-1'}"  # noqa: E501
                    return found, how
    return None


def _times(M: Array, s: Array, on_the_right: bool) -> Array:
    return M * s if on_the_right else s[:, None] * M


def of_svd(name: str, holds: Callable[[dict[str, float], str], bool]) -> None:
    """Enters a fact about the parts that W_bar is made of; those of a cotangent that is 0 are not there."""

    @FACTS.of(f"svd_vjp__{name}")
    def _(failure: Failure) -> bool:
        found = svd_parts(failure)
        return found is not None and holds(*found)


def has(c: dict[str, float], value: float, *names: str) -> bool:
    """Whether all of these parts are there, with this coefficient."""
    return all(name in c and abs(c[name] - value) < 1e-5 for name in names)


of_svd("s_bar_ignored", lambda c, how: has(c, 0, "s"))
of_svd("u_bar_ignored", lambda c, how: has(c, 0, "P", "P^T") and ("left" not in c or has(c, 0, "left")))
of_svd("vt_bar_ignored", lambda c, how: has(c, 0, "Q", "Q^T") and ("right" not in c or has(c, 0, "right")))
of_svd("left_projector_missing", lambda c, how: has(c, 0, "left") and not has(c, 0, "P", "P^T"))
of_svd("right_projector_missing", lambda c, how: has(c, 0, "right") and not has(c, 0, "Q", "Q^T"))
of_svd("f_sign", lambda c, how: has(c, -1, "P", "P^T") and (has(c, -1, "Q", "Q^T") or "Q" not in c))
of_svd("u_sign", lambda c, how: has(c, -1, "P", "P^T") and has(c, 1, "Q", "Q^T"))
of_svd("v_sign", lambda c, how: has(c, 1, "P", "P^T") and has(c, -1, "Q", "Q^T"))
of_svd(
    "symmetric",
    lambda c, how: any(has(c, k, part) and has(c, -k, f"{part}^T") for k in (1, -1, 0.5, -0.5) for part in "PQ"),
)
of_svd(
    "not_skew", lambda c, how: (has(c, 0, "P^T") and not has(c, 0, "P")) or (has(c, 0, "Q^T") and not has(c, 0, "Q"))
)
of_svd(
    "half",
    lambda c, how: (
        (has(c, 0.5, "P", "P^T") or "P" not in c)
        and (has(c, 0.5, "Q", "Q^T") or "Q" not in c)
        and ("P" in c or "Q" in c)
    ),
)
of_svd(
    "f_not_squared",
    lambda c, how: how.startswith("plain") and any(abs(c.get(each, 0)) > 1e-5 for each in ("P", "Q", "P^T", "Q^T")),
)
of_svd(
    "s_on_the_wrong_side",
    lambda c, how: " wrong " in how and any(abs(c.get(each, 0)) > 1e-5 for each in ("P", "Q", "P^T", "Q^T")),
)
of_svd(
    "projectors_without_s", lambda c, how: how.endswith("without S^-1") and (has(c, 1, "left") or has(c, 1, "right"))
)


# ---------------------------------------- q5: F, read out of W_bar


def read_F(failure: Failure, W_bar: Array) -> tuple[Array, Array] | None:
    """The singular values' pairs (i, j), and F_ij for each: what stands before (X - X^T)_ij of U and of V. None where
    the two do not have the same F.

    The parts outside the column space and the row space are not in U^T W_bar V.
    """
    U, s, Vt, U_bar, _, Vt_bar = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
    if W_bar.shape != (len(U), Vt.shape[1]) or len(s) < 2 or not np.all(np.isfinite(W_bar)):
        return None
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    inner = U.T @ W_bar @ Vt.T
    made = (P - P.T) * s + s[:, None] * (Q - Q.T)
    i, j = np.nonzero(~np.eye(len(s), dtype=bool))
    if np.min(np.abs(made[i, j])) < 1e-6 * np.max(np.abs(made)):
        return None
    F = np.zeros_like(made)
    F[i, j] = inner[i, j] / made[i, j]
    return np.stack([i, j]), F[i, j]


def of_F(name: str, holds: Callable[[Array, Array, Array], int]) -> None:
    """Enters a fact about s_i, s_j and F_ij of all pairs."""

    @FACTS.of(f"svd_vjp__{name}")
    def _(failure: Failure) -> int:
        found = read_F(failure, numbers(failure.answer))
        if found is None or failure.right is None:
            return False
        (i, j), F = found
        s = np.asarray(failure.arguments[1], dtype=np.float64)
        right = 1 / ((s[j] - s[i]) * (s[j] + s[i]))
        return 0 if alike(F, right, 1e-12) else holds(s[i], s[j], F)


def regularised(one: Array, other: Array, F: Array) -> int:
    """One number t for all pairs with F = 1 / (gap + t), gap / (gap^2 + t), or 1 / max(gap, t) up to its sign, or zeros
    where gap < t: of the squares, or of the singular values and then divided by their sum.

    That the number is fixed is seen where W is tiny; where it grows with W it is seen where W is huge.
    """
    if 1e-6 < np.max(one) < 1e3:
        raise UnseenError("the number may grow with W")
    gap = (other - one) * (other + one)
    if np.max(np.abs(F * gap)) < 1e-2:
        return 1 if np.max(one) < 1 else -1  # all of them have vanished beside the right ones
    with np.errstate(all="ignore"):
        G = 1 / F
        added = (G - gap, (G - gap) * gap, G / (one + other) - (other - one), np.abs(G))
    changed = np.abs(G - gap) > 1e-11 * np.abs(gap)
    damped = any(
        bool(np.count_nonzero(changed) > 2 and np.all(np.isfinite(t)) and abs(np.mean(t)) > 0)
        and float(np.ptp(t[changed])) < 1e-4 * float(np.max(np.abs(t[changed])))
        for t in added
    )
    if not damped:
        return 0
    return 1 if np.max(one) < 1 else -1


def close_left_out(one: Array, other: Array, F: Array) -> bool:
    """F is 0 for a pair that is close beside the others, and right for those."""
    gap = (other - one) * (other + one)
    out = np.abs(F * gap) < 1e-6
    close = np.abs(gap) < 1e-2 * np.max(np.abs(gap))
    return bool(np.any(out) and np.array_equal(out, close) and alike(F[~out], 1 / gap[~out], 1e-6))


of_F("f_regularised", regularised)
of_F("close_taken_for_equal", close_left_out)


@FACTS.of("svd_vjp__f_diagonal", weak=True)
def _(failure: Failure) -> bool:
    """Whatever is asked, something is divided by zero."""
    if raised(failure, "ZeroDivisionError", "FloatingPointError"):
        return True
    return failure.answered and bool(np.all(np.isnan(numbers(failure.answer))))


@FACTS.of("svd_vjp__transposed")
def _(failure: Failure) -> bool:
    """The transpose of the answer is made of the parts of W_bar, and the answer is not."""
    answer = numbers(failure.answer)
    U, Vt = failure.arguments[0], failure.arguments[2]
    if answer.shape != (Vt.shape[1], len(U)) or svd_parts(failure) is not None:
        return False
    return svd_parts(replace(failure, answer=answer.T)) is not None


@FACTS.of("svd_vjp__vt_bar_as_v_bar")
def _(failure: Failure) -> bool:
    """Right for the transpose of Vt_bar, or otherwise made of its parts, but not for Vt_bar itself."""
    U, s, Vt, U_bar, s_bar, Vt_bar = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
    if Vt_bar.shape[0] != Vt_bar.shape[1] or not np.any(Vt_bar) or svd_parts(failure) is not None:
        return False
    turned = svd_parts(replace(failure, arguments=(U, s, Vt, U_bar, s_bar, Vt_bar.T)))
    return turned is not None and not has(turned[0], 0, "Q", "Q^T")
