"""Known mistakes of `ad_in_jax`. Each is what students write, no more wrong than they write it."""

# Written as students write, without annotations:
# pyright: basic

import jax
import jax.numpy as jnp
import numpy as np

from reference.mistakes import Catalogue, signs

MISTAKES = Catalogue("ad_in_jax")

# ---------------------------------------- q1: gradients and Hessians

q1 = MISTAKES.question("q1", reread="Derivatives, by what they compute")

q1.edit(
    "trace_inverse_derivatives__gradient_transposed",
    ("jax.grad(f)(X)", "jax.grad(f)(X).T"),
    says="Your gradient of f is transposed: entry [i, j] is the derivative by X_ij.",
    openly="Your gradient of f is transposed.",
)
q1.edit(
    "trace_inverse_derivatives__gradient_minus_missing",
    ("jax.grad(f)(X)", "-jax.grad(f)(X)"),
    says="The minus sign of f's gradient is missing: the derivative of X^-1 along E is -X^-1 E X^-1.",
    openly="The minus sign of f's gradient is missing.",
)
q1.edit(
    "trace_inverse_derivatives__hessian_transpose_missing",
    ("jax.hessian(f)(X)", "jnp.transpose(jax.hessian(f)(X), (1, 0, 2, 3))"),
    says="A transpose is missing in f's Hessian: entry [i, j, k, l] is the derivative by X_ij and X_kl, not by X_ji or "
    "X_lk.",
)
q1.edit(
    "trace_inverse_derivatives__hessian_axes",
    ("jax.hessian(f)(X)", "jnp.transpose(jax.hessian(f)(X), (0, 2, 1, 3))"),
    says="The axes of f's Hessian are in the wrong order: [i, j, k, l] belongs to X_ij and X_kl.",
)
q1.edit(
    "trace_inverse_derivatives__hessian_flat",
    ("jax.hessian(f)(X)", "jax.hessian(f)(X).reshape(X.size, X.size)"),
    says="Your Hessian of f is an n^2 x n^2 matrix: it should have the four axes [i, j, k, l].",
    openly=True,
)
q1.edit(
    "trace_inverse_derivatives__half_of_the_hessian",
    ("jax.hessian(f)(X)", "0.5 * jax.hessian(f)(X)"),
    says="f's Hessian is half of what it should be, or has one of its two terms: both factors X^-1 of the gradient are "
    "differentiated.",
)
q1.edit(
    "trace_inverse_derivatives__not_inverted",
    ("jnp.linalg.solve(X, jnp.asarray(B))", "X @ B"),
    says="This is differentiated from tr(A X B): the inverse is missing.",
    openly="The inverse is missing in what is differentiated.",
)
q1.edit(
    "trace_inverse_derivatives__entries_inverted",
    ("jnp.linalg.solve(X, jnp.asarray(B))", "(1 / X) @ B"),
    says="1 / X inverts each entry; X^-1 is the inverse of the matrix (jnp.linalg.solve, jnp.linalg.inv).",
)
q1.edit(
    "trace_inverse_derivatives__results_swapped",
    ("return gradient, hessian", "return hessian, gradient"),
    says="The two results are swapped: the gradient comes first, then the Hessian.",
    openly=True,
)


@q1.mistake(
    says="JAX alone says NaN at x = 0: the norm has no derivative there, though its third power has.",
    openly="JAX alone says NaN at 0: the norm has no derivative there.",
)
def cubic_norm_derivatives__nan_at_zero(x):
    def g(x):
        length = jnp.linalg.norm(x)
        return length**3 / 3

    return jax.grad(g)(x), jax.hessian(g)(x)


@q1.mistake(
    says="The Hessian is NaN at x = 0: 0 is divided by 0, or a power 3/2 has no second derivative there; that of "
    "||x||^3 is 0.",
    openly="The Hessian is NaN where the power that you differentiate has no second derivative.",
)
def cubic_norm_derivatives__hessian_nan_at_zero(x):
    def g(x):
        return jnp.vdot(x, x) ** 1.5 / 3

    return jax.grad(g)(x), jax.hessian(g)(x)


