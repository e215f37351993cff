"""Known mistakes of `matrix_gradients`. Each is what students write, no more wrong than they write it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false, reportUnknownLambdaType=false
# pyright: reportUntypedFunctionDecorator=false, reportFunctionMemberAccess=false, reportConstantRedefinition=false

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import lu_factor, lu_solve

from reference.mistakes import mistake

# ---------------------------------------- q1: the linear solve, backwards


def _outer(u, v):
    return jnp.outer(u, v) if u.ndim == 1 else u @ v.T


def _solutions(A, b, x_bar):
    factors = lu_factor(A)
    return lu_solve(factors, b), lu_solve(factors, x_bar, trans=1)


@mistake(
    question="q1",
    says="The transpose is missing: b_bar solves a system with A^T, not with A.",
    openly="A transpose is missing.",
)
def linear_solve_vjp__transpose_missing(A, b, x_bar):
    factors = lu_factor(A)
    x, b_bar = lu_solve(factors, b), lu_solve(factors, x_bar)
    return -_outer(b_bar, x), b_bar


@mistake(question="q1", says="The minus sign of A_bar is missing: a larger A makes a smaller x.")
def linear_solve_vjp__minus_missing(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    return _outer(b_bar, x), b_bar


@mistake(question="q1", says="Your A_bar is transposed: its rows belong to b_bar, its columns to x.")
def linear_solve_vjp__a_bar_transposed(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    return -_outer(x, b_bar), b_bar


@mistake(question="q1", says="A_bar is made with b where x belongs: dA is multiplied by the solution x.")
def linear_solve_vjp__b_for_x(A, b, x_bar):
    _, b_bar = _solutions(A, b, x_bar)
    return -_outer(b_bar, jnp.asarray(b)), b_bar


@mistake(question="q1", says="A_bar is made with x_bar where b_bar belongs.")
def linear_solve_vjp__x_bar_for_b_bar(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    return -_outer(jnp.asarray(x_bar), x), b_bar


@mistake(question="q1", says="A_bar is made with x_bar and b, where b_bar and x belong.")
def linear_solve_vjp__x_bar_and_b(A, b, x_bar):
    _, b_bar = _solutions(A, b, x_bar)
    return -_outer(jnp.asarray(x_bar), jnp.asarray(b)), b_bar


@mistake(question="q1", says="b_bar has a minus sign too many: only A_bar has one.")
def linear_solve_vjp__b_bar_minus(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    return -_outer(b_bar, x), -b_bar


@mistake(
    question="q1",
    says="This is x in the place of b_bar: b_bar solves a system with A^T and x_bar.",
    openly="This is x in the place of b_bar.",
)
def linear_solve_vjp__x_for_b_bar(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    return -_outer(b_bar, x), x


@mistake(question="q1", says="x_bar is ignored: a cotangent of ones is used in its place.", openly=True)
def linear_solve_vjp__x_bar_ignored(A, b, x_bar):
    x, b_bar = _solutions(A, b, jnp.ones_like(x_bar))
    return -_outer(b_bar, x), b_bar


@mistake(question="q1", says="A_bar is twice what it should be: no square is differentiated here.")
def linear_solve_vjp__factor_two(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    return -2 * _outer(b_bar, x), b_bar


@mistake(
    question="q1",
    says="For several right-hand sides A_bar is the sum of one outer product for each column, not the outer product "
    "of the sums.",
)
def linear_solve_vjp__outer_of_sums(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    if x.ndim == 1:
        return -jnp.outer(b_bar, x), b_bar
    return -jnp.outer(b_bar.sum(axis=1), x.sum(axis=1)), b_bar


@mistake(question="q1", says="Only the first of several right-hand sides is in A_bar.", openly=True)
def linear_solve_vjp__first_column_only(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    if x.ndim == 1:
        return -jnp.outer(b_bar, x), b_bar
    return -jnp.outer(b_bar[:, 0], x[:, 0]), b_bar


@mistake(question="q1", says="The two results are swapped: A_bar comes first, then b_bar.", openly=True)
def linear_solve_vjp__results_swapped(A, b, x_bar):
    x, b_bar = _solutions(A, b, x_bar)
    return b_bar, -_outer(b_bar, x)


@mistake(question="q1", says="A is factorised twice, for A and again for A^T; its factors serve both.")
def linear_solve_vjp__factorised_twice(A, b, x_bar):
    x, b_bar = jnp.linalg.solve(A, b), jnp.linalg.solve(A.T, x_bar)
    return -_outer(b_bar, x), b_bar


@mistake(question="q1", says="An inverse is formed: solve for the right-hand sides at hand instead.")
def linear_solve_vjp__inverse_formed(A, b, x_bar):
    inverse = jnp.linalg.inv(A)
    x, b_bar = inverse @ b, inverse.T @ x_bar
    return -_outer(b_bar, x), b_bar


@mistake(question="q1", says="The normal equations square the condition number of A; factorise A itself.")
def linear_solve_vjp__normal_equations(A, b, x_bar):
    factors = lu_factor(A.T @ A)
    x, b_bar = lu_solve(factors, A.T @ b), A @ lu_solve(factors, jnp.asarray(x_bar))
    return -_outer(b_bar, x), b_bar


@mistake(question="q1", says="32-bit floats are too short for an ill-conditioned system: stay in 64 bits.")
def linear_solve_vjp__single_precision(A, b, x_bar):
    A, b, x_bar = (jnp.asarray(array, dtype=jnp.float32) for array in (A, b, x_bar))
    x, b_bar = _solutions(A, b, x_bar)
    return -_outer(b_bar, x), b_bar


@mistake(question="q1", says="Something is added to A (a regularisation): that solves another system.")
def linear_solve_vjp__regularised(A, b, x_bar):
    x, b_bar = _solutions(A + 1e-6 * jnp.eye(len(A)), b, x_bar)
    return -_outer(b_bar, x), b_bar


# ---------------------------------------- q2: a solve with a rule of its own


def _with_rule(forward, backward):
    """A solve with that rule."""

    @jax.custom_vjp
    def solve(A, b):
        return lu_solve(lu_factor(A), b)

    solve.defvjp(forward, backward)
    return solve


def _forward(A, b):
    factors = lu_factor(A)
    x = lu_solve(factors, b)
    return x, (factors, x)


@mistake(question="q2", says="This solve has no reverse rule of its own; give it one with jax.custom_vjp.")
def linear_solve__without_a_rule(A, b):
    return jnp.linalg.solve(A, b)


@mistake(
    question="q2",
    says="The transpose is missing in the rule: b_bar solves a system with A^T.",
    openly="A transpose is missing in the rule.",
)
def linear_solve__transpose_missing(A, b):
    def backward(kept, x_bar):
        factors, x = kept
        b_bar = lu_solve(factors, x_bar)
        return -_outer(b_bar, x), b_bar

    return _with_rule(_forward, backward)(A, b)


@mistake(question="q2", says="The minus sign of A_bar is missing in the rule.")
def linear_solve__minus_missing(A, b):
    def backward(kept, x_bar):
        factors, x = kept
        b_bar = lu_solve(factors, x_bar, trans=1)
        return _outer(b_bar, x), b_bar

    return _with_rule(_forward, backward)(A, b)


@mistake(question="q2", says="A_bar is transposed in the rule: its rows belong to b_bar, its columns to x.")
def linear_solve__a_bar_transposed(A, b):
    def backward(kept, x_bar):
        factors, x = kept
        b_bar = lu_solve(factors, x_bar, trans=1)
        return -_outer(x, b_bar), b_bar

    return _with_rule(_forward, backward)(A, b)


@mistake(question="q2", says="A_bar is made with b where x belongs, in the rule.")
def linear_solve__b_for_x(A, b):
    def forward(A, b):
        factors = lu_factor(A)
        return lu_solve(factors, b), (factors, b)

    def backward(kept, x_bar):
        factors, b = kept
        b_bar = lu_solve(factors, x_bar, trans=1)
        return -_outer(b_bar, b), b_bar

    return _with_rule(forward, backward)(A, b)


@mistake(question="q2", says="The rule gives A no cotangent: x depends on A as well as on b.", openly=True)
def linear_solve__a_bar_zero(A, b):
    def backward(kept, x_bar):
        (factors, _) = kept
        return jnp.zeros_like(factors[0]), lu_solve(factors, x_bar, trans=1)

    return _with_rule(_forward, backward)(A, b)


@mistake(question="q2", says="The rule factorises A again; keep the factors of the forward pass.")
def linear_solve__factorised_again(A, b):
    def forward(A, b):
        x = lu_solve(lu_factor(A), b)
        return x, (A, x)

    def backward(kept, x_bar):
        A, x = kept
        b_bar = jnp.linalg.solve(A.T, x_bar)
        return -_outer(b_bar, x), b_bar

    return _with_rule(forward, backward)(A, b)


@mistake(question="q2", says="An inverse is formed and kept; keep the factors of A, they are as large.")
def linear_solve__inverse_kept(A, b):
    def forward(A, b):
        inverse = jnp.linalg.inv(A)
        x = inverse @ b
        return x, (inverse, x)

    def backward(kept, x_bar):
        inverse, x = kept
        b_bar = inverse.T @ x_bar
        return -_outer(b_bar, x), b_bar

    return _with_rule(forward, backward)(A, b)


@mistake(question="q2", says="The rule is for one right-hand side only; b may be a matrix of them.")
def linear_solve__vectors_only(A, b):
    def backward(kept, x_bar):
        factors, x = kept
        b_bar = lu_solve(factors, x_bar, trans=1)
        return -jnp.tensordot(b_bar[..., :1].sum(-1), x[..., :1].sum(-1), 0), b_bar

    def vector_backward(kept, x_bar):
        factors, x = kept
        b_bar = lu_solve(factors, x_bar, trans=1)
        return -jnp.outer(b_bar, x), b_bar

    return _with_rule(_forward, vector_backward if b.ndim == 1 else backward)(A, b)


@mistake(question="q2", says="The rule stops differentiation (stop_gradient): grad(grad) needs to go through it.")
def linear_solve__not_twice(A, b):
    def backward(kept, x_bar):
        factors, x = jax.lax.stop_gradient(kept)
        b_bar = lu_solve(factors, x_bar, trans=1)
        return -_outer(b_bar, x), b_bar

    return _with_rule(_forward, backward)(A, b)


# ---------------------------------------- q3: the nuclear norm


@mistake(
    question="q3",
    says="This is W itself (U Sigma V^T), not U V^T: Sigma has no place in the gradient.",
    openly="This is W itself.",
)
def nuclear_norm_gradient__w_returned(W):
    U, s, Vt = jnp.linalg.svd(W, full_matrices=False)
    return (U * s) @ Vt


@mistake(question="q3", says="This is V U^T, the transpose: the gradient has the shape of W.")
def nuclear_norm_gradient__v_ut(W):
    U, _, Vt = jnp.linalg.svd(W, full_matrices=False)
    return (U @ Vt).T


@mistake(question="q3", says="This is U V: the SVD gives V^T as it is, and it is transposed once more.")
def nuclear_norm_gradient__vt_transposed(W):
    U, _, Vt = jnp.linalg.svd(W, full_matrices=False)
    return U @ Vt.T if W.shape[0] == W.shape[1] else U @ Vt.T[: U.shape[1]] @ jnp.eye(U.shape[1], W.shape[1])


@mistake(question="q3", says="These are the full factors of the SVD; the thin ones are needed (full_matrices=False).")
def nuclear_norm_gradient__full_factors(W):
    U, _, Vt = jnp.linalg.svd(W, full_matrices=True)
    return U @ Vt


@mistake(question="q3", says="This is W / ||W||_F, the gradient of the Frobenius norm.")
def nuclear_norm_gradient__frobenius(W):
    return W / jnp.linalg.norm(W)


@mistake(question="q3", says="This is the gradient of the spectral norm: only the largest singular value is in it.")
def nuclear_norm_gradient__spectral_norm(W):
    U, _, Vt = jnp.linalg.svd(W, full_matrices=False)
    return jnp.outer(U[:, 0], Vt[0])


@mistake(question="q3", says="The sign is wrong: this is the direction in which the norm falls.")
def nuclear_norm_gradient__minus(W):
    U, _, Vt = jnp.linalg.svd(W, full_matrices=False)
    return -U @ Vt


@mistake(
    question="q3",
    says="W (W^T W)^(-1/2) needs a W of full column rank, and it squares the singular values; take U V^T of an SVD.",
    openly="Something is inverted that has no inverse when W is short of full column rank.",
)
def nuclear_norm_gradient__inverse_root(W):
    eigenvalues, V = jnp.linalg.eigh(W.T @ W)
    return W @ (V / jnp.sqrt(eigenvalues)) @ V.T


@mistake(
    question="q3",
    says="The SVD is differentiated through: its derivative has 1 / (s_j^2 - s_i^2), NaN at equal singular values.",
    openly="The SVD is differentiated through: its derivative is NaN at equal singular values.",
)
def nuclear_norm_gradient__through_the_svd(W):
    U, s, Vt = jnp.linalg.svd(W, full_matrices=False)
    gap = s[None, :] ** 2 - s[:, None] ** 2
    F = jnp.where(jnp.eye(len(s), dtype=bool), 0.0, 1.0 / gap)
    P, Q = U.T @ (W @ Vt.T), Vt @ (W.T @ U)
    left = U @ (F * (P - P.T) * s) @ Vt
    right = U @ (s[:, None] * (F * (Q - Q.T))) @ Vt
    return U @ Vt + left + right


@mistake(
    question="q3",
    says="A small singular value is dropped; it is not zero, and the gradient has its singular vectors as well.",
)
def nuclear_norm_gradient__loose_rank(W):
    U, s, Vt = jnp.linalg.svd(W, full_matrices=False)
    return (U * (s > 1e-3 * s[0])) @ Vt


@mistake(question="q3", says="32-bit floats: stay in 64 bits.")
def nuclear_norm_gradient__single_precision(W):
    U, _, Vt = jnp.linalg.svd(jnp.asarray(W, dtype=jnp.float32), full_matrices=False)
    return U @ Vt


@mistake(question="q3", says="Sigma is divided out: this is U Sigma^-1 V^T, and Sigma has no place in the gradient.")
def nuclear_norm_gradient__pseudo_inverse(W):
    return jnp.linalg.pinv(W).T


@mistake(
    question="q3",
    says="Singular values below a fixed number are dropped: what is small depends on the scale of W.",
)
def nuclear_norm_gradient__absolute_threshold(W):
    U, s, Vt = jnp.linalg.svd(W, full_matrices=False)
    return (U * (s > 1e-8)) @ Vt


@mistake(question="q3", says="Sigma is divided out with something added to it; U V^T needs no division.")
def nuclear_norm_gradient__damped(W):
    U, s, Vt = jnp.linalg.svd(W, full_matrices=False)
    return (U * (s / (s + 1e-6))) @ Vt


# ---------------------------------------- q4: checking gradients numerically


def _differences(f, x, step):
    """Central differences with a step of each entry's own."""
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        h = step(x[i])
        above, below = x.copy(), x.copy()
        above[i] += h
        below[i] -= h
        gradient[i] = (float(f(above)) - float(f(below))) / (2 * h) if h else np.nan
    return gradient


