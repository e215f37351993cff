"""Wrong solutions of `matrix_gradients`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np

from wrong_solutions import Collection
from wrong_solutions.matrix_gradients import outer, quotient, rule, solved, svd_rule

WRONG = Collection()
wrong = WRONG.wrong


@wrong("linear_solve_vjp", "A_bar is made of x_bar and b")
def of_x_bar_and_b(A, b, x_bar):
    _, y = solved(A, b, x_bar)
    return -outer(jnp.asarray(x_bar), jnp.asarray(b)), y


@wrong("linear_solve_vjp", "A_bar is twice what it should be")
def twice(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    return -2 * outer(y, x), y


@wrong("linear_solve_vjp", "a regularisation of 1e-8 on the diagonal, with NumPy")
def tikhonov(A, b, x_bar):
    M = np.array(A)
    M[np.diag_indices(len(M))] += 1e-8
    x, y = np.linalg.solve(M, b), np.linalg.solve(M.T, x_bar)
    return -(np.outer(y, x) if x.ndim == 1 else y @ x.T), y


@wrong("linear_solve_vjp", "x is returned for b_bar")
def x_returned(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    return -outer(y, x), x


@wrong("linear_solve_vjp", "the columns are added up before the outer product")
def sums_first(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    return (-jnp.outer(y, x) if x.ndim == 1 else -jnp.outer(y.sum(1), x.sum(1))), y


def forward(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, (factors, x)


wrong("linear_solve", "A gets no cotangent", "zero_for_A")(
    rule(forward, lambda r, x_bar: (jnp.zeros_like(r[0][0]), jsl.lu_solve(r[0], x_bar, trans=1)))
)


@wrong("nuclear_norm_gradient", "U S^-1 V^T: the pseudo-inverse, transposed")
def pseudo_inverse(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return U / s @ Vt if s[-1] > 1e-12 * s[0] else np.linalg.pinv(W).T


@wrong("nuclear_norm_gradient", "small singular values are cut at one per cent of the largest")
def one_per_cent(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    k = s > 0.01 * s[0]
    return U[:, k] @ Vt[k]


wrong("numerical_gradient", "central with a step of 1e-12", "picostep")(quotient(lambda x: 1e-12))
wrong("numerical_gradient", "central with a step of 0.05 max(1, |x|)", "huge_step")(
    quotient(lambda x: 0.05 * max(1, abs(x)))
)
wrong("numerical_gradient", "one-sided, backwards, with a step of 1e-6", "backward_difference")(
    quotient(lambda x: -1e-6 * max(1, abs(x)), central=False)
)


@wrong("check_gradient", "only the last entry is compared")
def last_entry(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), quotient(lambda t: 6e-6 * max(1, abs(t)))(f, x)
    return g.shape == n.shape and bool(abs(g.ravel()[-1] - n.ravel()[-1]) <= 1e-6 * np.linalg.norm(n))


@wrong("check_gradient", "the sums of the entries are compared")
def sums(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), quotient(lambda t: 6e-6 * max(1, abs(t)))(f, x)
    return g.shape == n.shape and bool(abs(g.sum() - n.sum()) <= 1e-5 * abs(n).sum())


@wrong("check_gradient", "ten per cent are allowed")
def ten_per_cent(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), quotient(lambda t: 6e-6 * max(1, abs(t)))(f, x)
    return g.shape == n.shape and bool(np.linalg.norm(g - n) < 0.1 * np.linalg.norm(n))


@wrong("svd_vjp", "S^-1 is missing in the outer parts")
def without_inverse(U, s, Vt, U_bar, s_bar, Vt_bar):
    inner = svd_rule(U, s, Vt, U_bar, s_bar, Vt_bar, u_out=0.0, v_out=0.0)
    V, V_bar = Vt.T, Vt_bar.T
    return inner + (U_bar - U @ (U.T @ U_bar)) @ Vt + U @ (V_bar - V @ (V.T @ V_bar)).T


@wrong("svd_vjp", "F is halved")
def half_F(*a):
    def F(s):
        gaps = s[None, :] ** 2 - s[:, None] ** 2
        np.fill_diagonal(gaps, np.inf)
        return 0.5 / gaps

    return svd_rule(*a, F=F)