q1.edit(
    "cubic_norm_derivatives__outer_product_missing",
    ("norm * jnp.eye(x.size) + jnp.outer(x, unit)", "norm * jnp.eye(x.size)"),
    says="The Hessian of g lacks its term with x x^T: ||x|| depends on x as well.",
    openly="The Hessian of g lacks one of its terms.",
)
q1.edit(
    "cubic_norm_derivatives__identity_missing",
    ("norm * jnp.eye(x.size) + jnp.outer(x, unit)", "jnp.outer(x, unit)"),
    says="The Hessian of g lacks its term with the identity, ||x|| I.",
)
q1.edit(
    "cubic_norm_derivatives__outer_product_not_divided",
    ("jnp.outer(x, unit)", "jnp.outer(x, x)"),
    says="x x^T has to be divided by ||x|| in the Hessian of g.",
)
q1.edit(
    "cubic_norm_derivatives__unit_vector",
    ("norm * x", "unit"),
    says="This is x / ||x||, the gradient of the norm itself; g is a third of its third power.",
    openly="This is the gradient of the norm itself, not of a third of its third power.",
)
q1.edit(
    "cubic_norm_derivatives__third_missing",
    ("norm * x", "3 * norm * x"),
    ("norm * jnp.eye(x.size) + jnp.outer(x, unit)", "3 * (norm * jnp.eye(x.size) + jnp.outer(x, unit))"),
    says="The factor 1/3 of g is missing.",
    openly="A constant factor of g is missing.",
)
q1.edit(
    "cubic_norm_derivatives__shifted",
    ("jnp.linalg.norm(x)", "jnp.sqrt(jnp.vdot(x, x) + 1e-8)"),
    says="A small number under the root changes g everywhere, and most where x is short; 0 needs no such number.",
    first_order=True,
    openly="A small number under the root changes g everywhere.",
)
q1.edit(
    "cubic_norm_derivatives__diagonal_only",
    ("jnp.outer(x, unit)", "jnp.diag(x * unit)"),
    says="x x^T is an outer product; here only its diagonal is in the Hessian of g.",
)

# ---------------------------------------- q2: the cheaper mode

q2 = MISTAKES.question("q2", reread="What it costs")

q2.edit(
    "jacobian__always_forward",
    ("jax.jacfwd(f)(x) if x.size <= results else jax.jacrev(f)(x)", "jax.jacfwd(f)(x)"),
    says="Forward mode is used also where reverse mode is cheaper: it takes a sweep for each input.",
    openly=True,
)
q2.edit(
    "jacobian__always_reverse",
    ("jax.jacfwd(f)(x) if x.size <= results else jax.jacrev(f)(x)", "jax.jacrev(f)(x)"),
    says="Reverse mode is used also where forward mode is cheaper: it takes a sweep for each result.",
)
q2.edit(
    "jacobian__dearer_mode",
    ("x.size <= results", "x.size >= results"),
    says="The modes are swapped: forward mode takes a sweep for each input, reverse mode one for each result.",
    openly=True,
)
q2.edit(
    "jacobian__transposed",
    ("else jax.jacrev(f)(x)", "else jax.jacrev(f)(x).T"),
    says="Your Jacobian is transposed: a row for each result, a column for each input.",
)


@q2.mistake(
    says="These are tangents stacked as rows: each is a column of the Jacobian.",
    openly=True,
)
def jacobian__columns_as_rows(f, x):
    return jnp.stack([jax.jvp(f, (x,), (e,))[1] for e in jnp.eye(len(x))])


@q2.mistake(
    says="The row of a single result is missing its axis: the Jacobian is (m, n), also where m = 1.",
    openly="The row of a single result is missing its axis.",
)
def jacobian__squeezed(f, x):
    return jnp.squeeze(jax.jacrev(f)(x) if jax.eval_shape(f, x).size < len(x) else jax.jacfwd(f)(x))