@mistake(question="q4", says="The difference is one-sided: its error is of first order in the step. Take both sides.")
def numerical_gradient__one_sided(f, x):
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        h = 1.5e-8 * max(1.0, abs(x[i]))
        above = x.copy()
        above[i] += h
        gradient[i] = (float(f(above)) - float(f(x.copy()))) / h
    return gradient


@mistake(
    question="q4",
    says="The step is too small: rounding, eps |f| / h, drowns the difference. eps^(1/3) balances it with h^2.",
)
def numerical_gradient__step_too_small(f, x):
    return _differences(f, x, lambda entry: 1e-9 * max(1.0, abs(entry)))


@mistake(question="q4", says="The step is too large: the truncation error, h^2 f''' / 6, is left in the result.")
def numerical_gradient__step_too_large(f, x):
    return _differences(f, x, lambda entry: 1e-2 * max(1.0, abs(entry)))


@mistake(
    question="q4",
    says="The step does not grow with x_i: at large x_i it drowns in rounding. Scale it by max(1, |x_i|).",
)
def numerical_gradient__step_unscaled(f, x):
    return _differences(f, x, lambda entry: 6e-6)


@mistake(
    question="q4",
    says="The step is proportional to x_i, also where x_i is tiny or 0. Scale it by max(1, |x_i|).",
)
def numerical_gradient__step_proportional(f, x):
    return _differences(f, x, lambda entry: 6e-6 * abs(entry))


