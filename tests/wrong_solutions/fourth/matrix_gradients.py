"""Wrong solutions of `matrix_gradients`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import scipy.linalg

from reference import matrix_gradients as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


def times_transposed(u, v):
    """u v^T, summed over columns."""
    return jnp.einsum("i...,j...->ij", u, v)


# q1


@wrong("linear_solve_vjp", "A_bar is the mean over the columns of b where it has to be their sum")
def mean_over_columns(A, b, x_bar):
    lu = jsl.lu_factor(jnp.asarray(A))
    x, b_bar = jsl.lu_solve(lu, jnp.asarray(b)), jsl.lu_solve(lu, jnp.asarray(x_bar), trans=1)
    if x.ndim == 1:
        return -jnp.outer(b_bar, x), b_bar
    pieces = jnp.stack([jnp.outer(b_bar[:, k], x[:, k]) for k in range(x.shape[1])])
    return -pieces.mean(axis=0), b_bar


@wrong("linear_solve_vjp", "A is factorised twice, once for each of the two systems")
def solve_and_solve_again(A, b, x_bar):
    A = jnp.asarray(A)
    x = jnp.linalg.solve(A, b)
    b_bar = jnp.linalg.solve(A.T, x_bar)
    return -times_transposed(b_bar, x), b_bar


@wrong("linear_solve_vjp", "both systems by the normal equations, whose condition is that of A squared")
def normal_equations(A, b, x_bar):
    gram = jsl.cho_factor(A.T @ A)
    x = jsl.cho_solve(gram, A.T @ b)
    b_bar = A @ jsl.cho_solve(gram, jnp.asarray(x_bar))
    return -times_transposed(b_bar, x), b_bar


@wrong("linear_solve_vjp", "x_bar where b_bar belongs: A_bar is -x_bar x^T")
def not_yet_pulled_back(A, b, x_bar):
    Q, R = jnp.linalg.qr(A)
    x = jsl.solve_triangular(R, Q.T @ b)
    b_bar = Q @ jsl.solve_triangular(R, x_bar, trans=1)
    return -times_transposed(jnp.asarray(x_bar), x), b_bar


@wrong("linear_solve_vjp", "Gaussian elimination works in the caller's own A and b")
def eliminates_in_place(A, b, x_bar):
    original = A.copy()
    n = len(A)
    for k in range(n):
        p = k + int(np.argmax(np.abs(A[k:, k])))
        A[[k, p]], b[[k, p]] = A[[p, k]], b[[p, k]]
        for i in range(k + 1, n):
            factor = A[i, k] / A[k, k]
            A[i] -= factor * A[k]
            b[i] -= factor * b[k]
    x = scipy.linalg.solve_triangular(A, b)
    b_bar = np.linalg.solve(original.T, x_bar)
    return -np.tensordot(b_bar.reshape(n, -1), x.reshape(n, -1), axes=(1, 1)), b_bar


@wrong("linear_solve_vjp", "jax.vjp of a solve is called instead of writing the rule")
def leaves_it_to_jax(A, b, x_bar):
    _, pull_back = jax.vjp(jnp.linalg.solve, jnp.asarray(A), jnp.asarray(b))
    return pull_back(jnp.asarray(x_bar))


# q2


@wrong("linear_solve", "A_bar by jnp.outer for a matrix b, too, which makes it (nk, nk)")
@jax.custom_vjp
def outer_of_matrices(A, b):
    return jsl.lu_solve(jsl.lu_factor(A), b)


def outer_of_matrices_fwd(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, {"factors": factors, "x": x}


def outer_of_matrices_bwd(kept, x_bar):
    b_bar = jsl.lu_solve(kept["factors"], x_bar, trans=1)
    return jnp.outer(-b_bar, kept["x"]), b_bar


outer_of_matrices.defvjp(outer_of_matrices_fwd, outer_of_matrices_bwd)


@wrong("linear_solve", "b is taken for a constant: its cotangent is zero")
@jax.custom_vjp
def constant_right_hand_side(A, b):
    return jnp.linalg.solve(A, b)


def _constant_fwd(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, (factors, x)


def _constant_bwd(residuals, x_bar):
    factors, x = residuals
    u = jsl.lu_solve(factors, x_bar, trans=1)
    return -times_transposed(u, x), jnp.zeros_like(x)


constant_right_hand_side.defvjp(_constant_fwd, _constant_bwd)


@wrong("linear_solve", "the forward pass makes the inverse and keeps it as the residual")
@jax.custom_vjp
def inverse_kept(A, b):
    return jnp.linalg.inv(A) @ b


def _inverse_fwd(A, b):
    inverse = jnp.linalg.inv(A)
    x = inverse @ b
    return x, [inverse, x]


def _inverse_bwd(kept, x_bar):
    inverse, x = kept
    b_bar = inverse.T @ x_bar
    return -times_transposed(b_bar, x), b_bar


inverse_kept.defvjp(_inverse_fwd, _inverse_bwd)


@wrong("linear_solve", "SciPy solves, which needs values: jit, vmap and grad of grad fail")
@jax.custom_vjp
def by_scipy(A, b):
    return jnp.asarray(scipy.linalg.solve(A, b))


def _scipy_fwd(A, b):
    lu = scipy.linalg.lu_factor(A)
    x = scipy.linalg.lu_solve(lu, b)
    return jnp.asarray(x), (lu[0], lu[1], x)


def _scipy_bwd(kept, x_bar):
    lu, pivots, x = kept
    b_bar = jnp.asarray(scipy.linalg.lu_solve((np.asarray(lu), np.asarray(pivots)), x_bar, trans=1))
    return -times_transposed(b_bar, jnp.asarray(x)), b_bar


by_scipy.defvjp(_scipy_fwd, _scipy_bwd)


@wrong("linear_solve", "the backward pass uses the factors for A once more, not for its transpose")
@jax.custom_vjp
def same_system_again(A, b):
    return _same_fwd(A, b)[0]


def _same_fwd(A, b):
    lu, pivots = jsl.lu_factor(A)
    x = jsl.lu_solve((lu, pivots), b)
    return x, (lu, pivots, x)


def _same_bwd(kept, x_bar):
    lu, pivots, x = kept
    b_bar = jsl.lu_solve((lu, pivots), x_bar)
    return -times_transposed(b_bar, x), b_bar


same_system_again.defvjp(_same_fwd, _same_bwd)


# q3


@wrong("nuclear_norm_gradient", "W (W^T W)^(-1/2), which does not exist for m < n or where W is rank deficient")
def inverse_root(W):
    eigenvalues, V = np.linalg.eigh(W.T @ W)
    return W @ (V / np.sqrt(eigenvalues)) @ V.T


@wrong("nuclear_norm_gradient", "singular values below 1e-6 count as zero, however small W is")
def absolute_rank(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    rank = int(np.sum(s > 1e-6))
    return U[:, :rank] @ Vt[:rank]


@wrong("nuclear_norm_gradient", "ten steps of an iteration for the polar factor, too few for small singular values")
def newton_schulz(W):
    size = np.linalg.norm(W)
    if size == 0:
        return np.zeros_like(W)
    G = W / size
    for _ in range(10):
        G = 1.5 * G - 0.5 * G @ (G.T @ G)
    return G


@wrong("nuclear_norm_gradient", "only the largest singular value: u_1 v_1^T, the gradient of the spectral norm")
def first_pair(W):
    U, _, Vt = jnp.linalg.svd(jnp.asarray(W))
    return jnp.outer(U[:, 0], Vt[0, :])


# q4


@wrong("numerical_gradient", "central differences with the step 1e-8 of the one-sided ones")
def step_too_small(f, x):
    x = np.asarray(x, dtype=float)
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        h = e[i] = 1e-8 * max(1.0, abs(x[i]))
        gradient[i] = (f(x + e) - f(x - e)) / (2 * h)
    return gradient


@wrong("numerical_gradient", "one step for all entries, in proportion to the norm of x")
def scaled_by_the_norm(f, x):
    x = np.asarray(x, dtype=float)
    h = np.finfo(float).eps ** (1 / 3) * max(1.0, float(np.linalg.norm(x)))
    steps = h * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + e) - f(x - e)) / (2 * h) for e in steps]).reshape(x.shape)


@wrong("numerical_gradient", "x[k] is moved for k in range(len(x)): in a matrix, a whole row at once")
def rows_at_once(f, x):
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    for k in range(len(x)):
        above, below = x.copy(), x.copy()
        h = 6e-6 * np.maximum(1.0, np.max(np.abs(x[k])))
        above[k] += h
        below[k] -= h
        gradient[k] = (f(above) - f(below)) / (2 * h)
    return gradient


@wrong("numerical_gradient", "an entry that was moved is not put back before the next one is")
def not_put_back(f, x):
    x = np.array(x, dtype=float)
    flat, result = x.reshape(-1), []
    for i in range(flat.size):
        h = 6e-6 * max(1.0, abs(flat[i]))
        flat[i] += h
        above = f(x.copy())
        flat[i] -= 2 * h
        result.append((above - f(x.copy())) / (2 * h))
    return np.array(result).reshape(x.shape)


@wrong(
    "check_gradient", "compared along the direction (1, ..., 1) alone, where a transpose or two swapped entries agree"
)
def along_ones(f, grad_f, x):
    x = np.asarray(x, dtype=float)
    g = np.asarray(grad_f(x))
    if g.shape != x.shape or not np.isfinite(g).all():
        return False
    h = 6e-6 * max(1.0, np.abs(x).max())
    measured = (f(x + h) - f(x - h)) / (2 * h)
    return bool(abs(measured - g.sum()) <= 1e-5 * np.linalg.norm(g) * np.sqrt(x.size))


@wrong("check_gradient", "only the angle between the two gradients is looked at, so any positive factor passes")
def angle_only(f, grad_f, x):
    g, n = np.asarray(grad_f(x), dtype=float), reference.numerical_gradient(f, x)
    if g.shape != n.shape or not np.all(np.isfinite(g)):
        return False
    lengths = np.linalg.norm(g) * np.linalg.norm(n)
    if lengths == 0:
        return np.linalg.norm(g - n) < 1e-6
    return bool(np.sum(g * n) / lengths > 1 - 1e-9)


@wrong("check_gradient", "each entry is compared relative to itself, so a right entry next to zero is refused")
def relative_to_itself(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), reference.numerical_gradient(f, x)
    if claimed.shape != measured.shape:
        return False
    return all(abs(c - m) <= 1e-6 * abs(c) for c, m in zip(claimed.flat, measured.flat, strict=True))


@wrong("check_gradient", "False only where the error is larger than the limit, which a NaN is not")
def nan_is_not_larger(f, grad_f, x):
    g = np.asarray(grad_f(x), dtype=float)
    if g.shape != np.shape(x):
        return False
    n = reference.numerical_gradient(f, x)
    if np.linalg.norm(g - n) > 1e-5 * np.linalg.norm(n) + 1e-8 * abs(f(x)):  # noqa: SIM103
        return False
    return True


@wrong("check_gradient", "the gradients are raveled before they are compared, so a wrong shape passes")
def raveled(f, grad_f, x):
    g, n = np.ravel(grad_f(x)), np.ravel(reference.numerical_gradient(f, x))
    if g.size != n.size or np.isnan(g).any():
        return False
    return bool(np.linalg.norm(g - n) <= 1e-5 * np.linalg.norm(n) + 1e-8 * abs(f(x)))


# q5


def inverse_gaps(s):
    gaps = s[None, :] ** 2 - s[:, None] ** 2
    return np.where(np.eye(len(s), dtype=bool), 0.0, 1 / np.where(gaps == 0, 1.0, gaps))


@wrong("svd_vjp", "F is made of the singular values, not of their squares")
def gaps_without_squares(U, s, Vt, U_bar, s_bar, Vt_bar):
    k = len(s)
    F = np.zeros((k, k))
    for i in range(k):
        for j in range(k):
            if i != j:
                F[i, j] = 1 / (s[j] - s[i])
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    middle = F * (P - P.T) * s + np.diag(s_bar) + s[:, None] * F * (Q - Q.T)
    outside = (U_bar - U @ P) / s @ Vt + U @ ((Vt_bar - Q.T @ Vt) / s[:, None])
    return U @ middle @ Vt + outside


@wrong("svd_vjp", "the terms with P^T are dropped: F o (U^T U_bar) where the skew part belongs")
def half_of_the_skew_part(U, s, Vt, U_bar, s_bar, Vt_bar):
    S, V, V_bar = np.diag(s), Vt.T, Vt_bar.T
    F = inverse_gaps(s)
    left = U @ (F * (U.T @ U_bar)) @ S + (U_bar - U @ (U.T @ U_bar)) @ np.diag(1 / s)
    right = S @ (F * (V.T @ V_bar)) @ Vt + np.diag(1 / s) @ (V_bar - V @ (V.T @ V_bar)).T
    return left @ Vt + U @ np.diag(s_bar) @ Vt + U @ right


@wrong("svd_vjp", "1e-10 is added to the squared gaps of F, against the division by zero on the diagonal")
def softened_gaps(U, s, Vt, U_bar, s_bar, Vt_bar):
    F = 1 / (s[None, :] ** 2 - s[:, None] ** 2 + 1e-10)
    F = F - np.diag(np.diag(F))
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    W_bar = U @ (F * (P - P.T) * s + np.diag(s_bar) + s[:, None] * F * (Q - Q.T)) @ Vt
    W_bar = W_bar + (U_bar - U @ P) / s @ Vt
    return W_bar + U / s @ (Vt_bar - Q.T @ Vt)


@wrong("svd_vjp", "the parts outside the column and row space are not divided by s")
def outside_without_s(U, s, Vt, U_bar, s_bar, Vt_bar):
    U, s, Vt = map(jnp.asarray, (U, s, Vt))
    F = jnp.asarray(inverse_gaps(np.asarray(s)))
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    inner = (F * (P - P.T)) @ jnp.diag(s) + jnp.diag(s_bar) + jnp.diag(s) @ (F * (Q - Q.T))
    m, n = len(U), Vt.shape[1]
    return U @ inner @ Vt + (jnp.eye(m) - U @ U.T) @ U_bar @ Vt + U @ Vt_bar @ (jnp.eye(n) - Vt.T @ Vt)


@wrong("svd_vjp", "the factor S of the V term is on the same side as that of the U term")
def same_side(U, s, Vt, U_bar, s_bar, Vt_bar):
    F = inverse_gaps(s)

    def skew(M):
        return M - M.T

    inside = (F * skew(U.T @ U_bar)) * s[None, :] + (F * skew(Vt @ Vt_bar.T)) * s[None, :] + np.diag(s_bar)
    beyond_U = U_bar - U @ (U.T @ U_bar)
    beyond_V = Vt_bar - (Vt_bar @ Vt.T) @ Vt
    return U @ inside @ Vt + (beyond_U / s) @ Vt + (U / s) @ beyond_V
