"""Right solutions of `matrix_gradients`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import scipy.linalg

from right_solutions import Collection

RIGHT = Collection()
right = RIGHT.right

# q1


@right("linear_solve_vjp", "einsum with an ellipsis, a dictionary on the way")
def with_an_ellipsis(A, b, x_bar):
    f = jsl.lu_factor(jnp.asarray(A))
    found = {"x": jsl.lu_solve(f, jnp.asarray(b)), "b_bar": jsl.lu_solve(f, jnp.asarray(x_bar), trans=1)}
    return jnp.einsum("i...,j...->ij", -found["b_bar"], found["x"]), found["b_bar"]


@right("linear_solve_vjp", "columns by vmap, always as a matrix")
def always_a_matrix(A, b, x_bar):
    factors = jsl.lu_factor(jnp.asarray(A))
    B, X_bar = (jnp.asarray(v)[:, None] if jnp.ndim(v) == 1 else jnp.asarray(v) for v in (b, x_bar))
    X, Y = jsl.lu_solve(factors, B), jsl.lu_solve(factors, X_bar, trans=1)
    return -Y @ X.T, Y.reshape(jnp.shape(b))


@right("linear_solve_vjp", "QR of the transpose")
def qr_of_the_transpose(A, b, x_bar):
    Q, R = jnp.linalg.qr(jnp.asarray(A).T)
    x = Q @ jsl.solve_triangular(R.T, b, lower=True)
    b_bar = jsl.solve_triangular(R, Q.T @ x_bar)
    return -jnp.tensordot(b_bar, x, axes=0) if x.ndim == 1 else -jnp.matmul(b_bar, x.T), b_bar


@right("linear_solve_vjp", "a class that holds the factors")
def class_of_factors(A, b, x_bar):
    class Factors:
        def __init__(self, A):
            self.lu, self.pivots = jsl.lu_factor(jnp.asarray(A, dtype=jnp.float64))

        def solve(self, v, transposed=False):
            return jsl.lu_solve((self.lu, self.pivots), jnp.asarray(v), trans=int(transposed))

    factors = Factors(A)
    y = factors.solve(x_bar, transposed=True)
    x = factors.solve(b)
    return (-jnp.outer(y, x) if y.ndim == 1 else -(y @ x.T)), y


# q2


def _solve_forward(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, {"factors": factors, "x": x}


def _solve_backward(kept, x_bar):
    y = jsl.lu_solve(kept["factors"], x_bar, trans=1)
    return -jnp.einsum("i...,j...->ij", y, kept["x"]), y


@right("linear_solve", "residuals in a dictionary")
@jax.custom_vjp
def dictionary_of_residuals(A, b):
    return _solve_forward(A, b)[0]


dictionary_of_residuals.defvjp(_solve_forward, _solve_backward)


def _qr_forward(A, b):
    Q, R = jnp.linalg.qr(A)
    x = jsl.solve_triangular(R, Q.T @ b)
    return x, [Q, R, x]


def _qr_backward(kept, x_bar):
    Q, R, x = kept
    y = Q @ jsl.solve_triangular(R, x_bar, trans="T")
    return jnp.where(True, -1.0, 1.0) * (jnp.outer(y, x) if x.ndim == 1 else y @ x.T), y


@right("linear_solve", "by QR, residuals in a list")
@jax.custom_vjp
def by_qr(A, b):
    return _qr_forward(A, b)[0]


by_qr.defvjp(_qr_forward, _qr_backward)

# q3


@right("nuclear_norm_gradient", "SciPy's SVD, gesvd")
def scipy_svd(W):
    U, _, Vt = scipy.linalg.svd(W, full_matrices=False, lapack_driver="gesvd")
    return U @ Vt


@right("nuclear_norm_gradient", "full factors, cut")
def cut(W):
    m, n = np.shape(W)
    k = min(m, n)
    U, _, Vh = np.linalg.svd(W, full_matrices=True)
    return (U[:, :k] @ Vh[:k, :]).tolist()


@right("nuclear_norm_gradient", "singular values that are zero are left out, relatively")
def without_zeros(W):
    U, s, Vt = jnp.linalg.svd(jnp.asarray(W), full_matrices=False)
    keep = s > 1e-13 * s[0] * max(W.shape)
    return (U * jnp.where(keep, 1.0, 0.0)) @ Vt


@right("nuclear_norm_gradient", "SciPy's polar decomposition")
def polar(W):
    m, n = W.shape
    return scipy.linalg.polar(W)[0] if m >= n else scipy.linalg.polar(W.T)[0].T


@right("nuclear_norm_gradient", "a sum of outer products")
def outer_products(W):
    U, _, Vt = np.linalg.svd(W, full_matrices=False)
    return functools.reduce(np.add, (np.outer(u, v) for u, v in zip(U.T, Vt, strict=True)))


# q4


@right("numerical_gradient", "np.nditer over a copy that is changed and put back")
def nditer(f, x):
    x = np.array(x, dtype=np.float64)
    gradient = np.empty_like(x)
    walk = np.nditer(x, flags=["multi_index"], op_flags=[["readwrite"]])
    for _ in walk:
        i = walk.multi_index
        here = x[i]
        h = 6e-6 * max(1.0, abs(here))
        x[i] = here + h
        above, high = float(f(x.copy())), x[i]
        x[i] = here - h
        below, low = float(f(x.copy())), x[i]
        x[i] = here
        gradient[i] = (above - below) / (high - low)
    return gradient


@right("numerical_gradient", "four points, of fourth order")
def four_points(f, x):
    x = np.asarray(x, dtype=float)
    h = 1e-3 * np.maximum(1.0, np.abs(x))
    result = np.zeros(x.size)
    for k in range(x.size):
        e = np.zeros(x.size)
        e[k] = h.flat[k]
        e = e.reshape(x.shape)
        result[k] = (8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e))) / (12 * h.flat[k])
    return result.reshape(x.shape)


@right("numerical_gradient", "Richardson's extrapolation in a closure")
def richardson(f, x):
    def central(i, h):
        e = np.zeros_like(x, dtype=float)
        e[i] = h
        return (f(x + e) - f(x - e)) / (2 * h)

    def entry(i):
        h = 2e-3 * max(1.0, abs(float(x[i])))
        return (4 * central(i, h / 2) - central(i, h)) / 3

    return np.array([entry(i) for i in np.ndindex(np.shape(x))]).reshape(np.shape(x))


@right("numerical_gradient", "a list for a vector, nested lists for a matrix")
def lists(f, x):
    return nditer(f, x).tolist()


@right("check_gradient", "np.allclose without its absolute part, scaled by the largest entry")
def largest_entry(f, grad_f, x):
    g = np.asarray(grad_f(x), dtype=float)
    if g.shape != np.shape(x) or not np.isfinite(g).all():
        return False
    n = nditer(f, x)
    return bool(np.max(np.abs(g - n), initial=0.0) <= 1e-5 * np.max(np.abs(n), initial=0.0))


@right("check_gradient", "NumPy's bool, all entries against the norm")
def numpy_bool(f, grad_f, x):
    g, n = np.array(grad_f(np.array(x))), four_points(f, x)
    return np.bool_(g.shape == n.shape) and np.all(np.abs(g - n) < 1e-6 * np.linalg.norm(n))


# q5


def _parts(U, s, Vt, U_bar, Vt_bar):
    difference = s[:, None] - s[None, :]
    total = s[:, None] + s[None, :]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        F = -np.where(difference == 0, 0.0, 1 / np.where(difference == 0, 1.0, difference) / total)
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    return F, P - P.T, Q - Q.T


@right("svd_vjp", "differences times sums, NumPy, term by term")
def term_by_term(U, s, Vt, U_bar, s_bar, Vt_bar):
    F, P, Q = _parts(U, s, Vt, U_bar, Vt_bar)
    W_bar = U @ ((F * P) * s + np.diag(s_bar) + s[:, None] * (F * Q)) @ Vt
    m, n = len(U), Vt.shape[1]
    if m > n:
        W_bar += (np.eye(m) - U @ U.T) @ (U_bar / s) @ Vt
    if n > m:
        W_bar += (U / s) @ Vt_bar @ (np.eye(n) - Vt.T @ Vt)
    return W_bar


@right("svd_vjp", "scaled by the largest singular value first, under jit")
@jax.jit
def scaled_first(U, s, Vt, U_bar, s_bar, Vt_bar):
    size = jnp.max(s)
    t = s / size
    same = jnp.eye(len(t), dtype=bool)
    F = jnp.where(same, 0.0, 1 / jnp.where(same, 1.0, (t[None, :] - t[:, None]) * (t[None, :] + t[:, None])))
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    middle = (F * (P - P.T)) @ jnp.diag(t) + jnp.diag(t) @ (F * (Q - Q.T))
    outside = ((U_bar - U @ P) / t) @ Vt + (U / t) @ (Vt_bar - Q.T @ Vt)
    return (U @ middle @ Vt + outside) / size + U @ jnp.diag(s_bar) @ Vt


@right("svd_vjp", "the singular vectors of all pairs in a loop")
def pairs(U, s, Vt, U_bar, s_bar, Vt_bar):
    k = len(s)
    middle = np.diag(np.asarray(s_bar, dtype=float))
    for i in range(k):
        for j in range(k):
            if i != j:
                gap = (s[j] - s[i]) * (s[j] + s[i])
                p = U[:, i] @ U_bar[:, j] - U[:, j] @ U_bar[:, i]
                q = Vt[i] @ Vt_bar[j] - Vt[j] @ Vt_bar[i]
                middle[i, j] += p / gap * s[j] + s[i] * (q / gap)
    W_bar = U @ middle @ Vt
    W_bar = W_bar + ((U_bar - U @ (U.T @ U_bar)) @ np.diag(1 / s)) @ Vt
    return W_bar + U @ (np.diag(1 / s) @ (Vt_bar - (Vt_bar @ Vt.T) @ Vt))
