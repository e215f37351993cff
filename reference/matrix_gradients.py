"""Gradients of matrix functions: the linear solve, the nuclear norm, finite differences, the SVD.

Notation: for an intermediate value v of a computation with scalar result, v_bar is the derivative of that
result by v, shaped like v; <P, Q> = tr(P^T Q) is the sum of the products of the entries. A rule for v_bar comes
out of writing the differential of the result in the form <v_bar, dv>.

Sources: M. B. Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*
(2008); G. A. Watson, *Characterization of the subdifferential of some matrix norms* (1992); J. Townsend,
*Differentiating the singular value decomposition* (2016); A. Griewank and A. Walther, *Evaluating Derivatives*
(2nd ed., 2008).
"""

# The types of what jax.numpy and jax.scipy take are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import lu_factor, lu_solve
from jax.typing import ArrayLike

if TYPE_CHECKING:
    from jaxtyping import Float, Shaped


def linear_solve_vjp(
    A: Float[ArrayLike, "n n"], b: Float[ArrayLike, "n *k"], x_bar: Float[ArrayLike, "n *k"]
) -> tuple[Float[Array, "n n"], Float[Array, "n *k"]]:
    """The cotangents (A_bar, b_bar) of x = A^-1 b, given x_bar.

    A: invertible; b and x_bar: one right-hand side, or a column each of several.

    A x = b gives dx = A^-1 (db - dA x), and so <x_bar, dx> = <A^-T x_bar, db> - <A^-T x_bar x^T, dA>
    (Giles 2008, section 2.2.3). One LU factorisation serves A and A^T.
    """
    factors = lu_factor(jnp.asarray(A))
    x = lu_solve(factors, jnp.asarray(b))
    b_bar = lu_solve(factors, jnp.asarray(x_bar), trans=1)
    return -_outer(b_bar, x), b_bar


def _outer(u: Float[Array, "m *k"], v: Float[Array, "n *k"]) -> Float[Array, "m n"]:
    """u v^T, summed over columns where u and v are matrices."""
    return jnp.outer(u, v) if u.ndim == 1 else u @ v.T


@jax.custom_vjp
def linear_solve(A: Float[Array, "n n"], b: Float[Array, "n *k"]) -> Float[Array, "n *k"]:
    """x = A^-1 b with a reverse rule of its own."""
    return lu_solve(lu_factor(A), b)


def _linear_solve_forward(A: Float[Array, "n n"], b: Float[Array, "n *k"]) -> tuple[Float[Array, "n *k"], Any]:
    """Runs the solve and keeps what the backward pass needs: the factors of A and x."""
    factors = lu_factor(A)
    x = lu_solve(factors, b)
    return x, (factors, x)


def _linear_solve_backward(kept: Any, x_bar: Float[Array, "n *k"]) -> tuple[Float[Array, "n n"], Float[Array, "n *k"]]:
    """The rule of `linear_solve_vjp`, with the factors of the forward pass."""
    factors, x = kept
    b_bar = lu_solve(factors, x_bar, trans=1)
    return -_outer(b_bar, x), b_bar


linear_solve.defvjp(_linear_solve_forward, _linear_solve_backward)


def nuclear_norm_gradient(W: Float[ArrayLike, "m n"]) -> Float[Array, "m n"]:
    """A subgradient of the nuclear norm R(W) = tr(Sigma), W = U Sigma V^T, at any real W of shape (m, n).

    G = U V^T with thin factors: dR = tr(U^T dW V) = <U V^T, dW> where W has full rank. Everywhere
    <G, W> = R(W) and ||G||_2 = 1, which makes G a subgradient (Watson 1992, theorem 2), also at W = 0.
    """
    U, _, Vt = jnp.linalg.svd(jnp.asarray(W), full_matrices=False)
    return U @ Vt


