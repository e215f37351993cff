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
from jax.scipy.sparse.linalg import cg

from reference import ad_in_jax as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


# q1


@wrong("trace_inverse_derivatives", "of the two terms of the Hessian only X^-1 E P is there")
def one_term_of_two(A, B, X):
    Y = jnp.linalg.inv(jnp.asarray(X))
    P = Y @ B @ A @ Y
    return -P.T, jnp.einsum("jk,li->ijkl", Y, P)


@wrong(
    "trace_inverse_derivatives", "the derivative of the sum of the gradient: the Hessian is summed over its first axes"
)
def gradient_of_the_sum(A, B, X):
    def f(X):
        return jnp.trace(A @ jnp.linalg.inv(X) @ B)

    gradient = jax.grad(f)
    return gradient(X), jax.grad(lambda X: jnp.sum(gradient(X)))(X)


@wrong("trace_inverse_derivatives", "the gradient and the first two axes of the Hessian are transposed")
def first_axes_transposed(A, B, X):
    X = jnp.asarray(X)
    Y = jnp.linalg.inv(X)

    def slope(X):
        Y = jnp.linalg.inv(X)
        return -Y @ B @ A @ Y

    return -Y @ B @ A @ Y, jax.jacfwd(slope)(X)


@wrong("cubic_norm_derivatives", "1e-12 is added under the root of the norm, so that a tiny x and 0 are wrong")
def root_softened(x):
    def g(x):
        return (jnp.sum(x**2) + 1e-12) ** 1.5 / 3

    x = jnp.asarray(x, dtype=float)
    return jax.grad(g)(x), jax.hessian(g)(x)


@wrong("cubic_norm_derivatives", "the gradient is ||x||^2 x, as if the norm had the derivative x")
def norm_without_unit(x):
    x = jnp.asarray(x)

    def gradient(x):
        return jnp.vdot(x, x) * x

    return gradient(x), jax.jacrev(gradient)(x)


# q2


@wrong("jacobian", "the modes are swapped: forward mode where f has fewer outputs than inputs")
def modes_swapped(f, x):
    x = jnp.asarray(x)
    m = jax.eval_shape(f, x).size
    mode = {True: jax.jacfwd, False: jax.jacrev}[m < x.size]
    return mode(lambda x: jnp.ravel(f(x)))(x)


@wrong("jacobian", "the columns that forward mode gives are put together as rows where m is larger than n")
def columns_as_rows(f, x):
    x = jnp.asarray(x)
    m = jax.eval_shape(f, x).size
    if m <= x.size:
        return jnp.reshape(jax.jacrev(f)(x), (m, x.size))
    _, push = jax.linearize(f, x)
    return jax.vmap(push)(jnp.eye(x.size))


# q3


@wrong("hvp", "a central difference of two gradients along v")
def difference_of_gradients(f, x, v):
    x, v = jnp.asarray(x), jnp.asarray(v)
    slope = jax.grad(f)

    def one(v):
        return (slope(x + 1e-5 * v) - slope(x - 1e-5 * v)) / 2e-5

    return one(v) if v.ndim == 1 else jnp.stack([one(row) for row in v])


@wrong("hvp", "v is divided by its length first and the product multiplied by it: NaN for v = 0")
def unit_direction_first(f, x, v):
    v = jnp.asarray(v)
    if v.ndim == 2:
        return jax.vmap(lambda row: unit_direction_first(f, x, row))(v)
    length = jnp.linalg.norm(v)
    return length * jax.jvp(jax.grad(f), (jnp.asarray(x),), (v / length,))[1]


@wrong("hvp", "every column of the Hessian is computed and added with its weight: n products for one")
def column_by_column(f, x, v):
    x, v = jnp.asarray(x), jnp.asarray(v)
    _, product = jax.linearize(jax.grad(f), x)

    def one(v):
        def add(j, total):
            return total + v[j] * product(jnp.zeros_like(x).at[j].set(1.0))

        return jax.lax.fori_loop(0, x.size, add, jnp.zeros_like(x))

    return one(v) if v.ndim == 1 else jax.vmap(one)(v)


@wrong("hvp", "the rows of a (k, n) v are added up before the product, which is then given to every row")
def rows_added(f, x, v):
    x, v = jnp.asarray(x), jnp.asarray(v)

    def slope_along(x):
        return jnp.sum(v @ jax.grad(f)(x))

    return jnp.broadcast_to(jax.grad(slope_along)(x), v.shape)


# q4


