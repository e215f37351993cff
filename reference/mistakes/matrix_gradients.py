"""Known mistakes of `matrix_gradients`. Each is what students write, no more wrong than they write it."""

# Written as students write, without annotations:
# pyright: basic

import jax.numpy as jnp
import numpy as np

from reference.matrix_gradients import linear_solve_vjp
from reference.mistakes import Catalogue, signs

MISTAKES = Catalogue("matrix_gradients")

# ---------------------------------------- q1: the linear solve, backwards

q1 = MISTAKES.question("q1", reread="Cotangents, and the trace trick")

q1.edit(
    "linear_solve_vjp__transpose_missing",
    (", trans=1", ""),
    says="The transpose is missing: b_bar solves a system with A^T, not with A.",
    openly="A transpose is missing.",
)
q1.edit(
    "linear_solve_vjp__minus_missing",
    ("-_outer(b_bar, x)", "_outer(b_bar, x)"),
    says="The minus sign of A_bar is missing: a larger A makes a smaller x.",
)
q1.edit(
    "linear_solve_vjp__a_bar_transposed",
    ("-_outer(b_bar, x)", "-_outer(x, b_bar)"),
    says="Your A_bar is transposed: its rows belong to b_bar, its columns to x.",
)
q1.edit(
    "linear_solve_vjp__b_for_x",
    ("-_outer(b_bar, x)", "-_outer(b_bar, jnp.asarray(b))"),
    says="A_bar is made with b where x belongs: dA is multiplied by the solution x.",
)
q1.edit(
    "linear_solve_vjp__x_bar_for_b_bar",
    ("-_outer(b_bar, x)", "-_outer(jnp.asarray(x_bar), x)"),
    says="A_bar is made with x_bar where b_bar belongs.",
)
q1.edit(
    "linear_solve_vjp__x_bar_and_b",
    ("-_outer(b_bar, x)", "-_outer(jnp.asarray(x_bar), jnp.asarray(b))"),
    says="A_bar is made with x_bar and b, where b_bar and x belong.",
)
q1.edit(
    "linear_solve_vjp__b_bar_minus",
    ("-_outer(b_bar, x), b_bar", "-_outer(b_bar, x), -b_bar"),
    says="b_bar has a minus sign that does not belong there: only A_bar has one.",
)
q1.edit(
    "linear_solve_vjp__x_for_b_bar",
    ("-_outer(b_bar, x), b_bar", "-_outer(b_bar, x), x"),
    says="This is x in the place of b_bar: b_bar solves a system with A^T and x_bar.",
    openly="This is x in the place of b_bar.",
)
q1.edit(
    "linear_solve_vjp__x_bar_ignored",
    ("jnp.asarray(x_bar)", "jnp.ones_like(x_bar)"),
    says="x_bar is ignored: a cotangent of ones is used in its place.",
    openly=True,
)
q1.edit(
    "linear_solve_vjp__factor_two",
    ("-_outer(b_bar, x)", "-2 * _outer(b_bar, x)"),
    says="A_bar is twice what it should be: no square is differentiated here.",
)
q1.edit(
    "linear_solve_vjp__outer_of_sums",
    ("-_outer(b_bar, x)", "-jnp.outer(b_bar.reshape(len(x), -1).sum(axis=1), x.reshape(len(x), -1).sum(axis=1))"),
    says="For several right-hand sides A_bar is the sum of one outer product for each column, not the outer product "
    "of the sums.",
)
q1.edit(
    "linear_solve_vjp__first_column_only",
    ("-_outer(b_bar, x)", "-jnp.outer(b_bar.reshape(len(x), -1)[:, 0], x.reshape(len(x), -1)[:, 0])"),
    says="Only the first of several right-hand sides is in A_bar.",
    openly=True,
)
q1.edit(
    "linear_solve_vjp__results_swapped",
    ("-_outer(b_bar, x), b_bar", "b_bar, -_outer(b_bar, x)"),
    says="The two results are swapped: A_bar comes first, then b_bar.",
    openly=True,
)
q1.edit(
    "linear_solve_vjp__factorised_twice",
    ("lu_solve(factors, jnp.asarray(x_bar), trans=1)", "lu_solve(lu_factor(jnp.asarray(A).T), jnp.asarray(x_bar))"),
    says="A is factorised twice, for A and again for A^T; its factors serve both.",
)
q1.edit(
    "linear_solve_vjp__inverse_formed",
    ("factors = lu_factor(jnp.asarray(A))", "inverse = jnp.linalg.inv(jnp.asarray(A))"),
    ("lu_solve(factors, jnp.asarray(b))", "inverse @ b"),
    ("lu_solve(factors, jnp.asarray(x_bar), trans=1)", "inverse.T @ x_bar"),
    says="An inverse is formed: solve for the right-hand sides at hand instead.",
)
q1.edit(
    "linear_solve_vjp__normal_equations",
    ("lu_factor(jnp.asarray(A))", "lu_factor(A.T @ A)"),
    ("lu_solve(factors, jnp.asarray(b))", "lu_solve(factors, A.T @ b)"),
    ("lu_solve(factors, jnp.asarray(x_bar), trans=1)", "A @ lu_solve(factors, jnp.asarray(x_bar))"),
    says="The normal equations square the condition number of A; factorise A itself.",
)
q1.edit(
    "linear_solve_vjp__single_precision",
    ("jnp.asarray(A)", "jnp.asarray(A, dtype=jnp.float32)"),
    ("jnp.asarray(b)", "jnp.asarray(b, dtype=jnp.float32)"),
    ("jnp.asarray(x_bar)", "jnp.asarray(x_bar, dtype=jnp.float32)"),
    says="32-bit floats are not precise enough for an ill-conditioned system: stay in 64 bits.",
    sign=signs.single_precision,
)
q1.edit(
    "linear_solve_vjp__regularised",
    ("jnp.asarray(A)", "A + 1e-6 * jnp.eye(len(A))"),
    says="Something is added to A (a regularisation): that solves another system.",
    sign=signs.shifted_system,
    first_order=True,
)


