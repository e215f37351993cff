"""Facts about answers of `matrix_gradients`."""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: basic

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

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
of_inner("frobenius", lambda d, s: several(s) and alike(d, s / np.linalg.norm(s), 1e-7))


@FACTS.of("nuclear_norm_gradient__damped")
def _(failure: Failure) -> bool:
    """What stands between U and V^T is s / (s + t), s / sqrt(s^2 + t) or s / max(s, t), with one t > 0."""
    found = inner(failure)
    if found is None:
        return False
    d, s = found
    if alike(d, s, 1e-6) or alike(d, s / np.linalg.norm(s), 1e-6):
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


# ---------------------------------------- q4: checking gradients numerically


@FACTS.of("numerical_gradient__divided_by_h")
def _(failure: Failure) -> bool:
    sides = sum(float(np.sum(np.asarray(point) - failure.arguments[1])) > 0 for point in failure.points)
    c = multiple(failure.answer, failure.right, 1e-3)
    return 0 < sides < len(failure.points) and near(c, 2.0, 1e-3)


@FACTS.of("numerical_gradient__flattened")
def _(failure: Failure) -> bool:
    x = np.asarray(failure.arguments[1])
    return x.ndim > 1 and numbers(failure.answer).shape == (x.size,)


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


@FACTS.of("nuclear_norm_gradient__inverse_root", weak=True)
def _(failure: Failure) -> int:
    """As many digits are lost as where singular values are squared: the error is about eps times the condition's
    square."""
    W, G = np.asarray(failure.arguments[0], dtype=np.float64), numbers(failure.answer)
    if G.shape != W.shape or not np.all(np.isfinite(G)):
        return False
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    if not s[-1] > 1e-7 * s[0]:
        raise UnseenError("without full rank there is no one answer")
    error = float(np.linalg.norm(G - U @ Vt, 2))
    if s[0] < 1e2 * s[-1]:
        return -1  # nothing is lost where the condition is small
    lost = float(np.finfo(np.float64).eps) * (s[0] / s[-1]) ** 2
    single = np.array_equal(G, G.astype(np.float32))
    return s[0] > 1e3 * s[-1] and not single and 1e-2 * lost < error < 1e2 * lost