@wrong("newton_cg", "full Newton steps without a safeguard: where one does not descend, it runs away")
def full_steps(f, x0, tolerance):
    slope = jax.jit(jax.grad(f))
    step = jax.jit(lambda x, g: cg(lambda v: reference.hvp(f, x, v), -g, tol=1e-6, maxiter=20 * g.size)[0])
    x = jnp.asarray(x0, dtype=float)
    g = slope(x)
    goal = tolerance * max(1.0, float(jnp.linalg.norm(g)))
    for _ in range(100):
        if float(jnp.linalg.norm(g)) <= goal:
            break
        x = x + step(x, g)
        g = slope(x)
    return x


@wrong("newton_cg", "it ends when f decreases by less than the tolerance, whatever the gradient is")
def ends_when_f_stalls(f, x0, tolerance):
    value, slope = jax.jit(f), jax.jit(jax.grad(f))
    product = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
    x = jnp.asarray(x0, dtype=float)
    before, now = np.inf, float(value(x))
    while before - now > tolerance:
        g = slope(x)
        p = cg(functools.partial(product, x), -g, tol=0.1)[0]
        t = 1.0
        while float(value(x + t * p)) > now + 1e-4 * t * float(g @ p) and t > 1e-10:
            t /= 2
        x = x + t * p
        before, now = now, float(value(x))
    return x


@wrong("newton_cg", "the Hessian is formed and the system solved by a factorisation")
def dense_newton(f, x0, tolerance):
    x = jnp.asarray(x0, dtype=float)
    slope, hessian = jax.jit(jax.grad(f)), jax.jit(jax.hessian(f))
    target = tolerance * max(1.0, float(jnp.linalg.norm(slope(x))))
    for _ in range(200):
        g = slope(x)
        if float(jnp.linalg.norm(g)) <= target:
            return x
        p = jnp.linalg.solve(hessian(x), -g)
        t, here = 1.0, float(f(x))
        while float(f(x + t * p)) > here + 1e-4 * t * float(g @ p) + 1e-14 * abs(here) and t > 1e-12:
            t = 0.5 * t
        x = x + t * p
    return x


@wrong("newton_cg", "two thousand steps of gradient descent with a line search, no Newton step")
def steepest_descent(f, x0, tolerance):
    both = jax.jit(jax.value_and_grad(f))
    x = jnp.asarray(x0, dtype=float)
    value, g = both(x)
    limit, t = tolerance * max(1.0, float(jnp.linalg.norm(g))), 1.0
    for _ in range(2000):
        size = float(jnp.linalg.norm(g))
        if size <= limit:
            break
        t = 2 * t
        while t > 1e-12 and float(both(x - t * g)[0]) > float(value) - 0.5 * t * size**2:
            t = t / 2
        x = x - t * g
        value, g = both(x)
    return x


# q5


@wrong("log1pexp", "where(x > 30, x, log1p(e^x)): beyond 709 the branch that is not taken makes the derivative NaN")
def where_around_overflow(x):
    x = jnp.asarray(x, dtype=float)
    return jnp.where(x > 30, x, jnp.log1p(jnp.exp(x)))


@wrong("log1pexp", "x is clipped to [-50, 50], and so are value and derivative")
def clipped(x):
    return jnp.log1p(jnp.exp(jnp.clip(jnp.asarray(x, dtype=float), -50.0, 50.0)))


