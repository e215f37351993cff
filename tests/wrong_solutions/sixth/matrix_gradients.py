"""Wrong solutions of `matrix_gradients`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np

from reference import matrix_gradients as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


def product(u, v):
    """u v^T, summed over the columns where there are several."""
    return jnp.outer(u, v) if u.ndim == 1 else u @ v.T


# q1


@wrong("linear_solve_vjp", "both systems are solved by Cholesky of A^T A, which squares the condition of A")
def normal_equations(A, b, x_bar):
    A, b, x_bar = jnp.asarray(A), jnp.asarray(b), jnp.asarray(x_bar)
    factor = jsl.cho_factor(A.T @ A)
    x = jsl.cho_solve(factor, A.T @ b)
    b_bar = A @ jsl.cho_solve(factor, x_bar)
    return -product(b_bar, x), b_bar


@wrong("linear_solve_vjp", "for a matrix b the columns are summed before the outer product and not after it")
def columns_summed_first(A, b, x_bar):
    lu = jsl.lu_factor(jnp.asarray(A))
    x = jsl.lu_solve(lu, jnp.asarray(b))
    b_bar = jsl.lu_solve(lu, jnp.asarray(x_bar), trans=1)
    if b_bar.ndim == 2:
        return -jnp.outer(b_bar.sum(1), x.sum(1)), b_bar
    return -jnp.outer(b_bar, x), b_bar


@wrong("linear_solve_vjp", "solved in 32 bits and refined once, which is not enough for a badly conditioned A")
def single_precision_refined_once(A, b, x_bar):
    A, b, x_bar = (jnp.asarray(a, dtype=jnp.float64) for a in (A, b, x_bar))
    lu = jsl.lu_factor(A.astype(jnp.float32))

    def solved(right, M, trans):
        x = jsl.lu_solve(lu, right.astype(jnp.float32), trans=trans).astype(jnp.float64)
        return x + jsl.lu_solve(lu, (right - M @ x).astype(jnp.float32), trans=trans).astype(jnp.float64)

    x, b_bar = solved(b, A, 0), solved(x_bar, A.T, 1)
    return -product(b_bar, x), b_bar


@wrong(
    "linear_solve_vjp", "one factorisation for both systems, of the matrix with blocks A and A^T, twice as large as A"
)
def both_in_one_system(A, b, x_bar):
    A, b, x_bar = jnp.asarray(A), jnp.asarray(b), jnp.asarray(x_bar)
    n = len(A)
    both = jnp.linalg.solve(jsl.block_diag(A, A.T), jnp.concatenate([b, x_bar]))
    x, b_bar = both[:n], both[n:]
    return -product(b_bar, x), b_bar


@wrong("linear_solve_vjp", "b is overwritten with the solution (the answer is right)")
def solution_in_the_place_of_b(A, b, x_bar):
    b[...] = np.linalg.solve(A, b)
    b_bar = np.linalg.solve(A.T, x_bar)
    return -np.asarray(product(b_bar, b)), b_bar


# q2


@jax.custom_vjp
def kept_inverse(A, b):
    return jsl.lu_solve(jsl.lu_factor(A), b)


def _kept_inverse_forward(A, b):
    inverse = jnp.linalg.inv(A)
    return inverse @ b, (inverse, inverse @ b)


def _kept_inverse_backward(kept, x_bar):
    inverse, x = kept
    b_bar = inverse.T @ x_bar
    return -product(b_bar, x), b_bar


kept_inverse.defvjp(_kept_inverse_forward, _kept_inverse_backward)
wrong("linear_solve", "the forward pass forms the inverse and hands it on", "kept_inverse")(kept_inverse)


@jax.custom_vjp
def no_trans(A, b):
    return jsl.lu_solve(jsl.lu_factor(A), b)


def _no_trans_forward(A, b):
    lu = jsl.lu_factor(A)
    x = jsl.lu_solve(lu, b)
    return x, (lu, x)


def _no_trans_backward(kept, x_bar):
    lu, x = kept
    b_bar = jsl.lu_solve(lu, x_bar)
    return -product(x, b_bar), b_bar


no_trans.defvjp(_no_trans_forward, _no_trans_backward)
wrong("linear_solve", "b_bar solves with A for A^T, and A_bar is -x b_bar^T: two slips at once", "no_trans")(no_trans)


@jax.custom_vjp
def outer_of_everything(A, b):
    return jsl.lu_solve(jsl.lu_factor(A), b)


def _outer_forward(A, b):
    lu = jsl.lu_factor(A)
    x = jsl.lu_solve(lu, b)
    return x, (lu, x)


def _outer_backward(kept, x_bar):
    lu, x = kept
    b_bar = jsl.lu_solve(lu, x_bar, trans=1)
    n = len(x)
    return -jnp.outer(b_bar, x)[:n, :n], b_bar


outer_of_everything.defvjp(_outer_forward, _outer_backward)
wrong(
    "linear_solve",
    "A_bar for a matrix b is the corner of the outer product of the raveled b_bar and x (right for a vector)",
    "outer_of_everything",
)(outer_of_everything)


# q3


@wrong("nuclear_norm_gradient", "W / ||W||_F, which is U V^T where the rank is one only")
def divided_by_frobenius(W):
    W = np.asarray(W, float)
    size = np.linalg.norm(W)
    return W / size if size > 0 else np.zeros_like(W)


@wrong(
    "nuclear_norm_gradient", "twelve steps of Newton-Schulz towards the polar factor: small singular values lag behind"
)
def polar_by_iteration(W):
    X = np.array(W, float)
    size = np.linalg.norm(X)
    if size == 0:
        return X
    X /= size
    for _ in range(12):
        X = 1.5 * X - 0.5 * X @ X.T @ X
    return X


@wrong("nuclear_norm_gradient", "W (W^T W)^(-1/2) with eigenvalues of at least 1e-12: wrong for tiny singular values")
def root_of_the_gram_matrix(W):
    W = np.asarray(W, float)
    values, V = np.linalg.eigh(W.T @ W)
    return W @ (V / np.sqrt(np.maximum(values, 1e-12))) @ V.T


@wrong("nuclear_norm_gradient", "singular values below 1e-6, whatever the scale of W, count as zero: a tiny W gives 0")
def absolute_rank(W):
    U, s, Vt = np.linalg.svd(np.asarray(W, float), full_matrices=False)
    large = s > 1e-6
    return U[:, large] @ Vt[large]


# q4


@wrong("numerical_gradient", "central, with the same step for all entries: eps^(1/3) times the norm of x")
def step_by_the_norm(f, x):
    x = np.array(x, float)
    h = np.finfo(float).eps ** (1 / 3) * max(1.0, float(np.linalg.norm(x)))
    g = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        g[i] = (f(up) - f(down)) / (2 * h)
    return g


@wrong("numerical_gradient", "x itself is moved, an entry at a time, and is left at the lower point in its last entry")
def x_is_left_moved(f, x):
    g = np.zeros(x.shape)
    previous = None
    for i in np.ndindex(x.shape):
        if previous is not None:
            x[previous[0]] = previous[1]
        there = float(x[i])
        h = 6e-6 * max(1.0, abs(there))
        x[i] = there + h
        above = float(f(x))
        x[i] = there - h
        g[i] = (above - float(f(x))) / (2 * h)
        previous = i, there
    return g


@wrong("check_gradient", "compares along the direction of all ones only, so a transposed gradient is accepted")
def along_the_ones(f, grad_f, x):
    x = np.asarray(x, float)
    g = np.asarray(grad_f(x))
    if g.shape != x.shape or not np.all(np.isfinite(g)):
        return False
    truth = reference.numerical_gradient(f, x)
    return bool(abs(g.sum() - truth.sum()) <= 1e-5 * np.linalg.norm(truth))


@wrong("check_gradient", "asks whether the two point the same way: a gradient with a factor is accepted")
def by_the_angle(f, grad_f, x):
    x = np.asarray(x, float)
    g = np.asarray(grad_f(x), float)
    if g.shape != x.shape or not np.all(np.isfinite(g)):
        return False
    truth = reference.numerical_gradient(f, x)
    lengths = np.linalg.norm(g) * np.linalg.norm(truth)
    if lengths == 0:
        return bool(np.linalg.norm(g) == np.linalg.norm(truth))
    return bool(np.sum(g * truth) / lengths > 1 - 1e-10)


@wrong("check_gradient", "every entry relative to itself: a right gradient with an entry next to zero is refused")
def each_entry_for_itself(f, grad_f, x):
    x = np.asarray(x, float)
    g = np.asarray(grad_f(x), float)
    if g.shape != x.shape or not np.all(np.isfinite(g)):
        return False
    truth = reference.numerical_gradient(f, x)
    return bool(np.all(np.abs(g - truth) <= 1e-6 * np.abs(truth)))


# q5


def inside_and_outside(U, s, Vt, U_bar, s_bar, Vt_bar, F, outside):
    """The reverse rule with a given F and a given divisor of the two outside terms."""
    V, V_bar = Vt.T, Vt_bar.T
    K, L = F * (U.T @ U_bar), F * (V.T @ V_bar)
    inner = (K + K.T) * s + s[:, None] * (L + L.T) + np.diag(s_bar)
    W_bar = U @ inner @ Vt
    W_bar = W_bar + (U_bar - U @ (U.T @ U_bar)) / outside @ Vt
    return W_bar + U @ ((V_bar - V @ (V.T @ V_bar)) / outside).T


def differences(s):
    D = s[None, :] ** 2 - s[:, None] ** 2
    np.fill_diagonal(D, np.inf)
    return D


@wrong("svd_vjp", "F is made safe as d / (d^2 + 1e-12): right for singular values near 1, wrong for tiny ones")
def softened_differences(U, s, Vt, U_bar, s_bar, Vt_bar):
    s = np.asarray(s, float)
    d = s[None, :] ** 2 - s[:, None] ** 2
    return inside_and_outside(U, s, Vt, U_bar, s_bar, Vt_bar, d / (d**2 + 1e-12), s)


@wrong("svd_vjp", "the two terms outside the spaces of U and V are not divided by the singular values")
def outside_not_divided(U, s, Vt, U_bar, s_bar, Vt_bar):
    s = np.asarray(s, float)
    return inside_and_outside(U, s, Vt, U_bar, s_bar, Vt_bar, 1 / differences(s), np.ones_like(s))


@wrong("svd_vjp", "Vt_bar is reshaped to (n, k) where it should be transposed")
def reshaped_for_transposed(U, s, Vt, U_bar, s_bar, Vt_bar):
    s = np.asarray(s, float)
    V_bar = np.asarray(Vt_bar).reshape(np.shape(Vt)[::-1])
    return inside_and_outside(U, s, Vt, U_bar, s_bar, V_bar.T, 1 / differences(s), s)


@wrong("svd_vjp", "F holds 1/(s_j - s_i), not of the squares, and the V term has its s on the right, as the U term has")
def two_slips_in_the_svd(U, s, Vt, U_bar, s_bar, Vt_bar):
    s = np.asarray(s, float)
    D = s[None, :] - s[:, None]
    np.fill_diagonal(D, np.inf)
    K, L = (U.T @ U_bar) / D, (Vt @ Vt_bar.T) / D
    W_bar = U @ ((K + K.T) * s + (L + L.T) * s + np.diag(s_bar)) @ Vt
    W_bar = W_bar + (U_bar - U @ (U.T @ U_bar)) / s @ Vt
    return W_bar + (U / s) @ (Vt_bar - Vt_bar @ Vt.T @ Vt)
