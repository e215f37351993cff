"""Wrong solutions of `matrix_gradients`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import math

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import scipy.linalg

from reference import matrix_gradients as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


def columns(a):
    """A vector as a matrix of one column, a matrix as it is."""
    return a.reshape(len(a), -1)


class Factors:
    """A = QR, for systems with A and with its transpose."""

    def __init__(self, A):
        self.Q, self.R = jnp.linalg.qr(jnp.asarray(A))

    def solve(self, b):
        return jsl.solve_triangular(self.R, self.Q.T @ b)

    def solve_transposed(self, b):
        return self.Q @ jsl.solve_triangular(self.R, jnp.asarray(b), trans="T")


# q1


@wrong("linear_solve_vjp", "A_bar lacks its minus sign")
def no_minus(A, b, x_bar):
    factors = Factors(A)
    x, b_bar = factors.solve(b), factors.solve_transposed(x_bar)
    return columns(b_bar) @ columns(x).T, b_bar


@wrong("linear_solve_vjp", "A_bar is transposed: -x b_bar^T")
def outer_turned_round(A, b, x_bar):
    lu_and_piv = jsl.lu_factor(jnp.asarray(A))
    x = jsl.lu_solve(lu_and_piv, jnp.asarray(b))
    b_bar = jsl.lu_solve(lu_and_piv, jnp.asarray(x_bar), trans=1)
    if x.ndim == 1:
        return -jnp.outer(x, b_bar), b_bar
    return -jnp.einsum("ik,jk->ij", x, b_bar), b_bar


@wrong("linear_solve_vjp", "the inverse is formed and multiplied by")
def by_the_inverse(A, b, x_bar):
    Y = jnp.linalg.inv(jnp.asarray(A))
    x, b_bar = Y @ b, Y.T @ x_bar
    return -columns(b_bar) @ columns(x).T, b_bar


@wrong("linear_solve_vjp", "b where x belongs: A_bar is -b_bar b^T")
def right_hand_side_for_solution(A, b, x_bar):
    b = np.asarray(b)
    lu = scipy.linalg.lu_factor(A)
    b_bar = scipy.linalg.lu_solve(lu, x_bar, trans=1)
    A_bar = np.zeros((len(b), len(b)))
    for k in range(columns(b).shape[1]):
        A_bar -= np.outer(columns(b_bar)[:, k], columns(b)[:, k])
    return A_bar, b_bar


@wrong("linear_solve_vjp", "b_bar is found from A, not from its transpose, and A_bar with it")
def transpose_forgotten(A, b, x_bar):
    lu = jsl.lu_factor(jnp.asarray(A))
    both = jsl.lu_solve(lu, jnp.concatenate([columns(jnp.asarray(b)), columns(jnp.asarray(x_bar))], axis=1))
    x, b_bar = jnp.split(both, 2, axis=1)
    return -b_bar @ x.T, b_bar.reshape(jnp.shape(b))


@wrong("linear_solve_vjp", "A_bar of several right-hand sides is that of the last one: it is overwritten in the loop")
def last_column(A, b, x_bar):
    factors = Factors(A)
    x, b_bar = factors.solve(b), factors.solve_transposed(x_bar)
    A_bar = jnp.zeros_like(factors.R)
    for u, v in zip(columns(b_bar).T, columns(x).T, strict=True):
        A_bar = -jnp.outer(u, v)
    return A_bar, b_bar


@wrong("linear_solve_vjp", "least squares that take singular values below a millionth of the largest for 0")
def truncated(A, b, x_bar):
    A = np.asarray(A)
    x = np.linalg.lstsq(A, b, rcond=1e-6)[0]
    b_bar = np.linalg.lstsq(A.T, x_bar, rcond=1e-6)[0]
    return -columns(b_bar) @ columns(x).T, b_bar


@wrong("linear_solve_vjp", "an elimination without pivots: it divides by 0, or by something next to it")
def no_pivots(A, b, x_bar):
    def eliminate(M, rhs):
        M, rhs = np.array(M, dtype=float), columns(np.array(rhs, dtype=float))
        n = len(M)
        for k in range(n):
            for i in range(k + 1, n):
                factor = M[i, k] / M[k, k]
                M[i] -= factor * M[k]
                rhs[i] -= factor * rhs[k]
        y = np.zeros_like(rhs)
        for k in reversed(range(n)):
            y[k] = (rhs[k] - M[k, k + 1 :] @ y[k + 1 :]) / M[k, k]
        return y

    x, b_bar = eliminate(A, b), eliminate(np.transpose(A), x_bar)
    return -b_bar @ x.T, b_bar.reshape(np.shape(b))


# q2


@jax.custom_vjp
def solve_again(A, b):
    return jnp.linalg.solve(A, b)


def solve_again_backward(kept, x_bar):
    A, x = kept
    b_bar = jnp.linalg.solve(A.T, x_bar)
    return -columns(b_bar) @ columns(x).T, b_bar


solve_again.defvjp(lambda A, b: (x := jnp.linalg.solve(A, b), (A, x)), solve_again_backward)


@wrong("linear_solve", "A is kept instead of its factors, and factorised again in the backward pass")
def factorised_again(A, b):
    return solve_again(A, b)


@jax.custom_vjp
def inverted(A, b):
    return jnp.linalg.inv(A) @ b


def inverted_forward(A, b):
    Y = jnp.linalg.inv(A)
    return Y @ b, {"inverse": Y, "x": Y @ b}


def inverted_backward(kept, x_bar):
    b_bar = kept["inverse"].T @ x_bar
    return -columns(b_bar) @ columns(kept["x"]).T, b_bar


inverted.defvjp(inverted_forward, inverted_backward)


@wrong("linear_solve", "the inverse is formed, and kept for the backward pass")
def inverse_kept(A, b):
    return inverted(A, b)


@jax.custom_vjp
def vectors_only(A, b):
    return jsl.lu_solve(jsl.lu_factor(A), b)


def vectors_only_forward(A, b):
    lu = jsl.lu_factor(A)
    x = jsl.lu_solve(lu, b)
    return x, (lu, x)


def vectors_only_backward(kept, x_bar):
    lu, x = kept
    b_bar = jsl.lu_solve(lu, x_bar, trans=1)
    return -jnp.outer(b_bar, x), b_bar


vectors_only.defvjp(vectors_only_forward, vectors_only_backward)


@wrong("linear_solve", "the backward pass takes the outer product of all entries: a wrong shape for a matrix b")
def outer_of_everything(A, b):
    return vectors_only(A, b)


@jax.custom_vjp
def in_numpy(A, b):
    return np.linalg.solve(A, b)


def in_numpy_forward(A, b):
    lu = scipy.linalg.lu_factor(A)
    x = scipy.linalg.lu_solve(lu, b)
    return jnp.asarray(x), (jnp.asarray(lu[0]), jnp.asarray(lu[1]), jnp.asarray(x))


def in_numpy_backward(kept, x_bar):
    lu, pivots, x = kept
    b_bar = jsl.lu_solve((lu, pivots), x_bar, trans=1)
    return -columns(b_bar) @ columns(x).T, b_bar


in_numpy.defvjp(in_numpy_forward, in_numpy_backward)


@wrong("linear_solve", "NumPy and SciPy inside, which cannot be traced, and JAX traces a custom_vjp")
def numpy_inside(A, b):
    return in_numpy(A, b)


@jax.custom_vjp
def turned(A, b):
    return Factors(A).solve(b)


def turned_forward(A, b):
    factors = Factors(A)
    x = factors.solve(b)
    return x, (factors.Q, factors.R, x)


def turned_backward(kept, x_bar):
    Q, R, x = kept
    b_bar = jsl.solve_triangular(R, Q.T @ x_bar)
    return -columns(b_bar) @ columns(x).T, b_bar


turned.defvjp(turned_forward, turned_backward)


@wrong("linear_solve", "the backward pass solves with A itself where its transpose belongs")
def backward_with_a(A, b):
    return turned(A, b)


@jax.custom_vjp
def frozen(A, b):
    return jsl.lu_solve(jsl.lu_factor(A), b)


def frozen_forward(A, b):
    lu, pivots = jsl.lu_factor(A)
    x = jsl.lu_solve((lu, pivots), b)
    return x, (jax.lax.stop_gradient(lu), pivots, x)


def frozen_backward(kept, x_bar):
    lu, pivots, x = kept
    b_bar = jsl.lu_solve((lu, pivots), x_bar, trans=1)
    return -columns(b_bar) @ columns(x).T, b_bar


frozen.defvjp(frozen_forward, frozen_backward)


@wrong("linear_solve", "the factors are behind stop_gradient, so a second derivative misses how they depend on A")
def factors_frozen(A, b):
    return frozen(A, b)


# q3


@wrong("nuclear_norm_gradient", "V U^T: shaped like the transpose of W")
def transposed_gradient(W):
    U, _, Vt = np.linalg.svd(W, full_matrices=False)
    return Vt.T @ U.T


@wrong("nuclear_norm_gradient", "what svd returns as V^T is taken for V and transposed once more")
def transposed_once_more(W):
    U, _, V = jnp.linalg.svd(jnp.asarray(W), full_matrices=False)
    return U @ V.T


@wrong("nuclear_norm_gradient", "W (W^T W)^(-1/2) by eigenvalues, some of which are 0 for m < n and for a low rank")
def inverse_square_root(W):
    W = jnp.asarray(W)
    eigenvalues, V = jnp.linalg.eigh(W.T @ W)
    return W @ (V / jnp.sqrt(eigenvalues)) @ V.T


@wrong("nuclear_norm_gradient", "singular values below 1e-8 are taken for 0 on an absolute scale: a tiny W gets 0")
def absolute_rank(W):
    U, s, Vt = np.linalg.svd(np.asarray(W, dtype=float), full_matrices=False)
    rank = int(np.sum(s > 1e-8))
    return U[:, :rank] @ Vt[:rank]


@wrong("nuclear_norm_gradient", "tr(Sigma) is read as the trace of W: ones on the diagonal")
def trace_of_w(W):
    return np.eye(*np.shape(W))


@wrong("nuclear_norm_gradient", "thirty steps of Newton-Schulz, too few for small singular values; NaN for W = 0")
def newton_schulz(W):
    X = np.asarray(W) / np.linalg.norm(W)
    for _ in range(30):
        X = 1.5 * X - 0.5 * X @ X.T @ X
    return X


# q4


@wrong("numerical_gradient", "one-sided differences with a step of 1e-8")
def to_the_right_only(f, x):
    x = np.array(x, dtype=float)
    base, steps = f(x), 1e-8 * np.eye(x.size)
    return np.array([(f(x + step.reshape(x.shape)) - base) / 1e-8 for step in steps]).reshape(x.shape)


@wrong("numerical_gradient", "a central difference with a step of 1e-10, where rounding wins")
def much_too_short(f, x):
    x = np.asarray(x, dtype=float)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        e = np.zeros(x.shape)
        e[index] = 1e-10
        gradient[index] = (float(f(x + e)) - float(f(x - e))) / 2e-10
    return gradient


@wrong("numerical_gradient", "the step is in proportion to |x_i|: too short for a small x_i")
def proportional(f, x):
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"])
    for entry in it:
        i = it.multi_index
        h = 6e-6 * abs(float(entry)) or 1e-12
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (up[i] - down[i])
    return gradient


@wrong("numerical_gradient", "the loop goes over len(x): of a matrix it moves whole rows")
def over_the_first_axis(f, x):
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    for i in range(len(x)):
        h = 6e-6 * np.maximum(1.0, np.max(np.abs(x[i])))
        plus, minus = np.copy(x), np.copy(x)
        plus[i] += h
        minus[i] -= h
        gradient[i] = (f(plus) - f(minus)) / (2 * h)
    return gradient


@wrong("numerical_gradient", "a central difference that is divided by h, not by 2h")
def twice_as_large(f, x):
    x = jnp.asarray(x, dtype=float)
    flat = jnp.ravel(x)
    entries = []
    for i in range(flat.size):
        h = 6e-6 * max(1.0, abs(float(flat[i])))
        forwards, backwards = (f(np.asarray(flat.at[i].add(sign * h)).reshape(x.shape)) for sign in (1, -1))
        entries.append((float(forwards) - float(backwards)) / h)
    return np.array(entries).reshape(x.shape)


@wrong("numerical_gradient", "four points, of which the outer two have the wrong sign: five thirds of the gradient")
def four_points(f, x):
    x = np.array(x, dtype=float)
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        h = 1e-3 * max(1.0, abs(x[i]))

        def at(k, i=i, h=h):
            moved = x.copy()
            moved[i] += k * h
            return float(f(moved))

        gradient[i] = (8 * (at(1) - at(-1)) + (at(2) - at(-2))) / (12 * h)
    return gradient


@wrong("check_gradient", "an absolute tolerance of 1e-6: huge gradients are refused, wrong tiny ones are let through")
def absolute_tolerance(f, grad_f, x):
    claimed = np.asarray(grad_f(x), dtype=float)
    if claimed.shape != np.shape(x) or np.isnan(claimed).any():
        return False
    return bool(np.all(np.abs(claimed - reference.numerical_gradient(f, x)) < 1e-6))


@wrong("check_gradient", "shapes are not compared, so a gradient with an axis too many passes by broadcasting")
def broadcast(f, grad_f, x):
    measured = reference.numerical_gradient(f, x)
    claimed = np.asarray(grad_f(np.array(x, dtype=float)))
    try:
        error = np.max(np.abs(claimed - measured))
    except ValueError:
        return False
    return bool(error <= 1e-5 * np.max(np.abs(measured)) + 1e-12)


@wrong("check_gradient", "only the derivative along (1, …, 1) is compared: a transpose or a swap is not seen")
def along_ones(f, grad_f, x):
    x = np.array(x, dtype=float)
    claimed = np.asarray(grad_f(x))
    if claimed.shape != x.shape:
        return False
    h = 6e-6 * max(1.0, float(np.max(np.abs(x), initial=0.0)))
    measured = (float(f(x + h)) - float(f(x - h))) / (2 * h)
    return math.isclose(measured, float(claimed.sum()), rel_tol=1e-5, abs_tol=1e-8 * float(np.linalg.norm(claimed)))


@wrong("check_gradient", "it looks for an error that is too large, and NaN is not larger than anything")
def nan_is_not_larger(f, grad_f, x):
    measured = reference.numerical_gradient(f, x)
    claimed = np.asarray(grad_f(x))
    if claimed.shape != measured.shape:
        return False
    rounding = 1e-8 * abs(float(f(x)))
    wrong_entries = np.abs(claimed - measured) > 1e-5 * np.linalg.norm(measured) + rounding
    return not np.any(wrong_entries)


@wrong("check_gradient", "the angle between the two is compared: a wrong factor is not seen")
def parallel(f, grad_f, x):
    measured = np.ravel(reference.numerical_gradient(f, x))
    claimed = np.asarray(grad_f(x))
    if claimed.shape != np.shape(x) or not np.all(np.isfinite(claimed)):
        return False
    product = np.linalg.norm(measured) * np.linalg.norm(claimed)
    if product == 0:
        return bool(np.linalg.norm(measured) == np.linalg.norm(claimed))
    return bool(np.dot(measured, np.ravel(claimed)) / product > 1 - 1e-9)


@wrong("check_gradient", "5 % of tolerance, so that a factor of 1.02 passes")
def five_per_cent(f, grad_f, x):
    claimed = np.asarray(grad_f(np.copy(x)))
    measured = reference.numerical_gradient(f, x)
    if claimed.shape != measured.shape or not np.isfinite(claimed).all():
        return False
    floor = 1e-8 * abs(float(f(np.copy(x))))
    return bool(np.linalg.norm(claimed - measured) <= 0.05 * np.linalg.norm(measured) + floor)


@wrong("check_gradient", "every entry is compared in relation to itself: one that is nearly 0 beside large ones fails")
def entry_by_entry(f, grad_f, x):
    claimed = np.asarray(grad_f(x), dtype=float)
    if claimed.shape != np.shape(x):
        return False
    pairs = zip(claimed.ravel(), reference.numerical_gradient(f, x).ravel(), strict=True)
    return all(abs(a - b) <= 1e-6 * abs(b) for a, b in pairs)


# q5


def pieces(U, s, Vt, U_bar, s_bar, Vt_bar):
    """All as arrays, V and V_bar, and F."""
    U, s, Vt, U_bar, s_bar, Vt_bar = (jnp.asarray(part) for part in (U, s, Vt, U_bar, s_bar, Vt_bar))
    # Ratios of singular values, so that no scale is too small for what is added on the diagonal.
    scaled = s / s[0]
    ratios = (scaled[None, :] - scaled[:, None]) * (scaled[None, :] + scaled[:, None]) + jnp.eye(len(s))
    F = (1 - jnp.eye(len(s))) / ratios / s[0] ** 2
    return U, s, Vt.T, U_bar, s_bar, Vt_bar.T, F


@wrong("svd_vjp", "F is 1 / (s_i^2 - s_j^2), with the wrong sign")
def gaps_turned_round(U, s, Vt, U_bar, s_bar, Vt_bar):
    U, s, V, U_bar, s_bar, V_bar, F = pieces(U, s, Vt, U_bar, s_bar, Vt_bar)
    F, S = -F, jnp.diag(s)
    P, Q = U.T @ U_bar, V.T @ V_bar
    inside = (F * (P - P.T)) @ S + jnp.diag(s_bar) + S @ (F * (Q - Q.T))
    return U @ inside @ V.T + (U_bar - U @ P) / s @ V.T + U / s @ (V_bar - V @ Q).T


@wrong("svd_vjp", "the parts outside of the column spaces of U and V are missing")
def inside_only(U, s, Vt, U_bar, s_bar, Vt_bar):
    U, s, V, U_bar, s_bar, V_bar, F = pieces(U, s, Vt, U_bar, s_bar, Vt_bar)
    J, K = F * (U.T @ U_bar), F * (V.T @ V_bar)
    return U @ ((J + J.T) * s[None, :] + jnp.diag(s_bar) + s[:, None] * (K + K.T)) @ V.T


@wrong("svd_vjp", "U^T U_bar and V^T V_bar are not made skew-symmetric: one of the two terms each is missing")
def half_of_the_terms(U, s, Vt, U_bar, s_bar, Vt_bar):
    U, s, V, U_bar, s_bar, V_bar, F = pieces(U, s, Vt, U_bar, s_bar, Vt_bar)
    W_bar = jnp.einsum("ia,ab,b,jb->ij", U, F * (U.T @ U_bar), s, V)
    W_bar += jnp.einsum("ia,a,ab,jb->ij", U, s, F * (V.T @ V_bar), V)
    W_bar += jnp.einsum("ia,a,ja->ij", U, s_bar, V)
    W_bar += (U_bar - U @ (U.T @ U_bar)) / s @ V.T
    return W_bar + U / s @ (V_bar - V @ (V.T @ V_bar)).T


@wrong("svd_vjp", "in the term of V the factor S is on the right, as in that of U")
def right_factor_twice(U, s, Vt, U_bar, s_bar, Vt_bar):
    U, s, V, U_bar, s_bar, V_bar, F = pieces(U, s, Vt, U_bar, s_bar, Vt_bar)
    S = jnp.diag(s)
    P, Q = U.T @ U_bar, V.T @ V_bar
    core = (F * (P - P.T) + F * (Q - Q.T)) @ S + jnp.diag(s_bar)
    outside = (U_bar - U @ P) @ jnp.diag(1 / s) @ V.T + U @ jnp.diag(1 / s) @ (V_bar - V @ Q).T
    return U @ core @ V.T + outside


@wrong("svd_vjp", "F is 1 / (s_j - s_i), of the singular values and not of their squares")
def gaps_without_squares(U, s, Vt, U_bar, s_bar, Vt_bar):
    U, s, V, U_bar, s_bar, V_bar, _ = pieces(U, s, Vt, U_bar, s_bar, Vt_bar)
    k = len(s)
    F = jnp.array([[0.0 if i == j else 1 / (s[j] - s[i]) for j in range(k)] for i in range(k)])
    P, Q = U.T @ U_bar, V.T @ V_bar
    inside = F * (P - P.T) * s + jnp.diag(s_bar) + s[:, None] * F * (Q - Q.T)
    return (U @ inside + (U_bar - U @ P) / s) @ V.T + U / s @ (V_bar - V @ Q).T


@wrong("svd_vjp", "1e-10 is added to the gaps of the squares, which are smaller than that for small singular values")
def safe_gaps(U, s, Vt, U_bar, s_bar, Vt_bar):
    gap = np.subtract.outer(np.square(s), np.square(s)).T
    F = gap / (gap**2 + 1e-20)
    P, Q = U.T @ U_bar, Vt @ np.transpose(Vt_bar)
    W_bar = U @ (F * (P - P.T) * s + np.diag(s_bar) + np.asarray(s)[:, None] * F * (Q - Q.T)) @ Vt
    W_bar = W_bar + (U_bar - U @ P) / s @ Vt
    return W_bar + U / s @ (Vt_bar - Q.T @ Vt)


@wrong("svd_vjp", "the part outside of the column space of U is not divided by the singular values, nor that of V")
def outside_not_divided(U, s, Vt, U_bar, s_bar, Vt_bar):
    U, s, V, U_bar, s_bar, V_bar, F = pieces(U, s, Vt, U_bar, s_bar, Vt_bar)
    P, Q = U.T @ U_bar, V.T @ V_bar
    inside = F * (P - P.T) * s + jnp.diag(s_bar) + s[:, None] * F * (Q - Q.T)
    out_u = (jnp.eye(len(U)) - U @ U.T) @ U_bar
    out_v = (jnp.eye(len(V)) - V @ V.T) @ V_bar
    return (U @ inside + out_u) @ V.T + U @ out_v.T