@mistake(question="q4", says="The factor 2 is missing: the two points are 2h apart.")
def numerical_gradient__divided_by_h(f, x):
    return 2 * _differences(f, x, lambda entry: 6e-6 * max(1.0, abs(entry)))


@mistake(question="q4", says="The gradient is flat: it has the shape of x.")
def numerical_gradient__flattened(f, x):
    return _differences(f, x, lambda entry: 6e-6 * max(1.0, abs(entry))).ravel()


def _measured(f, x):
    return _differences(f, x, lambda entry: 6e-6 * max(1.0, abs(entry)))


@mistake(
    question="q4",
    says="The comparison has an absolute tolerance: whether an error is large depends on the gradient's size.",
)
def check_gradient__absolute_tolerance(f, grad_f, x):
    claimed = np.asarray(grad_f(x))
    return claimed.shape == np.shape(x) and bool(np.linalg.norm(np.ravel(claimed - _measured(f, x))) < 1e-6)


@mistake(
    question="q4",
    says="np.allclose has an absolute tolerance of 1e-8 besides the relative one: small gradients all pass.",
)
def check_gradient__allclose(f, grad_f, x):
    claimed = np.asarray(grad_f(x))
    return claimed.shape == np.shape(x) and bool(np.allclose(claimed, _measured(f, x), rtol=1e-4))