@q1.mistake(
    says="Your elimination divides by a pivot that is zero: exchange rows, so that the largest entry of the column in "
    "absolute value comes to the diagonal.",
)
def linear_solve_vjp__no_pivoting(A, b, x_bar):
    def solve(M, y):
        M, y = np.array(M), np.array(y)
        for k in range(len(M)):
            for i in range(k + 1, len(M)):
                factor = M[i, k] / M[k, k]
                M[i] = M[i] - factor * M[k]
                y[i] = y[i] - factor * y[k]
        for k in reversed(range(len(M))):
            y[k] = (y[k] - M[k, k + 1 :] @ y[k + 1 :]) / M[k, k]
        return y

    with np.errstate(all="ignore"):
        x, b_bar = solve(A, b), solve(np.transpose(A), x_bar)
    return -jnp.einsum("i...,j...->ij", b_bar, x), b_bar


@q1.mistake(
    says="A is factorised anew for each column of b; its factors serve all of them.",
)
def linear_solve_vjp__factorised_per_column(A, b, x_bar):
    if b.ndim == 1:
        return linear_solve_vjp(A, b, x_bar)
    columns = [linear_solve_vjp(A, b[:, j], x_bar[:, j]) for j in range(b.shape[1])]
    return sum(A_bar for A_bar, _ in columns), jnp.stack([b_bar for _, b_bar in columns], axis=1)


# ---------------------------------------- q2: a solve with a rule of its own

q2 = MISTAKES.question("q2")


@q2.mistake(
    says="This solve has no reverse rule of its own; give it one with jax.custom_vjp.",
)
def linear_solve__without_a_rule(A, b):
    return jnp.linalg.solve(A, b)


