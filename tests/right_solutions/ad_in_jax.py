"""Right solutions of `ad_in_jax`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax import lax

from right_solutions import Collection

RIGHT = Collection()
right = RIGHT.right

# q1


@right("trace_inverse_derivatives", "the Hessian column by column, by jvp of the gradient in closed form")
def columns(A, B, X):
    def gradient(X):
        Y = jnp.linalg.inv(X)
        return -(Y @ B @ A @ Y).T

    n = X.shape[0]
    basis = jnp.eye(n * n).reshape(n * n, n, n)
    pushed = jax.vmap(lambda E: jax.jvp(gradient, (jnp.asarray(X),), (E,))[1])(basis)
    return gradient(X), jnp.moveaxis(pushed.reshape(n, n, n, n), (0, 1), (2, 3))


@right("trace_inverse_derivatives", "NumPy loops over all four indices")
def four_loops(A, B, X):
    Y = scipy.linalg.inv(X)
    P = Y @ B @ A @ Y
    n = len(X)
    H = np.empty((n, n, n, n))
    for i, j, k, m in np.ndindex(n, n, n, n):
        H[i, j, k, m] = Y[j, k] * P[m, i] + P[j, k] * Y[m, i]
    return np.negative(P.T), H


@right("cubic_norm_derivatives", "a custom_jvp of the norm, with 0 at 0")
def own_norm(x):
    @jax.custom_jvp
    def norm(x):
        return jnp.sqrt(jnp.sum(x * x))

    @norm.defjvp
    def _(primals, tangents):
        (x,), (v,) = primals, tangents
        r = norm(x)
        return r, jnp.vdot(x, v) / jnp.where(r > 0, r, 1.0)

    def gradient(x):
        return norm(x) * x

    x = jnp.asarray(x, dtype=float)
    return gradient(x), jax.jacfwd(gradient)(x)


@right("cubic_norm_derivatives", "scaled to the largest entry, NumPy")
def scaled(x):
    x = np.array(x, dtype=float)
    size = np.max(np.abs(x), initial=0.0)
    if size == 0.0:
        return 0 * x, np.zeros((x.size, x.size))
    u = x / size
    r = np.sqrt(u @ u)
    return size**2 * r * u, size * (r * np.eye(x.size) + np.outer(u, u) / r)


# q2


@right("jacobian", "linearize and vmap, or vjp and vmap, by hand")
def by_hand(f, x):
    x = jnp.asarray(x)

    def g(x):
        return jnp.reshape(f(x), (-1,))

    m = jax.eval_shape(g, x).shape[0]
    if m < x.size:
        _, pull = jax.vjp(g, x)
        return jax.vmap(lambda u: pull(u)[0])(jnp.eye(m))
    _, push = jax.linearize(g, x)
    return jax.vmap(push, out_axes=1)(jnp.eye(x.size))


@right("jacobian", "a dictionary of modes")
def dictionary(f, x):
    results = jax.eval_shape(f, jnp.asarray(x))
    modes = {True: jax.jacfwd, False: jax.jacrev}
    J = modes[np.prod(results.shape, dtype=int) > len(x)](f)(jnp.asarray(x))
    return J.reshape(-1, len(x))


# q3


@right("hvp", "jax.linearize of the gradient, a loop over the rows")
def linearized(f, x, v):
    _, product = jax.linearize(jax.grad(f), jnp.asarray(x))
    v = jnp.asarray(v)
    return product(v) if v.ndim == 1 else jnp.stack([product(row) for row in v])


@right("hvp", "jvp of value_and_grad, vmap over whatever axes come first")
def of_value_and_grad(f, x, v):
    x, v = jnp.asarray(x), jnp.asarray(v)

    def one(v):
        return jax.jvp(jax.value_and_grad(f), (x,), (v,))[1][1]

    return functools.reduce(lambda g, _: jax.vmap(g), range(v.ndim - 1), one)(v)


# q4


@right("newton_cg", "CG in a while_loop on the device, a backtracking by the gradient near the end")
def on_the_device(f, x0, tolerance):
    slope = jax.jit(jax.grad(f))
    value = jax.jit(f)

    @jax.jit
    def solve(x, g, goal):
        def product(v):
            return jax.jvp(jax.grad(f), (x,), (v,))[1]

        def going(state):
            _, r, _, k = state
            return (jnp.vdot(r, r) > goal**2) & (k < 20 * x.size)

        def step(state):
            p, r, d, k = state
            Hd = product(d)
            alpha = jnp.vdot(r, r) / jnp.vdot(d, Hd)
            fresh = r - alpha * Hd
            return p + alpha * d, fresh, fresh + jnp.vdot(fresh, fresh) / jnp.vdot(r, r) * d, k + 1

        return lax.while_loop(going, step, (jnp.zeros_like(x), -g, -g, 0))[0]

    x = jnp.asarray(x0, dtype=float)
    g = slope(x)
    target = tolerance * max(1.0, float(jnp.linalg.norm(g)))
    for _ in range(300):
        size = float(jnp.linalg.norm(g))
        if size <= target:
            break
        p = solve(x, g, min(0.1, size**0.5) * size)
        t, descent, here = 1.0, float(g @ p), float(value(x))
        while t > 1e-14:
            there = x + t * p
            if float(value(there)) <= here + 1e-4 * t * descent:
                break
            if float(jnp.linalg.norm(slope(there))) < (1 - 1e-4 * t) * size and float(
                value(there)
            ) <= here + 1e-12 * max(1.0, abs(here)):
                break
            t /= 2
        x = x + t * p
        g = slope(x)
    return x


# q5


@right("log1pexp", "a custom_jvp whose rule is jax.nn.sigmoid, entry by entry")
def own_rule(x):
    return _softplus(jnp.asarray(x, dtype=float))


@jax.custom_jvp
def _softplus(x):
    return jnp.logaddexp(x, 0.0)


@_softplus.defjvp
def _softplus_jvp(primals, tangents):
    return _softplus(*primals), tangents[0] * jax.nn.sigmoid(primals[0])


@right("log1pexp", "jax.nn.softplus")
def library(x):
    return jax.nn.softplus(jnp.asarray(x, dtype=float))


@right("safe_norm", "a custom_jvp with a safe unit vector")
def unit(x):
    return _norm(jnp.asarray(x, dtype=float))


@jax.custom_jvp
def _norm(x):
    size = jnp.max(jnp.abs(x))
    safe = jnp.where(size > 0, size, 1.0)
    return safe * jnp.sqrt(jnp.sum((x / safe) ** 2))


@_norm.defjvp
def _norm_jvp(primals, tangents):
    (x,), (v,) = primals, tangents
    r = _norm(x)
    return r, jnp.vdot(x, v) / jnp.where(r > 0, r, 1.0)


# q6


@right("fixed_point", "custom_vjp outside, the function among the arguments that are not differentiated")
def nondiff_argnums(f, theta, x0, tolerance):
    return _solve(f, tolerance, jnp.asarray(theta), jnp.asarray(x0))


def _iterate(step, start, tolerance):
    def going(state):
        before, here, k = state
        return (jnp.linalg.norm(here - before) > 0.5 * tolerance * jnp.maximum(1.0, jnp.linalg.norm(here))) & (
            k < 200_000
        )

    return lax.while_loop(going, lambda s: (s[1], step(s[1]), s[2] + 1), (start, step(start), 0))[1]


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _solve(f, tolerance, theta, x0):
    return _iterate(lambda x: f(x, theta), x0, tolerance)


def _solve_forward(f, tolerance, theta, x0):
    x = _solve(f, tolerance, theta, x0)
    return x, (theta, x)


def _solve_backward(f, tolerance, kept, x_bar):
    theta, x = kept
    _, pull = jax.vjp(f, x, theta)
    length = jnp.maximum(jnp.linalg.norm(x_bar), 1e-300)
    u = _iterate(lambda u: x_bar / length + pull(u)[0], x_bar / length, 1e-15)
    return length * pull(u)[1], jnp.zeros_like(x)


_solve.defvjp(_solve_forward, _solve_backward)


# q7


def _colours(pattern):
    conflict = (pattern.T.astype(int) @ pattern.astype(int)) > 0
    colours = -np.ones(pattern.shape[1], dtype=int)
    for j in range(len(colours)):
        taken = set(colours[:j][conflict[j, :j]])
        colours[j] = next(c for c in range(j + 1) if c not in taken)
    return colours


@right("sparse_jacobian", "a loop over the colours, written into an array with at[]")
def colour_by_colour(f, x, pattern):
    x, pattern = jnp.asarray(x), np.asarray(pattern)
    J = jnp.zeros(pattern.shape)
    colours = _colours(pattern)
    for colour in range(colours.max(initial=-1) + 1):
        columns = np.flatnonzero(colours == colour)
        v = jnp.zeros(len(x)).at[columns].set(1.0)
        product = jax.jvp(f, (x,), (v,))[1]
        J = J.at[:, columns].set(product[:, None] * pattern[:, columns])
    return J


@right("sparse_jacobian", "rows coloured, cotangents pulled back together")
def rows_coloured(f, x, pattern):
    x, pattern = jnp.asarray(x), np.asarray(pattern)
    columns, rows = _colours(pattern), _colours(pattern.T)
    if rows.max(initial=0) > columns.max(initial=0):
        return colour_by_colour(f, x, pattern)
    seed = jnp.asarray(rows == np.arange(rows.max(initial=-1) + 1)[:, None], dtype=float)
    _, pull = jax.vjp(f, x)
    pulled = jax.vmap(lambda u: pull(u)[0])(seed)
    return jnp.where(pattern, pulled[rows], 0.0)