@mistake(question="q4", says="The tolerance is too loose: an error of some per cent is an error.")
def check_gradient__loose(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != np.shape(x):
        return False
    return bool(np.linalg.norm(np.ravel(claimed - measured)) <= 0.1 * np.linalg.norm(np.ravel(measured)))


@mistake(
    question="q4",
    says="A gradient of the opposite direction passes: compare the gradients, not their lengths or absolute values.",
    openly="A gradient of the opposite direction passes.",
)
def check_gradient__lengths_only(f, grad_f, x):
    claimed, measured = np.linalg.norm(np.ravel(grad_f(x))), np.linalg.norm(np.ravel(_measured(f, x)))
    return bool(abs(claimed - measured) <= 1e-5 * measured)


@mistake(
    question="q4",
    says="Only the sums of the entries are compared (one direction, all ones): errors can cancel in a sum.",
)
def check_gradient__sums_only(f, grad_f, x):
    claimed, measured = np.sum(np.asarray(grad_f(x))), np.sum(_measured(f, x))
    return bool(abs(claimed - measured) <= 1e-5 * abs(measured))


@mistake(
    question="q4",
    says="Only the directions are compared: a gradient has a length too.",
    openly="A gradient of another length passes.",
)
def check_gradient__directions_only(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != measured.shape:
        return False
    lengths = np.linalg.norm(np.ravel(claimed)) * np.linalg.norm(np.ravel(measured))
    return bool(np.sum(claimed * measured) >= (1 - 1e-8) * lengths)


@mistake(question="q4", says="Only one entry is compared: any of them may be wrong.")
def check_gradient__first_entry_only(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != measured.shape:
        return False
    return bool(abs(claimed.flat[0] - measured.flat[0]) <= 1e-5 * abs(measured.flat[0]))


@mistake(question="q4", says="Only one entry is compared: any of them may be wrong.")
def check_gradient__last_entry_only(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != measured.shape or not np.all(np.isfinite(claimed)):
        return False
    return bool(abs(claimed.flat[-1] - measured.flat[-1]) <= 1e-5 * abs(measured.flat[-1]))


@mistake(question="q4", says="One entry that agrees is enough here, and all of them have to.")
def check_gradient__any_entry(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != measured.shape or not np.all(np.isfinite(claimed)):
        return False
    return bool(np.any(np.isclose(claimed, measured, rtol=1e-5, atol=0)))


@mistake(
    question="q4",
    says="A right gradient is rejected: the tolerance asks for more digits than your differences have (ten at best).",
    openly="A right gradient is rejected: the tolerance asks for more digits than your differences have.",
)
def check_gradient__too_tight(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != measured.shape:
        return False
    return bool(np.linalg.norm(np.ravel(claimed - measured)) <= 1e-14 * np.linalg.norm(np.ravel(measured)))


@mistake(
    question="q4",
    says="Every entry is compared in relation to itself: next to zero differences have no right digits. The size of "
    "the whole gradient is what counts.",
)
def check_gradient__entry_by_entry(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != measured.shape:
        return False
    return bool(np.all(np.abs(claimed - measured) <= 1e-5 * np.abs(measured)))


@mistake(question="q4", says="The shape is not looked at: broadcasting compares what does not belong together.")
def check_gradient__broadcast(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    return bool(np.max(np.abs(claimed - measured)) <= 1e-5 * np.max(np.abs(measured)))


@mistake(question="q4", says="NaN passes: every comparison with NaN is False, also `error > tolerance`.")
def check_gradient__nan_passes(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != measured.shape:
        return False
    return not bool(np.any(np.abs(claimed - measured) > 1e-5 * np.max(np.abs(measured))))


@mistake(question="q4", says="The difference has no absolute value: errors downwards pass.")
def check_gradient__no_absolute_value(f, grad_f, x):
    claimed, measured = np.asarray(grad_f(x)), _measured(f, x)
    if claimed.shape != measured.shape or not np.all(np.isfinite(claimed)):
        return False
    return bool(np.max(claimed - measured) <= 1e-5 * np.max(np.abs(measured)))


# ---------------------------------------- q5: the singular value decomposition, backwards


def _svd_vjp(
    U, s, Vt, U_bar, s_bar, Vt_bar, F=None, left=True, right=True, skew=1.0, turn_u=1.0, turn_v=1.0,
    sides_swapped=False, outside=None,
):  # fmt: skip
    """Townsend's formula with parts that can be left out or changed."""
    U, s, Vt, U_bar, s_bar, Vt_bar = (jnp.asarray(array) for array in (U, s, Vt, U_bar, s_bar, Vt_bar))
    diagonal = jnp.eye(len(s), dtype=bool)
    if F is None:
        F = jnp.where(diagonal, 0.0, 1 / jnp.where(diagonal, 1.0, s[None, :] ** 2 - s[:, None] ** 2))
    outside = s if outside is None else outside
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    turned_u, turned_v = turn_u * F * (P - skew * P.T), turn_v * F * (Q - skew * Q.T)
    by_rows, by_columns = (turned_u, turned_v) if sides_swapped else (turned_v, turned_u)
    W_bar = U @ (by_columns * s + s[:, None] * by_rows + jnp.diag(s_bar)) @ Vt
    if left:
        W_bar = W_bar + (U_bar - U @ P) / outside @ Vt
    if right:
        W_bar = W_bar + U / outside @ (Vt_bar - Q.T @ Vt)
    return W_bar


def _gaps(s, of):
    diagonal = np.eye(len(s), dtype=bool)
    return jnp.where(diagonal, 0.0, 1 / jnp.where(diagonal, 1.0, of(s)))


@mistake(question="q5", says="The sign of F is wrong: F_ij = 1 / (s_j^2 - s_i^2), with i the row.")
def svd_vjp__f_sign(U, s, Vt, U_bar, s_bar, Vt_bar):
    F = _gaps(s, lambda s: s[:, None] ** 2 - s[None, :] ** 2)
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, F=F)


@mistake(question="q5", says="F has the differences of the singular values, and needs those of their squares.")
def svd_vjp__f_not_squared(U, s, Vt, U_bar, s_bar, Vt_bar):
    F = _gaps(s, lambda s: s[None, :] - s[:, None])
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, F=F)


@mistake(
    question="q5",
    says="The denominators of F are regularised: the s are distinct, and what is small depends on the scale.",
)
def svd_vjp__f_regularised(U, s, Vt, U_bar, s_bar, Vt_bar):
    E = s[None, :] ** 2 - s[:, None] ** 2
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, F=E / (E**2 + 1e-12))


@mistake(
    question="q5",
    says="The diagonal of F is 1 / 0: there F is 0, as a singular vector does not turn into itself.",
    openly="Something is divided by zero on a diagonal.",
)
def svd_vjp__f_diagonal(U, s, Vt, U_bar, s_bar, Vt_bar):
    with np.errstate(divide="ignore", invalid="ignore"):
        return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, F=1 / (s[None, :] ** 2 - s[:, None] ** 2))


@mistake(question="q5", says="The sign of V's part is wrong: F_ij = 1 / (s_j^2 - s_i^2) is for V as it is for U.")
def svd_vjp__v_sign(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, turn_v=-1.0)


@mistake(question="q5", says="The sign of U's part is wrong: F_ij = 1 / (s_j^2 - s_i^2) is for U as it is for V.")
def svd_vjp__u_sign(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, turn_u=-1.0)


@mistake(
    question="q5",
    says="S stands on the wrong side of F o (X - X^T): it is on the right of U's part and on the left of V's.",
)
def svd_vjp__s_on_the_wrong_side(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, sides_swapped=True)


@mistake(question="q5", says="S^-1 is missing in the parts of the projectors, (I - U U^T) U_bar S^-1 V^T and its like.")
def svd_vjp__projectors_without_s(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, outside=jnp.ones_like(jnp.asarray(s)))


@mistake(question="q5", says="X + X^T is where X - X^T belongs: U^T dU and V^T dV are skew-symmetric.")
def svd_vjp__symmetric(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, skew=-1.0)


@mistake(
    question="q5",
    says="s_bar is not in your W_bar: U diag(s_bar) V^T is missing.",
    openly="s_bar is not in your W_bar.",
)
def svd_vjp__s_bar_ignored(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, np.zeros_like(s_bar), Vt_bar)


@mistake(question="q5", says="U_bar is not in your W_bar.", openly=True)
def svd_vjp__u_bar_ignored(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, np.zeros_like(U_bar), s_bar, Vt_bar)


@mistake(question="q5", says="Vt_bar is not in your W_bar.")
def svd_vjp__vt_bar_ignored(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, np.zeros_like(Vt_bar))


@mistake(
    question="q5",
    says="For m > n the part of U_bar outside the column space of U is missing: (I - U U^T) U_bar S^-1 V^T.",
)
def svd_vjp__left_projector_missing(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, left=False)


@mistake(
    question="q5",
    says="For m < n the part of Vt_bar outside the row space of V^T is missing: U S^-1 Vt_bar (I - V V^T).",
)
def svd_vjp__right_projector_missing(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, right=False)


@mistake(
    question="q5",
    says="U^T U_bar and V^T V_bar are not made skew: an orthonormal factor can only turn, so X - X^T is what counts.",
)
def svd_vjp__not_skew(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, skew=0.0)


@mistake(question="q5", says="A factor of 1/2 too much at the turning of U and V.")
def svd_vjp__half(U, s, Vt, U_bar, s_bar, Vt_bar):
    F = _gaps(s, lambda s: 2 * (s[None, :] ** 2 - s[:, None] ** 2))
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar, F=F)


@mistake(question="q5", says="Vt_bar is the cotangent of V^T, shaped (k, n); it is used as if it were that of V.")
def svd_vjp__vt_bar_as_v_bar(U, s, Vt, U_bar, s_bar, Vt_bar):
    k, n = Vt.shape
    return _svd_vjp(U, s, Vt, U_bar, s_bar, jnp.reshape(jnp.asarray(Vt_bar).T, (k, n)))


@mistake(question="q5", says="This is the transpose: W_bar has the shape of W.")
def svd_vjp__transposed(U, s, Vt, U_bar, s_bar, Vt_bar):
    return _svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar).T
