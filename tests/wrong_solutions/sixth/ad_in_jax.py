"""Wrong solutions of `ad_in_jax`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false
# pyright: reportFunctionMemberAccess=false

import functools

import jax
import jax.numpy as jnp
import numpy as np

from reference import ad_in_jax as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


# q1


@wrong("trace_inverse_derivatives", "the Hessian is twice the first of its two terms (right for n = 1)")
def first_term_twice(A, B, X):
    gradient, _ = reference.trace_inverse_derivatives(A, B, X)
    Y = jnp.linalg.inv(jnp.asarray(X, dtype=float))
    P = Y @ B @ A @ Y
    return gradient, 2 * jnp.einsum("jk,li->ijkl", Y, P)


@wrong("trace_inverse_derivatives", "the Hessian's two middle axes are exchanged: [i,k,j,l] for [i,j,k,l]")
def middle_axes_exchanged(A, B, X):
    gradient, hessian = reference.trace_inverse_derivatives(A, B, X)
    return gradient, jnp.swapaxes(hessian, 1, 2)


@wrong(
    "cubic_norm_derivatives", "1e-8 is added under the root: at 0 the Hessian is 1e-4 I, and a tiny x is wrong as well"
)
def softened_root(x):
    x = jnp.asarray(x, dtype=float)

    def g(x):
        return (x @ x + 1e-8) ** 1.5 / 3

    return jax.grad(g)(x), jax.hessian(g)(x)


# q2


@wrong("jacobian", "one row is returned as a vector (n,), by jax.grad")
def one_row_is_a_gradient(f, x):
    x = jnp.asarray(x, dtype=float)
    (m,) = jax.eval_shape(f, x).shape
    if m == 1:
        return jax.grad(lambda x: f(x)[0])(x)
    return (jax.jacfwd if len(x) <= m else jax.jacrev)(f)(x)


@wrong("jacobian", "the mean of both modes' Jacobians, so that the dearer one is paid as well")
def mean_of_both_modes(f, x):
    x = jnp.asarray(x, dtype=float)
    return 0.5 * (jax.jacfwd(f)(x) + jax.jacrev(f)(x))


# q3


@wrong("hvp", "grad f(x + v) - grad f(x), without a limit: the product where f is quadratic, and nowhere else")
def difference_without_a_limit(f, x, v):
    x, v = jnp.asarray(x, dtype=float), jnp.asarray(v, dtype=float)
    slope = jax.grad(f)
    if v.ndim == 2:
        return jnp.stack([slope(x + row) - slope(x) for row in v])
    return slope(x + v) - slope(x)


@wrong("hvp", "v is scaled to length 1 before, and back after: NaN for v = 0")
def along_the_unit_vector(f, x, v):
    x, v = jnp.asarray(x, dtype=float), jnp.asarray(v, dtype=float)
    if v.ndim == 2:
        return jnp.stack([along_the_unit_vector(f, x, row) for row in v])
    size = jnp.linalg.norm(v)
    return size * jax.jvp(jax.grad(f), (x,), (v / size,))[1]


@wrong("hvp", "one vector is right; for several rows the whole Hessian is made once and multiplied")
def hessian_for_a_batch(f, x, v):
    x, v = jnp.asarray(x, dtype=float), jnp.asarray(v, dtype=float)
    if v.ndim == 2:
        return v @ jax.jacfwd(jax.grad(f))(x)
    return jax.jvp(jax.grad(f), (x,), (v,))[1]


# q4


def cg(product, b, tolerance, turns):
    p = jnp.zeros_like(b)
    r = d = b
    rr = r @ r
    for _ in range(turns):
        if rr <= tolerance**2:
            break
        Hd = product(d)
        alpha = rr / (d @ Hd)
        p, r = p + alpha * d, r - alpha * Hd
        rr, previous = r @ r, rr
        d = r + rr / previous * d
    return p


def newton(f, x0, done, turns, outer=100, search=True):
    """Newton-CG that ends when done(g, g0, p) says so."""
    x = jnp.asarray(x0, dtype=float)
    value_and_slope = jax.jit(jax.value_and_grad(f))
    product = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
    value, g = value_and_slope(x)
    g0 = jnp.linalg.norm(g)
    p = jnp.full_like(x, jnp.inf)
    for _ in range(outer):
        size = jnp.linalg.norm(g)
        if done(size, g0, jnp.linalg.norm(p)):
            break
        p = cg(functools.partial(product, x), -g, min(0.5, float(size) ** 0.5) * size, turns)
        t = 1.0
        while search and t > 1e-8:
            trial, slope = value_and_slope(x + t * p)
            slack = 1e-14 * abs(value)
            if trial <= value + 1e-4 * t * (g @ p) + slack and jnp.all(jnp.isfinite(slope)):
                break
            t /= 2
        x = x + t * p
        value, g = value_and_slope(x)
    return x


@wrong("newton_cg", "ends when the squared norm of the gradient is below the tolerance's bound")
def squared_norm(f, x0, tolerance):
    return newton(f, x0, lambda g, g0, p: g**2 <= tolerance * max(1.0, g0), 1000)


@wrong(
    "newton_cg", "at most three products in CG and at most 12 Newton steps: does not arrive where f is ill-conditioned"
)
def three_products(f, x0, tolerance):
    return newton(f, x0, lambda g, g0, p: g <= tolerance * max(1.0, g0), 3, outer=12)


# q5


@wrong("log1pexp", "x itself from 20 on, where log(1 + e^-x) is still 2e-9: the derivative there is 1")
def straight_from_twenty(x):
    x = jnp.asarray(x, dtype=float)
    inside = jnp.where(x > 20, 0.0, x)
    return jnp.where(x > 20, x, jnp.log1p(jnp.exp(inside)))


@wrong("log1pexp", "log(2 cosh(x/2)) + x/2 as it is written, which cancels for negative x")
def by_the_hyperbolic_cosine(x):
    x = jnp.asarray(x, dtype=float)
    return jnp.log(2 * jnp.cosh(x / 2)) + x / 2


@wrong(
    "safe_norm", "every zero entry is replaced by 1e-20: at 0 the value is not 0, and zero entries have no curvature"
)
def zero_entries_replaced(x):
    x = jnp.asarray(x, dtype=float)
    return jnp.linalg.norm(jnp.where(x == 0, 1e-20, x))


@wrong(
    "safe_norm",
    "the norm is held fixed by stop_gradient in x . x / ||x||: value and slope are right, the Hessian is I / ||x||",
)
def norm_held_fixed(x):
    x = jnp.asarray(x, dtype=float)
    size = jax.lax.stop_gradient(jnp.linalg.norm(x))
    size = jnp.where(size == 0, 1.0, size)
    return 0.5 * (x @ x) / size + 0.5 * jax.lax.stop_gradient(x @ x) / size


# q6


def iterate(step, start, tolerance, most):
    def going(state):
        x, change, turn = state
        return (change > tolerance * jnp.maximum(1.0, jnp.linalg.norm(x))) & (turn < most)

    def turn(state):
        x, _, k = state
        new = step(x)
        return new, jnp.linalg.norm(new - x), k + 1

    return jax.lax.while_loop(going, turn, (start, jnp.inf, 0))[0]


def implicit(f, theta, x0, tolerance, adjoint, forward_tolerance=None, most=100_000, x0_bar=jnp.zeros_like):
    """A fixed point whose adjoint system is solved by adjoint(f, x, theta, x_bar)."""

    @jax.custom_vjp
    def solve(theta, x0):
        return iterate(lambda x: f(x, theta), x0, forward_tolerance or 0.1 * tolerance, most)

    def forward(theta, x0):
        x = solve(theta, x0)
        return x, (x, theta)

    def backward(kept, x_bar):
        x, theta = kept
        u = adjoint(f, x, theta, x_bar)
        return jax.vjp(lambda theta: f(x, theta), theta)[1](u)[0], x0_bar(x_bar)

    solve.defvjp(forward, backward)
    return solve(jnp.asarray(theta, dtype=float), jnp.asarray(x0, dtype=float))


def adjoint_iteration(tolerance, most):
    def adjoint(f, x, theta, x_bar):
        pull_back = jax.vjp(lambda x: f(x, theta), x)[1]
        return iterate(lambda u: x_bar + pull_back(u)[0], x_bar, tolerance, most)

    return adjoint


@wrong("fixed_point", "the adjoint system is solved with I - f_x, not with its transpose (right for a symmetric f_x)")
def adjoint_not_transposed(f, theta, x0, tolerance):
    def adjoint(f, x, theta, x_bar):
        return jnp.linalg.solve(jnp.eye(len(x)) - jax.jacrev(f)(x, theta), x_bar)

    return implicit(f, theta, x0, tolerance, adjoint)


@wrong("fixed_point", "the adjoint iteration stops after 100 turns: enough for a fast contraction only")
def hundred_turns_back(f, theta, x0, tolerance):
    return implicit(f, theta, x0, tolerance, adjoint_iteration(1e-14, 100))


@wrong("fixed_point", "the cotangent of x comes back as that of x0, as if the iteration had not moved it")
def start_has_a_derivative(f, theta, x0, tolerance):
    return implicit(f, theta, x0, tolerance, adjoint_iteration(1e-14, 100_000), x0_bar=lambda x_bar: x_bar)


@wrong(
    "fixed_point", "the forward iteration ends when x changes by less than a relative 1e-6, whatever the tolerance is"
)
def own_tolerance(f, theta, x0, tolerance):
    return implicit(f, theta, x0, tolerance, adjoint_iteration(1e-14, 100_000), forward_tolerance=1e-6)


# q7


def by_colours(f, x, pattern, colours):
    x, pattern = jnp.asarray(x, dtype=float), np.asarray(pattern)
    seeds = np.zeros((max(colours, default=-1) + 1, len(x)))
    seeds[colours, np.arange(len(x))] = 1.0
    products = jax.vmap(jax.linearize(f, x)[1])(jnp.asarray(seeds))
    return jnp.where(pattern, products[np.asarray(colours)].T, 0.0)


@wrong("sparse_jacobian", "column j has the colour j mod 3, as for three diagonals, whatever the pattern is")
def three_colours(f, x, pattern):
    return by_colours(f, x, pattern, [j % 3 for j in range(len(x))])


@wrong(
    "sparse_jacobian", "a column joins the newest colour or begins another: right values, and more colours than greedy"
)
def newest_colour_only(f, x, pattern):
    pattern = np.asarray(pattern)
    colours, taken = [], None
    for column in pattern.T:
        if taken is None or np.any(taken & column):
            colours.append(colours[-1] + 1 if colours else 0)
            taken = column.copy()
        else:
            colours.append(colours[-1])
            taken |= column
    return by_colours(f, x, pattern, colours)
