"""Wrong solutions of `ad_in_jax`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.sparse.linalg import cg

from wrong_solutions import Collection
from wrong_solutions.ad_in_jax import as_vector, coloured, implicit, iterate, trace_inverse

WRONG = Collection()
wrong = WRONG.wrong


@wrong("trace_inverse_derivatives", "half the Hessian, as in a Taylor series")
def taylor_coefficient(A, B, X):
    f = lambda X: trace_inverse(A, B, X)  # noqa: E731
    return jax.grad(f)(X), jax.jacfwd(jax.grad(f))(X) / 2


@wrong("cubic_norm_derivatives", "the identity term is missing")
def no_identity(x):
    r = float(np.linalg.norm(x))
    return r * x, np.outer(x, x) / r if r else np.zeros((x.size, x.size))


@wrong("jacobian", "one jvp per input, stacked as rows")
def a_row_for_each_input(f, x):
    push = lambda e: jax.jvp(as_vector(f), (jnp.asarray(x),), (e,))[1]  # noqa: E731
    return jax.vmap(push)(jnp.eye(x.shape[0]))


@wrong("hvp", "a gradient for each row of the Hessian")
def gradient_of_each_entry(f, x, v):
    g = jax.grad(f)
    rows = jnp.stack([jax.grad(lambda x, i=i: g(x)[i])(jnp.asarray(x)) for i in range(x.shape[0])])
    return jnp.asarray(v) @ rows


@wrong("newton_cg", "one Newton step with a line search, and no more")
def single_step(f, x0, tolerance):
    x0 = jnp.asarray(x0)
    g = jax.grad(f)(x0)
    d = cg(lambda v: jax.jvp(jax.grad(f), (x0,), (v,))[1], -g, tol=1e-10)[0]
    t = 1.0
    while f(x0 + t * d) > f(x0) and t > 1e-10:
        t /= 2
    return x0 + t * d


@wrong("log1pexp", "the rule e^x / (1 + e^x) overflows")
def overflowing_rule(x):
    @jax.custom_jvp
    def value(x):
        return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))

    value.defjvp(lambda p, t: (value(p[0]), jnp.exp(p[0]) / (1 + jnp.exp(p[0])) * t[0]))
    return value(jnp.asarray(x, dtype=float))


@wrong("safe_norm", "the norm over the largest entry, which is 0/0 at 0")
def scaled(x):
    big = jnp.max(jnp.abs(x))
    return big * jnp.sqrt(jnp.sum((x / big) ** 2))


@wrong("fixed_point", "f's derivatives at x0")
def derivatives_at_the_start(f, theta, x0, tolerance):
    @jax.custom_vjp
    def solve(theta, x0):
        return iterate(f, theta, x0, tolerance)

    def back(kept, bar):
        theta, x0 = kept
        J = jax.jacrev(lambda x: f(x, theta))(x0)
        u = jnp.linalg.solve(jnp.eye(x0.size) - J.T, bar)
        return jax.vjp(lambda t: f(x0, t), theta)[1](u)[0], jnp.zeros_like(x0)

    solve.defvjp(lambda theta, x0: (solve(theta, x0), (theta, x0)), back)
    return solve(jnp.asarray(theta), jnp.asarray(x0))


@wrong("fixed_point", "a hundred terms of the series")
def hundred_terms(f, theta, x0, tolerance):
    def series(pull, push, bar):
        u = term = bar
        for _ in range(100):
            term = pull(term)
            u = u + term
        return u

    return implicit(f, theta, x0, tolerance, series)


@wrong("fixed_point", "the tolerance is met by the square of the distance")
def squared_distance(f, theta, x0, tolerance):
    @jax.custom_vjp
    def solve(theta, x0):
        goes_on = lambda x: jnp.sum((f(x, theta) - x) ** 2) > tolerance  # noqa: E731
        return lax.while_loop(goes_on, lambda x: f(x, theta), x0)

    def back(kept, bar):
        theta, x = kept
        J = jax.jacrev(lambda x: f(x, theta))(x)
        return jax.vjp(lambda t: f(x, t), theta)[1](jnp.linalg.solve((jnp.eye(x.size) - J).T, bar))[0], 0 * x

    solve.defvjp(lambda t, x: (lambda y: (y, (t, y)))(solve(t, x)), back)
    return solve(jnp.asarray(theta), jnp.asarray(x0))


@wrong("sparse_jacobian", "one-sided differences along the seeds, step 1e-7")
def differences_along_the_seeds(f, x, pattern):
    c = coloured(np.asarray(pattern))
    x = jnp.asarray(x)
    columns = [(f(x + 1e-7 * jnp.asarray(c == k)) - f(x)) / 1e-7 for k in range(int(c.max()) + 1)]
    return jnp.where(jnp.asarray(pattern), jnp.stack(columns, axis=1)[:, c], 0.0)
