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
from wrong_solutions.matrix_gradients import outer, rule, solved, svd_rule

WRONG = Collection()
wrong = WRONG.wrong


def times(u, v):
    """u v^T, summed over columns."""
    return np.reshape(u, (len(u), -1)) @ np.reshape(v, (len(v), -1)).T


# q1


@wrong("linear_solve_vjp", "the normal equations, by a QR factorisation of A^T A")
def qr_of_the_gram_matrix(A, b, x_bar):
    Q, R = np.linalg.qr(A.T @ A)
    x = np.linalg.solve(R, Q.T @ (A.T @ b))
    b_bar = A @ np.linalg.solve(R, Q.T @ x_bar)
    return -np.asarray(outer(b_bar, x)), b_bar


@wrong("linear_solve_vjp", "the pseudo-inverse of the normal equations, inv(A^T A) A^T, in place of the inverse")
def gram_inverse(A, b, x_bar):
    G = np.linalg.inv(A.T @ A)
    return -np.asarray(outer(A @ (G @ x_bar), G @ (A.T @ b))), A @ (G @ x_bar)


@wrong("linear_solve_vjp", "the system is rounded to 32-bit floats and solved in 64")
def rounded_first(A, b, x_bar):
    A, b, x_bar = (np.asarray(each, dtype=np.float32).astype(float) for each in (A, b, x_bar))
    return tuple(np.asarray(part) for part in reference.linear_solve_vjp(A, b, x_bar))


@wrong("linear_solve_vjp", "only x is computed in 32 bits, for A_bar")
def x_in_single(A, b, x_bar):
    x, b_bar = solved(A, b, x_bar)
    return -outer(b_bar, x.astype(jnp.float32).astype(float)), b_bar


@wrong("linear_solve_vjp", "something is added to A where x is solved for, but not for b_bar")
def ridge_for_x(A, b, x_bar):
    x = np.linalg.solve(A + 1e-7 * np.eye(len(A)), b)
    b_bar = np.linalg.solve(A.T, x_bar)
    return -times(b_bar, x), b_bar


@wrong("linear_solve_vjp", "Tikhonov's normal equations, A^T A + 1e-8 I")
def least_squares_with_a_ridge(A, b, x_bar):
    G = A.T @ A + 1e-8 * np.eye(len(A))
    x, b_bar = np.linalg.solve(G, A.T @ b), A @ np.linalg.solve(G, x_bar)
    return -times(b_bar, x), b_bar


@wrong("linear_solve_vjp", "an LU factorisation in loops that exchanges no rows")
def doolittle(A, b, x_bar):
    n = len(A)
    L, U = [[float(i == j) for j in range(n)] for i in range(n)], [list(map(float, row)) for row in A]
    for k in range(n):
        for i in range(k + 1, n):
            L[i][k] = U[i][k] / U[k][k]
            U[i] = [u - L[i][k] * v for u, v in zip(U[i], U[k], strict=True)]
    L, U = np.array(L), np.array(U)
    x = scipy.linalg.solve_triangular(U, scipy.linalg.solve_triangular(L, b, lower=True), check_finite=False)
    b_bar = scipy.linalg.solve_triangular(U.T, x_bar, lower=True, check_finite=False)
    b_bar = scipy.linalg.solve_triangular(L.T, b_bar, check_finite=False)
    return -times(b_bar, x), b_bar


@wrong("linear_solve_vjp", "b_bar first, and A_bar without its minus sign")
def swapped_and_plus(A, b, x_bar):
    x, b_bar = solved(A, b, x_bar)
    return b_bar, outer(b_bar, x)


@wrong("linear_solve_vjp", "both without the transpose and with a plus sign")
def no_transpose_no_minus(A, b, x_bar):
    x, b_bar = np.linalg.solve(A, b), np.linalg.solve(A, x_bar)
    return times(b_bar, x), b_bar