@q2.mistake(
    says="A finite difference loses half of the digits; a transformation of JAX loses none.",
    openly=True,
    sign=signs.difference_of_values,
)
def jacobian__finite_difference(f, x):
    h = 1e-6
    return jnp.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in jnp.eye(len(x))], axis=1)


@q2.mistake(says="This is the gradient of the sum of all results: the rows of the Jacobian are added up.")
def jacobian__of_the_sum(f, x):
    return jnp.tile(jax.grad(lambda x: jnp.sum(f(x)))(x), (jax.eval_shape(f, x).size, 1))


# ---------------------------------------- q3: Hessian times vector

q3 = MISTAKES.question("q3")


@q3.mistake(
    says="It takes what a Hessian takes, n x n numbers and the work of n gradients, where a product was asked for.",
    openly=True,
)
def hvp__hessian_formed(f, x, v):
    return jnp.asarray(v) @ jax.hessian(f)(x)


@q3.mistake(
    says="As much is computed as for the whole Hessian, if only row by row, with a gradient for each row: the product "
    "needs one in all.",
    openly=True,
)
def hvp__row_by_row(f, x, v):
    rows = jax.lax.map(lambda e: jax.jvp(jax.grad(f), (x,), (e,))[1], jnp.eye(len(x)))
    return v @ rows


@q3.mistake(
    says="A difference of gradients loses half of the digits, whatever its step: the product is exact without one.",
    sign=signs.difference_of_gradients,
)
def hvp__difference_of_gradients(f, x, v):
    h = 1e-6

    def product(v):
        return (jax.grad(f)(x + h * v) - jax.grad(f)(x - h * v)) / (2 * h)

    return product(v) if v.ndim == 1 else jnp.stack([product(row) for row in v])


q3.edit(
    "hvp__value_returned",
    ("_, product = jax.linearize(jax.grad(f), jnp.asarray(x))", "value, product = jax.linearize(jax.grad(f), x)"),
    ("return product(v) if", "return value if"),
    says="This is the gradient: the value of what is pushed forward, and not its tangent.",
    openly=True,
)
q3.edit(
    "hvp__one_vector_only",
    ("product(v) if v.ndim == 1 else jax.vmap(product)(v)", "product(v.reshape(-1)[: len(x)])"),
    says="Only one vector is multiplied: each of several rows of v has a product of its own.",
    openly=True,
)
q3.edit(
    "hvp__rows_added",
    ("jax.vmap(product)(v)", "product(v.sum(axis=0))"),
    says="The rows of v are added up: each of them has a product of its own.",
    openly=True,
)
q3.edit(
    "hvp__normalised",
    ("v = jnp.asarray(v)", "v = v / jnp.linalg.norm(v)"),
    says="v is divided by its length: the product is linear in v, and 0 times the Hessian is 0.",
    openly=True,
)
q3.edit(
    "hvp__curvature",
    ("product(v) if v.ndim == 1", "v * jnp.vdot(v, product(v)) if v.ndim == 1"),
    says="This is made of v^T H v, a number; H v is asked for.",
)
q3.edit(
    "hvp__gradient_along_v",
    ("jax.linearize(jax.grad(f), jnp.asarray(x))", "jax.linearize(f, jnp.asarray(x))"),
    says="f itself is linearised, which gives its derivative along v; the Hessian is the derivative of the gradient.",
    openly="f itself is linearised, which gives its derivative along v.",
)


@q3.mistake(
    says="Only the diagonal of the Hessian is in this product.",
    openly=True,
)
def hvp__diagonal(f, x, v):
    def second(i):
        e = jnp.zeros_like(x).at[i].set(1.0)
        return jnp.vdot(e, jax.jvp(jax.grad(f), (x,), (e,))[1])

    return v * jax.lax.map(second, jnp.arange(len(x)))