def numerical_gradient(f: Callable[[Any], Any], x: Shaped[ArrayLike, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The gradient of a scalar function of an array of any shape, by central differences.

    The step balances truncation, h^2, against rounding, eps / h: h = eps^(1/3), in units of the scale
    r_i = max(1, |x_i|) on which f is smooth. What is divided by is the step that was really made.

    ||error|| <= 1e-7 ||gradient|| if |f| <= 1000 ||gradient|| and r_i^2 |d^3 f / dx_i^3| <= 100 ||gradient||. Where f
    is right to eps, an entry errs by at most eps |f| / h = 4e-11 |f| and h^2 / 6 = 6e-12 r_i^2 |d^3 f / dx_i^3|. Over N
    entries that grows by sqrt(N); rounding is seldom at its worst, so that hundreds of entries are too many, not ten.
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        h = np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(x[i]))
        above, below = x.copy(), x.copy()
        above[i] += h
        below[i] -= h
        gradient[i] = (float(f(above)) - float(f(below))) / (above[i] - below[i])
    return gradient


def check_gradient(f: Callable[[Any], Any], grad_f: Callable[[Any], Any], x: Shaped[ArrayLike, "*shape"]) -> bool:
    """Whether grad_f(x) is the gradient of f at x: shaped like x, finite, and equal to central differences.

    The tolerance is relative to the size of the gradient, 1e-5, and a hundred times the rounding of the
    differences, eps^(2/3) |f(x)|, which is all there is where the gradient vanishes.
    """
    x = np.array(x, dtype=np.float64)
    claimed = np.asarray(grad_f(x.copy()))
    if claimed.shape != x.shape or not np.all(np.isfinite(claimed)):
        return False
    measured = numerical_gradient(f, x)
    rounding = np.finfo(np.float64).eps ** (2 / 3) * abs(float(f(x.copy())))
    error = np.linalg.norm(np.ravel(claimed - measured))
    return bool(error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding)


def svd_vjp(
    U: Float[ArrayLike, "m k"],
    s: Float[ArrayLike, " k"],
    Vt: Float[ArrayLike, "k n"],
    U_bar: Float[ArrayLike, "m k"],
    s_bar: Float[ArrayLike, " k"],
    Vt_bar: Float[ArrayLike, "k n"],
) -> Float[Array, "m n"]:
    """The cotangent W_bar of W = U diag(s) V^T, given those of its thin factors (k = min(m, n)); s: distinct, > 0.

    With P = U^T dW V and F_ij = 1 / (s_j^2 - s_i^2) off the diagonal, 0 on it, the forward rule (Townsend 2016) is

        dU = U (F o (P S + S P^T)) + (I - U U^T) dW V S^-1,    ds = diag(P),
        dV = V (F o (S P + P^T S)) + (I - V V^T) dW^T U S^-1,

    and its transpose (V_bar = Vt_bar^T)

        W_bar = [U (F o (U^T U_bar - U_bar^T U)) S + (I - U U^T) U_bar S^-1] V^T
                + U diag(s_bar) V^T
                + U [S (F o (V^T V_bar - V_bar^T V)) V^T + S^-1 V_bar^T (I - V V^T)]

    The projectors vanish where U or V is square.
    """
    U, s, Vt = jnp.asarray(U), jnp.asarray(s), jnp.asarray(Vt)
    U_bar, s_bar, Vt_bar = jnp.asarray(U_bar), jnp.asarray(s_bar), jnp.asarray(Vt_bar)
    ratio = s[:, None] / s[None, :]
    gap = (1 / ratio - ratio) * s[:, None] * s[None, :]  # s_j^2 - s_i^2
    diagonal = jnp.eye(len(s), dtype=bool)
    F = jnp.where(diagonal, 0.0, 1 / jnp.where(diagonal, 1.0, gap))
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    left = U @ (F * (P - P.T) * s) + (U_bar - U @ P) / s
    right = s[:, None] * (F * (Q - Q.T)) @ Vt + (Vt_bar - Q.T @ Vt) / s[:, None]
    return left @ Vt + (U * s_bar) @ Vt + U @ right