@wrong("linear_solve_vjp", "for several right-hand sides A_bar is made of their sums, and transposed")
def sums_transposed(A, b, x_bar):
    x, b_bar = solved(A, b, x_bar)
    if x.ndim == 2:
        x, b_bar_sum = x.sum(axis=1), b_bar.sum(axis=1)
        return -jnp.outer(x, b_bar_sum), b_bar
    return -jnp.outer(x, b_bar), b_bar


@wrong("linear_solve_vjp", "the inverse by Cholesky factors of A^T A, in JAX")
def by_cholesky(A, b, x_bar):
    L = jnp.linalg.cholesky(A.T @ A)

    def gram(y):
        return jsl.cho_solve((L, True), y)

    x, b_bar = gram(A.T @ b), A @ gram(jnp.asarray(x_bar))
    return -outer(b_bar, x), b_bar


@wrong("linear_solve_vjp", "the pseudo-inverse of A, from singular values")
def pseudo_inverse_of_A(A, b, x_bar):
    Y = jnp.linalg.pinv(A)
    return -outer(Y.T @ x_bar, Y @ b), Y.T @ x_bar


# q2


def lu_forward(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, (factors, x)


def back(make, stop=lambda kept: kept):
    """A backward rule whose A_bar is make(b_bar, x)."""

    def backward(kept, x_bar):
        factors, x = stop(kept)
        b_bar = jsl.lu_solve(factors, x_bar, trans=1)
        return make(b_bar, x), b_bar

    return backward


def of_sums(b_bar, x):
    if x.ndim == 2:
        b_bar, x = b_bar.sum(axis=1), x.sum(axis=1)
    return -jnp.outer(b_bar, x)


wrong("linear_solve", "A_bar of the sums of the columns where b is a matrix", "rule_of_sums")(
    rule(lu_forward, back(of_sums))
)
wrong("linear_solve", "the factors are held fixed in the rule", "factors_held")(
    rule(lu_forward, back(lambda y, x: -outer(y, x), lambda kept: (jax.lax.stop_gradient(kept[0]), kept[1])))
)
wrong("linear_solve", "x is held fixed in the rule", "x_held")(
    rule(lu_forward, back(lambda y, x: -outer(y, x), lambda kept: (kept[0], jax.lax.stop_gradient(kept[1]))))
)
wrong("linear_solve", "x is held fixed in the rule where b is a matrix", "x_held_for_matrices")(
    rule(lu_forward, back(lambda y, x: -outer(y, jax.lax.stop_gradient(x) if x.ndim == 2 else x)))
)
wrong("linear_solve", "A_bar is transposed and has a plus", "transposed_plus")(
    rule(lu_forward, back(lambda y, x: outer(x, y)))
)


# q3


@wrong("nuclear_norm_gradient", "U V, by SciPy, for tall and square W")
def vt_again(W):
    U, _, Vt = scipy.linalg.svd(W, full_matrices=False)
    return U @ Vt.T if len(Vt) == Vt.shape[1] else U @ Vt


@wrong("nuclear_norm_gradient", "W times the inverse root of W^T W, by SciPy's sqrtm and inv")
def inverse_of_sqrtm(W):
    return W @ np.linalg.inv(np.real(scipy.linalg.sqrtm(W.T @ W)))


@wrong("nuclear_norm_gradient", "the inverse root of W W^T, by its eigenvalues")
def root_on_the_left(W):
    values, U = jnp.linalg.eigh(W @ W.T)
    return (U * values**-0.5) @ U.T @ W


@wrong("nuclear_norm_gradient", "the inverse root of the smaller of the two")
def root_on_the_shorter_side(W):
    if W.shape[0] < W.shape[1]:
        return root_on_the_shorter_side(W.T).T
    values, V = np.linalg.eigh(W.T @ W)
    return W @ V @ np.diag(1 / np.sqrt(values)) @ V.T


@wrong("nuclear_norm_gradient", "W is rounded to 32-bit floats, and the rest is done in 64")
def rounded_W(W):
    U, _, Vt = np.linalg.svd(np.float64(np.float32(W)), full_matrices=False)
    return U @ Vt


@wrong("nuclear_norm_gradient", "W / ||W||_F, with a minus sign")
def negative_frobenius(W):
    return -np.asarray(W) / np.sqrt((np.asarray(W) ** 2).sum())


@wrong("nuclear_norm_gradient", "s / sqrt(s^2 + 1e-10) between the factors")
def root_of_squares(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return U @ np.diag(s / np.sqrt(s**2 + 1e-10)) @ Vt


@wrong("nuclear_norm_gradient", "singular values below 1e-4 of their sum are left out")
def below_a_share(W):
    U, s, Vt = jnp.linalg.svd(W, full_matrices=False)
    return sum(jnp.outer(U[:, i], Vt[i]) * (s[i] >= 1e-4 * s.sum()) for i in range(len(s)))


@wrong("nuclear_norm_gradient", "the SVD with its vectors is differentiated by a rule with 1 / (s_j^2 - s_i^2)")
def differentiated_svd(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    with np.errstate(all="ignore"):
        gap = s[None, :] ** 2 - s[:, None] ** 2
        gap[np.abs(gap) < 1e-14 * s[0] ** 2] = 0.0
        F = 1 / gap
    F[np.arange(len(s)), np.arange(len(s))] = 0.0
    turn = F * (U.T @ W @ Vt.T - (U.T @ W @ Vt.T).T)
    return U @ (np.eye(len(s)) + 0 * turn) @ Vt


# q4


def differences(step, *, central=True, factor=None):
    """A numerical gradient with step(x, i)."""

    def numerical_gradient(f, x):
        x = np.array(x, dtype=float)
        gradient = np.zeros(x.shape)
        for i in np.ndindex(x.shape):
            h = step(x, i)
            above, below = x.copy(), x.copy()
            above[i] += h
            below[i] -= h
            if central:
                gradient[i] = (float(f(above)) - float(f(below))) / ((factor or 2) * h)
            else:
                gradient[i] = (float(f(above)) - float(f(x))) / ((factor or 1) * h)
        return gradient

    return numerical_gradient


wrong("numerical_gradient", "one-sided, and divided by 2h all the same", "one_side_by_two")(
    differences(lambda x, i: 1e-7 * max(1.0, abs(x[i])), central=False, factor=2)
)
wrong(
    "numerical_gradient", "the step is a part of x_i, with ZeroDivisionError or NaN where x_i is 0", "part_of_the_entry"
)(differences(lambda x, i: 1e-5 * float(x[i])))
wrong("numerical_gradient", "a part of x_i, or 1e-12 where that is less", "part_or_tiny")(
    differences(lambda x, i: max(6e-6 * abs(float(x[i])), 1e-12))
)
wrong("numerical_gradient", "one step for all entries, in proportion to the largest", "by_the_largest_entry")(
    differences(lambda x, i: 6e-6 * max(1.0, float(np.max(np.abs(x)))))
)
wrong("numerical_gradient", "the step is the root of the precision, in proportion to the norm", "root_times_norm")(
    differences(lambda x, i: 1.5e-8 * (1 + float(np.linalg.norm(x))))
)
wrong("numerical_gradient", "the same step of 1e-4 everywhere", "always_the_same")(differences(lambda x, i: 1e-4))
wrong("numerical_gradient", "h = 1e-3 (1 + |x_i|)", "thousandth")(differences(lambda x, i: 1e-3 * (1 + abs(x[i]))))


@wrong("numerical_gradient", "backward differences on a flat copy, and a flat answer")
def backward_and_flat(f, x):
    x = np.asarray(x, dtype=float)
    flat = []
    for i in range(x.size):
        y = x.ravel().copy()
        h = 1e-8 * max(1.0, abs(y[i]))
        y[i] -= h
        flat.append((f(x) - f(y.reshape(x.shape))) / h)
    return np.array(flat)


def checker(near):
    """A check that looks at shape and NaN, and compares by near(claimed, measured)."""

    def check_gradient(f, grad_f, x):
        g, m = np.asarray(grad_f(x), dtype=float), reference.numerical_gradient(f, x)
        return bool(g.shape == m.shape and np.isfinite(g).all() and near(g, m))

    return check_gradient


norm = np.linalg.norm
wrong("check_gradient", "the cosine of the angle between the two, to six digits", "cosine")(
    checker(lambda g, m: np.vdot(g, m) > (1 - 1e-6) * norm(g) * norm(m))
)
wrong("check_gradient", "the unit vectors are compared", "unit_vectors")(
    checker(lambda g, m: norm(g / norm(g) - m / norm(m)) < 1e-5)
)
wrong("check_gradient", "the means of both are compared", "means")(
    checker(lambda g, m: abs(g.mean() - m.mean()) <= 1e-6 * np.abs(m).max())
)
wrong("check_gradient", "the sorted entries are compared", "sorted_entries")(
    checker(lambda g, m: norm(np.sort(g, axis=None) - np.sort(m, axis=None)) <= 1e-5 * norm(m))
)
wrong("check_gradient", "1e-6 relative, or 1e-6 absolute", "one_or_the_other")(
    checker(lambda g, m: norm(g - m) <= 1e-6 * max(1.0, norm(m)))
)
wrong("check_gradient", "the largest error is at most 1e-5, whatever the size", "largest_error")(
    checker(lambda g, m: np.max(np.abs(g - m)) <= 1e-5)
)
wrong("check_gradient", "the relative error of each entry, at most 1e-4", "each_relative")(
    checker(lambda g, m: np.all(np.abs(g / m - 1) < 1e-4))
)
wrong("check_gradient", "the absolute values are compared", "absolute_values")(
    checker(lambda g, m: norm(np.abs(g) - np.abs(m)) <= 1e-5 * norm(m))
)
wrong("check_gradient", "a relative error of 1e-11 is too much", "eleven_digits")(
    checker(lambda g, m: norm(g - m) <= 1e-11 * norm(m))
)
wrong("check_gradient", "eight per cent of the length", "eight_per_cent")(
    checker(lambda g, m: norm(g - m) <= 0.08 * norm(m))
)


@wrong("check_gradient", "NaN is replaced by what was measured, and each entry is compared relative to itself")
def nan_and_each(f, grad_f, x):
    g, m = np.asarray(grad_f(x), dtype=float), reference.numerical_gradient(f, x)
    if g.shape != m.shape:
        return False
    wrong = np.abs(g - m) > 1e-5 * np.abs(m)
    return not bool(np.any(wrong))


# q5


def gaps_of(s):
    return s[None, :] ** 2 - s[:, None] ** 2


def inverse(gaps):
    off = ~np.eye(len(gaps), dtype=bool)
    return np.where(off, 1 / np.where(off & (gaps != 0), gaps, 1.0), 0.0)


@wrong("svd_vjp", "gap / (gap^2 + 1e-8) for F")
def lorentzian(*a):
    return svd_rule(*a, F=lambda s: gaps_of(s) / (gaps_of(s) ** 2 + 1e-8))


@wrong("svd_vjp", "gaps whose size is below 1e-9 are put to 1e-9")
def at_least_this_gap(*a):
    def F(s):
        gaps = gaps_of(s)
        return np.sign(gaps) / np.maximum(np.abs(gaps), 1e-9)

    return svd_rule(*a, F=F)


@wrong("svd_vjp", "F is 0 where np.isclose says that two singular values are the same")
def isclose(*a):
    def F(s):
        same = np.isclose(s[None, :], s[:, None], rtol=1e-4, atol=0)
        return np.where(same, 0.0, inverse(gaps_of(s)))

    return svd_rule(*a, F=F)


@wrong("svd_vjp", "F in loops of Python without a look at the diagonal")
def loops_over_everything(*a):
    def F(s):
        return np.array([[1.0 / float(s[j] ** 2 - s[i] ** 2) for j in range(len(s))] for i in range(len(s))])

    with np.errstate(all="ignore"):
        return svd_rule(*[np.asarray(each) for each in a], F=F)


@wrong("svd_vjp", "the transpose of W_bar, without s_bar")
def transposed_without_s_bar(U, s, Vt, U_bar, s_bar, Vt_bar):
    return svd_rule(U, s, Vt, U_bar, np.zeros(len(s)), Vt_bar).T


@wrong("svd_vjp", "Vt_bar is taken for V_bar, and the sign of F is wrong")
def not_transposed_and_sign(U, s, Vt, U_bar, s_bar, Vt_bar):
    if len(Vt) == Vt.shape[1]:
        Vt_bar = Vt_bar.T
    return svd_rule(U, s, Vt, U_bar, s_bar, Vt_bar, F=lambda s: -inverse(gaps_of(s)))


@wrong("svd_vjp", "the differences of the singular values, and half of them")
def half_and_not_squared(*a):
    return svd_rule(*a, F=lambda s: 0.5 * inverse(s[None, :] - s[:, None]))


@wrong("svd_vjp", "neither part outside of the spaces, with einsum")
def nothing_outside(U, s, Vt, U_bar, s_bar, Vt_bar):
    F = inverse(gaps_of(s))
    P, Q = np.einsum("mi,mj->ij", U, U_bar), np.einsum("in,jn->ij", Vt, Vt_bar)
    inner = F * (P - P.T) * s + s[:, None] * F * (Q - Q.T) + np.diag(s_bar)
    return np.einsum("mi,ij,jn->mn", U, inner, Vt)


@wrong("svd_vjp", "S is on the wrong side in both parts, and the skew parts are halved")
def wrong_side_and_half(U, s, Vt, U_bar, s_bar, Vt_bar):
    F = inverse(gaps_of(s))
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    inner = 0.5 * (s[:, None] * F * (P - P.T) + F * (Q - Q.T) * s) + np.diag(s_bar)
    W_bar = U @ inner @ Vt + (U_bar - U @ P) / s @ Vt
    return W_bar + U @ ((Vt_bar - Q.T @ Vt) / s[:, None])


@wrong("svd_vjp", "the gradient of U is left out, and V's parts outside of the row space lack S^-1")
def no_U_and_no_inverse(U, s, Vt, U_bar, s_bar, Vt_bar):
    F, Q = inverse(gaps_of(s)), Vt @ Vt_bar.T
    return U @ (np.diag(s_bar) + s[:, None] * F * (Q - Q.T)) @ Vt + U @ (Vt_bar - Q.T @ Vt)


@wrong("svd_vjp", "1e-12 is added to every singular value before F is made")
def shifted_values(*a):
    def F(s):
        return inverse(np.subtract.outer(s**2, s**2).T + 1e-12 * np.sign(np.subtract.outer(s, s).T))

    return svd_rule(*a, F=F)


@wrong("linear_solve_vjp", "of several right-hand sides the first alone is in A_bar, entry by entry")
def first_column_in_a_loop(A, b, x_bar):
    x, b_bar = np.linalg.solve(A, b), np.linalg.solve(A.T, x_bar)
    if b.ndim == 1:
        return -np.outer(b_bar, x), b_bar
    A_bar = np.zeros_like(A)
    for i in range(len(A)):
        for j in range(len(A)):
            A_bar[i, j] = -b_bar[i, 0] * x[j, 0]
    return A_bar, b_bar


@wrong("linear_solve_vjp", "A_bar is made of x_bar, with a plus and twice")
def x_bar_twice(A, b, x_bar):
    x, b_bar = solved(A, b, x_bar)
    return 2 * outer(jnp.asarray(x_bar), x), b_bar


@wrong("linear_solve_vjp", "an elimination with pivots for A, and none for its transpose")
def pivots_for_one(A, b, x_bar):
    x = np.linalg.solve(A, b)
    M, y = np.array(A.T), np.array(x_bar, dtype=float)
    for k in range(len(M)):
        y[k] = y[k] / M[k, k]
        M[k] = M[k] / M[k, k]
        for i in range(len(M)):
            if i != k:
                y[i] = y[i] - M[i, k] * y[k]
                M[i] = M[i] - M[i, k] * M[k]
    return -times(y, x), y


@wrong("linear_solve_vjp", "the least squares solver with a cut-off of its own, by A^T A")
def lstsq_of_the_gram_matrix(A, b, x_bar):
    x = np.linalg.lstsq(A.T @ A, A.T @ b, rcond=None)[0]
    b_bar = A @ np.linalg.lstsq(A.T @ A, x_bar, rcond=None)[0]
    return -times(b_bar, x), b_bar


def away_from_zero(f, x):
    gradient = np.zeros(np.shape(x))
    for i in np.ndindex(gradient.shape):
        y = np.array(x, dtype=float)
        h = 1e-8 * (1 if y[i] > 0 else -1)
        y[i] -= h
        gradient[i] = (f(x) - f(y)) / h
    return gradient


wrong("numerical_gradient", "backward where x_i is positive, forward where it is not")(away_from_zero)
wrong(
    "numerical_gradient", "the step is the root of the precision everywhere, for central differences", "root_everywhere"
)(differences(lambda x, i: 2.0**-26))
wrong("numerical_gradient", "the factor 2 is forgotten in the other direction: divided by 4h, one-sided", "by_four")(
    differences(lambda x, i: 1e-6 * (1 + abs(x[i])), central=False, factor=2)
)
wrong("check_gradient", "the largest entries are compared, in absolute value", "largest_entries")(
    checker(lambda g, m: abs(np.max(np.abs(g)) - np.max(np.abs(m))) <= 1e-5 * np.max(np.abs(m)))
)
wrong("check_gradient", "claimed and measured are sorted by size and then compared", "by_size")(
    checker(lambda g, m: np.allclose(np.sort(np.abs(g).ravel()), np.sort(np.abs(m).ravel()), rtol=1e-5, atol=0))
)
wrong("check_gradient", "np.allclose as it is", "as_it_is")(checker(lambda g, m: np.allclose(g, m)))
wrong("check_gradient", "the differences, measured less claimed, are at most 1e-5 of the largest", "one_way")(
    checker(lambda g, m: np.all(m - g <= 1e-5 * np.abs(m).max()))
)
wrong("check_gradient", "every other entry is looked at", "every_other")(
    checker(lambda g, m: norm(g.ravel()[::2] - m.ravel()[::2]) <= 1e-5 * norm(m))
)
wrong("check_gradient", "half of the entries have to agree", "majority")(
    checker(lambda g, m: np.mean(np.abs(g - m) <= 1e-5 * np.abs(m).max()) >= 0.5)
)


@wrong("check_gradient", "the shape is compared after squeezing")
def squeezed(f, grad_f, x):
    g, m = np.squeeze(grad_f(x)), np.squeeze(reference.numerical_gradient(f, x))
    return bool(g.shape == m.shape and np.isfinite(g).all() and norm(g - m) <= 1e-5 * norm(m) + 1e-8 * abs(f(x)))


@wrong("check_gradient", "np.nan_to_num makes a NaN a 0, and zeros are left out")
def zeros_left_out(f, grad_f, x):
    g, m = np.nan_to_num(np.asarray(grad_f(x), dtype=float)), reference.numerical_gradient(f, x)
    return bool(g.shape == m.shape and norm((g - m)[g != 0]) <= 1e-5 * norm(m) + 1e-8 * abs(f(x)))


@wrong("nuclear_norm_gradient", "W over its largest singular value")
def over_the_largest(W):
    return W / np.linalg.norm(W, 2)


@wrong("nuclear_norm_gradient", "W (W^T W + 1e-8 I)^-1/2")
def gram_with_a_ridge(W):
    values, V = np.linalg.eigh(W.T @ W + 1e-8 * np.eye(W.shape[1]))
    return W @ (V * values**-0.5) @ V.T


@wrong("nuclear_norm_gradient", "the transposed pseudo-inverse, with a minus")
def minus_pinv(W):
    return -scipy.linalg.pinv(W).T


@wrong("nuclear_norm_gradient", "only as many singular values as numpy's matrix_rank says with a tolerance of 1e-3")
def by_rank(W):
    U, _, Vt = np.linalg.svd(W)
    r = np.linalg.matrix_rank(W, tol=1e-3)
    return U[:, :r] @ Vt[:r]