@wrong("log1pexp", "max(x, 0) and |x| as they are: at 0, where their kinks meet, the derivative is 0, not 1/2")
def two_kinks(x):
    x = jnp.asarray(x, dtype=float)
    return jnp.maximum(x, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@wrong("safe_norm", "the unit vector is behind stop_gradient, so that the second derivatives are 0")
def frozen_unit(x):
    x = jnp.asarray(x, dtype=float)
    squares = jnp.sum(x**2)
    length = jnp.sqrt(jnp.where(squares > 0, squares, 1.0))
    return jnp.vdot(jax.lax.stop_gradient(x / length), x)


@wrong("safe_norm", "a Python if on the values, which vmap and jit cannot decide")
def python_if(x):
    x = jnp.asarray(x, dtype=float)
    if jnp.all(x == 0):
        return jnp.sum(0.0 * x)
    return jnp.sqrt(x @ x)


@wrong("safe_norm", "a tiny number is added under the root: the value at 0 is not 0, and a short x is wrong")
def never_quite_zero(x):
    return jnp.sqrt(jnp.sum(jnp.square(x)) + 1e-16)


# q6


def iterated(f, theta, x0, tolerance):
    def goes_on(state):
        x, y = state
        return jnp.linalg.norm(y - x) > tolerance * jnp.maximum(1.0, jnp.linalg.norm(y))

    x0 = jnp.asarray(x0, dtype=float)
    return jax.lax.while_loop(goes_on, lambda state: (state[1], f(state[1], theta)), (x0, f(x0, theta)))[1]


def implicit(backward, forward=iterated):
    """A solver whose backward pass is backward(f, x, theta, x_bar) -> theta_bar."""

    @functools.partial(jax.custom_vjp, nondiff_argnums=(0, 3))
    def solve(f, theta, x0, tolerance):
        return forward(f, theta, x0, tolerance)

    def solve_fwd(f, theta, x0, tolerance):
        x = forward(f, theta, x0, tolerance)
        return x, (x, theta)

    def solve_bwd(f, tolerance, kept, x_bar):
        x, theta = kept
        return backward(f, x, theta, x_bar), jnp.zeros_like(x)

    solve.defvjp(solve_fwd, solve_bwd)
    return solve


def through_one_turn(f, x, theta, x_bar):
    return jax.vjp(lambda theta: f(x, theta), theta)[1](x_bar)[0]


@wrong("fixed_point", "the backward pass goes through f by theta once, as if x on the right side were constant")
def one_turn_only(f, theta, x0, tolerance):
    return implicit(through_one_turn)(f, jnp.asarray(theta), jnp.asarray(x0), tolerance)


@wrong("fixed_point", "the backward pass solves with I - J where its transpose belongs")
def not_transposed(f, theta, x0, tolerance):
    def backward(f, x, theta, x_bar):
        J = jax.jacfwd(f)(x, theta)
        return through_one_turn(f, x, theta, jnp.linalg.solve(jnp.eye(len(x)) - J, x_bar))

    return implicit(backward)(f, jnp.asarray(theta), jnp.asarray(x0), tolerance)


@wrong("fixed_point", "the adjoint equation is iterated fifty times, too few where f contracts slowly")
def fifty_terms(f, theta, x0, tolerance):
    def backward(f, x, theta, x_bar):
        pull = jax.vjp(f, x, theta)[1]
        u = jax.lax.fori_loop(0, 50, lambda _, u: x_bar + pull(u)[0], x_bar)
        return pull(u)[1]

    return implicit(backward)(f, jnp.asarray(theta), jnp.asarray(x0), tolerance)


@wrong("fixed_point", "a hundred iterations whatever the tolerance, so that x is not there where f contracts slowly")
def hundred_turns(f, theta, x0, tolerance):
    def forward(f, theta, x0, tolerance):
        return jax.lax.fori_loop(0, 100, lambda _, x: f(x, theta), x0)

    def backward(f, x, theta, x_bar):
        J = jax.jacrev(f)(x, theta)
        return through_one_turn(f, x, theta, jnp.linalg.solve((jnp.eye(len(x)) - J).T, x_bar))

    return implicit(backward, forward)(f, jnp.asarray(theta), jnp.asarray(x0, dtype=float), tolerance)


# q7


def compressed(f, x, colours):
    seeds = jnp.asarray(colours == np.arange(max(colours, default=-1) + 1)[:, None], dtype=float)
    _, push = jax.linearize(f, jnp.asarray(x))
    return jax.vmap(push)(seeds)


@wrong("sparse_jacobian", "a column is compared with the one before it only, so others that conflict share a colour")
def only_with_the_neighbour(f, x, pattern):
    colours = np.zeros(pattern.shape[1], dtype=int)
    for j in range(1, len(colours)):
        if np.any(pattern[:, j] & pattern[:, j - 1]):
            colours[j] = 1 - colours[j - 1]
    return jnp.where(pattern, compressed(f, x, colours)[colours].T, 0.0)


@wrong("sparse_jacobian", "the columns of a colour get the whole product, also in rows where their pattern is False")
def pattern_not_applied(f, x, pattern):
    colours = np.full(pattern.shape[1], -1)
    for j in range(len(colours)):
        near = np.any(pattern & pattern[:, [j]], axis=0)
        colours[j] = min(set(range(len(colours))) - set(colours[near & (colours >= 0)].tolist()))
    return compressed(f, x, colours)[colours].T


@wrong("sparse_jacobian", "one tangent for each column, without colours")
def one_for_each_column(f, x, pattern):
    x = jnp.asarray(x)
    columns = [jax.jvp(f, (x,), (e,))[1] for e in jnp.eye(x.size)]
    return jnp.where(pattern, jnp.stack(columns, axis=1), 0.0)