q2.edit(
    "linear_solve__transpose_missing",
    (", trans=1", ""),
    says="The transpose is missing in the rule: b_bar solves a system with A^T.",
    openly="A transpose is missing in the rule.",
)
q2.edit(
    "linear_solve__minus_missing",
    ("-_outer(b_bar, x)", "_outer(b_bar, x)"),
    says="The minus sign of A_bar is missing in the rule.",
)
q2.edit(
    "linear_solve__a_bar_transposed",
    ("-_outer(b_bar, x)", "-_outer(x, b_bar)"),
    says="A_bar is transposed in the rule: its rows belong to b_bar, its columns to x.",
)
q2.edit(
    "linear_solve__b_for_x",
    ("return x, (factors, x)", "return x, (factors, b)"),
    ("factors, x = kept", "factors, b = kept"),
    ("-_outer(b_bar, x)", "-_outer(b_bar, b)"),
    says="A_bar is made with b where x belongs, in the rule.",
)
q2.edit(
    "linear_solve__a_bar_zero",
    ("-_outer(b_bar, x)", "jnp.zeros_like(factors[0])"),
    says="The rule gives A no cotangent: x depends on A as well as on b.",
    openly=True,
)
q2.edit(
    "linear_solve__factorised_again",
    ("return x, (factors, x)", "return x, (A, x)"),
    ("factors, x = kept", "A, x = kept"),
    ("lu_solve(factors, x_bar, trans=1)", "jnp.linalg.solve(A.T, x_bar)"),
    says="The rule factorises A again; keep the factors of the forward pass.",
)
q2.edit(
    "linear_solve__inverse_kept",
    (
        "factors = lu_factor(A)\n    x = lu_solve(factors, b)\n    return x, (factors, x)",
        "inverse = jnp.linalg.inv(A)\n    x = inverse @ b\n    return x, (inverse, x)",
    ),
    ("factors, x = kept", "inverse, x = kept"),
    ("lu_solve(factors, x_bar, trans=1)", "inverse.T @ x_bar"),
    says="An inverse is formed and kept; keep the factors of A instead, which take the same space.",
)
q2.edit(
    "linear_solve__vectors_only",
    ("-_outer(b_bar, x)", "-jnp.outer(b_bar.reshape(len(x), -1)[:, 0], x.reshape(len(x), -1)[:, 0])"),
    says="The rule is for one right-hand side only; b may be a matrix of them.",
)
q2.edit(
    "linear_solve__not_twice",
    ("factors, x = kept", "factors, x = jax.lax.stop_gradient(kept)"),
    says="The rule stops differentiation (stop_gradient): grad(grad) needs to go through it.",
)

q2.edit(
    "linear_solve__not_twice_for_matrices",
    ("factors, x = kept", "factors, x = jax.lax.stop_gradient(kept) if x_bar.ndim == 2 else kept"),
    says="For several right-hand sides the rule stops differentiation: grad(grad) needs to go through it there, too.",
)
q2.edit(
    "linear_solve__factorised_per_column",
    ("return x, (factors, x)", "return x, (factors, x, A)"),
    ("factors, x = kept", "factors, x, A = kept"),
    (
        "b_bar = lu_solve(factors, x_bar, trans=1)",
        "b_bar = lu_solve(factors, x_bar, trans=1) if x_bar.ndim == 1 else "
        "jnp.stack([jnp.linalg.solve(A.T, column) for column in x_bar.T], axis=1)",
    ),
    says="The rule factorises A anew for each column of b; the factors of the forward pass serve all of them.",
)

# ---------------------------------------- q3: the nuclear norm

q3 = MISTAKES.question("q3")

q3.edit(
    "nuclear_norm_gradient__w_returned",
    ("U, _, Vt", "U, s, Vt"),
    ("return U @ Vt", "return (U * s) @ Vt"),
    says="This is W itself (U Sigma V^T), not U V^T: Sigma has no place in the gradient.",
    openly="This is W itself.",
)
q3.edit(
    "nuclear_norm_gradient__v_ut",
    ("return U @ Vt", "return (U @ Vt).T"),
    says="This is V U^T, the transpose: the gradient has the shape of W.",
)
q3.edit(
    "nuclear_norm_gradient__vt_transposed",
    ("return U @ Vt", "return U @ Vt.T[: U.shape[1]] @ jnp.eye(Vt.shape[0], Vt.shape[1])"),
    says="This is U V: the SVD returns V^T already, and it is transposed once more.",
)
q3.edit(
    "nuclear_norm_gradient__full_factors",
    ("full_matrices=False", "full_matrices=True"),
    says="These are the full factors of the SVD; the thin ones are needed (full_matrices=False).",
)