@q3.mistake(says="This is g (g^T v) with the gradient g, an approximation (Gauss and Newton's); the Hessian is exact.")
def hvp__gauss_newton(f, x, v):
    gradient = jax.grad(f)(jnp.asarray(x))
    return jnp.multiply.outer(v @ gradient, gradient)


# ---------------------------------------- q4: Newton's method without a Hessian

q4 = MISTAKES.question("q4")

q4.edit(
    "newton_cg__no_safeguard",
    ("step = step / 2", "break"),
    says="There is no safeguard: a full Newton step may lead away from the minimiser; shorten it until f descends.",
)
q4.edit(
    "newton_cg__gradient_descent",
    ("_conjugate_gradients(partial(product, x), -gradient, min(0.1, size) * size)", "-gradient"),
    says="It goes down as gradient descent does: slowly where f is flat. Solve for the step with the Hessian, until "
    "the residual is small.",
    openly=True,
)
q4.edit(
    "newton_cg__absolute_residual",
    ("min(0.1, size) * size", "0.1"),
    says="Conjugate gradients stop at a fixed residual: near the minimiser that is at once, and the step is 0. What is "
    "small enough depends on the gradient.",
)
q4.edit(
    "newton_cg__uphill",
    ("partial(product, x), -gradient", "partial(product, x), gradient"),
    ("step = step / 2", "break"),
    ("range(200)", "range(20)"),
    says="The sign of the step is wrong: H d is minus the gradient.",
)
q4.edit(
    "newton_cg__two_iterations",
    ("range(10 * b.size)", "range(2)"),
    says="Conjugate gradients are stopped after so few steps that the system is not solved.",
)
q4.edit(
    "newton_cg__not_conjugate",
    ("residual + square / before * direction", "residual"),
    says="The system is solved along its residuals: conjugate directions keep a part of the direction before.",
)
q4.edit(
    "newton_cg__one_step",
    ("range(200)", "range(1)"),
    says="A single Newton step is made: it is repeated until the gradient is small.",
)
q4.edit(
    "newton_cg__goal_too_easy",
    ("goal = tolerance *", "goal = 1e4 * tolerance *"),
    says="It stops too early: it has to go on until the norm of the gradient meets the tolerance, and nothing smaller.",
    openly=True,
)

# ---------------------------------------- q5: derivatives that survive

q5 = MISTAKES.question("q5", reread="Where derivatives go wrong")


@q5.mistake(says="e^x overflows where x is large, and 1 + e^x loses it where it is tiny.")
def log1pexp__naive(x):
    return jnp.log(1 + jnp.exp(x))


@q5.mistake(says="log1p helps where e^x is tiny; where x is large, e^x still overflows.")
def log1pexp__overflow(x):
    return jnp.log1p(jnp.exp(x))


@q5.mistake(
    says="The derivative is NaN where x is large: it goes through both branches of the where, and e^x overflows in the "
    "one that is not taken. Keep its argument harmless there (a second where)."
)
def log1pexp__one_where(x):
    return jnp.where(x > 40, x, jnp.log1p(jnp.exp(x)))


@q5.mistake(says="A custom_vjp alone has no forward mode: jvp fails. A custom_jvp serves both modes.")
def log1pexp__reverse_rule_only(x):
    @jax.custom_vjp
    def stable(x):
        return jnp.logaddexp(x, 0.0)

    stable.defvjp(lambda x: (stable(x), x), lambda x, y_bar: (y_bar * jax.nn.sigmoid(x),))
    return stable(jnp.asarray(x))


