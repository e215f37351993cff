"""Wrong solutions of `matrix_gradients`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np

from wrong_solutions import Collection
from wrong_solutions.matrix_gradients import central, lu_forward, outer, quotient, rule, solved, svd_rule

WRONG = Collection()
wrong = WRONG.wrong


@wrong("linear_solve_vjp", "a regularisation of 1e-10 times the largest entry")
def a_little_on_the_diagonal(A, b, x_bar):
    M = jnp.asarray(A) + 1e-10 * jnp.max(jnp.abs(A)) * jnp.eye(len(A))
    x, y = solved(M, b, x_bar)
    return -outer(y, x), y


@wrong("linear_solve_vjp", "b_bar is the solution with a minus sign, too")
def both_negative(A, b, x_bar):
    x, y = np.linalg.solve(A, b), -np.linalg.solve(A.T, x_bar)
    return (np.outer(y, x) if np.ndim(y) == 1 else y @ x.T), y


@wrong("linear_solve_vjp", "32-bit factors, refined once")
def refined(A, b, x_bar):
    factors = jsl.lu_factor(jnp.asarray(A, dtype=jnp.float32))

    def solve(right, trans):
        M = A.T if trans else A
        first = jsl.lu_solve(factors, jnp.asarray(right, dtype=jnp.float32), trans=trans).astype(jnp.float64)
        rest = jnp.asarray(right) - M @ first
        return first + jsl.lu_solve(factors, rest.astype(jnp.float32), trans=trans)

    x, y = solve(b, 0), solve(x_bar, 1)
    return -outer(y, x), y


@wrong("linear_solve", "stop_gradient round what is kept", "rule_that_stops")
def _(A, b):
    def backward(kept, x_bar):
        (lu, pivots), x = kept
        lu, x = jax.lax.stop_gradient((lu, x))
        y = jsl.lu_solve((lu, pivots), x_bar, trans=1)
        return -outer(y, x), y

    return rule(lu_forward, backward)(A, b)


@wrong("nuclear_norm_gradient", "Sigma + 1e-10 is divided out of W")
def divided_out(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return (U * (s / (s + 1e-10))) @ Vt


@wrong("nuclear_norm_gradient", "half of U V^T")
def half_of_it(W):
    U, _, Vt = jnp.linalg.svd(jnp.asarray(W), full_matrices=False)
    return 0.5 * U @ Vt


wrong("numerical_gradient", "central with the root of eps, scaled", "root_of_eps")(
    quotient(lambda x: 1.5e-8 * max(1, abs(x)))
)


@wrong("check_gradient", "an absolute bound of 1e-4 on the length of the error")
def absolute_length(f, grad_f, x):
    g = np.asarray(grad_f(x), dtype=float)
    if g.shape != np.shape(x) or not np.isfinite(g).all():
        return False
    return bool(np.linalg.norm(g - central(f, x)) <= 1e-4)


@wrong("check_gradient", "one entry in agreement is enough: any in place of all")
def any_for_all(f, grad_f, x):
    g = np.asarray(grad_f(x), dtype=float)
    if g.shape != np.shape(x) or not np.isfinite(g).all():
        return False
    n = central(f, x)
    return bool((np.abs(g - n) <= 1e-6 * np.linalg.norm(n)).any())


@wrong("check_gradient", "the differences are not taken absolutely")
def without_abs(f, grad_f, x):
    g = np.asarray(grad_f(x), dtype=float)
    if g.shape != np.shape(x) or not np.isfinite(g).all():
        return False
    n = central(f, x)
    return bool(np.max(g - n) <= 1e-6 * max(np.linalg.norm(n), 1e-300))


@wrong("check_gradient", "three per cent of the largest entry are allowed")
def three_per_cent(f, grad_f, x):
    g = np.asarray(grad_f(x), dtype=float)
    if g.shape != np.shape(x) or not np.isfinite(g).all():
        return False
    n = central(f, x)
    return bool(np.abs(g - n).max(initial=0) <= 0.03 * np.abs(n).max(initial=0))


@wrong("svd_vjp", "plus in place of minus: F o (X + X^T)")
def symmetric_parts(*a):
    def F(s):
        gaps = s[None, :] ** 2 - s[:, None] ** 2
        np.fill_diagonal(gaps, np.inf)
        return 1 / gaps

    U, s, Vt, U_bar, s_bar, Vt_bar = a
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    left = U @ (F(s) * (P + P.T) * s) + (U_bar - U @ P) / s
    right = s[:, None] * (F(s) * (Q + Q.T)) @ Vt + (Vt_bar - Q.T @ Vt) / s[:, None]
    return left @ Vt + (U * s_bar) @ Vt + U @ right


@wrong("svd_vjp", "the diagonal of F is not set to zero")
def diagonal_of_F(*a):
    with np.errstate(all="ignore"):
        return svd_rule(*a, F=lambda s: 1 / (s[None, :] ** 2 - s[:, None] ** 2))