@q3.mistake(
    says="This is W / ||W||_F, the gradient of the Frobenius norm.",
)
def nuclear_norm_gradient__frobenius(W):
    return W / jnp.linalg.norm(W)


q3.edit(
    "nuclear_norm_gradient__spectral_norm",
    ("return U @ Vt", "return jnp.outer(U[:, 0], Vt[0])"),
    says="This is the gradient of the spectral norm: only the largest singular value is in it.",
)
q3.edit(
    "nuclear_norm_gradient__minus",
    ("return U @ Vt", "return -U @ Vt"),
    says="The sign is wrong: this is the direction in which the norm falls.",
)


@q3.mistake(
    says="An inverse root of W^T W, or of W W^T, needs a W of full rank, and it squares the singular values; take U "
    "V^T of an SVD.",
    openly="Something is inverted that has no inverse when W does not have full rank.",
)
def nuclear_norm_gradient__inverse_root(W):
    eigenvalues, V = jnp.linalg.eigh(W.T @ W)
    return W @ (V / jnp.sqrt(eigenvalues)) @ V.T


@q3.mistake(
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


q3.edit(
    "nuclear_norm_gradient__loose_rank",
    ("U, _, Vt", "U, s, Vt"),
    ("return U @ Vt", "return (U * (s > 1e-3 * s[0])) @ Vt"),
    says="A small singular value is dropped; it is not zero, and the gradient has its singular vectors as well.",
)
q3.edit(
    "nuclear_norm_gradient__single_precision",
    ("jnp.asarray(W)", "jnp.asarray(W, dtype=jnp.float32)"),
    says="32-bit floats: stay in 64 bits.",
    sign=signs.single_precision,
)


@q3.mistake(
    says="Sigma is divided out: this is U Sigma^-1 V^T, and Sigma has no place in the gradient.",
)
def nuclear_norm_gradient__pseudo_inverse(W):
    return jnp.linalg.pinv(W).T


q3.edit(
    "nuclear_norm_gradient__absolute_threshold",
    ("U, _, Vt", "U, s, Vt"),
    ("return U @ Vt", "return (U * (s > 1e-8)) @ Vt"),
    says="What is below a fixed number is taken for 0: what is small depends on the scale of W.",
)
q3.edit(
    "nuclear_norm_gradient__damped",
    ("U, _, Vt", "U, s, Vt"),
    ("return U @ Vt", "return (U * (s / (s + 1e-6))) @ Vt"),
    says="Something is added before Sigma is divided out, or put in its place; U V^T needs no division.",
    sign=signs.damped_factors,
)

q3.edit(
    "nuclear_norm_gradient__rank_of_six_digits",
    ("U, _, Vt", "U, s, Vt"),
    ("return U @ Vt", "return (U * (s > 1e-6 * s[0])) @ Vt"),
    says="A small singular value is dropped; it is not zero, and the gradient has its singular vectors as well.",
)

# ---------------------------------------- q4: checking gradients numerically

q4 = MISTAKES.question("q4")

q4.edit(
    "numerical_gradient__one_sided",
    ("np.cbrt(np.finfo(np.float64).eps)", "1.5e-8"),
    ("float(f(below))", "float(f(x.copy()))"),
    ("(above[i] - below[i])", "h"),
    says="The difference is one-sided: its error is of first order in the step. Take both sides.",
    sign=signs.difference(central=False),
)
q4.edit(
    "numerical_gradient__step_too_small",
    ("np.cbrt(np.finfo(np.float64).eps)", "1e-9"),
    ("(above[i] - below[i])", "(2 * h)"),
    says="The step is too small: rounding, eps |f| / h, drowns the difference. eps^(1/3) balances it with h^2.",
    sign=signs.difference(central=True, small=True),
)
q4.edit(
    "numerical_gradient__step_too_large",
    ("np.cbrt(np.finfo(np.float64).eps)", "1e-2"),
    ("(above[i] - below[i])", "(2 * h)"),
    says="The step is too large: the truncation error, h^2 f''' / 6, is left in the result.",
    sign=signs.difference(central=True, small=False),
)
q4.edit(
    "numerical_gradient__step_unscaled",
    ("np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(x[i]))", "6e-6"),
    ("(above[i] - below[i])", "(2 * h)"),
    says="The step does not grow with x_i: at large x_i it drowns in rounding. Scale it by max(1, |x_i|).",
    sign=signs.difference(central=True, grows="nowhere"),
)
q4.edit(
    "numerical_gradient__step_proportional",
    ("np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(x[i]))", "6e-6 * abs(x[i])"),
    ("/ (above[i] - below[i])", "/ (2 * h) if h else np.nan"),
    says="The step is proportional to x_i, even where x_i is tiny or 0. Scale it by max(1, |x_i|).",
    sign=signs.difference(central=True, grows="with x"),
)
q4.edit(
    "numerical_gradient__divided_by_h",
    ("return gradient", "return 2 * gradient"),
    says="The factor 2 is missing: the two points are 2h apart.",
)
q4.edit(
    "numerical_gradient__flattened",
    ("return gradient", "return gradient.ravel()"),
    says="The gradient is flattened: it should have the shape of x.",
)
q4.edit(
    "check_gradient__absolute_tolerance",
    ("error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding", "error < 1e-6"),
    says="The comparison has an absolute tolerance: whether an error is large depends on the gradient's size.",
)
q4.edit(
    "check_gradient__allclose",
    (
        "error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding",
        "np.allclose(claimed, measured, rtol=1e-4)",
    ),
    says="The comparison has an absolute tolerance in addition to the relative one (np.allclose: 1e-8), so any small "
    "gradient passes.",
)
q4.edit(
    "check_gradient__loose",
    (
        "error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding",
        "error <= 0.1 * np.linalg.norm(np.ravel(measured))",
    ),
    says="A gradient that is a few per cent wrong passes: the comparison has to notice it.",
)
q4.edit(
    "check_gradient__lengths_only",
    ("np.linalg.norm(np.ravel(claimed - measured))", "abs(np.linalg.norm(claimed) - np.linalg.norm(measured))"),
    says="A gradient in the opposite direction passes: lengths and absolute values do not tell it from the right one. "
    "Compare the gradients themselves.",
    openly="A gradient in the opposite direction passes.",
)
q4.edit(
    "check_gradient__sums_only",
    ("np.linalg.norm(np.ravel(claimed - measured))", "abs(np.sum(claimed) - np.sum(measured))"),
    says="A gradient whose entries are in each other's places passes, as where sums are compared (slopes along ones): "
    "errors cancel in a sum, so compare entry with entry.",
)
q4.edit(
    "check_gradient__directions_only",
    (
        "error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding",
        "np.sum(claimed * measured) >= (1 - 1e-8) * np.linalg.norm(claimed) * np.linalg.norm(measured)",
    ),
    says="Only the directions are compared: a gradient has a length too.",
    openly="A gradient of another length passes.",
)
q4.edit(
    "check_gradient__first_entry_only",
    ("np.linalg.norm(np.ravel(claimed - measured))", "abs(claimed.flat[0] - measured.flat[0])"),
    says="Not every entry is compared: any of them may be wrong.",
)
q4.edit(
    "check_gradient__last_entry_only",
    ("np.linalg.norm(np.ravel(claimed - measured))", "abs(claimed.flat[-1] - measured.flat[-1])"),
    says="Not every entry is compared: any of them may be wrong.",
)
q4.edit(
    "check_gradient__any_entry",
    (
        "error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding",
        "np.any(np.isclose(claimed, measured, rtol=1e-5, atol=0))",
    ),
    says="One entry that agrees is enough here, but all of them have to agree.",
)
q4.edit(
    "check_gradient__too_tight",
    (
        "error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding",
        "error <= 1e-14 * np.linalg.norm(np.ravel(measured))",
    ),
    says="A right gradient is rejected: differences have ten correct digits at best, and a tolerance that asks for "
    "more rejects every gradient.",
    openly="A right gradient is rejected.",
)
q4.edit(
    "check_gradient__entry_by_entry",
    (
        "error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding",
        "np.all(np.abs(claimed - measured) <= 1e-5 * np.abs(measured))",
    ),
    says="Every entry is compared relative to itself: next to zero, differences have no correct digits. Compare with "
    "the size of the whole gradient.",
)
q4.edit(
    "check_gradient__broadcast",
    ("claimed.shape != x.shape or not np.all(np.isfinite(claimed))", "not np.all(np.isfinite(claimed))"),
    says="The shape is not checked: broadcasting compares what does not belong together.",
)
q4.edit(
    "check_gradient__nan_passes",
    ("claimed.shape != x.shape or not np.all(np.isfinite(claimed))", "claimed.shape != x.shape"),
    ("bool(error <= ", "not bool(error > "),
    says="A gradient with a NaN in it passes: look at every entry, and mind that each comparison with NaN is False, "
    "`error > tolerance` too.",
)


@q4.mistake(says="In every case the answer is True, whatever grad_f is: wrong gradients pass.", throughout=True)
def check_gradient__always_true(f, grad_f, x):
    return True


q4.edit(
    "check_gradient__no_absolute_value",
    ("np.linalg.norm(np.ravel(claimed - measured))", "np.max(claimed - measured)"),
    says="The absolute value of the difference is not taken: negative errors pass.",
)

q4.edit(
    "check_gradient__one_per_cent",
    (
        "error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding",
        "np.max(np.abs(claimed - measured)) <= 0.01 * np.max(np.abs(measured))",
    ),
    says="A small entry with the wrong sign passes: look at every entry, with a tolerance that is small beside small "
    "entries, too.",
)
q4.edit(
    "check_gradient__along_the_gradient",
    (
        "error <= 1e-5 * np.linalg.norm(np.ravel(measured)) + 100 * rounding",
        "abs(np.sum(claimed * (measured - claimed))) <= 1e-4 * np.sum(claimed**2) + 100 * rounding",
    ),
    says="A gradient passes that has a zero where it should have none: the slope along it is right all the same. "
    "Compare every entry.",
)

# ---------------------------------------- q5: the singular value decomposition, backwards

q5 = MISTAKES.question("q5", reread="Then backwards, a step at a time")

q5.edit(
    "svd_vjp__f_sign",
    ("(1 / ratio - ratio)", "(ratio - 1 / ratio)"),
    says="The sign of F is wrong: F_ij = 1 / (s_j^2 - s_i^2), with i the row.",
)
q5.edit(
    "svd_vjp__f_not_squared",
    ("(1 / ratio - ratio) * s[:, None] * s[None, :]", "s[None, :] - s[:, None]"),
    says="F is made with the differences of the singular values; it needs those of their squares.",
)
q5.edit(
    "svd_vjp__f_regularised",
    ("jnp.where(diagonal, 0.0, 1 / jnp.where(diagonal, 1.0, gap))", "gap / (gap**2 + 1e-12)"),
    says="A fixed number is added to the denominators of F, or compared with them: what is small depends on the scale "
    "of W, and the singular values are distinct.",
)
q5.edit(
    "svd_vjp__f_diagonal",
    ("jnp.where(diagonal, 0.0, 1 / jnp.where(diagonal, 1.0, gap))", "1 / gap"),
    says="The diagonal of F is 1 / 0: F is 0 there, because a singular vector does not turn towards itself.",
    openly="Something is divided by zero on a diagonal.",
)
q5.edit(
    "svd_vjp__v_sign",
    ("F * (Q - Q.T)", "-F * (Q - Q.T)"),
    says="The sign of V's part is wrong: F_ij = 1 / (s_j^2 - s_i^2) is the same for V as for U.",
)
q5.edit(
    "svd_vjp__u_sign",
    ("F * (P - P.T)", "-F * (P - P.T)"),
    says="The sign of U's part is wrong: F_ij = 1 / (s_j^2 - s_i^2) is the same for U as for V.",
)
q5.edit(
    "svd_vjp__s_on_the_wrong_side",
    ("F * (P - P.T) * s", "s[:, None] * F * (P - P.T)"),
    ("s[:, None] * (F * (Q - Q.T))", "(F * (Q - Q.T) * s)"),
    says="S is on the wrong side of F o (X - X^T): it belongs on the right in U's part and on the left in V's.",
)
q5.edit(
    "svd_vjp__projectors_without_s",
    ("(U_bar - U @ P) / s", "(U_bar - U @ P)"),
    ("(Vt_bar - Q.T @ Vt) / s[:, None]", "(Vt_bar - Q.T @ Vt)"),
    says="S^-1 is missing in the terms with the projectors: (I - U U^T) U_bar S^-1 V^T, and its counterpart for V.",
)
q5.edit(
    "svd_vjp__symmetric",
    ("(P - P.T)", "(P + P.T)"),
    ("(Q - Q.T)", "(Q + Q.T)"),
    says="X + X^T is where X - X^T belongs: U^T dU and V^T dV are skew-symmetric.",
)
q5.edit(
    "svd_vjp__s_bar_ignored",
    (" + (U * s_bar) @ Vt", ""),
    says="s_bar is not in your W_bar: U diag(s_bar) V^T is missing.",
    openly="s_bar is not in your W_bar.",
)
q5.edit(
    "svd_vjp__u_bar_ignored",
    ("jnp.asarray(U_bar)", "jnp.zeros_like(U_bar)"),
    says="U_bar is not in your W_bar.",
    openly=True,
)
q5.edit(
    "svd_vjp__vt_bar_ignored",
    ("jnp.asarray(Vt_bar)", "jnp.zeros_like(Vt_bar)"),
    says="Vt_bar is not in your W_bar.",
    openly=True,
)
q5.edit(
    "svd_vjp__singular_values_only",
    ("jnp.asarray(U_bar)", "jnp.zeros_like(U_bar)"),
    ("jnp.asarray(Vt_bar)", "jnp.zeros_like(Vt_bar)"),
    says="Only s_bar is in your W_bar: U_bar and Vt_bar are missing.",
    throughout=True,
)
q5.edit(
    "svd_vjp__left_projector_missing",
    (" + (U_bar - U @ P) / s", ""),
    says="For m > n the part of U_bar outside the column space of U is missing: (I - U U^T) U_bar S^-1 V^T.",
    openly="Where W is tall, the part of U_bar outside the column space of U is missing.",
)
q5.edit(
    "svd_vjp__right_projector_missing",
    (" + (Vt_bar - Q.T @ Vt) / s[:, None]", ""),
    says="For m < n the part of Vt_bar outside the row space of V^T is missing: U S^-1 Vt_bar (I - V V^T).",
    openly="Where W is wide, the part of Vt_bar outside the row space of Vt is missing.",
)
q5.edit(
    "svd_vjp__not_skew",
    ("(P - P.T)", "P"),
    ("(Q - Q.T)", "Q"),
    says="X is where X - X^T belongs: an orthonormal factor can only turn, so U^T U_bar and V^T V_bar are made skew.",
)
q5.edit(
    "svd_vjp__half",
    ("1 / jnp.where(diagonal, 1.0, gap)", "0.5 / jnp.where(diagonal, 1.0, gap)"),
    says="There is an extra factor of 1/2 in the parts of U and V.",
)
q5.edit(
    "svd_vjp__vt_bar_as_v_bar",
    ("jnp.asarray(Vt_bar)", "jnp.asarray(Vt_bar).T.reshape(Vt.shape)"),
    says="Vt_bar is the cotangent of V^T, shaped (k, n); it is used as if it were that of V.",
)
q5.edit(
    "svd_vjp__transposed",
    ("left @ Vt + (U * s_bar) @ Vt + U @ right", "(left @ Vt + (U * s_bar) @ Vt + U @ right).T"),
    says="This is the transpose: W_bar has the shape of W.",
)
q5.edit(
    "svd_vjp__close_taken_for_equal",
    (
        "jnp.where(diagonal, 0.0, 1 / jnp.where(diagonal, 1.0, gap))",
        "jnp.where(abs(gap) < 1e-4 * s[0] ** 2, 0.0, 1 / jnp.where(diagonal, 1.0, gap))",
    ),
    says="Singular values that are close are taken for equal: they are distinct, and F_ij = 1 / (s_j^2 - s_i^2) "
    "however close they are.",
)