@q5.mistake(
    says="|x| has no derivative at 0, nor has the larger of x and 0: with what JAX takes there the derivative of "
    "log(1 + e^x) at 0 is not 1/2. A rule of your own (custom_jvp) says what it is."
)
def log1pexp__absolute_value(x):
    return jnp.maximum(x, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


q5.edit(
    "log1pexp__rule_of_the_other_side",
    ("jax.nn.sigmoid(x)", "jax.nn.sigmoid(-x)"),
    says="The sign in the rule is wrong: the derivative is e^x / (1 + e^x), which is 1 for large x.",
)
q5.edit(
    "log1pexp__rule_overflows",
    ("jax.nn.sigmoid(x)", "jnp.exp(x) / (1 + jnp.exp(x))"),
    says="The rule itself overflows: e^x / (1 + e^x) is NaN for large x; 1 / (1 + e^-x) is the same number.",
)
q5.edit(
    "log1pexp__rule_has_no_derivative",
    ("jax.nn.sigmoid(x)", "1 / (1 + jnp.exp(-x))"),
    says="The rule is right, but its own derivative is NaN where e^-x overflows: jax.nn.sigmoid has one everywhere.",
)
q5.edit(
    "log1pexp__rule_not_differentiable",
    ("jax.nn.sigmoid(x)", "jax.lax.stop_gradient(jax.nn.sigmoid(x))"),
    says="The rule stops differentiation (stop_gradient): the second derivative needs to go through it.",
)


@q5.mistake(says="Far out x is clipped, and so the value and the derivative are wrong there.", sign=signs.clipped)
def log1pexp__clipped(x):
    return jnp.log1p(jnp.exp(jnp.clip(x, -500.0, 500.0)))


@q5.mistake(says="An if cannot look at a traced value, nor at an array: take jnp.where.")
def log1pexp__python_if(x):
    return x if x > 40 else jnp.log1p(jnp.exp(x))


def x_itself(failure):
    """The entries that are wrong are x: what is missing there is log(1 + e^-x)."""
    answer, right = np.atleast_1d(failure.answer), np.atleast_1d(failure.right)
    wrong = np.abs(answer - right) > 1e-13 * np.abs(right)
    return bool(np.any(wrong)) and np.allclose(
        (right - answer)[wrong], np.log1p(np.exp(-answer[wrong])), rtol=1e-2, atol=4e-16 * np.max(np.abs(right))
    )


@q5.mistake(says="x itself is returned too early: at x = 20, log(1 + e^x) is larger by 2e-9.", sign=x_itself)
def log1pexp__linear_too_early(x):
    large = x > 15
    return jnp.where(large, x, jnp.log1p(jnp.exp(jnp.where(large, 0.0, x))))


@q5.mistake(
    says="The gradient of the norm is NaN at 0: the root has an infinite slope there.",
    openly=True,
)
def safe_norm__nan_at_zero(x):
    return jnp.sqrt(jnp.vdot(x, x))


q5.edit(
    "safe_norm__one_where",
    ("jnp.sqrt(jnp.where(zero, 1.0, squares))", "jnp.sqrt(squares)"),
    says="The gradient is NaN at 0: it goes through both branches of the where, and 0 times the root's infinite slope "
    "is NaN. The root needs a harmless argument there (a second where).",
    openly="The gradient is NaN at 0: it goes through both branches of the where.",
)
q5.edit(
    "safe_norm__shifted",
    ("squares = jnp.vdot(x, x)", "squares = jnp.vdot(x, x) + 1e-12"),
    says="A small number under the root, or in its place, changes the norm: at 0 it is not 0.",
    sign=signs.shifted_root,
)


@q5.mistake(says="A custom_vjp alone has no forward mode: jvp fails. A custom_jvp serves both modes.")
def safe_norm__reverse_rule_only(x):
    def value(x):
        return jnp.sqrt(jnp.vdot(x, x))

    @jax.custom_vjp
    def norm(x):
        return value(x)

    def backward(x, y_bar):
        length = value(x)
        return (jnp.where(length > 0, y_bar * x / jnp.where(length > 0, length, 1.0), 0.0),)

    norm.defvjp(lambda x: (value(x), x), backward)
    return norm(jnp.asarray(x))


q5.edit(
    "safe_norm__norm_held_fixed",
    ("norm = jnp", "root = jnp"),
    ("jnp.where(zero, 0.0, norm)", "jnp.where(zero, 0.0, squares / jax.lax.stop_gradient(root))"),
    says="The norm in the denominator is held fixed (stop_gradient): derivatives have to go through it.",
)
q5.edit(
    "safe_norm__slope_held_fixed",
    ("norm = jnp", "root = jnp"),
    (
        "jnp.where(zero, 0.0, norm)",
        "jnp.where(zero, 0.0, 0.5 * (squares / jax.lax.stop_gradient(root) + jax.lax.stop_gradient(root)))",
    ),
    says="The norm in the denominator is held fixed (stop_gradient): derivatives have to go through it.",
)
q5.edit(
    "safe_norm__squared",
    ("jnp.sqrt(jnp.where(zero, 1.0, squares))", "jnp.where(zero, 1.0, squares)"),
    says="The root is missing: this is the square of the norm.",
    openly=True,
)
q5.edit(
    "safe_norm__gradient_one_at_zero",
    ("jnp.where(zero, 0.0, norm)", "jnp.where(zero, jnp.sum(x), norm)"),
    says="At 0 the gradient should be 0.",
    openly=True,
)

# ---------------------------------------- q6: the derivative of a fixed point

q6 = MISTAKES.question("q6", reread="The derivative of a solver")


@q6.mistake(
    says="The derivative goes through the iterations, all of which are kept; the implicit function theorem needs the "
    "solution only.",
    openly="The derivative goes through the iterations, all of which are kept.",
)
def fixed_point__through_the_iterations(f, theta, x0, tolerance):
    return jax.lax.fori_loop(0, 3000, lambda _, x: f(x, theta), x0)


@q6.mistake(says="Reverse mode cannot go through a while_loop: the fixed point needs a rule of its own.")
def fixed_point__no_rule(f, theta, x0, tolerance):
    def goes_on(x):
        return jnp.linalg.norm(f(x, theta) - x) > tolerance * jnp.maximum(1.0, jnp.linalg.norm(x))

    return jax.lax.while_loop(goes_on, lambda x: f(x, theta), jnp.asarray(x0))


q6.edit(
    "fixed_point__transpose_missing",
    ("(jnp.eye(x.size) - J).T", "jnp.eye(x.size) - J"),
    says="A transpose is missing: the cotangent solves a system with (I - J)^T.",
    openly="A transpose is missing.",
)
q6.edit(
    "fixed_point__one_step",
    ("jnp.linalg.solve((jnp.eye(x.size) - J).T, x_bar)", "x_bar"),
    says="Only the last step is differentiated: x on the right-hand side depends on theta as well.",
    openly="Only the last step is differentiated.",
)
q6.edit(
    "fixed_point__identity_missing",
    ("(jnp.eye(x.size) - J).T", "-J.T"),
    says="The identity is missing: dx = J dx + df gives (I - J) dx = df.",
    openly="Something is missing from the system that is solved.",
)
q6.edit(
    "fixed_point__wrong_sign",
    ("jnp.eye(x.size) - J", "jnp.eye(x.size) + J"),
    says="The sign of J is wrong: dx = J dx + df gives (I - J) dx = df.",
    openly="A sign is wrong in the system that is solved.",
)
q6.edit(
    "fixed_point__at_the_start",
    ("return x, (theta, x)", "return x, (theta, x0)"),
    says="The derivatives of f are taken at x0: they belong at the solution.",
)
q6.edit(
    "fixed_point__matrix_at_the_start",
    ("return x, (theta, x)", "return x, (theta, x, x0)"),
    ("theta, x = kept\n    J = jax.jacobian(f)(x, theta)", "theta, x, x0 = kept\n    J = jax.jacobian(f)(x0, theta)"),
    says="J is taken at x0, where the iteration starts: it belongs at the solution.",
)
q6.edit(
    "fixed_point__start_has_a_derivative",
    ("jnp.zeros_like(x)", "w"),
    says="The solution does not depend on where the iteration starts: x0_bar is 0.",
)
q6.edit(
    "fixed_point__few_terms",
    (
        "w = jnp.linalg.solve((jnp.eye(x.size) - J).T, x_bar)",
        "w = x_bar\n    for _ in range(30):\n        w = x_bar + J.T @ w",
    ),
    says="The series for (I - J)^-T is broken off too early: a slow contraction needs many more terms.",
    sign=signs.series_broken_off,
)
q6.edit(
    "fixed_point__theta_ignored",
    ("return theta_bar, jnp", "return jnp.zeros_like(theta), jnp"),
    says="theta gets no cotangent: the solution depends on it.",
    openly=True,
)
q6.edit(
    "fixed_point__square_compared",
    ("jnp.linalg.norm(following - x) >", "jnp.sum((following - x) ** 2) >"),
    says="It stops at half of the digits that are asked for, as where the square of the distance is compared with the "
    "tolerance.",
    openly=True,
)


@q6.mistake(
    says="A fixed number of iterations does not meet a tolerance: a slow contraction needs many more.",
    openly=True,
    sign=signs.turns,
    repeated=True,
)
def fixed_point__fixed_number(f, theta, x0, tolerance):
    x_now = jnp.asarray(x0)
    for _ in range(100):
        x_now = f(x_now, theta)
    return x_now


# ---------------------------------------- q7: sparse Jacobians

q7 = MISTAKES.question("q7", reread="For the curious: Jacobians with few entries")


@q7.mistake(
    says="A tangent goes through f for each column: columns that share no row can have the same one.",
    openly=True,
)
def sparse_jacobian__pattern_ignored(f, x, pattern):
    return jax.jacfwd(f)(x)


q7.edit(
    "sparse_jacobian__a_colour_each",
    ("colours = _coloured(pattern)", "colours = np.arange(pattern.shape[1])"),
    says="Every column has a colour of its own: columns that share no row can have the same.",
    openly=True,
)
q7.edit(
    "sparse_jacobian__not_masked",
    ("jnp.where(pattern, compressed[colours].T, 0.0)", "compressed[colours].T"),
    says="Entries outside of the pattern are not 0: there the compressed Jacobian holds another column of that colour.",
)
q7.edit(
    "sparse_jacobian__neighbours_only",
    ("pattern[:, :j][pattern[:, j]]", "(pattern & (np.arange(pattern.shape[1]) >= j - 1))[:, :j][pattern[:, j]]"),
    says="Columns two apart get the same colour though they share a row: compare with all earlier columns.",
)
q7.edit(
    "sparse_jacobian__conflicts_ignored",
    ("colours = _coloured(pattern)", "colours = np.arange(pattern.shape[1]) % int(pattern.sum(axis=1).max(initial=1))"),
    says="Columns that share a row get the same colour: it has to differ from that of every earlier column with an "
    "entry in one of the same rows.",
)
q7.edit(
    "sparse_jacobian__transposed",
    ("jnp.where(pattern, compressed[colours].T, 0.0)", "jnp.where(pattern, compressed[colours].T, 0.0).T"),
    says="Your Jacobian is transposed: a row for each result, a column for each input.",
)
q7.edit(
    "sparse_jacobian__value_in_place_of_the_tangent",
    ("compressed = jax.vmap(push)(jnp.asarray(seed))", "compressed = jax.vmap(f)(jnp.asarray(seed))"),
    says="f is applied to the directions themselves; its derivative along them is needed.",
)


@q7.mistake(
    says="A finite difference loses half of the digits; a tangent pushed forward loses none.",
    sign=signs.difference_of_values,
)
def sparse_jacobian__finite_difference(f, x, pattern):
    h = 1e-6
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in jnp.eye(len(x))]
    return jnp.where(pattern, jnp.stack(columns, axis=1), 0.0)
