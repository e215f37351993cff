"""Solutions of `matrix_gradients` as students write them: right but unlike the reference, and wrong but subtly."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import scipy.linalg as sla

RIGHT = {}
"""{(function, description): (points, implementation)}; each earns all points, a NumPy q1 all but those for work."""
WRONG = {}
"""{(function, description): implementation}; each loses points."""
HONEST = {}
"""{description: a `linear_solve_vjp`} with both answers wrong, by honest mistakes that leave the work what it is."""
NONSENSE = {}
"""{description: a `linear_solve_vjp`} with the right work, and an answer that it is no part of."""


def right(name, what, points):
    return lambda function: RIGHT.setdefault((name, what), (points, function))


def wrong(name, what):
    return lambda function: WRONG.setdefault((name, what), function)


# q1


@right("linear_solve_vjp", "by QR, in a list", 8)
def _(A, b, x_bar):
    Q, R = jnp.linalg.qr(A)
    x = jsl.solve_triangular(R, Q.T @ b)
    b_bar = Q @ jsl.solve_triangular(R, x_bar, trans="T")
    return [-jnp.einsum("i...,j...->ij", b_bar, x), b_bar]


@right("linear_solve_vjp", "by the factors P, L, U, under jit", 8)
@jax.jit
def _(A, b, x_bar):
    P, L, U = jsl.lu(A)
    x = jsl.solve_triangular(U, jsl.solve_triangular(L, P.T @ b, lower=True, unit_diagonal=True))
    b_bar = P @ jsl.solve_triangular(L.T, jsl.solve_triangular(U.T, x_bar, lower=True), lower=False)
    return -b_bar.reshape(len(A), -1) @ x.reshape(len(A), -1).T, b_bar


@right("linear_solve_vjp", "with vectors made into matrices, loops over columns", 8)
def _(A, b, x_bar):
    factors = jsl.lu_factor(jnp.asarray(A))
    B, X_bar = jnp.asarray(b).reshape(len(A), -1), jnp.asarray(x_bar).reshape(len(A), -1)
    A_bar, columns = 0.0, []
    for j in range(B.shape[1]):
        x, y = jsl.lu_solve(factors, B[:, j]), jsl.lu_solve(factors, X_bar[:, j], 1)
        A_bar = A_bar - jnp.outer(y, x)
        columns.append(y)
    return A_bar, jnp.stack(columns, axis=1).reshape(b.shape)


@right("linear_solve_vjp", "by the factors of the transpose", 8)
def _(A, b, x_bar):
    factors = jsl.lu_factor(A.T)
    x, b_bar = jsl.lu_solve(factors, b, trans=1), jsl.lu_solve(factors, x_bar)
    return (-jnp.outer(b_bar, x) if b.ndim == 1 else -jnp.tensordot(b_bar, x, axes=[[1], [1]])), b_bar


@right("linear_solve_vjp", "by QR with pivoting", 8)
def _(A, b, x_bar):
    A, b, x_bar = jnp.asarray(A), jnp.asarray(b), jnp.asarray(x_bar)
    factors: Any = jsl.qr(A, pivoting=True)  # two or three arrays: which it is, its type does not say
    Q, R, columns = factors
    x = jnp.zeros_like(b).at[columns].set(jsl.solve_triangular(R, Q.T @ b))
    b_bar = Q @ jsl.solve_triangular(R, x_bar[columns], trans="T")
    return -jnp.einsum("i...,j...->ij", b_bar, x), b_bar


@right("linear_solve_vjp", "refined ten times", 8)
def _(A, b, x_bar):
    A, b, x_bar = jnp.asarray(A), jnp.asarray(b), jnp.asarray(x_bar)
    factors = jsl.lu_factor(A)

    def refined(matrix, right, trans):
        def turn(_, y):
            return y + jsl.lu_solve(factors, right - matrix @ y, trans=trans)

        return jax.lax.fori_loop(0, 10, turn, jsl.lu_solve(factors, right, trans=trans))

    x, b_bar = refined(A, b, 0), refined(A.T, x_bar, 1)
    return -jnp.einsum("i...,j...->ij", b_bar, x), b_bar


def _substituted(T, right, lower):
    """T^-1 right for a triangular T, row by row."""
    n = len(T)

    def row(k, y):
        i = k if lower else n - 1 - k
        return y.at[i].set((right[i] - T[i] @ y) / T[i, i])

    return jax.lax.fori_loop(0, n, row, jnp.zeros_like(right))


@right("linear_solve_vjp", "by the factors P, L, U, substitution by hand", 8)
def _(A, b, x_bar):
    P, L, U = jsl.lu(jnp.asarray(A))
    x = _substituted(U, _substituted(L, P.T @ b, lower=True), lower=False)
    b_bar = P @ _substituted(L.T, _substituted(U.T, jnp.asarray(x_bar), lower=True), lower=False)
    return -jnp.einsum("i...,j...->ij", b_bar, x), b_bar


@right("linear_solve_vjp", "by elimination with NumPy, written into copies", 6)
def _(A, b, x_bar):
    def solved(matrix, right):
        matrix, y = matrix.copy(), right.copy()
        for k in range(len(matrix)):
            p = k + int(np.argmax(np.abs(matrix[k:, k])))
            matrix[[k, p]], y[[k, p]] = matrix[[p, k]], y[[p, k]]
            for i in range(k + 1, len(matrix)):
                factor = matrix[i, k] / matrix[k, k]
                matrix[i] -= factor * matrix[k]
                y[i] -= factor * y[k]
        for k in reversed(range(len(matrix))):
            y[k] = (y[k] - matrix[k, k + 1 :] @ y[k + 1 :]) / matrix[k, k]
        return y

    x, b_bar = solved(A, b), solved(A.T, x_bar)
    return (-np.outer(b_bar, x) if b.ndim == 1 else -b_bar @ x.T), b_bar


@right("linear_solve_vjp", "with NumPy", 6)
def _(A, b, x_bar):
    x, b_bar = np.linalg.solve(A, b), np.linalg.solve(A.T, x_bar)
    return (-np.outer(b_bar, x) if b.ndim == 1 else -b_bar @ x.T), b_bar


@right("linear_solve_vjp", "with SciPy, as lists of lists", 6)
def _(A, b, x_bar):
    factors = sla.lu_factor(A)
    x, b_bar = sla.lu_solve(factors, b), sla.lu_solve(factors, x_bar, trans=1)
    A_bar = -np.outer(b_bar, x) if b.ndim == 1 else -b_bar @ x.T
    return A_bar.tolist(), b_bar.tolist()


@wrong("linear_solve_vjp", "A_bar symmetrised")
def _(A, b, x_bar):
    factors = jsl.lu_factor(A)
    x, b_bar = jsl.lu_solve(factors, b), jsl.lu_solve(factors, x_bar, trans=1)
    A_bar = -(jnp.outer(b_bar, x) if b.ndim == 1 else b_bar @ x.T)
    return (A_bar + A_bar.T) / 2, b_bar


@wrong("linear_solve_vjp", "the cotangents multiplied entry by entry")
def _(A, b, x_bar):
    factors = jsl.lu_factor(A)
    x, b_bar = jsl.lu_solve(factors, b), jsl.lu_solve(factors, x_bar, trans=1)
    return -(b_bar * x), b_bar


@wrong("linear_solve_vjp", "block system twice as large")
def _(A, b, x_bar):
    n = len(A)
    big = jnp.block([[A, jnp.zeros((n, n))], [jnp.zeros((n, n)), A.T]])
    both = jnp.linalg.solve(big, jnp.concatenate([b, x_bar]))
    x, b_bar = both[:n], both[n:]
    return -(jnp.outer(b_bar, x) if b.ndim == 1 else b_bar @ x.T), b_bar


@wrong("linear_solve_vjp", "inverse by hand from the factors P, L, U")
def _(A, b, x_bar):
    P, L, U = jsl.lu(jnp.asarray(A))
    inverse = _substituted(U, _substituted(L, P.T, lower=True), lower=False)
    x, b_bar = inverse @ b, inverse.T @ x_bar
    return -jnp.einsum("i...,j...->ij", b_bar, x), b_bar


@wrong("linear_solve_vjp", "Cholesky of the normal equations")
def _(A, b, x_bar):
    factor = jsl.cho_factor(A.T @ A)
    x, b_bar = jsl.cho_solve(factor, A.T @ b), A @ jsl.cho_solve(factor, jnp.asarray(x_bar))
    return -jnp.einsum("i...,j...->ij", b_bar, x), b_bar


@wrong("linear_solve_vjp", "A and its transpose factorised in one batch")
def _(A, b, x_bar):
    x, b_bar = jax.vmap(jnp.linalg.solve)(jnp.stack([A, A.T]), jnp.stack([b, x_bar]))
    return -jnp.einsum("i...,j...->ij", b_bar, x), b_bar


@wrong("linear_solve_vjp", "pseudo-inverse")
def _(A, b, x_bar):
    inverse = jnp.linalg.pinv(A)
    x, b_bar = inverse @ b, inverse.T @ x_bar
    return -(jnp.outer(b_bar, x) if b.ndim == 1 else b_bar @ x.T), b_bar


def _products(b_bar, x):
    return -jnp.einsum("i...,j...->ij", b_bar, x), b_bar


def _factors(A):
    P, L, U = jsl.lu(jnp.asarray(A))

    def solve(right):
        return jsl.solve_triangular(U, jsl.solve_triangular(L, right, lower=True))

    def solve_transposed(right):
        return jsl.solve_triangular(L, jsl.solve_triangular(U, right, trans=1), lower=True, trans=1)

    return P, solve, solve_transposed


def _permutation_forgotten(A, b, x_bar):
    _, solve, solve_transposed = _factors(A)
    return _products(solve_transposed(x_bar), solve(b))


def _permutation_transposed(A, b, x_bar):
    P, solve, solve_transposed = _factors(A)
    return _products(P.T @ solve_transposed(x_bar), solve(P @ b))


def _orthogonal_factor_forgotten(A, b, x_bar):
    _, R = jnp.linalg.qr(A)
    return _products(jsl.solve_triangular(R, x_bar, trans=1), jsl.solve_triangular(R, jnp.asarray(b)))


def _orthogonal_factor_transposed(A, b, x_bar):
    Q, R = jnp.linalg.qr(A)
    return _products(Q.T @ jsl.solve_triangular(R, x_bar, trans=1), jsl.solve_triangular(R, Q @ b))


def _both_wrong(change):
    def linear_solve_vjp(A, b, x_bar):
        factors = jsl.lu_factor(A)
        return change(b, x_bar, jsl.lu_solve(factors, b), jsl.lu_solve(factors, x_bar, trans=1))

    return linear_solve_vjp


def _in_single_precision(A, b, x_bar):
    A, b, x_bar = (jnp.asarray(array, dtype=jnp.float32) for array in (A, b, x_bar))
    factors = jsl.lu_factor(A)
    return _products(jsl.lu_solve(factors, x_bar), jsl.lu_solve(factors, b, trans=1))


def _with_ones(A, b, x_bar):
    factors = jsl.lu_factor(A)
    b_bar = jsl.lu_solve(factors, jnp.ones_like(x_bar), trans=1)
    return _products(b_bar, b)[0], 2 * b_bar


HONEST["the permutation of the LU forgotten"] = _permutation_forgotten
HONEST["the permutation of the LU transposed"] = _permutation_transposed
HONEST["the orthogonal factor forgotten"] = _orthogonal_factor_forgotten
HONEST["the orthogonal factor transposed"] = _orthogonal_factor_transposed
HONEST["A and its transpose exchanged, in single precision"] = _in_single_precision
HONEST["a cotangent of ones, and twice"] = _with_ones
HONEST["minus, and an A_bar symmetrised"] = _both_wrong(
    lambda b, x_bar, x, b_bar: (0.5 * (_products(b_bar, x)[0] + _products(x, b_bar)[0]), -b_bar)
)
HONEST["x_bar for b_bar"] = _both_wrong(lambda b, x_bar, x, b_bar: (-_products(x_bar, x)[0], jnp.asarray(x_bar)))
HONEST["A_bar alone, of the wrong sign"] = _both_wrong(lambda b, x_bar, x, b_bar: -_products(b_bar, x)[0])
HONEST["one row, one column"] = _both_wrong(lambda b, x_bar, x, b_bar: (x[None, :], -b_bar[:, None]))

NONSENSE["zeros"] = _both_wrong(lambda b, x_bar, x, b_bar: (0 * _products(b_bar, x)[0], 0 * b_bar))
NONSENSE["constants"] = _both_wrong(
    lambda b, x_bar, x, b_bar: (
        1 + 0 * _products(b_bar, x)[0],
        jnp.arange(1.0, b.size + 1).reshape(b.shape) + 0 * b_bar,
    )
)
NONSENSE["the arguments"] = _both_wrong(lambda b, x_bar, x, b_bar: (-_products(x_bar, b)[0], x_bar + 0 * b_bar))
NONSENSE["the length of the solution"] = _both_wrong(
    lambda b, x_bar, x, b_bar: (jnp.sum(x**2) * _products(x_bar, b)[0], jnp.sum(b_bar) * x_bar)
)
NONSENSE["NaN"] = _both_wrong(lambda b, x_bar, x, b_bar: (jnp.nan * _products(b_bar, x)[0], jnp.nan * b_bar))
NONSENSE["a random matrix"] = _both_wrong(
    lambda b, x_bar, x, b_bar: (
        np.random.default_rng(0).standard_normal((len(b), len(b))) + 0 * jnp.sum(x),
        np.random.default_rng(1).standard_normal(b.shape) + 0 * b_bar,
    )
)


# q2


def with_rule(of_x=lambda x, b: x, of_cotangents=lambda A_bar, b_bar, x_bar: (A_bar, b_bar)):
    """A solve whose rule does the right work, and answers what these two functions make of the right answers."""

    def forward(A, b):
        factors = jsl.lu_factor(A)
        x = jsl.lu_solve(factors, b)
        return of_x(x, b), (factors, x)

    def backward(kept, x_bar):
        factors, x = kept
        b_bar = jsl.lu_solve(factors, x_bar, trans=1)
        return of_cotangents(-_outer(b_bar, x), b_bar, x_bar)

    @jax.custom_vjp
    def solve(A, b):
        return forward(A, b)[0]

    solve.defvjp(forward, backward)
    return solve


def _outer(u, v):
    return jnp.outer(u, v) if u.ndim == 1 else u @ v.T


def _custom(forward, backward, wrap=lambda f: f):
    @jax.custom_vjp
    def solve(A, b):
        return forward(A, b)[0]

    solve.defvjp(forward, backward)
    return wrap(solve)


def _qr_forward(A, b):
    Q, R = jnp.linalg.qr(A)
    x = jsl.solve_triangular(R, Q.T @ b)
    return x, (Q, R, x)


def _qr_backward(kept, x_bar):
    Q, R, x = kept
    b_bar = Q @ jsl.solve_triangular(R, x_bar, trans="T")
    return [-_outer(b_bar, x), b_bar]


def _lu_forward(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, {"factors": factors, "x": x, "A": A}


def _lu_backward(kept, x_bar):
    b_bar = jsl.lu_solve(kept["factors"], x_bar, trans=1)
    return -_outer(b_bar, kept["x"]), b_bar


def _tuple_backward(kept, x_bar):
    return tuple(_qr_backward(kept, x_bar))


def _substituting_forward(A, b):
    Q, R = jnp.linalg.qr(A)
    return _substituted_scan(R, Q.T @ b), (Q, R, _substituted_scan(R, Q.T @ b))


def _substituted_scan(R, right):
    """R^-1 right for an upper triangular R; a scan, which JAX can differentiate in reverse."""

    def row(y, i):
        return y.at[i].set((right[i] - R[i] @ y) / R[i, i]), None

    return jax.lax.scan(row, jnp.zeros_like(right), jnp.arange(len(R))[::-1])[0]


@jax.custom_gradient
def _with_custom_gradient(A, b):
    x, kept = _lu_forward(A, b)
    return x, lambda x_bar: _lu_backward(kept, x_bar)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _with_a_static_argument(A, b, way):
    return _static_forward(A, b, way)[0]


def _static_forward(A, b, way):
    return _lu_forward(A, b) if way == "lu" else _qr_forward(A, b)


def _static_backward(way, kept, x_bar):
    return _lu_backward(kept, x_bar) if way == "lu" else _tuple_backward(kept, x_bar)


_with_a_static_argument.defvjp(_static_forward, _static_backward)

RIGHT["linear_solve", "with custom_gradient"] = 6, _with_custom_gradient
RIGHT["linear_solve", "with nondiff_argnums"] = 6, lambda A, b: _with_a_static_argument(A, b, "lu")
RIGHT["linear_solve", "by QR, substitution by hand"] = 6, _custom(_substituting_forward, _tuple_backward)
RIGHT["linear_solve", "by QR"] = 6, _custom(_qr_forward, _tuple_backward)
RIGHT["linear_solve", "under jit, residuals in a dictionary"] = 6, _custom(_lu_forward, _lu_backward, jax.jit)
RIGHT["linear_solve", "the rule within a plain function"] = (
    6,
    lambda A, b: _custom(_lu_forward, _lu_backward)(jnp.asarray(A), jnp.asarray(b)),
)
WRONG["linear_solve", "NumPy"] = np.linalg.solve
WRONG["linear_solve", "A_bar of the wrong sign for matrices only"] = _custom(
    _lu_forward,
    lambda kept, x_bar: (
        (1 if x_bar.ndim == 2 else -1) * _outer(jsl.lu_solve(kept["factors"], x_bar, trans=1), kept["x"]),
        jsl.lu_solve(kept["factors"], x_bar, trans=1),
    ),
)

# q3


@right("nuclear_norm_gradient", "NumPy, full factors cut", 8)
def _(W):
    U, s, Vt = np.linalg.svd(W)
    k = len(s)
    return U[:, :k] @ Vt[:k]


@right("nuclear_norm_gradient", "cut at the numerical rank", 8)
def _(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    keep = s > s[0] * max(W.shape) * np.finfo(float).eps
    return (U[:, keep] @ Vt[keep]).tolist()


@right("nuclear_norm_gradient", "the polar factor of SciPy", 8)
def _(W):
    return sla.polar(W)[0]


@right("nuclear_norm_gradient", "zero at zero, scaled first", 8)
def _(W):
    W = jnp.asarray(W)
    size = jnp.max(jnp.abs(W))
    if size == 0:
        return 0.3 * jnp.eye(W.shape[0], W.shape[1])
    U, _, Vt = jnp.linalg.svd(W / size, full_matrices=False)
    return jnp.einsum("ik,kj->ij", U, Vt)


@right("nuclear_norm_gradient", "another subgradient at kinks", 8)
def _(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    weight = np.where(s > 1e-12 * s[0], 1.0, -0.5)
    return (U * weight) @ Vt


@right("nuclear_norm_gradient", "by eigenvectors of W^T W, on the shorter side", 8)
def _(W):
    if W.shape[0] < W.shape[1]:
        return RIGHT["nuclear_norm_gradient", "by eigenvectors of W^T W, on the shorter side"][1](W.T).T
    W = W / max(np.abs(W).max(), 1e-300)
    eigenvalues, V = np.linalg.eigh(W.T @ W)
    keep = eigenvalues > 1e-13 * eigenvalues[-1]
    return W @ (V[:, keep] / np.sqrt(eigenvalues[keep])) @ V[:, keep].T


@right("nuclear_norm_gradient", "by Newton-Schulz, to the end", 8)
def _(W):
    W = jnp.asarray(W)
    largest = jnp.max(jnp.abs(W))
    X = W / jnp.where(largest > 0, largest, 1.0)
    X = X / jnp.where(largest > 0, jnp.linalg.norm(X), 1.0)
    return jax.lax.fori_loop(0, 80, lambda _, X: 1.5 * X - 0.5 * X @ (X.T @ X), X)


@wrong("nuclear_norm_gradient", "cut at a hundredth of the largest singular value")
def _(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    keep = s > 1e-2 * s[0]
    return U[:, keep] @ Vt[keep]


@wrong("nuclear_norm_gradient", "cut at rank one")
def _(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return np.outer(U[:, 0], Vt[0]) if s[-1] < 1e-9 else U @ Vt


@wrong("nuclear_norm_gradient", "twice at kinks")
def _(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return (U * np.where(s < 1e-12, 2.0, 1.0)) @ Vt


@wrong("nuclear_norm_gradient", "Newton-Schulz, stopped early")
def _(W):
    X = np.asarray(W) / max(np.linalg.norm(W), 1e-300)
    for _ in range(5):
        X = 1.5 * X - 0.5 * X @ X.T @ X
    return X


# q4


@right("numerical_gradient", "in a flat loop, of JAX arrays", 7)
def _(f, x):
    shape = jnp.shape(x)
    flat = jnp.asarray(x).ravel()
    entries = []
    for i in range(flat.size):
        h = 6e-6 * max(1.0, abs(float(flat[i])))
        above, below = flat.at[i].add(h).reshape(shape), flat.at[i].add(-h).reshape(shape)
        entries.append((f(above) - f(below)) / (2 * h))
    return jnp.stack(entries).reshape(shape)


@right("numerical_gradient", "with five points, as nested lists", 7)
def _(f, x):
    x = np.array(x, dtype=float)
    gradient = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        h = 3e-4 * (1 + abs(x[i]))
        step = np.zeros(x.shape)
        step[i] = h
        near, far = f(x + step) - f(x - step), f(x + 2 * step) - f(x - 2 * step)
        gradient[i] = (8 * near - far) / (12 * h)
    return gradient.tolist()


@right("numerical_gradient", "with a copy that is changed and changed back", 7)
def _(f, x):
    x = np.array(x, dtype=float)
    g = np.empty(x.shape)
    it = np.nditer(x, flags=["multi_index"])
    for entry in it:
        i, old = it.multi_index, float(np.asarray(entry))
        h = 1e-5 * max(1.0, abs(old))
        x[i] = old + h
        above = float(f(x))
        x[i] = old - h
        below = float(f(x))
        x[i] = old
        g[i] = (above - below) / (2 * h)
    return g


@right("numerical_gradient", "by vmap over the steps", 7)
def _(f, x):
    x = jnp.asarray(x)
    h = jnp.cbrt(jnp.finfo(float).eps) * jnp.maximum(1.0, jnp.abs(x)).ravel()
    steps = jnp.diag(h).reshape(-1, *x.shape)
    return (jax.vmap(f)(x + steps) - jax.vmap(f)(x - steps)).reshape(x.shape) / (2 * h.reshape(x.shape))


@wrong("numerical_gradient", "the argument changed")
def _(f, x):
    g = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        h = 6e-6 * max(1.0, abs(x[i]))
        x[i] += h
        above = float(f(x))
        x[i] -= 2 * h
        g[i] = (above - float(f(x))) / (2 * h)
        x[i] += h
    return g


@wrong("numerical_gradient", "in 32 bits")
def _(f, x):
    x = jnp.asarray(x, dtype=jnp.float32)
    g = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        h = 5e-3 * max(1.0, abs(float(x[i])))
        g[i] = (float(f(x.at[i].add(h))) - float(f(x.at[i].add(-h)))) / (2 * h)
    return g


@right("check_gradient", "along random directions", 7)
def _(f, grad_f, x):
    x = np.array(x, dtype=float)
    g = np.asarray(grad_f(x))
    if g.shape != x.shape:
        return np.bool_(False)
    scale = np.maximum(1.0, np.abs(x))
    random = np.random.default_rng(0)
    for _ in range(5):
        v = random.standard_normal(x.shape) * scale
        slope = (float(f(x + 6e-6 * v)) - float(f(x - 6e-6 * v))) / 1.2e-5
        if not abs(slope - np.sum(g * v)) <= 1e-5 * np.sqrt(np.sum((g * v) ** 2)):
            return np.bool_(False)
    return np.bool_(True)


@right("check_gradient", "entry by entry, against the largest, as a JAX array", 7)
def _(f, grad_f, x):
    x = np.array(x, dtype=float)
    g = np.asarray(grad_f(x))
    if g.shape != x.shape:
        return jnp.array(False)
    for i in np.ndindex(*x.shape):
        step = np.zeros(x.shape)
        step[i] = 6e-6 * max(1.0, abs(x[i]))
        slope = (f(x + step) - f(x - step)) / (2 * step[i])
        if not abs(slope - g[i]) <= 1e-3 * max(abs(slope), np.max(np.abs(g))):
            return jnp.array(False)
    return jnp.array(True)


@wrong("check_gradient", "entry by entry, each against itself")
def _(f, grad_f, x):
    x = np.array(x, dtype=float)
    g = np.asarray(grad_f(x))
    if g.shape != x.shape:
        return False
    for i in np.ndindex(*x.shape):
        step = np.zeros(x.shape)
        step[i] = 6e-6 * max(1.0, abs(x[i]))
        slope = (f(x + step) - f(x - step)) / (2 * step[i])
        if not abs(slope - g[i]) <= 1e-3 * abs(slope):
            return False
    return True


WRONG["check_gradient", "always True"] = lambda f, grad_f, x: True
WRONG["check_gradient", "always False"] = lambda f, grad_f, x: False
WRONG["check_gradient", "1 for True"] = lambda f, grad_f, x: 1


@wrong("check_gradient", "by the absolute values of the entries")
def _(f, grad_f, x):
    x = np.array(x, dtype=float)
    g = np.abs(np.asarray(grad_f(x)))
    if g.shape != x.shape:
        return False
    for i in np.ndindex(*x.shape):
        step = np.zeros(x.shape)
        step[i] = 6e-6 * max(1.0, abs(x[i]))
        slope = abs(float(f(x + step) - f(x - step))) / (2 * step[i])
        if not abs(slope - g[i]) <= 1e-4 * slope:
            return False
    return True


# q5


@right("svd_vjp", "in loops over pairs of singular vectors", 6)
def _(U, s, Vt, U_bar, s_bar, Vt_bar):
    V, V_bar = Vt.T, Vt_bar.T
    m, k = U.shape
    n = len(V)
    W_bar = np.zeros((m, n))
    for j in range(k):
        W_bar += s_bar[j] * np.outer(U[:, j], V[:, j])
        for i in range(k):
            if i != j:
                F = 1 / (s[j] ** 2 - s[i] ** 2)
                left, right = np.outer(U[:, i], V[:, j]), np.outer(U[:, j], V[:, i])
                W_bar += F * (U[:, i] @ U_bar[:, j]) * (s[j] * left + s[i] * right)
                W_bar += F * (V[:, i] @ V_bar[:, j]) * (s[i] * left + s[j] * right)
        W_bar += np.outer(U_bar[:, j] - U @ (U.T @ U_bar[:, j]), V[:, j]) / s[j]
        W_bar += np.outer(U[:, j], V_bar[:, j] - V @ (V.T @ V_bar[:, j])) / s[j]
    return W_bar.tolist()


@right("svd_vjp", "projectors written out, under jit", 6)
@jax.jit
def _(U, s, Vt, U_bar, s_bar, Vt_bar):
    V, V_bar, S, k = Vt.T, Vt_bar.T, jnp.diag(s), len(s)
    E = s[None, :] ** 2 - s[:, None] ** 2
    F = jnp.where(jnp.eye(k) == 1, 0.0, 1.0 / jnp.where(jnp.eye(k) == 1, 1.0, E))
    inverse = jnp.diag(1 / s)
    left = U @ (F * (U.T @ U_bar - U_bar.T @ U)) @ S + (jnp.eye(len(U)) - U @ U.T) @ U_bar @ inverse
    right = S @ (F * (V.T @ V_bar - V_bar.T @ V)) @ V.T + inverse @ V_bar.T @ (jnp.eye(len(V)) - V @ V.T)
    return left @ V.T + U @ jnp.diag(s_bar) @ V.T + U @ right


@wrong("svd_vjp", "s_bar forgotten for square matrices")
def _(U, s, Vt, U_bar, s_bar, Vt_bar):
    forgotten = 0 * s_bar if len(U) == Vt.shape[1] else s_bar
    return RIGHT["svd_vjp", "projectors written out, under jit"][1](U, s, Vt, U_bar, forgotten, Vt_bar)


@wrong("svd_vjp", "the projector forgotten for one column")
def _(U, s, Vt, U_bar, s_bar, Vt_bar):
    inside = U @ (U.T @ U_bar) if Vt.shape == (1, 1) else U_bar
    return RIGHT["svd_vjp", "projectors written out, under jit"][1](U, s, Vt, inside, s_bar, Vt_bar)


@wrong("svd_vjp", "the signs of U_bar's part")
def _(U, s, Vt, U_bar, s_bar, Vt_bar):
    return partial(RIGHT["svd_vjp", "in loops over pairs of singular vectors"][1])(U, s, Vt, -U_bar, s_bar, Vt_bar)
